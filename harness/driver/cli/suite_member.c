/* suite_member.c - see suite_member.h */
#include "suite_member.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/json_text.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/real_time.h"
#include "util/whole_file.h"

#define NAME_BOUND 80
#define SHARE_LEAST 1000000 /* ns: time is up, and yet one schedule is tried */

void member_dies_with_parent(void)
{
    pid_t parent = getppid();

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it was quicker */
        raise(SIGTERM);
}

int64_t member_share(const char *suite)
{
    char *path = mem_format("%s/%s", suite, SUITE_SHARES), text[96] = "";
    int fd = open(path, O_RDWR | O_CLOEXEC);
    long long end = 0, jobs = 1, tests = 1;
    int64_t share = 0;

    free(path);
    if (fd < 0)
        return 0;
    while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    if (pread(fd, text, sizeof text - 1, 0) > 0 &&
        sscanf(text, "%lld %lld %lld", &end, &jobs, &tests) == 3) {
        int64_t left = end - real_now();
        int n =
            snprintf(text, sizeof text, "%lld %lld %lld\n", end, jobs, tests > 1 ? tests - 1 : 1);
        share = left > 0 ? left * jobs / tests : 0;
        share = share > left ? left : share;
        share = share > SHARE_LEAST ? share : SHARE_LEAST;
        if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
            complain("note: the shares of the time are not counted: %s", strerror(errno));
    }
    close(fd);
    return share;
}

/* The name as a file's. */
static char *file_name(const char *name)
{
    char *file = mem_format("%.*s", NAME_BOUND, *name ? name : "test");

    for (char *p = file; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') &&
            *p != '-' && *p != '_' && (*p != '.' || p == file))
            *p = '_';
    return file;
}

char *member_folder(const char *suite, const char *name)
{
    char *file = file_name(name), *folder = mem_format("%s/%s/%s", suite, SUITE_TESTS, file);

    free(file);
    return folder;
}

bool member_leave(const char *suite, const char *name, const json_t *document)
{
    char *folder = mem_format("%s/%s", suite, SUITE_DOCUMENTS), *file = file_name(name),
         *text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? errno : text ? EEXIST : ENOMEM;

    for (unsigned i = 1; error == EEXIST && i < 10000; i++) {
        char *one = mem_format("%s.%u.json", file, i);
        error = whole_file_write(fd, one, 0666, false, text, strlen(text));
        free(one);
    }
    if (error)
        complain("the document of this test cannot be written to %s: %s", folder, strerror(error));
    if (fd >= 0)
        close(fd);
    free(folder);
    free(file);
    free(text);
    return !error;
}

int member_run_plain(char *const *argv)
{
    int status = 0;
    pid_t pid;

    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
