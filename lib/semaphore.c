/* semaphore.c - see semaphore.h.
 *
 * A waiter, on the stack of the one that waits, leaves the line by the grant of a releaser, or by
 * itself when its context ends. A granted one stays until its channel is closed: the releaser,
 * which closes it without the lock, still reads it.
 */
#include <heddle/semaphore.h>

#include "chan_inside.h"
#include "inner_lock.h"
#include "misuse.h"

#define ENDED INT64_MIN /* the size of those that have ended */

struct hd_semaphore_waiter {
    struct hd_semaphore_waiter *next, *previous;
    int64_t units;
    struct hd_chan *ready; /* closed once granted */
    bool granted;          /* guarded by the lock */
};

void hd_semaphore_init(struct hd_semaphore *semaphore, int64_t size, const char *name)
{
    *semaphore = (struct hd_semaphore){.size = size};
    hdi_hide(semaphore, sizeof *semaphore);
    if (hdi_seam)
        hdi_seam->born(HD_OB_WEIGHTED, semaphore, name, HDI_SITE());
    hdi_tell_units(semaphore, size);
}

static void lock(struct hd_semaphore *semaphore, const void *site)
{
    hdi_inner_lock(&semaphore->lock);
    if (HDI_UNLIKELY(semaphore->size == ENDED)) {
        hdi_inner_unlock(&semaphore->lock);
        hdi_misuse_late("semaphore: use after its end", semaphore, site, NULL);
    }
}

void hd_semaphore_destroy(struct hd_semaphore *semaphore)
{
    bool awaited;

    lock(semaphore, HDI_SITE());
    awaited = semaphore->first != NULL;
    if (!awaited)
        semaphore->size = ENDED;
    hdi_inner_unlock(&semaphore->lock);
    if (awaited)
        hdi_misuse("semaphore: end while goroutines wait", semaphore, HDI_SITE());
    if (hdi_seam)
        hdi_seam->gone(semaphore, HDI_SITE());
}

static void take_out(struct hd_semaphore *semaphore, struct hd_semaphore_waiter *waiter)
{
    *(waiter->previous ? &waiter->previous->next : &semaphore->first) = waiter->next;
    *(waiter->next ? &waiter->next->previous : &semaphore->last) = waiter->previous;
}

/* With the lock held: those at the front whose units are free, as a list by `next`. */
static struct hd_semaphore_waiter *grant(struct hd_semaphore *semaphore)
{
    struct hd_semaphore_waiter *list = NULL, **end = &list, *first;

    while ((first = semaphore->first) && semaphore->size - semaphore->held >= first->units) {
        semaphore->held += first->units;
        take_out(semaphore, first);
        first->granted = true;
        first->next = NULL;
        *end = first;
        end = &first->next;
    }
    return list;
}

static void wake(struct hd_semaphore_waiter *list)
{
    while (list) {
        struct hd_semaphore_waiter *next = list->next;
        hd_chan_close(list->ready);
        list = next;
    }
}

static void put_back(struct hd_semaphore *semaphore, int64_t units, const void *site)
{
    struct hd_semaphore_waiter *granted;

    hdi_release(semaphore);
    lock(semaphore, site);
    if (units < 0 || units > semaphore->held) {
        hdi_inner_unlock(&semaphore->lock);
        hdi_misuse("semaphore: released more than held", semaphore, site);
    }
    semaphore->held -= units;
    granted = grant(semaphore);
    hdi_inner_unlock(&semaphore->lock);
    hdi_tell_moved(&(struct hdi_why){HD_EV_HD_SEMAPHORE, semaphore, site}, -units, false);
    wake(granted);
}

void hd_semaphore_release(struct hd_semaphore *semaphore, int64_t units)
{
    struct hdi_why why = {HD_EV_HD_SEMAPHORE, semaphore, HDI_SITE()};

    hdi_point(&why);
    put_back(semaphore, units, why.site);
    hdi_released(why.site);
}

