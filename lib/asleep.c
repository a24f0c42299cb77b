/* asleep.c - see asleep.h. One of those that sleep looks, once a second; twice the same must be seen. */
#include "asleep.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "happens_before.h"
#include "watch_client.h"

/* SIGSEGV, which the library itself handles, and the two that the C library keeps. */
#define OURS (UINT64_C(1) << 10 | UINT64_C(1) << 31 | UINT64_C(1) << 32)

static _Atomic size_t asleep;
static _Atomic uint64_t woken; /* sleeps that have ended, ever */
static _Atomic bool looking;
static uint64_t seen_woken; /* by the one that looks */

bool hdi_asleep_begin(void)
{
    atomic_fetch_add(&asleep, 1);
    return !hdi_watchers && !hdi_watch && !atomic_exchange(&looking, true);
}

void hdi_asleep_end(bool looks)
{
    atomic_fetch_add(&woken, 1);
    atomic_fetch_sub(&asleep, 1);
    if (looks)
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

void hdi_asleep_look(void)
{
    static const char text[] = "fatal error: all goroutines are asleep - deadlock!\n";
    uint64_t now = atomic_load(&woken);
    bool same = now == seen_woken;

    seen_woken = now;
    if (!same || threads() != atomic_load(&asleep) + hdi_go_idle() + hdi_fibre_idle() ||
        handles_signals() || atomic_load(&woken) != now)
        return;
    if (ftrylockfile(stdout) == 0) {
        fflush(stdout);
        funlockfile(stdout);
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(2);
}
