/* races.c - which two steps of a schedule could have come in the other order.
 *
 * Happens-before is the order of the steps that depend on each other, by vector clocks. Two steps race when
 * they depend, and the later thread could have come to its step without the earlier one. What must come
 * before the later one is then to be tried before the earlier one.
 *
 * Not only neighbours are looked at: between two that take a lock there is the one who gives it back, with
 * whom neither can change places.
 */
#include "exploration_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "wire/hash.h"

/* A step, or, behind the last, one that a thread stood before when the schedule ended. */
struct event {
    uint32_t thread; /* in the list below */
    uint32_t name;
    struct node *node; /* NULL: it was not made */
    const struct hdp_touch *touch;
    uint32_t touches;
    uint32_t before; /* the event of its thread before it, + 1 */
    bool time_passed;
};

struct history {
    struct event *event;
    uint32_t events, made;
    uint32_t *thread; /* names */
    uint32_t threads;
    uint32_t *clock; /* of each event: how much of each thread comes before it, as index + 1 */
};

static uint32_t thread_of(struct history *h, uint32_t name)
{
    for (uint32_t i = 0; i < h->threads; i++)
        if (h->thread[i] == name)
            return i;
    h->thread = mem_grow(h->thread, h->threads, sizeof *h->thread);
    h->thread[h->threads] = name;
    return h->threads++;
}

static void add(struct history *h, struct event e)
{
    e.thread = thread_of(h, e.name);
    for (uint32_t i = h->events; i-- > 0 && !e.before;)
        if (h->event[i].thread == e.thread)
            e.before = i + 1;
    h->event = mem_grow(h->event, h->events, sizeof *h->event);
    h->event[h->events++] = e;
}

static void gather(struct history *h, struct search *s, const struct hdp_explore *x)
{
    static const struct hdp_touch everything = {.key = HDP_EVERYTHING};

    for (uint32_t i = 0; i < s->depth; i++) {
        struct node *n = &s->path[i];
        if (!n->is_choice)
            add(h, (struct event){.name = n->thread,
                                  .node = n,
                                  .touch = n->step.touch,
                                  .touches = n->step.count,
                                  .time_passed = x->step[i].flags & HDP_EXPLORED_TIME_PASSED});
    }
    h->made = h->events;
    if (x->end == HDP_EXPLORED_DIED || x->end == HDP_EXPLORED_FULL) {
        const struct node *last = h->made ? h->event[h->made - 1].node : NULL;
        for (uint32_t i = 0; last && i < last->runnables; i++)
            add(h, (struct event){.name = last->runnable[i], .touch = &everything, .touches = 1});
        return;
    }
    for (uint32_t i = 0; i < x->left && i < HDP_SLEEPERS; i++) {
        const struct hdp_explored_thread *t = &x->left_thread[i];
        if (t->touch <= HDP_TOUCHES && t->touches <= HDP_TOUCHES - t->touch)
            add(h, (struct event){
                       .name = t->thread, .touch = &x->touch[t->touch], .touches = t->touches});
    }
}

static uint32_t *clock_of(const struct history *h, uint32_t event)
{
    return &h->clock[(size_t)event * h->threads];
}

/* a < b in the schedule. */
static bool happens_before(const struct history *h, uint32_t a, uint32_t b)
{
    return clock_of(h, b)[h->event[a].thread] > a;
}

static bool related(const struct event *a, const struct event *b, bool (*how)(uint32_t, uint32_t))
{
    return hdp_touches(a->touch, a->touches, b->touch, b->touches, how);
}

static void join(const struct history *h, uint32_t *clock, uint32_t event)
{
    const uint32_t *other = clock_of(h, event);

    for (uint32_t t = 0; t < h->threads; t++)
        if (other[t] > clock[t])
            clock[t] = other[t];
    if (event + 1 > clock[h->event[event].thread])
        clock[h->event[event].thread] = event + 1;
}

static void order(struct history *h)
{
    uint32_t all_before = 0; /* all before this one come before all from it on: time has passed */

    h->clock = mem_zeroed((size_t)h->events * h->threads + 1, sizeof *h->clock);
    for (uint32_t i = 0; i < h->events; i++) {
        const struct event *b = &h->event[i];
        uint32_t *clock = clock_of(h, i);
        if (b->time_passed)
            all_before = i;
        for (uint32_t k = 0; k < all_before; k++)
            if (clock[h->event[k].thread] < k + 1)
                clock[h->event[k].thread] = k + 1;
        if (b->before)
            join(h, clock, b->before - 1);
        for (uint32_t k = i < h->made ? i : h->made; k-- > all_before;)
            if (clock[h->event[k].thread] <= k && h->event[k].thread != b->thread &&
                related(&h->event[k], b, hdp_modes_follow))
                join(h, clock, k);
    }
}

