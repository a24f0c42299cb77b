/* tool.h - ThreadSanitizer, Helgrind and DRD as back ends: one table of functions each.
 *
 * A tool watches the program from inside its process while our runtime schedules it. Here is what
 * the driver must know of it: can it work on this program, how is the program started under it,
 * where does it write, what does that mean.
 *
 *   ownership  sentences returned are the caller's to free
 *   errors     a sentence without full stop, as everywhere in the driver
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_TOOL_H
#define HEDDLE_DRIVER_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "findings/finding.h"
#include "program/target.h"
#include "symbols/symbol.h"
#include "tool_log.h"

/* A log longer than this is read so far and no further, bytes. */
#define TOOL_LOG_BOUND (4u << 20)

struct tool_run;

struct tool_backend {
    enum tool bit;
    const char *name; /* as --tool= takes it */
    /* Can it work on this program, on this machine? NULL, or why not and what to do. */
    char *(*check)(const struct target *t);
    /* Fill what tool_run describes for starting the program. NULL, or a sentence. */
    char *(*prepare)(struct tool_run *run, const struct target *t, char *const *argv,
                     char *const *tool_args);
    void (*parse)(const char *text, size_t bytes, enum tool tool, struct tool_log *log);
    /* Why the tool itself died, if that is what the program's stderr says; NULL = it does not. */
    char *(*died)(const char *stderr_text);
    /* How many times slower than alone a program may run: the watchdog waits so much longer; ... */
    unsigned slower;
    /* ... and how many times longer a schedule may take when the user did not say. */
    unsigned longer;
};

/* A tool at work on one program. */
struct tool_run {
    const struct tool_backend *backend;
    const char *program;  /* what to execute: the program, or the tool around it; owned */
    char **argv;          /* NULL-terminated; owned, strings too */
    char **environment;   /* "NAME=value" to be set for it; NULL-terminated; owned, strings too */
    char *preload_before; /* library to stand before the runtime in LD_PRELOAD, or NULL */
    char *folder;         /* private, holds the logs; removed by tool_close() */
    int lock;             /* open while the folder is in use */
    bool symbolised;      /* the tool resolves places itself; else tool_symbolise() has to */
    size_t reports;       /* taken from its logs so far */
    size_t raw;           /* of those, not understood */
    size_t dropped;       /* over the bound of one log */
};

/* Set a tool up for a program. tool_args: options for the tool itself, NULL-terminated, or NULL.
 * NULL, or why not. Pair with tool_close(), also after a failure. */
char *tool_open(struct tool_run *run, const struct tool_backend *backend, const struct target *t,
                char *const *argv, char *const *tool_args);
void tool_close(struct tool_run *run);

/* Take the log that process `pid` left (a schedule that has ended), add what it holds to `log`, and
 * remove it. Races of our own library at its work are no findings. Nothing happens when it left
 * none. */
void tool_collect(struct tool_run *run, pid_t pid, struct tool_log *log);
/* The logs of all other processes: children that the program made by itself. */
void tool_collect_rest(struct tool_run *run, struct tool_log *log);

/* Drop the frames that are not the user's, and name variables. With `bare` put functions and lines
 * to places that have none. s holds the map of the program (symbols_map), or is NULL. */
void tool_symbolise(struct tool_log *log, struct symbols *s, bool bare);

/* Helpers of the back ends. */
void tool_set(struct tool_run *run, const char *name, const char *value);
void tool_argument(struct tool_run *run, const char *text);

#endif /* HEDDLE_DRIVER_TOOL_H */
