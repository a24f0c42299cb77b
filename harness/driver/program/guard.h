/* guard.h - the process that stands between the driver and the programs: none of them outlives the
 * driver, and they do not fork without end.
 *
 * Programs are children of the guard, which lives in a session of its own: what stops or ends the
 * driver from a terminal does not reach it. When the driver is gone, however that came, the guard
 * kills all that descends from it, removes the driver's temporary folder, and ends. When the guard
 * is killed, the kernel kills the first process of each program, and what is left of them comes to
 * the driver, the next subreaper: guard_check() kills that. The guard
 * keeps the bound on processes as well, so that it holds while the driver is stopped or slow.
 *
 *   threads  one: the driver's
 *   blocks   guard_stop() and guard_close() only, until what they kill is dead, a few seconds at
 *            most
 */
#ifndef HEDDLE_DRIVER_GUARD_H
#define HEDDLE_DRIVER_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/protocol.h"

#define GUARD_PROCESSES 4000u /* the bound, when the user gave none */

/* What a guard starts; all borrowed until guard_close(). */
struct guard_orders {
    unsigned slots;
    /* Called in the new process of a slot, which leads a session and has default signals: runs the
     * program. It returns when that failed, with the reason for guard_error(). */
    int (*become)(void *arg, unsigned slot, uint64_t number);
    void *arg;
    struct hdp_bell *bell; /* rung when a slot changes; its max_processes is the bound */
    const char *folder;    /* removed with the files in it when the driver dies; or NULL */
};

struct guard {
    struct guard_orders orders;
    struct guard_slot *slot; /* shared with the guard */
    pid_t pid;               /* 0 = none */
    int requests;            /* the guard takes its closing for our end */
};

/* NULL, or a sentence that the caller frees. Pair with guard_close() in either case; *g zeroed is a
 * guard that was never opened. */
char *guard_open(struct guard *g, const struct guard_orders *orders);
/* Kill all that the guard started, and it. */
void guard_close(struct guard *g);

/* Have the process of a slot made; what the slot had before is killed. */
void guard_start(struct guard *g, unsigned slot, uint64_t number);
/* Kill the process of a slot and its group. */
void guard_kill(struct guard *g, unsigned slot);
/* ... and wait until it is dead. */
void guard_stop(struct guard *g, unsigned slot);

/* Pid of the slot's process, which may have ended; 0 = none yet. */
pid_t guard_pid(const struct guard *g, unsigned slot);
/* Has it ended? Cheap. *status is as waitpid gives it. */
bool guard_ended(const struct guard *g, unsigned slot, int *status);
/* errno of what kept the slot's program from being started; 0 = nothing did. */
int guard_error(const struct guard *g, unsigned slot);

/* From time to time. When the guard was killed its programs have ended; the next guard_start()
 * makes another. */
void guard_check(struct guard *g);

#endif /* HEDDLE_DRIVER_GUARD_H */
