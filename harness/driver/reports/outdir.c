/* outdir.c - see outdir.h */
#include "outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/whole_file.h"

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

/* Was it written by a Heddle that left no file "campaign"? */
static bool holds_schedules(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
    bool found = false;

    for (struct dirent *e; all && !found && (e = readdir(all));) {
        const char *dot = strrchr(e->d_name, '.');
        found = dot && strcmp(dot, ".schedule") == 0;
    }
    if (all)
        closedir(all);
    else if (fd >= 0)
        close(fd);
    return found;
}

/* Make the folder ours; one that the user named may be there already. 0; EEXIST: it is another
 * campaign's; or errno. */
static int claim(const char *path, bool named, const char *about, int *folder)
{
    bool made = mkdir(path, 0777) == 0;
    int error;

    if (!made && (errno != EEXIST || !named))
        return errno;
    *folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (named ? 0 : O_NOFOLLOW));
    if (*folder < 0)
        return errno;
    error = holds_schedules(*folder)
                ? EEXIST
                : whole_file_write(*folder, "campaign", 0666, false, about, strlen(about));
    if (error)
        close(*folder);
    if (error && made)
        rmdir(path);
    return error;
}

static char *open_folder(struct outdir *dir, const char *about)
{
    for (unsigned n = 1;; n++) {
        char *path = n == 1 ? mem_copy(dir->wanted) : mem_format("%s/%u", dir->wanted, n), *why;
        int error = claim(path, n == 1, about, &dir->folder);
        if (!error) {
            dir->path = path;
            return NULL;
        }
        why = error == EEXIST
                  ? NULL
                  : mem_format("the output folder %s cannot be made: %s", path, strerror(error));
        free(path);
        if (why)
            return why;
    }
}

char *outdir_write(struct outdir *dir, const char *about, const char *name, const char *ending,
                   const void *data, size_t bytes, char **written)
{
    char *why = dir->path ? NULL : open_folder(dir, about);
    if (why)
        return why;
    char *file = mem_format("%s%s", name, ending);
    int error = whole_file_write(dir->folder, file, 0666, false, data, bytes);
    if (error)
        why = mem_format("%s/%s cannot be written: %s", dir->path, file, strerror(error));
    else
        *written = mem_format("%s/%s", dir->path, file);
    free(file);
    return why;
}

void outdir_close(struct outdir *dir)
{
    if (dir->path)
        close(dir->folder);
    free(dir->path);
    dir->path = NULL;
}
