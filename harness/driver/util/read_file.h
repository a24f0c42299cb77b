/* read_file.h - files as text in memory, up to a bound. */
#ifndef HEDDLE_DRIVER_READ_FILE_H
#define HEDDLE_DRIVER_READ_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* The first `most` bytes of a file, or all of it, with a NUL behind them that *bytes does not
 * count. free() them. NULL: it cannot be read, errno says why. */
char *read_file(const char *path, size_t most, size_t *bytes);
/* The same of an open file that can be seeked or not, from where it stands. */
char *read_descriptor(int fd, size_t most, size_t *bytes);
/* The memory map of a process, as /proc/PID/maps has it; NULL: it is gone, or not ours. */
char *read_maps(pid_t pid);

#endif /* HEDDLE_DRIVER_READ_FILE_H */
