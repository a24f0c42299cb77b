/* tool_log.h - what the log of another tool holds, once parsed.
 *
 * The parsers are pure functions of a buffer: any bytes give a result, none is dropped. A report
 * that could not be broken up becomes a finding of kind HD_FK_TOOL with the text in `raw`, and is
 * counted.
 */
#ifndef HEDDLE_DRIVER_TOOL_LOG_H
#define HEDDLE_DRIVER_TOOL_LOG_H

#include <stddef.h>

#include "findings/finding.h"

/* Reports beyond this many in one log are counted and not kept: a program that races in a loop. */
#define TOOL_LOG_REPORTS 1000
/* Frames kept of a stack. */
#define TOOL_LOG_FRAMES 128
/* Notes kept of one report. */
#define TOOL_LOG_NOTES 64

struct tool_log {
    struct finding **finding; /* owned; modules hold full paths where the log did */
    size_t count;
    size_t raw;     /* of those, kept as text because they were not understood */
    size_t dropped; /* reports beyond TOOL_LOG_REPORTS */
    char *trouble;  /* why the tool itself gave up, one sentence; NULL = it did not */
};

/* Append; takes f over. */
void tool_log_add(struct tool_log *log, struct finding *f);
/* Append what was not understood. `text` is copied, unprintable bytes replaced. */
void tool_log_add_raw(struct tool_log *log, enum tool tool, const char *text, size_t bytes);
void tool_log_free(struct tool_log *log);

/* Drop the frames on top of a stack that stand in the tool's code, in ours, in libc or in a library
 * without line information, down to the first other one: the user's place. Nothing is dropped when
 * there is none. Returns the function of the last frame dropped ("memcpy"), to be freed, or NULL.
 */
char *tool_log_trim(struct stack *stack);

/* Text of ThreadSanitizer's reports, symbolised or not, other output in between allowed.
 * source: compiler-rt's tsan_report.cpp, LLVM 9 to 19, and gcc 9 to 14. */
void parse_tsan(const char *text, size_t bytes, struct tool_log *log);

/* Valgrind's XML (--xml=yes, protocol 4) of Helgrind or DRD: a whole document, or the part that a
 * forked process added to it. `tool` is what findings are marked with. */
void parse_valgrind(const char *text, size_t bytes, enum tool tool, struct tool_log *log);

#endif /* HEDDLE_DRIVER_TOOL_LOG_H */
