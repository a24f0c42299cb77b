/* look.h - a process that lives, looked at: stopped, copied, let go. Nothing is written into its
 * memory. */
#ifndef HEDDLE_DRIVER_LOOK_H
#define HEDDLE_DRIVER_LOOK_H

#include "snapshot.h"

/* NULL: *why says in one sentence why it could not be; free() it. */
struct snapshot *look_at(pid_t pid, char **why);

#endif /* HEDDLE_DRIVER_LOOK_H */
