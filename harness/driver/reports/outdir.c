/* outdir.c - see outdir.h */
#include "outdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"

char *outdir_check(const char *path, bool *misuse)
{
    struct stat st;
    *misuse = true;
    if (!*path)
        return mem_copy("the name of the output folder is empty");
    if (stat(path, &st) == 0) {
        if (!S_ISDIR(st.st_mode))
            return mem_format("the output folder %s is a file", path);
        *misuse = false;
        return access(path, W_OK | X_OK) == 0
                   ? NULL
                   : mem_format("the output folder %s cannot be written to: %s", path,
                                strerror(errno));
    }
    if (errno != ENOENT)
        return mem_format("the output folder %s cannot be used: %s", path, strerror(errno));
    char *parent = mem_copy(path);
    size_t n = strlen(parent);
    while (n > 1 && parent[n - 1] == '/')
        parent[--n] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    const char *folder = slash ? parent : ".";
    char *why = NULL;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        why =
            mem_format("the output folder %s cannot be made: there is no folder %s", path, folder);
    } else if (access(folder, W_OK | X_OK) != 0) {
        *misuse = false;
        why = mem_format("the output folder %s cannot be made: %s", path, strerror(errno));
    }
    free(parent);
    return why;
}

static bool write_all(int fd, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

char *outdir_write(struct outdir *dir, const char *name, const char *ending, const void *data,
                   size_t bytes, char **written)
{
    if (!dir->made && mkdir(dir->path, 0777) != 0 && errno != EEXIST)
        return mem_format("the output folder %s cannot be made: %s", dir->path, strerror(errno));
    dir->made = true;
    char *path = mem_format("%s/%s%s", dir->path, name, ending);
    char *part = mem_format("%s/.%s%s.part", dir->path, name, ending);
    char *why = NULL;
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool fine = fd >= 0 && write_all(fd, data, bytes);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && fine) {
        fine = false;
        error = errno;
    }
    if (fine && rename(part, path) != 0) {
        fine = false;
        error = errno;
    }
    if (fine) {
        *written = path;
    } else {
        why = mem_format("%s cannot be written: %s", path, strerror(error));
        unlink(part);
        free(path);
    }
    free(part);
    return why;
}
