/* process.c - assertions, _exit, fork, signals to the process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "real.h"
#include "thread.h"

HDI_EXPORT void __assert_fail(const char *text, const char *file, unsigned line,
                              const char *function)
{
    static void (*real)(const char *, const char *, unsigned, const char *);

    hdi_real_find(&real, "__assert_fail");
    if (hdi_enter()) {
        char what[HDP_TEXT];
        struct hdp_finding *f;
        snprintf(what, sizeof what, "%s (%s:%u, %s)", text, file, line, function ? function : "?");
        f = hdi_finding_begin(HD_FK_ASSERTION, what);
        hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_NONE, NULL, HDI_SITE(), hdi_stack());
        hdi_finding_end(f, hdi_in_process());
        hdi_crash_expected();
    }
    real(text, file, line, function);
    abort();
}

/* Called by the program, and not when main returns. */
HDI_EXPORT void exit(int code)
{
    static void (*real)(int);

    hdi_real_find(&real, "exit");
    if (hdi_enter())
        hdi_leaves_in_the_middle();
    real(code);
    __builtin_unreachable();
}

HDI_EXPORT void _exit(int code)
{
    if (hdi_enter())
        hdi_program_stops(code);
    hdi_real._exit(code);
    __builtin_unreachable();
}

HDI_EXPORT void _Exit(int code)
{
    _exit(code);
}

/* The child has one thread and runs without us. */
HDI_EXPORT pid_t fork(void)
{
    pid_t pid;

    if (!hdi_enter())
        return hdi_real.fork();
    hdi_unmodelled("fork", HDI_SITE());
    pid = hdi_real.fork();
    if (pid == 0)
        hdi_forked();
    return pid;
}

HDI_EXPORT int kill(pid_t pid, int number)
{
    if (hdi_enter())
        hdi_point(HD_EV_THREAD_KILL, NULL, HDI_SITE());
    return hdi_real.kill(hdi_process(pid), number);
}

HDI_EXPORT int sigqueue(pid_t pid, int number, const union sigval value)
{
    if (hdi_enter())
        hdi_point(HD_EV_THREAD_KILL, NULL, HDI_SITE());
    return hdi_real.sigqueue(hdi_process(pid), number, value);
}
