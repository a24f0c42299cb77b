/* asleep.c - see asleep.h. One of those that sleep looks, once a second.
 *
 *   A1  who goes to sleep first writes so (park.c: `go`; fibre.c: its place among the idle workers),
 *       then counts itself
 *   A2  who wakes it takes it out of the count, then lets it go (`go`, `bed`); before that it does
 *       not leave its wait
 *   A3  who waits otherwise - with an end, in a system call, for a lock - does not count, nor does
 *       who runs, down to its last destructor
 *
 * By A1 and A2 a thread counts at most once, and only while it is in its wait and not let go. If
 * there are no more threads than count, at one moment, then none is anywhere else (A3), so none can
 * let another go, or make one, from that moment on. The kernel knows how many there are at one
 * moment: from before a thread's first instruction until after its last. The count is read before
 * that, and again by the next look; how many were taken out ever, in its upper half, shows that it
 * was the same all the time.
 *
 * What else could let one go: a fibre that is runnable (asked after the count: whoever made it so
 * did that before it counted itself), the destructors of a worker that ends (not asked while there
 * are more than remain), a handler of a signal. Handlers are listed by the kernel at the moment at
 * which it counts threads; one that has been running since before, and is listed no more, is seen
 * because each thread must be in our wait in the kernel. Where /proc does not say, nothing is known.
 */
#include "asleep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fibre_stack.h"
#include "happens_before.h"
#include "park.h"
#include "watch_client.h"

#define SECOND_NS ((int64_t)1000000000)
#define BIT_OF(signal) (UINT64_C(1) << ((signal)-1))
#define OF_LIBC (BIT_OF(32) | BIT_OF(33))

static _Atomic uint64_t asleep; /* how many; in the upper half, how many were taken out ever */
static _Atomic bool looking;
static uint64_t agreed = UINT64_MAX; /* what the last look saw, if all were asleep */
static pid_t home;
uint32_t hdi_process;

/* A child has but the thread that forked, and that is awake. */
static void forget_threads(void)
{
    atomic_store(&asleep, 0);
    atomic_store(&looking, false);
    agreed = UINT64_MAX;
    home = getpid();
    hdi_process++;
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

/* All naps together end a hundred times a second at most. */
int64_t hdi_asleep_nap_ns(bool looks)
{
    return looks ? SECOND_NS : 5 * SECOND_NS + SECOND_NS / 100 * (int32_t)atomic_load(&asleep);
}

/* By one call, which the kernel answers with the state of one moment; whether there was an answer. */
static bool read_once(int folder, const char *name, char *text, size_t bytes)
{
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = file >= 0 ? read(file, text, bytes - 1) : -1;

    if (file >= 0)
        close(file);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}

/* Are there as many threads, and could no handler of the program's run? */
static bool are_all_there_is(uint32_t count)
{
    uint64_t ours = OF_LIBC | (hdi_stack_handles() ? BIT_OF(SIGSEGV) : 0);
    char text[4096];
    const char *threads, *caught;

    if (!read_once(AT_FDCWD, "/proc/self/status", text, sizeof text))
        return false;
    threads = strstr(text, "\nThreads:");
    caught = strstr(text, "\nSigCgt:");
    return threads && caught && strtoul(threads + strlen("\nThreads:"), NULL, 10) == count &&
           (strtoull(caught + strlen("\nSigCgt:"), NULL, 16) & ~ours) == 0;
}

/* Is each, but the caller, in the kernel in one of our waits without an end? */
static bool are_in_the_kernel(uint32_t count)
{
    DIR *dir = opendir("/proc/self/task");
    pid_t self = (pid_t)syscall(SYS_gettid);
    uint32_t seen = 1;

    for (const struct dirent *one; dir && (one = readdir(dir));) {
        char name[sizeof one->d_name + 16], text[256];
        unsigned long call, op, bits;
        if (one->d_name[0] == '.' || atoi(one->d_name) == self)
            continue;
        snprintf(name, sizeof name, "%s/syscall", one->d_name);
        if (!read_once(dirfd(dir), name, text, sizeof text) ||
            sscanf(text, "%lu %*s %lx %*s %*s %*s %lx", &call, &op, &bits) != 3 ||
            call != SYS_futex || op != FUTEX_WAIT_BITSET_PRIVATE || bits != HDI_NO_END)
            break;
        seen++;
    }
    if (dir)
        closedir(dir);
    return seen == count;
}

bool hdi_asleep_all(void)
{
    uint64_t now = atomic_load(&asleep);
    uint32_t count = (uint32_t)now;
    int saved = errno;
    bool again = now == agreed, all;

    all = getpid() == home && are_all_there_is(count) && hdi_fibres_rest() &&
          (!again || are_in_the_kernel(count));
    agreed = all ? now : UINT64_MAX;
    errno = saved;
    return all && again;
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
