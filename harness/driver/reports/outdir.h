/* outdir.h - the folder that findings are written to: made at the first file, each file whole or
 * not at all. */
#ifndef HEDDLE_DRIVER_OUTDIR_H
#define HEDDLE_DRIVER_OUTDIR_H

#include <stdbool.h>
#include <stddef.h>

struct outdir {
    const char *path; /* borrowed */
    bool made;
};

/* Could files be written to `path`? NULL, or a sentence (free() it); *misuse: the path itself is
 * wrong (a file, a missing parent), not the state of the disk. */
char *outdir_check(const char *path, bool *misuse);
/* Write a file under its final name once it is complete. NULL, or a sentence (free() it). On
 * success *written gets the path, owned by the caller. */
char *outdir_write(struct outdir *dir, const char *name, const char *ending, const void *data,
                   size_t bytes, char **written);

#endif /* HEDDLE_DRIVER_OUTDIR_H */
