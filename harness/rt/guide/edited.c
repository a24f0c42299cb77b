/* edited.c - follow a schedule that was recorded from another build of the program.
 *
 * Only its order of events is followed: each entry is a thread's n-th doing of something, and that
 * thread is run on until it has done it. What the program does beside that is no matter. An event
 * that does not come is left out: the thread stands at a later one of its own already, has ended, or
 * waits for what nobody gives.
 *
 * Threads and objects have the names and ids that the schedule knows them by, given at their birth:
 * a thread's by its function and a static object's by its address, else by who made it, where, and
 * as which.
 */
#include "turn/rt.h"

#include "models/signals.h"

#define RUN_ON_LIMIT 10000u
/* A thread's later entries that are looked at to see that one did not come. */
#define LOOK_AHEAD 256u
/* Of the entries left out by chance: one in so many. */
#define LEFT_OUT 16u
/* Ids of objects that the schedule does not know. */
#define UNKNOWN 0x5bd1e995u

static uint32_t run_on, choices_from;
static bool drawn;   /* whether the next entry is to be left out */
static uint32_t end; /* entries that are followed */

bool rt_edited_at(uint32_t place, uint64_t site)
{
    const struct hdp_known *k = &rt.region->known;

    if (place >= k->places)
        return true;
    for (uint32_t i = 0; i < k->place[place].count; i++) {
        const struct hdp_known_range *r = &k->range[k->place[place].first + i];
        if (site > r->low && site <= r->high)
            return true;
    }
    return false;
}

/* ---- names ---- */

uint32_t rt_edited_child(const struct hdi_thread *t, uint32_t *others)
{
    struct hdp_known *k = &rt.region->known;
    const struct hdp_known_thread *found = NULL;
    uint32_t last = 0;

    for (uint32_t i = 0; i < k->threads; i++) {
        struct hdp_known_thread *known = &k->thread[i];
        if (known->creator != t->creator->hash)
            continue;
        if (known->child > last)
            last = known->child;
        if ((!known->start || known->start == t->start) && ++known->seen == known->rank && !found)
            found = known;
    }
    return found ? found->child : last + ++*others;
}

static bool was_made_so(const struct hdp_known_object *known, const struct hdi_object *o)
{
    return known->kind == o->kind && o->ordinal && !known->addr &&
           known->creator == hdi_thread_hash(o->creator) &&
           rt_edited_at(known->place, o->created_site);
}

/* It is one more that was made so. */
static bool is_known(struct hdp_known_object *known, const struct hdi_object *o)
{
    if (!was_made_so(known, o))
        return false;
    known->seen++;
    return (known->place == HDP_ANYWHERE ? o->ordinal : known->seen) == known->rank;
}

static uint32_t known_id(struct hdi_object *o)
{
    struct hdp_known *k = &rt.region->known;
    uint32_t id = 0;

    for (uint32_t i = 0; i < k->objects; i++) {
        struct hdp_known_object *known = &k->object[i];
        if (known->addr ? known->addr == o->addr && known->kind == o->kind : is_known(known, o))
            id = id ? id : known->id;
    }
    return id ? id : o->id ^ UNKNOWN;
}

/* Objects of before the first thread have their ids already, and no order. */
static const struct hdp_known_object *sought;
static struct hdi_object *first_left;
static uint32_t after;

static void find_next(struct hdi_object *o)
{
    if (was_made_so(sought, o) && o->ordinal > after &&
        (!first_left || o->ordinal < first_left->ordinal))
        first_left = o;
}

static void name_static(struct hdi_object *o)
{
    if (!o->ordinal)
        o->id = known_id(o);
}

void rt_edited_begin(void)
{
    struct hdp_known *k = &rt.region->known;

    run_on = choices_from = 0;
    drawn = false;
    end = rt.config.replay_steps;
    if (rt.config.attempt > HDP_NEAR && rt.config.attempt % 2)
        end = rt_random_below(end + 1);
    hdi_object_identify = NULL;
    if (!(rt.config.flags & HDP_EDITED))
        return;
    hdi_object_identify = known_id;
    hdi_objects_each(name_static);
    for (uint32_t i = 0; i < k->objects; i++) {
        struct hdp_known_object *known = &k->object[i];
        if (known->addr || known->creator != rt.main->hash)
            continue;
        sought = known;
        for (after = 0;; after = first_left->ordinal) {
            first_left = NULL;
            hdi_objects_each(find_next);
            if (!first_left)
                break;
            if (is_known(known, first_left))
                first_left->id = known->id;
        }
    }
}

/* ---- events ---- */

static uint32_t lasting_kind(uint32_t kind)
{
    return kind == HD_EV_COND_RELOCK ? HD_EV_COND_WAIT : kind;
}

static bool is_event(const struct hdp_known_event *e, const struct hdi_op *op)
{
    if (lasting_kind(op->kind) != e->kind)
        return false;
    return e->object ? op->object && op->object->id == e->object : rt_edited_at(e->place, op->site);
}

void rt_edited_done(const struct hdi_thread *t)
{
    struct hdp_known *k = &rt.region->known;
    uint32_t low = 0, high = k->events;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (k->event[middle].thread < t->hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < k->events && k->event[low].thread == t->hash; low++)
        k->event[low].done += is_event(&k->event[low], t->op);
}

static struct hdp_known_event *event_of(const struct hdp_step *e)
{
    return &rt.region->known.event[e->site % HDP_KNOWN_EVENTS];
}

