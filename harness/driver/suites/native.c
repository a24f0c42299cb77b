/* native.c - see native.h */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/exit_code.h"
#include "util/real_time.h"

#define PATIENCE_NS (60 * INT64_C(1000000000))
#define HANG_NS (10 * INT64_C(1000000000)) /* where one is expected; the library says so in six */
#define READ_BYTES 65536

static bool any_listed(const char *list, const char *const *words)
{
    for (; *words; words++)
        if (stress_listed(list, *words))
            return true;
    return false;
}

static bool may_hang(const char *expect)
{
    static const char *const kinds[] = {"deadlock",     "self-deadlock",     "lost-wakeup",
                                        "leak-blocked", "wait-holding-lock", "lock-order",
                                        "hang",         "livelock",          NULL};

    return any_listed(expect, kinds);
}

bool native_fits(const char *expect, const char *shown)
{
    static const char *const undefined[] = {"data-race", "use-after-free", NULL};

    if (strcmp(shown, "clean") == 0)
        return true;
    if (strcmp(expect, "clean") == 0)
        return false;
    if (stress_listed(expect, shown) || any_listed(expect, undefined))
        return true;
    return (strcmp(shown, "hang") == 0 || strcmp(shown, "deadlock") == 0) && may_hang(expect);
}

/* In the run itself. */
static _Noreturn void become(const struct stress_scenario *scenario, int output,
                             const sigset_t *signals)
{
    const struct rlimit no_core = {0, 0};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    sigprocmask(SIG_SETMASK, signals, NULL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execl(scenario->program, scenario->program, scenario->name, (char *)NULL);
    _exit(EXIT_CANNOT);
}

/* False: it had to be ended. With SIGCHLD blocked. */
static bool wait_for(pid_t child, int64_t patience_ns, int *status)
{
    int64_t end = real_now() + patience_ns, left;
    sigset_t chld;
    pid_t got;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    while ((got = waitpid(child, status, WNOHANG)) == 0 && (left = end - real_now()) > 0) {
        const struct timespec time = {left / 1000000000, left % 1000000000};
        sigtimedwait(&chld, NULL, &time);
    }
    if (got != 0)
        return true;
    kill(child, SIGKILL);
    while (waitpid(child, status, 0) < 0 && errno == EINTR)
        ;
    return false;
}

static bool printed(int output, const char *words)
{
    static char text[READ_BYTES];
    ssize_t n = pread(output, text, sizeof text - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return strstr(text, words) != NULL;
}

static const char *how_it_ended(int status, int output)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return "clean";
    if (WIFEXITED(status) && printed(output, "all goroutines are asleep"))
        return "deadlock";
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
        if (printed(output, "panic: "))
            return "panic";
        if (printed(output, "Assertion `"))
            return "assertion";
    }
    return WIFSIGNALED(status) ? "crash" : "exit-code";
}

/* One run: how it ended, or NULL. */
static const char *run(const struct stress_scenario *scenario, int output, const sigset_t *signals)
{
    int64_t patience = may_hang(scenario->expect) ? HANG_NS : PATIENCE_NS;
    int status;
    pid_t child;

    if (ftruncate(output, 0) != 0 || lseek(output, 0, SEEK_SET) != 0 || (child = fork()) < 0)
        return NULL;
    if (child == 0)
        become(scenario, output, signals);
    return wait_for(child, patience, &status) ? how_it_ended(status, output) : "hang";
}

int run_natively(const struct stress_scenario *scenario, const char *vehicle, uint64_t runs,
                 int64_t until_ns, const char *file)
{
    int output = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool wrong = strcmp(scenario->expect, "clean") != 0;
    const char *shown = NULL;
    sigset_t chld, before;
    uint64_t done = 0;

    signal(SIGINT, SIG_DFL);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &before);
    if (output < 0 || setenv("HEDDLE_LIB", vehicle, 1) != 0)
        return EXIT_CANNOT;
    do {
        shown = run(scenario, output, &before);
        done++;
    } while (shown && done < runs && (until_ns == 0 || real_now() < until_ns) &&
             (strcmp(shown, "clean") == 0) == wrong);
    close(output);
    if (!shown)
        return EXIT_CANNOT;
    if (strcmp(shown, "clean") == 0) {
        unlink(file);
        printf("{\"findings\":[],");
    } else
        printf("{\"findings\":[{\"kind\":\"%s\",\"first_schedule\":%llu}],", shown,
               (unsigned long long)done);
    printf("\"statistics\":{\"schedules\":%llu}}\n", (unsigned long long)done);
    if (fflush(stdout) != 0)
        return EXIT_CANNOT;
    return strcmp(shown, "clean") == 0 ? EXIT_NOTHING : EXIT_FOUND;
}