/* Event `late`, behind all that does not need `early`, is to be tried in the place of that: begun by any thread that
 * can come first then. Where one of them is tried already, it comes to that there. */
static void reverse(const struct history *h, uint32_t early, uint32_t late)
{
    struct node *n = h->event[early].node;
    uint32_t *first = mem_zeroed(h->threads + 1, sizeof *first), firsts = 0;
    uint32_t *without = mem_zeroed(h->events + 1, sizeof *without), count = 0;

    for (uint32_t k = early + 1; k <= late; k++) {
        bool is_first = true;
        if (k != late && (k >= h->made || happens_before(h, early, k)))
            continue;
        for (uint32_t i = 0; i < count && is_first; i++)
            is_first = !happens_before(h, without[i], k);
        without[count++] = k;
        if (is_first)
            first[firsts++] = h->event[k].name;
    }
    bool done = false;
    for (uint32_t i = 0; i < firsts && !done; i++)
        done = node_takes(n, first[i]) || node_sleeps(n, first[i]);
    for (uint32_t i = firsts; i-- > 0 && !done;)
        done = node_add(n, first[i]);
    if (!done && count > 1) /* none of those was seen to be able to go on: any may lead there */
        node_add_all(n);
    free(first);
    free(without);
}

/* Without `early`, the later one may touch what it did not touch behind it. Where its thread sleeps that is known:
 * what meets it there alone, and does not need `early`, could have come before both. */
static void reverse_what_it_meets(const struct history *h, uint32_t early, uint32_t late,
                                  const struct node *from)
{
    const struct event *b = &h->event[late];
    const struct footprint *would = node_would(h->event[early].node, b->name);

    if (!would || (b->before && b->before - 1 > early))
        return;
    for (uint32_t k = early + 1; k < h->events; k++) {
        const struct event *c = &h->event[k];
        bool is_new = !from || !c->node || c->node >= from;
        if (is_new && c->thread != b->thread && !happens_before(h, early, k) &&
            !happens_before(h, k, late) && !happens_before(h, late, k) &&
            hdp_touches(would->touch, would->count, c->touch, c->touches, hdp_modes_depend))
            reverse(h, early, k);
    }
}

/* What was done, and which of it came before which: a sum, whatever the order in the schedule. */
static uint64_t trace(const struct history *h, const struct search *s)
{
    uint32_t *count = mem_zeroed(h->threads + 1, sizeof *count);
    uint32_t *serial = mem_zeroed(h->events + 1, sizeof *serial);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < h->made; i++) {
        uint64_t one = hash_next(h->event[i].name);
        serial[i] = ++count[h->event[i].thread];
        one = hash_next(one ^ serial[i]);
        for (const struct node *n = h->event[i].node + 1; n < &s->path[s->depth] && n->is_choice;
             n++)
            one = hash_next(one ^ (n->choice + 1));
        uint64_t before = 0;
        for (uint32_t t = 0; t < h->threads; t++) {
            uint32_t last = clock_of(h, i)[t];
            if (last && t != h->event[i].thread)
                before += hash_next((uint64_t)h->thread[t] << 32 | serial[last - 1]);
        }
        sum += hash_next(one ^ hash_next(before));
    }
    free(count);
    free(serial);
    return sum;
}

uint64_t races_look(const struct exploration *e, struct search *s, const struct hdp_explore *x,
                    uint32_t from)
{
    struct history h = {0};

    gather(&h, s, x);
    order(&h);
    for (uint32_t late = 0; late < h.events && !e->options.plain; late++) {
        const struct event *b = &h.event[late];
        bool is_new = !b->node || b->node >= &s->path[from];
        for (uint32_t early = late < h.made ? late : h.made; early-- > 0;) {
            const struct event *a = &h.event[early];
            if (a->node < &s->path[s->root] || a->thread == b->thread ||
                !related(a, b, hdp_modes_race) ||
                (b->before && happens_before(&h, early, b->before - 1)))
                continue;
            if (is_new)
                reverse(&h, early, late);
            reverse_what_it_meets(&h, early, late, is_new ? NULL : &s->path[from]);
        }
    }
    uint64_t number = trace(&h, s);
    free(h.event);
    free(h.thread);
    free(h.clock);
    return number;
}