static bool try_acquire(struct hd_semaphore *semaphore, int64_t units, const struct hdi_why *why,
                        bool could_wait)
{
    bool taken;

    hdi_point(why);
    lock(semaphore, why->site);
    taken = units >= 0 && semaphore->size - semaphore->held >= units && !semaphore->first;
    if (taken)
        semaphore->held += units;
    hdi_inner_unlock(&semaphore->lock);
    if (taken) {
        hdi_acquire(semaphore);
        hdi_tell_moved(why, units, could_wait);
    }
    return taken;
}

bool hd_semaphore_try_acquire(struct hd_semaphore *semaphore, int64_t units)
{
    struct hdi_why why = {HD_EV_HD_SEMAPHORE, semaphore, HDI_SITE()};

    return try_acquire(semaphore, units, &why, false);
}

/* The context has ended while we waited. */
static void give_up(struct hd_semaphore *semaphore, struct hd_semaphore_waiter *self,
                    const void *site)
{
    struct hd_semaphore_waiter *granted = NULL;
    bool was_granted;

    hdi_inner_lock(&semaphore->lock);
    was_granted = self->granted;
    if (!was_granted) {
        take_out(semaphore, self);
        granted = grant(semaphore); /* those behind may need less */
    }
    hdi_inner_unlock(&semaphore->lock);
    wake(granted);
    if (was_granted) {
        hd_chan_recv(self->ready, NULL);
        hdi_tell_moved(&(struct hdi_why){HD_EV_HD_SEMAPHORE, semaphore, site}, self->units, false);
        put_back(semaphore, self->units, site);
    }
}

static hd_err wait_for(struct hd_semaphore *semaphore, struct hd_semaphore_waiter *self,
                       struct hd_context *ctx, const struct hdi_why *why)
{
    struct hd_chan *done = hd_context_done(ctx);
    bool ready = hdi_select_as((struct hd_case[]){HD_RECV(self->ready, NULL), HD_RECV(done, NULL)},
                               2, why) == 0;

    if (!ready) {
        give_up(semaphore, self, why->site);
        return hd_context_err(ctx);
    }
    hdi_tell_moved(why, self->units, !done);
    if (hd_context_err(ctx)) { /* both: an ended context gets nothing */
        put_back(semaphore, self->units, why->site);
        return hd_context_err(ctx);
    }
    hdi_acquire(semaphore);
    return NULL;
}

hd_err hd_semaphore_acquire(struct hd_semaphore *semaphore, struct hd_context *ctx, int64_t units)
{
    struct hdi_why why = {HD_EV_HD_SEMAPHORE, semaphore, HDI_SITE()};
    struct hd_semaphore_waiter self = {.units = units};
    bool taken;
    hd_err err = hd_context_err(ctx);

    if (err)
        return err;
    if (units < 0)
        return hd_invalid;
    if (try_acquire(semaphore, units, &why, !hd_context_done(ctx)))
        return NULL;
    self.ready = hd_chan_make_named("semaphore", 0, 0);
    lock(semaphore, why.site);
    taken = semaphore->size - semaphore->held >= units && !semaphore->first;
    if (taken) {
        semaphore->held += units;
    } else if (units <= semaphore->size) {
        hdi_hide(&self, sizeof self);
        self.previous = semaphore->last;
        *(semaphore->last ? &semaphore->last->next : &semaphore->first) = &self;
        semaphore->last = &self;
    }
    hdi_inner_unlock(&semaphore->lock);
    if (taken) {
        hdi_acquire(semaphore);
        hdi_tell_moved(&why, units, !hd_context_done(ctx));
    } else if (units > semaphore->size) { /* it can never have them */
        hd_chan_recv(hd_context_done(ctx), NULL);
        err = hd_context_err(ctx);
    } else {
        err = wait_for(semaphore, &self, ctx, &why);
    }
    hd_chan_unref(self.ready);
    return err;
}
