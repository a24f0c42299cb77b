/* waitgroup.c - see waitgroup.h.
 *
 * Counter and waiters are one word, so that a done which finds nobody waiting does not look at the
 * group again, and the wait which finds zero may end it. One that finds waiters looks again, but
 * they cannot return before it has popped them.
 *
 * To detectors of races an add from zero reads the group and the first that waits writes it, so
 * that the two, which must be ordered, race if they are not. Without one a wait that would wait for
 * nobody while an add comes is told under the seam: both are at their points.
 */
#include <heddle/waitgroup.h>

#include "parking_lot.h"
#include "misuse.h"
#include "spawn.h"

#define BELOW_ZERO "sync: negative WaitGroup counter"

static int32_t counter(uint64_t state)
{
    return (int32_t)(state >> 32);
}

static uint32_t waiters(uint64_t state)
{
    return (uint32_t)state;
}

#define ENDED ((uint64_t)1 << 32 | UINT32_MAX) /* more than can wait */

static void need_alive(uint64_t state, const struct hd_wg *wg, const void *site)
{
    if (HDI_UNLIKELY(waiters(state) == UINT32_MAX))
        hdi_misuse_late("sync: use of a WaitGroup after its end", wg, site, NULL);
}

int32_t hdi_wg_counter(struct hd_wg *wg)
{
    return counter(atomic_load(&wg->state));
}

/* An add above zero that is at its point. One thread runs at a time there, so a plain list does. */
struct hdi_coming {
    struct hdi_coming *next;
    const struct hd_wg *wg;
};

static void come(const struct hdi_why *why, const struct hd_wg *wg, int32_t delta)
{
    struct hdi_coming self = {hdi_coming, wg}, **at = &hdi_coming;

    if (delta <= 0 || !HDI_CONTROLLED() || !hdi_seam->self()) {
        hdi_point(why);
        return;
    }
    hdi_coming = &self;
    hdi_point(why);
    while (*at != &self)
        at = &(*at)->next;
    *at = self.next;
}

/* Does an add come that nothing orders with what the caller does now? */
static bool does_one_come(const struct hd_wg *wg)
{
    const struct hdi_coming *one = hdi_coming;

    if (!HDI_TELLS(about_to) || !hdi_seam->about_to(HD_EV_HD_WAITGROUP_ADD, wg))
        return false;
    while (one && one->wg != wg)
        one = one->next;
    return one != NULL;
}

/* At zero with waiters, nobody may add or wait before they are out: the last look. */
static void release_all(struct hd_wg *wg, uint64_t state, const void *site)
{
    struct hdi_lot *lot = hdi_lot_lock(wg);
    bool quiet = atomic_compare_exchange_strong(&wg->state, &state, 0);

    if (!quiet) {
        hdi_lot_unlock(lot);
        if (counter(state) < 0) /* one done too many came meanwhile */
            hdi_misuse(BELOW_ZERO, wg, site);
        hdi_misuse("sync: WaitGroup misuse: Add called concurrently with Wait", wg, site);
    }
    hdi_lot_unlock_wake_all(lot, wg);
}

static void add(struct hd_wg *wg, int32_t delta, const void *site)
{
    const struct hdi_why why = {delta ? HD_EV_HD_WAITGROUP_ADD : HD_EV_HD_OTHER, wg, site};
    uint64_t before, after;

    come(&why, wg, delta);
    if (delta == 0)
        return;
    hdi_hide(wg, sizeof *wg);
    if (delta < 0)
        hdi_release(wg);
    hdi_inner(wg);
    before = atomic_fetch_add(&wg->state, (uint64_t)(uint32_t)delta << 32);
    need_alive(before, wg, site);
    after = before + ((uint64_t)(uint32_t)delta << 32);
    if (counter(after) < 0)
        hdi_misuse(BELOW_ZERO, wg, site);
    hdi_tell_moved(&why, delta, false);
    if (waiters(after) != 0 && delta > 0 && counter(after) == delta)
        hdi_misuse("sync: WaitGroup misuse: Add called concurrently with Wait", wg, site);
    if (counter(after) == 0 && waiters(after) != 0)
        release_all(wg, after, site);
    if (delta > 0 && counter(before) == 0)
        hdi_reads(wg, sizeof *wg, site);
    if (delta < 0)
        hdi_released(site);
}

