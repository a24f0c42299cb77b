/* folder.c - see folder.h */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"

void folder_remove(const char *path)
{
    DIR *dir = opendir(path);

    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nobody has it open: its owner was killed. */
static void remove_if_left(const char *path)
{
    struct stat st;
    int fd = open_folder(path);

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
        folder_remove(path);
    close(fd);
}

static void remove_left(const char *base, const char *start)
{
    DIR *dir = opendir(base);

    for (struct dirent *e; dir && (e = readdir(dir));)
        if (strncmp(e->d_name, start, strlen(start)) == 0) {
            char *path = mem_format("%s/%s", base, e->d_name);
            remove_if_left(path);
            free(path);
        }
    if (dir)
        closedir(dir);
}

/* Is the folder still there? Somebody may have removed it as left before it was locked. */
static bool is_there(const char *path, int fd)
{
    struct stat by_path, by_fd;

    return fstat(fd, &by_fd) == 0 && lstat(path, &by_path) == 0 && by_path.st_ino == by_fd.st_ino &&
           by_path.st_dev == by_fd.st_dev;
}

char *folder_make(const char *name, int *lock)
{
    const char *base = getenv("TMPDIR");
    char *start = mem_format("heddle-%s-", name), *path;

    if (!base || !*base)
        base = "/tmp";
    remove_left(base, start);
    for (;;) {
        path = mem_format("%s/%sXXXXXX", base, start);
        *lock = mkdtemp(path) ? open_folder(path) : -1;
        if (*lock < 0 || (flock(*lock, LOCK_EX) == 0 && is_there(path, *lock)))
            break;
        close(*lock);
        free(path);
    }
    if (*lock < 0) {
        int error = errno;
        free(path);
        path = NULL;
        errno = error;
    }
    free(start);
    return path;
}
