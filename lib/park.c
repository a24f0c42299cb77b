/* park.c - see park.h. */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "fibre.h"
#include "leak_ledger.h"
#include "park.h"
#include "watch_client.h"

#define ASLEEP 2u /* of a parker's `go` */
#define ASLEEP_FOR_EVER 3u
#define LOCK_SPINS 100u
#define SPINS_MOST 1024u /* some 20 us: as long as two sleeps and wake-ups would take */
#define SPINS_LEAST 32u
#define PROBE_EVERY                                                                                \
    64u /* waits: how often the longest is tried, to learn that times have changed */

/* Weak: there with TSan, and with heddle-cc's hooks. */
extern void __tsan_read_range_pc(void *, unsigned long, void *) __attribute__((weak));
extern void __tsan_write_range_pc(void *, unsigned long, void *) __attribute__((weak));

static _Thread_local struct hdi_patience of_parkers = {SPINS_LEAST, 0};
static bool alone; /* one processor: whoever is waited for cannot run meanwhile */

__attribute__((constructor(103))) static void count_processors(void)
{
    alone = sysconf(_SC_NPROCESSORS_ONLN) < 2;
}

void hdi_futex_sleep(_Atomic uint32_t *word, uint32_t expected, const struct timespec *until,
                     uint32_t bits)
{
    int saved = errno; /* the library's users see no errno of ours */
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, until, NULL, bits);
    errno = saved;
}

void hdi_futex_wake(_Atomic uint32_t *word)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

void hdi_parker_init(struct hdi_parker *parker)
{
    hdi_hide(parker, sizeof *parker);
    parker->process = hdi_process;
    parker->thread = hdi_seam ? hdi_seam->self() : (void *)hdi_fibre_self();
    atomic_store_explicit(&parker->go, 0, memory_order_relaxed);
}

/* Stay awake until it is ready, for about as long as it took lately; whether it became so. */
bool hdi_await(bool (*ready)(const void *what), const void *what, struct hdi_patience *patience)
{
    uint32_t spins = patience->waits++ % PROBE_EVERY == 0 ? SPINS_MOST : patience->spins;

    if (alone || hdi_watchers)
        return false;
    /* Look less and less often: each look takes the cache line from the one that works. */
    for (uint32_t spun = 0, pause = 1; spun < spins; spun += pause, pause += pause < 16) {
        if (ready(what)) {
            uint32_t want = 4 * spun + SPINS_LEAST;
            if (want < patience->spins)
                want = patience->spins - (patience->spins - want) / 8;
            patience->spins = want < SPINS_MOST ? want : SPINS_MOST;
            return true;
        }
        for (uint32_t i = 0; i < pause; i++)
            hdi_relax();
    }
    patience->spins /= 2;
    if (patience->spins < SPINS_LEAST)
        patience->spins = SPINS_LEAST;
    return false;
}

static bool released(const void *parker)
{
    return atomic_load_explicit(&((const struct hdi_parker *)parker)->go, memory_order_acquire) ==
           1;
}

/* Not hdi_now_ns(): this thread's time is real even if a seam was attached since. */
static bool is_past(int64_t until_ns)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= until_ns;
}

struct timespec hdi_from_now(int64_t ns)
{
    struct timespec then;

    clock_gettime(CLOCK_MONOTONIC, &then);
    then.tv_sec += (then.tv_nsec + ns) / 1000000000;
    then.tv_nsec = (then.tv_nsec + ns) % 1000000000;
    return then;
}

static bool sleep_natively(struct hdi_parker *parker, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    bool forever = until_ns == HD_SEAM_FOREVER, looks = false;
    uint32_t awake = 0, mine = forever ? ASLEEP_FOR_EVER : ASLEEP;

    /* It may be ASLEEP from a wait that timed out. */
    while (!atomic_compare_exchange_strong_explicit(&parker->go, &awake, mine, memory_order_acquire,
                                                    memory_order_acquire))
        if (awake == 1)
            return true;
    if (!forever) {
        do
            hdi_futex_sleep(&parker->go, mine, &until, FUTEX_BITSET_MATCH_ANY);
        while (!released(parker) && !is_past(until_ns));
        return released(parker);
    }
    hdi_asleep_enter();
    while (!released(parker)) {
        looks = looks || hdi_asleep_may_look();
        until = hdi_from_now(hdi_asleep_nap_ns(looks));
        hdi_futex_sleep(&parker->go, mine, &until, HDI_NO_END);
        if (looks && !released(parker) && hdi_asleep_all() && !released(parker))
            hdi_asleep_for_ever();
    }
    if (looks)
        hdi_asleep_looks_no_more();
    return true;
}

static bool park_natively(struct hdi_parker *parker, const struct hdi_why *why, int64_t until_ns)
{
    bool woken;

    if (parker->thread && !hdi_seam)
        return hdi_fibre_park(parker, until_ns);
    if (hdi_await(released, parker, &of_parkers))
        return true;
    if (HDI_UNLIKELY(hdi_mine.working != NULL))
        hdi_work_waits(why);
    if (HDI_UNLIKELY(hdi_watch != NULL))
        hdi_watch->waits(why->event, why->object, why->site, until_ns != HD_SEAM_FOREVER);
    woken = sleep_natively(parker, until_ns);
    if (HDI_UNLIKELY(hdi_watch != NULL))
        hdi_watch->goes_on();
    if (HDI_UNLIKELY(hdi_mine.working != NULL))
        hdi_work_waits(NULL);
    return woken;
}

