/* once.c - see once.h.
 *
 * FRESH -> DOING  by the one that will run it; DOING -> DONE by the same, when it has ended in
 * whatever way. Only then are those in the line released, and they return without a further look.
 */
#include <heddle/once.h>

#include <heddle/panic.h>

#include "misuse.h"
#include "parking_lot.h"
#include "unwind.h"

enum { FRESH, DOING, DONE };

/* Whoever runs the function holds the once, as a lock is held. */
static void tell_held(struct hd_once *once, const void *site)
{
    if (!HDI_UNWATCHED() && hdi_seam)
        hdi_seam->acquired(once, false, site);
}

static void finish(struct hd_once *once, const void *site)
{
    struct hdi_lot *lot;

    if (!HDI_UNWATCHED() && hdi_seam)
        hdi_seam->released(once, site);
    hdi_release(once);
    lot = hdi_lot_lock(once);
    atomic_store_explicit(&once->state, DONE, memory_order_release);
    hdi_lot_unlock_wake_all(lot, once);
}

static void wait_until_done(struct hd_once *once, const struct hdi_why *why)
{
    struct hdi_waiter self;
    struct hdi_lot *lot = hdi_lot_lock(once);

    if (atomic_load_explicit(&once->state, memory_order_acquire) == DONE) {
        hdi_lot_unlock(lot);
        return;
    }
    hdi_lot_push(lot, &self, once, false);
    hdi_lot_unlock(lot);
    hdi_lot_sleep(&self, why, HD_SEAM_FOREVER);
}

static void once_do(struct hd_once *once, void (*fn)(void *arg), void *arg, const void *site)
{
    struct hdi_why why = {HD_EV_HD_ONCE, once, site};
    uint32_t seen = FRESH;

    hdi_point(&why);
    hdi_hide(once, sizeof *once);
    hdi_inner(once);
    if (atomic_compare_exchange_strong(&once->state, &seen, DOING)) {
        hd_err err = NULL;
        enum hdi_ending ending;
        tell_held(once, site);
        ending = hdi_catch(fn, arg, &err);
        finish(once, site);
        hdi_carry_on(ending, err);
        return;
    }
    if (seen == DOING)
        wait_until_done(once, &why);
    hdi_acquire(once);
}

void hdi_once_do(struct hd_once *once, void (*fn)(void *arg), void *arg)
{
    once_do(once, fn, arg, HDI_SITE());
}

static void make_value(void *arg)
{
    struct hd_once_value *once = arg;

    once->value = once->make(once->arg, &once->err);
}

static void make_guarded(void *arg)
{
    struct hd_once_value *once = arg;

    once->panicked = hd_recover(make_value, once);
}

void *hd_once_value_get(struct hd_once_value *once, hd_err *err)
{
    if (!HDI_UNWATCHED() || atomic_load_explicit(&once->once.state, memory_order_acquire) != DONE)
        once_do(&once->once, make_guarded, once, HDI_SITE());
    if (once->panicked)
        hd_panic_err(hd_err_ref(once->panicked));
    if (err)
        *err = once->err;
    return once->value;
}

void hd_once_value_clear(struct hd_once_value *once)
{
    if (atomic_load_explicit(&once->once.state, memory_order_relaxed) == DOING)
        hdi_misuse("sync: clear of a OnceValue while it is made", once, HDI_SITE());
    hd_err_unref(once->err);
    hd_err_unref(once->panicked);
    *once = (struct hd_once_value)HD_ONCE_VALUE(once->make, once->arg);
}
