/* scratch.h - a folder for what a benchmark writes; it is gone however the benchmark ends by itself,
 * or by Ctrl-C. One a process. */
#ifndef HEDDLE_STRESS_SCRATCH_H
#define HEDDLE_STRESS_SCRATCH_H

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_folder[4096];
static pid_t scratch_owner;
static volatile sig_atomic_t scratch_stopped;

static int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static void scratch_remove(void)
{
    if (getpid() == scratch_owner)
        nftw(scratch_folder, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What we wait for is told as well, and we go on to our end: the signal is not inherited by exec. */
static void scratch_stop(int number)
{
    scratch_stopped = number;
}

/* Its path, of at most 4000 characters; ends the process if there can be none. */
static const char *scratch_make(const char *name)
{
    const char *where = getenv("TMPDIR");
    struct sigaction stop = {.sa_handler = scratch_stop, .sa_flags = SA_RESTART};

    snprintf(scratch_folder, sizeof scratch_folder, "%.3900s/%s-XXXXXX",
             where && *where ? where : "/tmp", name);
    if (!mkdtemp(scratch_folder)) {
        perror(scratch_folder);
        exit(3);
    }
    scratch_owner = getpid();
    atexit(scratch_remove);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    return scratch_folder;
}

/* Between two pieces of work: were we told to end? */
static void scratch_check(void)
{
    if (scratch_stopped)
        exit(128 + scratch_stopped);
}

#endif /* HEDDLE_STRESS_SCRATCH_H */
