/* rwmutex.c - see rwmutex.h.
 *
 * The algorithm of Go's RWMutex, after Courtois, Heymans and Parnas 1971 (their second problem): a
 * writer first wins `writers`, then makes `readers` negative, which sends new readers to
 * `reader_turn`, and waits at `writer_turn` until those that were inside have left.
 *   W1  readers < 0 exactly while some writer has announced itself and not yet left
 *   W2  departing > 0 only while W1's writer waits for readers that came before it
 * Clocks: readers learn from writers at the rwmutex itself; writers learn from readers at &departing too.
 */
#include <heddle/rwmutex.h>

#include "misuse.h"
#include "mutex_take.h"

#define MAX_READERS (1 << 30)
#define ENDED (-MAX_READERS - (1 << 29)) /* of `readers`; some may have come since */

static void tell_taken(struct hd_rwmutex *rw, bool shared, const void *site)
{
    if (hdi_seam)
        hdi_seam->acquired(rw, shared, site);
    hdi_acquire(rw);
    if (!shared)
        hdi_acquire(&rw->departing);
}

static void tell_given(struct hd_rwmutex *rw, bool shared, const void *site)
{
    hdi_release(shared ? (const void *)&rw->departing : (const void *)rw);
    if (hdi_seam)
        hdi_seam->released(rw, site);
}

static void enter(struct hd_rwmutex *rw, const struct hdi_why *why)
{
    hdi_point(why);
    hdi_hide(rw, sizeof *rw);
}

static void need_alive(int32_t readers, const struct hd_rwmutex *rw, const void *site)
{
    if (HDI_UNLIKELY(readers < -MAX_READERS))
        hdi_misuse_late("sync: use of a RWMutex after its end", rw, site, NULL);
}

void hd_rwmutex_rlock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_RLOCK, rw, HDI_SITE()};
    int32_t inside;

    if (HDI_WATCHED())
        enter(rw, &why);
    hdi_inner(rw);
    inside = atomic_fetch_add(&rw->readers, 1) + 1;
    if (HDI_UNLIKELY(inside < 0)) {
        need_alive(inside, rw, why.site);
        hdi_lot_acquire(&rw->reader_turn, &why);
    }
    if (HDI_WATCHED())
        tell_taken(rw, true, why.site);
}

bool hd_rwmutex_try_rlock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_TRYLOCK, rw, HDI_SITE()};
    int32_t seen;

    enter(rw, &why);
    seen = atomic_load(&rw->readers);
    need_alive(seen, rw, why.site);
    do {
        if (seen < 0)
            return false;
    } while (!atomic_compare_exchange_weak(&rw->readers, &seen, seen + 1));
    tell_taken(rw, true, why.site);
    return true;
}

void hd_rwmutex_runlock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_UNLOCK, rw, HDI_SITE()};
    int32_t before;

    if (HDI_WATCHED()) {
        enter(rw, &why);
        before = atomic_load(&rw->readers);
        need_alive(before, rw, why.site);
        if (before != 0 && before != -MAX_READERS)
            tell_given(rw, true, why.site);
    }
    hdi_inner(rw);
    before = atomic_fetch_sub(&rw->readers, 1);
    if (HDI_UNLIKELY(before <= 0)) {
        need_alive(before, rw, why.site);
        if (before == 0 || before == -MAX_READERS) {
            atomic_fetch_add(&rw->readers, 1);
            hdi_misuse("sync: RUnlock of unlocked RWMutex", rw, why.site);
        }
        hdi_inner(rw);
        if (atomic_fetch_sub(&rw->departing, 1) == 1)
            hdi_lot_post(&rw->writer_turn, 1);
    }
    hdi_released(why.site);
}

void hd_rwmutex_lock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_LOCK, rw, HDI_SITE()};
    int32_t inside;

    enter(rw, &why);
    need_alive(atomic_load(&rw->readers), rw, why.site);
    hdi_mutex_take(&rw->writers, &why);
    hdi_inner(rw);
    inside = atomic_fetch_sub(&rw->readers, MAX_READERS);
    hdi_inner(rw);
    if (inside != 0 && atomic_fetch_add(&rw->departing, inside) + inside != 0)
        hdi_lot_acquire(&rw->writer_turn, &why);
    tell_taken(rw, false, why.site);
}

bool hd_rwmutex_try_lock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_TRYLOCK, rw, HDI_SITE()};
    int32_t none = 0;

    enter(rw, &why);
    need_alive(atomic_load(&rw->readers), rw, why.site);
    if (!hdi_mutex_try_take(&rw->writers))
        return false;
    hdi_inner(rw);
    if (!atomic_compare_exchange_strong(&rw->readers, &none, -MAX_READERS)) {
        hdi_mutex_give(&rw->writers);
        return false;
    }
    tell_taken(rw, false, why.site);
    return true;
}

void hd_rwmutex_unlock(struct hd_rwmutex *rw)
{
    struct hdi_why why = {HD_EV_HD_RWMUTEX_UNLOCK, rw, HDI_SITE()};
    int32_t waiting;

    enter(rw, &why);
    need_alive(atomic_load(&rw->readers), rw, why.site);
    if (atomic_load(&rw->readers) >= 0)
        hdi_misuse("sync: Unlock of unlocked RWMutex", rw, why.site);
    tell_given(rw, false, why.site);
    hdi_inner(rw);
    waiting = atomic_fetch_add(&rw->readers, MAX_READERS) + MAX_READERS;
    if (waiting > 0)
        hdi_lot_post(&rw->reader_turn, (uint32_t)waiting);
    hdi_mutex_give(&rw->writers);
    hdi_released(why.site);
}

void hd_rwmutex_init(struct hd_rwmutex *rw, const char *name)
{
    *rw = (struct hd_rwmutex)HD_RWMUTEX_INIT;
    hdi_hide(rw, sizeof *rw);
    if (hdi_seam)
        hdi_seam->born(HD_OB_HD_RWMUTEX, rw, name, HDI_SITE());
}

void hd_rwmutex_destroy(struct hd_rwmutex *rw)
{
    need_alive(atomic_load(&rw->readers), rw, HDI_SITE());
    if (atomic_load(&rw->readers) != 0)
        hdi_misuse("sync: end of a locked RWMutex", rw, HDI_SITE());
    atomic_store(&rw->readers, ENDED);
    if (hdi_seam)
        hdi_seam->gone(rw, HDI_SITE());
}

static void lock(void *of)
{
    hd_rwmutex_lock(of);
}

static void unlock(void *of)
{
    hd_rwmutex_unlock(of);
}

static void rlock(void *of)
{
    hd_rwmutex_rlock(of);
}

static void runlock(void *of)
{
    hd_rwmutex_runlock(of);
}

struct hd_locker hd_rwmutex_locker(struct hd_rwmutex *rw)
{
    return (struct hd_locker){lock, unlock, rw};
}

struct hd_locker hd_rwmutex_rlocker(struct hd_rwmutex *rw)
{
    return (struct hd_locker){rlock, runlock, rw};
}