/* A thread outside of the runtime's control is not made to wait there: it sleeps as natively. */
static bool park_controlled(struct hdi_parker *parker, const struct hdi_why *why, int64_t until_ns)
{
    while (!released(parker)) {
        enum hd_seam_wake wake = hdi_seam->block(why->event, why->object, why->site, until_ns);
        if (wake == HD_SEAM_TIMED_OUT && until_ns != HD_SEAM_FOREVER)
            return released(parker);
        if (wake == HD_SEAM_TIMED_OUT)
            return park_natively(parker, why, until_ns);
    }
    return true;
}

bool hdi_park(struct hdi_parker *parker, const struct hdi_why *why, int64_t until_ns)
{
    return hdi_seam ? park_controlled(parker, why, until_ns) : park_natively(parker, why, until_ns);
}

void hdi_unpark(struct hdi_parker *parker)
{
    void *thread = parker->thread;
    bool of_parent = parker->process != hdi_process; /* and sleeps there, not here */
    _Atomic uint32_t *go = &parker->go;
    uint32_t before = 0;

    hdi_inner(NULL);
    while (before != ASLEEP_FOR_EVER &&
           !atomic_compare_exchange_weak_explicit(go, &before, 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
        ;
    if (before == ASLEEP_FOR_EVER) { /* and stays so until it is let go */
        if (!of_parent)
            hdi_asleep_take_out();
        atomic_store_explicit(go, 1, memory_order_release);
    }
    if (thread && hdi_seam)
        hdi_seam->wake(thread);
    if (before == ASLEEP && thread && !hdi_seam)
        hdi_fibre_ready(thread);
    else if (before >= ASLEEP)
        hdi_futex_wake(go);
}

_Noreturn void hdi_park_for_ever(const struct hdi_why *why)
{
    struct hdi_parker parker;

    hdi_parker_init(&parker);
    for (;;)
        hdi_park(&parker, why, HD_SEAM_FOREVER);
}

void hdi_lock_slow(struct hdi_lock *lock)
{
    for (uint32_t i = 0; i < (alone || hdi_watchers ? 0 : LOCK_SPINS); i++) {
        uint32_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);
        if (seen == 0 && atomic_compare_exchange_weak_explicit(
                             &lock->word, &seen, 1, memory_order_acquire, memory_order_relaxed))
            return;
        hdi_relax();
    }
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        hdi_futex_sleep(&lock->word, 2, NULL, FUTEX_BITSET_MATCH_ANY);
}

void hdi_unlock_slow(struct hdi_lock *lock)
{
    hdi_futex_wake(&lock->word);
}

/* Who found a lock taken while the library itself is explored: one runs at a time, so a plain list
 * does. */
struct turned_away {
    struct turned_away *next;
    const struct hdi_lock *lock;
    void *thread;
};
static struct turned_away *turned_away;
struct hdi_coming *hdi_coming;

static bool take(struct hdi_lock *lock)
{
    uint32_t free_word = 0;

    return atomic_compare_exchange_strong_explicit(&lock->word, &free_word, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

void hdi_lock_in_turn(struct hdi_lock *lock)
{
    bool explored = hdi_inner(lock);

    while (!take(lock)) {
        struct turned_away self = {turned_away, lock, hdi_seam->self()}, **at = &turned_away;
        enum hd_seam_wake woken;
        if (!explored || !self.thread) {
            hdi_lock_slow(lock);
            return;
        }
        turned_away = &self;
        woken = hdi_seam->block(HD_EV_HD_INNER, lock, HDI_SITE(), HD_SEAM_FOREVER);
        while (*at != &self)
            at = &(*at)->next;
        *at = self.next;
        explored = woken == HD_SEAM_WOKEN;
    }
}

void hdi_unlock_in_turn(struct hdi_lock *lock)
{
    for (const struct turned_away *one = turned_away; one; one = one->next)
        if (one->lock == lock)
            hdi_seam->wake(one->thread);
}

void hdi_locks_change_hands(void)
{
    hdi_coming = NULL;
    turned_away = NULL;
}

/* The barrier in the loops keeps compilers from turning them into calls of memcpy and memset. */
void hdi_copy(void *to, const void *from, size_t bytes)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    for (; bytes >= 8; bytes -= 8, out += 8, in += 8) {
        __builtin_memcpy(out, in, 8);
        __asm__ volatile("" ::: "memory");
    }
    for (; bytes > 0; bytes--) {
        *out++ = *in++;
        __asm__ volatile("" ::: "memory");
    }
}

void hdi_zero(void *to, size_t bytes)
{
    unsigned char *out = to;

    for (; bytes > 0; bytes--) {
        *out++ = 0;
        __asm__ volatile("" ::: "memory");
    }
}

void hdi_reads_told(const void *memory, size_t bytes, const void *site)
{
    if (__tsan_read_range_pc && bytes > 0)
        __tsan_read_range_pc((void *)(uintptr_t)memory, bytes, (void *)(uintptr_t)site);
}

void hdi_writes_told(const void *memory, size_t bytes, const void *site)
{
    if (__tsan_write_range_pc && bytes > 0)
        __tsan_write_range_pc((void *)(uintptr_t)memory, bytes, (void *)(uintptr_t)site);
}
