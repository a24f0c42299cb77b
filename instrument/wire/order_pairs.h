/* order_pairs.h - which two orders schedules had together: an order is an operation and the last one before it
 * that conflicts with it, on one object. Most bugs need one or two such orders (Burckhardt et al. 2010; Kuhn et
 * al. 2004, of combinations of settings). How often schedules had each two is what is new in the next one.
 *
 * Operations stand for themselves by place and by which of its thread's there it is; threads only by which of
 * them are the same, as many may do the same. The order of steps that commute changes nothing.
 */
#ifndef HEDDLE_ORDER_PAIRS_H
#define HEDDLE_ORDER_PAIRS_H

#include <stdbool.h>
#include <string.h>

#include "wire/conflict.h"
#include "wire/hash.h"

#define HDP_ORDER_PAIRS (1u << 16)
#define HDP_ORDER_ONCE                                                                             \
    4u /* what one schedule that had it adds; one that was to have it and had not: 1 */
#define HDP_ORDER_SLOTS 512u
#define HDP_ORDER_WINDOW 48u /* the last orders, each of which the next one is put together with */

struct hdp_order {
    uint64_t hash;
    uint32_t thread, before; /* who did the operation; the one before it, 0: there was none */
};

/* Of one schedule. Entries of an earlier one are no entries: to clear them all would cost more than they do. */
struct hdp_orders {
    struct {
        uint32_t schedule, object, thread, writer, writes;
        uint64_t last, written; /* the last operation; the last one that was no read */
    } on[HDP_ORDER_SLOTS];
    struct {
        uint64_t key;
        uint32_t schedule, times;
    } done[HDP_ORDER_SLOTS]; /* by a thread at a place on an object */
    struct hdp_order order[HDP_ORDER_WINDOW];
    uint32_t schedule, count;
};

static inline void hdp_orders_begin(struct hdp_orders *o)
{
    if (++o->schedule == 0) {
        memset(o, 0, sizeof *o);
        o->schedule = 1;
    }
    o->count = 0;
}

static inline uint32_t hdp_order_pair(const struct hdp_order *a, const struct hdp_order *b)
{
    if (a->hash > b->hash) {
        const struct hdp_order *c = a;
        a = b;
        b = c;
    }
    uint64_t same = (uint64_t)(a->thread == b->thread) | (uint64_t)(a->thread == b->before) << 1 |
                    (uint64_t)(a->before == b->thread) << 2 |
                    (uint64_t)(a->before == b->before) << 3;
    return (uint32_t)(hash_spread(a->hash + 3 * b->hash + same) % HDP_ORDER_PAIRS);
}

/* One more operation. Where in order[] its order is; those before it in the window are the others of its pairs. */
static inline uint32_t hdp_orders_add(struct hdp_orders *o, uint32_t object, uint64_t site,
                                      uint32_t thread, enum hdp_access access)
{
    uint64_t place = hash_place(0, site);
    uint64_t key = hash_spread(place + ((uint64_t)thread << 32));
    uint32_t times = (uint32_t)(key % HDP_ORDER_SLOTS);
    uint32_t on = (uint32_t)(hash_spread(object) % HDP_ORDER_SLOTS), at = o->count++;
    uint64_t self, before;

    if (o->done[times].key != key || o->done[times].schedule != o->schedule) {
        o->done[times].key = key;
        o->done[times].schedule = o->schedule;
        o->done[times].times = 0;
    }
    times = ++o->done[times].times;
    if (o->on[on].object != object || o->on[on].schedule != o->schedule) {
        memset(&o->on[on], 0, sizeof o->on[on]);
        o->on[on].object = object;
        o->on[on].schedule = o->schedule;
    }
    while (times > 4 && times & (times - 1)) /* of a long loop the powers of two */
        times &= times - 1;
    self = hash_spread(place + (uint64_t)times * 0x9e3779b97f4a7c15ull);
    before = access == HDP_ACCESS_READS ? o->on[on].written : o->on[on].last;
    at %= HDP_ORDER_WINDOW;
    o->order[at] = (struct hdp_order){.thread = thread,
                                      .before = access == HDP_ACCESS_READS ? o->on[on].writer
                                                                           : o->on[on].thread};
    o->order[at].hash = hash_spread(self + 3 * before + (o->order[at].before == thread));
    if (access == HDP_ACCESS_READS) /* of many that do the same, how many have done it */
        o->order[at].hash += o->on[on].writes < 8 ? o->on[on].writes : 8;
    o->on[on].last = self;
    o->on[on].thread = thread;
    if (access == HDP_ACCESS_WRITES) {
        o->on[on].written = self;
        o->on[on].writer = thread;
        o->on[on].writes++;
    }
    return at;
}

#endif /* HEDDLE_ORDER_PAIRS_H */
