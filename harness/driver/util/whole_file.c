/* whole_file.c - see whole_file.h
 *
 * The data goes to a file without a name, which vanishes with us; where the file system knows none,
 * to one under another name.
 */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"

static int write_all(int fd, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        data += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* Close, too, may be where a write fails. */
static int close_file(int fd, int error)
{
    return close(fd) != 0 && !error ? errno : error;
}

static int link_unnamed(int fd, int folder, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* Give `part` its name. */
static int rename_part(int folder, const char *part, const char *name, bool replace)
{
    if (replace)
        return renameat(folder, part, folder, name) == 0 ? 0 : errno;
    if (renameat2(folder, part, folder, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL || linkat(folder, part, folder, name, 0) != 0)
        return errno;
    unlinkat(folder, part, 0);
    return 0;
}

int whole_file_write(int folder, const char *name, mode_t mode, bool replace, const void *data,
                     size_t bytes)
{
    char *part = mem_format(".%s.%d.part", name, (int)getpid());
    int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode), error = 0;
    bool named = fd < 0;

    if (named)
        fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        error = errno;
        free(part);
        return error;
    }
    error = write_all(fd, data, bytes);
    if (!error && !named) {
        error = link_unnamed(fd, folder, replace ? part : name);
        named = !error && replace;
    }
    error = close_file(fd, error);
    if (!error && named)
        error = rename_part(folder, part, name, replace);
    if (error && named)
        unlinkat(folder, part, 0);
    free(part);
    return error;
}

char *whole_file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? mem_copy("/")
           : slash       ? mem_format("%.*s", (int)(slash - path), path)
                         : mem_copy(".");
}

/* A pipe, a terminal, /dev/null: what is written goes to it, and it stays. */
static bool is_no_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_to(const char *path, const void *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

    return fd < 0 ? errno : close_file(fd, write_all(fd, data, bytes));
}

int whole_file_replace(const char *path, const void *data, size_t bytes)
{
    if (is_no_file(path))
        return write_to(path, data, bytes);
    const char *slash = strrchr(path, '/');
    char *folder = whole_file_folder(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = fd < 0 ? errno : 0;

    if (!error)
        error = whole_file_write(fd, slash ? slash + 1 : path, 0666, true, data, bytes);
    if (fd >= 0)
        close(fd);
    free(folder);
    return error;
}
