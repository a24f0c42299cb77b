/* whole_file.h - files that are whole or absent, whatever happens in between. */
#ifndef HEDDLE_DRIVER_WHOLE_FILE_H
#define HEDDLE_DRIVER_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Write the new file `name` into `folder`, a descriptor. No symbolic link is followed, and a file
 * of that name stays as it is (EEXIST) unless it is to be replaced. 0, or errno. */
int whole_file_write(int folder, const char *name, mode_t mode, bool replace, const void *data,
                     size_t bytes);

/* The folder that a path's file lies in. free() it. */
char *whole_file_folder(const char *path);
/* The same by path, in place of the file that is there by that name; what is there and no file, a pipe
 * or a device, is written to. 0, or errno. */
int whole_file_replace(const char *path, const void *data, size_t bytes);

#endif /* HEDDLE_DRIVER_WHOLE_FILE_H */
