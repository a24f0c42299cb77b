/* temporary.h - where tests write what they take away again: in $TMPDIR, or /tmp. */
#ifndef HEDDLE_TEMPORARY_H
#define HEDDLE_TEMPORARY_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

/* The path of NAME there, or NULL; to be freed. */
static inline char *temporary(const char *name)
{
    const char *where = getenv("TMPDIR");
    char *path = NULL;

    return asprintf(&path, "%s/%s", where && *where ? where : "/tmp", name) < 0 ? NULL : path;
}

static inline int temporary_remove_one(const char *path, const struct stat *st, int type,
                                       struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

/* A folder with all that is in it; `path` is freed. 0: it is gone. */
static inline int temporary_remove(char *path)
{
    int error = nftw(path, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);

    free(path);
    return error;
}

#endif /* HEDDLE_TEMPORARY_H */
