/* hooked.h - which files of a program were built with the compiler's hooks (heddle-cc). */
#ifndef HEDDLE_DRIVER_HOOKED_H
#define HEDDLE_DRIVER_HOOKED_H

#include "numbering.h"

/* The names, without folder, of the files with code in a memory map (the text of /proc/PID/maps) that are
 * the user's: neither below /lib and /usr/lib nor ours. Appended. */
void hooked_modules(const char *maps, struct names *with, struct names *without);

#endif /* HEDDLE_DRIVER_HOOKED_H */
