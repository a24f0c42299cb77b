/* asleep.c - see asleep.h. One of those that sleep looks, once a second; twice the same must be seen. */
#include "asleep.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "happens_before.h"
#include "watch_client.h"

/* SIGSEGV, which the library itself handles, and the two that the C library keeps. */
#define OURS (UINT64_C(1) << 10 | UINT64_C(1) << 31 | UINT64_C(1) << 32)

/* How many are asleep, in the lower half, and how many were taken out ever, in the upper: as long as
 * it is the same, nobody has come and nobody was taken out. */
static _Atomic uint64_t asleep;
static _Atomic bool looking;
static uint64_t agreed = UINT64_MAX; /* what the last look saw, if all were asleep */
static pid_t home;

/* A child has but the thread that forked, and that is awake. */
static void forget_threads(void)
{
    atomic_store(&asleep, 0);
    atomic_store(&looking, false);
    home = getpid();
}

__attribute__((constructor(106))) static void register_forget(void)
{
    home = getpid();
    pthread_atfork(NULL, NULL, forget_threads);
}

void hdi_asleep_enter(void)
{
    atomic_fetch_add(&asleep, 1);
}

void hdi_asleep_take_out(void)
{
    atomic_fetch_add(&asleep, (UINT64_C(1) << 32) - 1);
}

bool hdi_asleep_may_look(void)
{
    return !hdi_watchers && !hdi_watch && !atomic_exchange(&looking, true);
}

void hdi_asleep_looks_no_more(void)
{
    atomic_store(&looking, false);
}

static size_t threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    size_t count = 0;

    if (!dir)
        return SIZE_MAX;
    for (const struct dirent *one; (one = readdir(dir));)
        count += one->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Could a handler of the program's run? Where that is not known, it could. */
static bool handles_signals(void)
{
    unsigned long caught = ~0ul;
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "SigCgt: %lx", &caught) == 1)
            break;
    if (status)
        fclose(status);
    return (caught & ~OURS) != 0;
}

bool hdi_asleep_all(void)
{
    uint64_t now = atomic_load(&asleep);
    bool again = now == agreed;

    agreed = UINT64_MAX;
    if (getpid() != home || threads() != (uint32_t)now || !hdi_fibres_rest() || handles_signals() ||
        atomic_load(&asleep) != now)
        return false;
    agreed = now;
    return again;
}

_Noreturn void hdi_asleep_for_ever(void)
{
    static const char text[] = "fatal error: all goroutines are asleep - deadlock!\n";

    if (ftrylockfile(stdout) == 0) {
        fflush(stdout);
        funlockfile(stdout);
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(2);
}
