/* proc_files.h - what /proc says of the process. */
#ifndef HEDDLE_PROC_FILES_H
#define HEDDLE_PROC_FILES_H

#include <fcntl.h>

#define HDI_PROC_PATH 128

/* The path that is meant by `path`: itself, or in `own` with the numbers that the kernel knows. */
const char *hdi_proc_path(const char *path, char own[HDI_PROC_PATH]);
/* Open the `status` of the process or of a thread, as the program is to see it. -1: it is none, or
 * that failed; open it as it is. */
int hdi_proc_status(const char *path, int flags);

#endif /* HEDDLE_PROC_FILES_H */
