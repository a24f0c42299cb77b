/* A lock of its own on futexes: who was woken takes it as "locked, nobody waits", and the third
 * thread is never woken. Right: "locked, somebody may wait". */
#include "classic.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static atomic_int word; /* 0 free, 1 locked, 2 locked and somebody may wait */
static int inside;

static void lock(void)
{
    int seen = 0;

    if (atomic_compare_exchange_strong(&word, &seen, 1))
        return;
    for (;;) {
        if (seen == 2 || atomic_compare_exchange_strong(&word, &seen, 2))
            syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
        seen = 0;
#if RIGHT
        if (atomic_compare_exchange_strong(&word, &seen, 2))
#else
        if (atomic_compare_exchange_strong(&word, &seen, 1))
#endif
            return;
    }
}

static void unlock(void)
{
    if (atomic_exchange(&word, 0) == 2)
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *body(void *arg)
{
    lock();
    inside++;
    sched_yield();
    unlock();
    return arg;
}

int main(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        t[i] = start(body, NULL);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    assert(inside == 3);
    return 0;
}