void hd_wg_add(struct hd_wg *wg, int32_t delta)
{
    add(wg, delta, HDI_SITE());
}

void hd_wg_done(struct hd_wg *wg)
{
    add(wg, -1, HDI_SITE());
}

static void wait_for(struct hd_wg *wg, bool of_library, const void *site)
{
    struct hdi_why why = {HD_EV_HD_WAITGROUP_WAIT, wg, site};
    struct hdi_waiter self;
    struct hdi_lot *lot;
    uint64_t seen;

    hdi_point(&why);
    hdi_hide(wg, sizeof *wg);
    hdi_inner(wg);
    if (counter(atomic_load(&wg->state)) == 0) {
        if (!of_library && does_one_come(wg))
            hdi_misuse("sync: WaitGroup misuse: Add called concurrently with Wait", wg, site);
    } else {
        lot = hdi_lot_lock(wg);
        seen = atomic_load(&wg->state);
        if (HDI_UNLIKELY(seen == ENDED)) {
            hdi_lot_unlock(lot);
            need_alive(seen, wg, why.site);
        }
        while (counter(seen) != 0 && !atomic_compare_exchange_weak(&wg->state, &seen, seen + 1))
            ;
        if (counter(seen) == 0) {
            hdi_lot_unlock(lot);
        } else {
            hdi_lot_push(lot, &self, wg, false);
            hdi_lot_unlock(lot);
            if (waiters(seen) == 0 && !of_library)
                hdi_writes(wg, sizeof *wg, why.site);
            hdi_lot_sleep(&self, &why, HD_SEAM_FOREVER);
            hdi_inner(wg);
            seen = atomic_load(&wg->state);
            need_alive(seen, wg, why.site);
            if (seen != 0)
                hdi_misuse("sync: WaitGroup is reused before previous Wait has returned", wg,
                           why.site);
        }
    }
    hdi_tell_moved(&why, 1, true);
    hdi_acquire(wg);
}

void hd_wg_wait(struct hd_wg *wg)
{
    wait_for(wg, false, HDI_SITE());
}

void hdi_wg_wait(struct hd_wg *wg, const void *site)
{
    wait_for(wg, true, site);
}

void hd_wg_init(struct hd_wg *wg, const char *name)
{
    atomic_store_explicit(&wg->state, 0, memory_order_relaxed);
    hdi_hide(wg, sizeof *wg);
    if (hdi_seam)
        hdi_seam->born(HD_OB_WAITGROUP, wg, name, HDI_SITE());
}

void hd_wg_destroy(struct hd_wg *wg)
{
    struct hdi_lot *lot = hdi_lot_lock(wg);
    uint64_t seen = atomic_load(&wg->state);

    if (waiters(seen) == 0)
        atomic_store(&wg->state, ENDED);
    hdi_lot_unlock(lot);
    need_alive(seen, wg, HDI_SITE());
    if (waiters(seen) != 0)
        hdi_misuse("sync: end of a WaitGroup on which goroutines wait", wg, HDI_SITE());
    if (hdi_seam)
        hdi_seam->gone(wg, HDI_SITE());
}

static void task_ends(void *wg, const void *site)
{
    add(wg, -1, site);
}

/* bytes 0: arg itself is given. */
static hd_err start(struct hd_wg *wg, void (*fn)(void *arg), const void *arg, size_t bytes,
                    const void *site)
{
    const struct hdi_start task = {.fn = fn,
                                   .arg = (void *)(uintptr_t)arg,
                                   .copied = bytes,
                                   .end = task_ends,
                                   .of = wg,
                                   .shown = HDI_SHOWN(fn),
                                   .site = site};
    hd_err err;

    add(wg, 1, site);
    err = hdi_go(&task);
    if (err)
        add(wg, -1, site);
    return err;
}

hd_err hd_wg_go(struct hd_wg *wg, void (*fn)(void *arg), void *arg)
{
    return start(wg, fn, arg, 0, HDI_SITE());
}

hd_err hd_wg_go_copy(struct hd_wg *wg, void (*fn)(void *args), const void *args, size_t bytes)
{
    return start(wg, fn, args, bytes, HDI_SITE());
}
