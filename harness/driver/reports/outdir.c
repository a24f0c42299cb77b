/* outdir.c - see outdir.h */
#include "outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/read_file.h"
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

#define NOTHING_FOUND "nothing found\n"

bool outdir_is_used(const char *path)
{
    char *campaign = mem_format("%s/campaign", path);
    bool used = access(campaign, F_OK) == 0;

    free(campaign);
    return used;
}

static bool is_campaign(const char *path, const char *name)
{
    char *folder = mem_format("%s/%s", path, name);
    bool used = outdir_is_used(folder);

    free(folder);
    return used;
}

/* The greatest N of campaigns in path/N; 1: there is none. */
static unsigned last_number(const char *path)
{
    DIR *all = opendir(path);
    unsigned last = 1;

    for (struct dirent *e; all && (e = readdir(all));) {
        char *end;
        unsigned long n = strtoul(e->d_name, &end, 10);
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && !*end && n < UINT_MAX && n > last &&
            is_campaign(path, e->d_name))
            last = (unsigned)n;
    }
    if (all)
        closedir(all);
    return last;
}

char *outdir_last(const char *path)
{
    for (unsigned n = last_number(path); n > 1; n--) {
        char *folder = mem_format("%s/%u", path, n), *report = mem_format("%s/report.json", folder);
        bool there = access(report, F_OK) == 0;
        free(report);
        if (there)
            return folder;
        free(folder);
    }
    return mem_copy(path);
}

/* Does the last campaign there say that it found nothing? Then that is its folder; NULL: no. */
static char *last_without_findings(const char *path)
{
    char *folder = outdir_last(path), *file = mem_format("%s/campaign", folder);
    size_t bytes, n = strlen(NOTHING_FOUND);
    char *about = read_file(file, 1 << 20, &bytes);

    if (!about || bytes < n || strcmp(about + bytes - n, NOTHING_FOUND) != 0) {
        free(folder);
        folder = NULL;
    }
    free(about);
    free(file);
    return folder;
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
    unsigned last = last_number(dir->wanted);

    for (unsigned n = 1;; n = n == 1 ? last + 1 : n + 1) {
        char *path = n == 1 ? mem_copy(dir->wanted) : mem_format("%s/%u", dir->wanted, n), *why;
        int error = n == 1 && last > 1 ? EEXIST : claim(path, n == 1, about, &dir->folder);
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

static char *write_into(struct outdir *dir, const char *name, const char *ending, bool replace,
                        const void *data, size_t bytes, char **written)
{
    char *file = mem_format("%s%s", name, ending), *why = NULL;
    int error = whole_file_write(dir->folder, file, 0666, replace, data, bytes);

    if (error)
        why = mem_format("%s/%s cannot be written: %s", dir->path, file, strerror(error));
    else
        *written = mem_format("%s/%s", dir->path, file);
    free(file);
    return why;
}

char *outdir_write(struct outdir *dir, const char *about, const char *name, const char *ending,
                   const void *data, size_t bytes, char **written)
{
    char *why = dir->path ? NULL : open_folder(dir, about);

    return why ? why : write_into(dir, name, ending, false, data, bytes, written);
}

char *outdir_found_nothing(struct outdir *dir, const char *about, const void *report, size_t bytes)
{
    char *text = mem_format("%s" NOTHING_FOUND, about), *written = NULL, *why = NULL;

    dir->path = last_without_findings(dir->wanted);
    if (!dir->path) {
        why = open_folder(dir, text);
    } else if ((dir->folder = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        why = mem_format("the output folder %s cannot be opened: %s", dir->path, strerror(errno));
        free(dir->path);
        dir->path = NULL;
    } else {
        why = write_into(dir, "campaign", "", true, text, strlen(text), &written);
    }
    free(written);
    written = NULL;
    if (!why)
        why = write_into(dir, "report", ".json", true, report, bytes, &written);
    free(written);
    free(text);
    return why;
}

void outdir_close(struct outdir *dir)
{
    if (dir->path)
        close(dir->folder);
    free(dir->path);
    dir->path = NULL;
}
