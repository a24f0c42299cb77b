/* turn_lock.c - raw futexes, the scheduler's lock, the random numbers of a schedule.
 *
 * Raw system calls, so that a detector that watches the program sees no happens-before edge which
 * the program did not make itself.
 */
#include "rt.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/real.h"

void rt_futex_wait(uint32_t *word, uint32_t value, int64_t timeout_ns, bool shared)
{
    struct timespec ts = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    hdi_real.syscall(SYS_futex, word, FUTEX_WAIT | (shared ? 0 : FUTEX_PRIVATE_FLAG), value,
                     timeout_ns < 0 ? NULL : &ts, NULL, 0);
}

void rt_futex_wake(uint32_t *word, int count, bool shared)
{
    hdi_real.syscall(SYS_futex, word, FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG), count, NULL,
                     NULL, 0);
}

/* 0 free, 1 held, 2 held and waited for (Drepper, "Futexes are tricky"). */
void rt_lock(void)
{
    uint32_t seen = 0;
    struct hdi_thread *self;

    if (__atomic_compare_exchange_n(&rt.lock, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    self = hdi_self();
    if (self)
        __atomic_store_n(&self->turn.waits_for_lock, true, __ATOMIC_RELAXED);
    while (__atomic_exchange_n(&rt.lock, 2, __ATOMIC_ACQUIRE) != 0)
        rt_futex_wait(&rt.lock, 2, -1, false);
    if (self)
        __atomic_store_n(&self->turn.waits_for_lock, false, __ATOMIC_RELAXED);
}

void rt_unlock(void)
{
    if (__atomic_exchange_n(&rt.lock, 0, __ATOMIC_RELEASE) == 2)
        rt_futex_wake(&rt.lock, 1, false);
}

void rt_random_seed(uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rt.rng[i] = hash_next(seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rt_random(void)
{
    uint64_t *s = rt.rng, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t rt_random_below(uint32_t n)
{
    return (uint32_t)(((rt_random() >> 32) * n) >> 32);
}
