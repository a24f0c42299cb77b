/* traps.h - does a check of Heddle's own invariants end the program? */
#ifndef HEDDLE_TRAPS_H
#define HEDDLE_TRAPS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool traps(void (*check)(void))
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGILL, SIG_DFL); /* the test's own handler would tell of it */
        check();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
}

#endif /* HEDDLE_TRAPS_H */
