/* outdir.h - the folder that findings are written to: one campaign's, made at its first file, each
 * file whole or not at all.
 *
 * A folder belongs to the campaign that wrote its file "campaign" first. One that comes later, or
 * runs beside it, writes to a folder in it: "2", then "3", and so on. The last of them is what the folder
 * stands for. A campaign that found nothing says so there, where others were before it; in the place of the one before, if
 * that found nothing either.
 */
#ifndef HEDDLE_DRIVER_OUTDIR_H
#define HEDDLE_DRIVER_OUTDIR_H

#include <stdbool.h>
#include <stddef.h>

struct outdir {
    const char *wanted; /* as the user named it; borrowed */
    char *path;         /* the one that is ours, or NULL: no file was written yet */
    int folder;         /* descriptor of it */
};

/* Could files be written to `path`? NULL, or a sentence (free() it); *misuse: the path itself is
 * wrong (a file, a missing parent), not the state of the disk. */
char *outdir_check(const char *path, bool *misuse);
/* Write a new file; the first makes the folder, with `about` in its file "campaign". NULL, or a
 * sentence (free() it). On success *written gets the path, owned by the caller. */
char *outdir_write(struct outdir *dir, const char *about, const char *name, const char *ending,
                   const void *data, size_t bytes, char **written);
/* The same of a campaign that found nothing, which wrote nothing before: its report. */
char *outdir_found_nothing(struct outdir *dir, const char *about, const void *report, size_t bytes);
/* Was a campaign here? */
bool outdir_is_used(const char *path);
/* The folder of the last campaign in `path`, that left a report; else `path` itself. free() it. */
char *outdir_last(const char *path);
void outdir_close(struct outdir *dir);

#endif /* HEDDLE_DRIVER_OUTDIR_H */