static bool is_at(const struct hdp_step *e, const struct hdi_thread *t)
{
    const struct hdp_known_event *event = event_of(e);

    return is_event(event, t->op) && event->done + 1 == e->choice;
}

/* It is about to do what it is to do later: this one has not come, or came under another name. */
static bool is_past(const struct hdi_thread *t)
{
    uint32_t looked = 0;

    for (uint32_t i = rt.replay_at + 1; i < rt.config.replay_steps; i++) {
        const struct hdp_step *e = &rt.region->replay[i];
        if (e->thread != t->hash || e->flags & HDP_STEP_CHOICE)
            continue;
        if (is_at(e, t))
            return true;
        if (++looked == LOOK_AHEAD)
            break;
    }
    return false;
}

static void next_entry(uint32_t *count)
{
    ++*count;
    rt.replay_at++;
    run_on = 0;
    drawn = false;
}

static bool is_drawn(void)
{
    bool first = !drawn && rt.config.attempt >= HDP_NEAR;

    drawn = true;
    return first && rt_random_below(LEFT_OUT) == 0;
}

/* Who has an entry soonest, of those that can run. */
static struct hdi_thread *soonest(struct hdi_thread *const *e, uint32_t n)
{
    for (uint32_t i = rt.replay_at + 1; n && i < rt.config.replay_steps; i++)
        for (uint32_t k = 0; k < n; k++)
            if (e[k]->hash == rt.region->replay[i].thread)
                return e[k];
    return n ? e[0] : NULL;
}

static bool was_there(uint32_t hash)
{
    for (uint32_t i = 0; i < rt.all_count; i++)
        if (rt.all[i]->hash == hash)
            return true;
    return false;
}

/* The thread of an entry, or who has yet to make it, or its maker. */
static struct hdi_thread *on_the_way(const struct hdp_step *e)
{
    const struct hdp_known *k = &rt.region->known;
    struct hdi_thread *t = rt_live_by_name(e->thread), *parent;

    if (t || was_there(e->thread))
        return t;
    for (uint32_t i = rt.all_count; i-- > 0;) {
        parent = rt.all[i];
        for (uint32_t c = 0; !parent->life.ended && c < k->threads; c++)
            if (k->thread[c].creator == parent->hash && k->thread[c].hash == e->thread)
                return parent;
    }
    return NULL;
}

static bool can_go(const struct hdi_thread *t, uint16_t flags)
{
    return t->enabled || rt_due(t) || hdi_signalled(t) || flags & HDP_STEP_CANCEL ||
           (flags & HDP_STEP_SPURIOUS && t->op->may_wake_spuriously) ||
           (flags & HDP_STEP_TIMEOUT && rt_has_deadline(t->op));
}

/* Who comes between, if anybody does: seldom, or more often from one attempt to the next. */
static struct hdi_thread *between(struct hdi_thread *const *e, uint32_t n)
{
    if (rt.config.attempt < HDP_BETWEEN || n < 2 ||
        rt_random_below(2u << rt.config.attempt % 4) != 0)
        return NULL;
    return e[rt_random_below(n)];
}

struct hdi_thread *rt_edited_next(struct hdi_thread *const *enabled, uint32_t n,
                                  enum rt_replay *how, uint16_t *flags)
{
    struct hdp_result *r = &rt.region->result;
    struct hdi_thread *other = between(enabled, n);

    *flags = 0;
    *how = RT_FOLLOW;
    if (other && rt.replay_at < end)
        return other;
    while (rt.replay_at < end) {
        const struct hdp_step *e = &rt.region->replay[rt.replay_at];
        struct hdi_thread *t;

        if (e->flags & (HDP_STEP_CHOICE | HDP_STEP_STANDS) || e->kind == HD_EV_PREEMPT) {
            rt.replay_at++;
            continue;
        }
        if (event_of(e)->done >= e->choice) {
            next_entry(&r->followed);
            continue;
        }
        t = on_the_way(e);
        if (t && !t->op) { /* outside, or lost: it will come back, or not; the time-out decides */
            *how = RT_WAIT;
            return NULL;
        }
        if (!t || is_past(t) || ++run_on > RUN_ON_LIMIT || is_drawn()) {
            next_entry(&r->left_out);
            continue;
        }
        *how = RT_FOLLOW;
        *flags = is_at(e, t) ? e->flags : 0;
        if (t->enabled)
            *flags &= (uint16_t)~HDP_STEP_SPURIOUS;
        else if (t->op->kind == HD_EV_SLEEP)
            *flags |= HDP_STEP_TIMEOUT;
        if (can_go(t, *flags))
            return t;
        *flags = 0;
        if (rt.outside_count || rt.external_count) {
            *how = RT_WAIT;
            return NULL;
        }
        t = rt.config.attempt == HDP_LEAVE_OUT ? NULL : soonest(enabled, n);
        if (t)
            return t;
        next_entry(&r->left_out);
    }
    *how = RT_OVER;
    return NULL;
}

bool rt_edited_choice(const struct hdi_thread *t, uint32_t n, uint64_t site, uint32_t *value)
{
    for (uint32_t i = choices_from; i < rt.config.replay_steps; i++) {
        struct hdp_step *e = &rt.region->replay[i];
        if (!(e->flags & HDP_STEP_CHOICE) || !e->thread) {
            choices_from += i == choices_from;
            continue;
        }
        if (e->thread != t->hash || e->choice >= n || !rt_edited_at((uint32_t)e->site, site))
            continue;
        e->thread = 0; /* made */
        *value = e->choice;
        return true;
    }
    return false;
}
