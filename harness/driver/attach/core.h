/* core.h - a process as its core file has it. */
#ifndef HEDDLE_DRIVER_CORE_H
#define HEDDLE_DRIVER_CORE_H

#include "snapshot.h"

/* program: the executable, if it no longer lies where it did, or NULL. NULL is returned when the
 * file is none that we can read: *why says so in one sentence; free() it. */
struct snapshot *core_open(const char *path, const char *program, char **why);

#endif /* HEDDLE_DRIVER_CORE_H */
