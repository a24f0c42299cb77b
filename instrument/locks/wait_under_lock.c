/* wait_under_lock.c - see wait_under_lock.h.
 *
 * Time is a vector clock over forks, joins and messages; locks make no order in it. A thread's own
 * component is its epoch, which ends with each operation and each release. Kept are, of each
 * object, the operations on it with the time at which they began, and of each lock and thread the
 * epochs in which it was taken. A wait W of thread A under lock L is at risk when
 *   - of the operations that could end it, each that W does not come before, nor after, is made
 * after another thread X took L in an epoch that does not come before W (it "needs" L), and
 *   - what was there before (units, values, room) is less than what W and others beside it take.
 * A wait group is at risk when one who counts it down needs L: all must.
 */
#include "wait_under_lock.h"

#include <string.h>

#include "core/thread.h"
#include "core/units.h"
#include "lockgraph.h"
#include "wire/protocol.h"

#define BUCKETS 1024u
#define TIMES_LOOKED_AT 4096u /* of two threads of a ring */

struct times {
    uint32_t count;
    uint32_t at[]; /* by index of thread: the last epoch of it that comes before; 0 = none */
};

struct hdi_waits {
    struct hdi_thread *thread;
    uint32_t epoch;
    const struct times *known; /* of the others; never changed, but replaced */
    const struct times *began_known;
    uint32_t began;
};

struct operation {
    struct operation *next;
    struct hdi_waits *by;
    const struct times *known;
    uint32_t epoch, stack;
    uint16_t kind;
    uint64_t site;
    int64_t n;
};

/* When one thread took a lock; at the same time, place and mode only once. */
struct taken {
    const struct times *known;
    uint32_t epoch, stack;
    uint64_t site;
    bool shared;
};

struct taker {
    struct taker *next;
    struct hdi_waits *by;
    uint32_t count, capacity;
    struct taken *taken;
};

/* What is kept of an object, or of an address that is a clock. */
struct record {
    struct record *next;
    const void *key;
    uint32_t id; /* of the object: an address may be used anew */
    struct hdi_object *object;
    struct operation *operations;
    struct taker *takers;
    struct times *clock;
    uint32_t clock_capacity;
};

struct wait {
    struct wait *next;
    struct record *record;
    struct operation *operation;
    uint32_t held_count;
    struct hdi_held held[];
};

static struct {
    bool on;
    uint32_t bytes, waits;
    struct record **bucket;
    struct wait *first, **last;
    struct {
        uint64_t wait, held, needed;
    } given[HDI_WAITS_GIVEN];
    uint32_t givens;
} w;

static void *take(size_t bytes)
{
    if (w.bytes + bytes > HDI_WAITS_MOST) {
        w.on = false;
        return NULL;
    }
    w.bytes += (uint32_t)bytes;
    return hdi_alloc(bytes);
}

static struct record *record_of(const void *key, struct hdi_object *object)
{
    uint32_t id = object ? object->id : 0;
    struct record **head = &w.bucket[((uintptr_t)key >> 4 ^ (uintptr_t)key >> 14) % BUCKETS], *r;

    for (r = *head; r; r = r->next)
        if (r->key == key && r->id == id)
            return r;
    if (!(r = take(sizeof *r)))
        return NULL;
    *r = (struct record){.next = *head, .key = key, .id = id, .object = object};
    return *head = r;
}

/* ---- time ---- */

static uint32_t epoch_in(const struct times *known, const struct hdi_waits *t)
{
    return known && t->thread->index < known->count ? known->at[t->thread->index] : 0;
}

static bool covers(const struct times *a, const struct times *b, uint32_t but)
{
    for (uint32_t i = 0; b && i < b->count; i++)
        if (i != but && b->at[i] > (a && i < a->count ? a->at[i] : 0))
            return false;
    return true;
}

static void merge(struct times *into, const struct times *from)
{
    for (uint32_t i = 0; from && i < from->count; i++)
        if (from->at[i] > into->at[i])
            into->at[i] = from->at[i];
}

/* t comes to know what `more` knows. */
static void learn(struct hdi_waits *t, const struct times *more)
{
    uint32_t count = more ? more->count : 0;

    if (covers(t->known, more, t->thread->index))
        return;
    if (t->known && t->known->count > count)
        count = t->known->count;
    struct times *known = take(sizeof *known + count * sizeof known->at[0]);
    if (!known)
        return;
    known->count = count;
    merge(known, t->known);
    merge(known, more);
    t->known = known;
}

/* r comes to know what t knows, itself included; t's epoch is over. */
static void publish(struct record *r, struct hdi_waits *t)
{
    uint32_t count = t->thread->index + 1;

    if (t->known && t->known->count > count)
        count = t->known->count;
    if (r->clock && r->clock->count > count)
        count = r->clock->count;
    if (count > r->clock_capacity) {
        uint32_t capacity = count + count / 2;
        struct times *more = take(sizeof *more + capacity * sizeof more->at[0]);
        if (!more)
            return;
        merge(more, r->clock);
        r->clock = more;
        r->clock_capacity = capacity;
    }
    r->clock->count = count;
    merge(r->clock, t->known);
    r->clock->at[t->thread->index] = t->epoch++;
}

/* Does what t did up to the end of `epoch` come before that operation? */
static bool comes_before(const struct hdi_waits *t, uint32_t epoch, const struct operation *o)
{
    return epoch <= (t == o->by ? o->epoch - 1 : epoch_in(o->known, t));
}

/* ---- recording ---- */

static struct hdi_waits *self(void)
{
    struct hdi_thread *t = hdi_self();
    return w.on && t ? t->locks.waits : NULL;
}

static void made(struct hdi_thread *t)
{
    struct hdi_waits *maker = t->creator ? t->creator->locks.waits : NULL;

    if (!w.on || !(t->locks.waits = take(sizeof *t->locks.waits)))
        return;
    t->locks.waits->thread = t;
    t->locks.waits->epoch = 1;
    struct record *birth = maker ? record_of(&t->start, NULL) : NULL;
    if (!birth)
        return;
    publish(birth, maker);
    learn(t->locks.waits, birth->clock);
}

static void release(const void *clock)
{
    struct hdi_waits *t = self();
    struct record *r = t ? record_of(clock, NULL) : NULL;

    if (r)
        publish(r, t);
}

static void acquire(const void *clock)
{
    struct hdi_waits *t = self();
    struct record *r = t ? record_of(clock, NULL) : NULL;

    if (r && r->clock)
        learn(t, r->clock);
}

/* It was taken by waiting for it. */
static void locked(const struct hdi_held *h, uint64_t site)
{
    struct hdi_waits *t = self();
    struct record *r = t ? record_of(h->object, h->object) : NULL;
    struct taker *k = r ? r->takers : NULL;

    while (k && k->by != t)
        k = k->next;
    if (r && !k && (k = take(sizeof *k))) {
        *k = (struct taker){.next = r->takers, .by = t};
        r->takers = k;
    }
    if (!k)
        return;
    for (uint32_t i = k->count; i-- > 0 && k->taken[i].epoch == t->epoch;)
        if (k->taken[i].known == t->known && k->taken[i].site == site &&
            k->taken[i].shared <= h->shared)
            return;
    if (k->count == k->capacity) {
        uint32_t capacity = k->capacity ? 2 * k->capacity : 4;
        struct taken *more = take(capacity * sizeof *more);
        if (!more)
            return;
        if (k->count)
            memcpy(more, k->taken, k->count * sizeof *more);
        k->taken = more;
        k->capacity = capacity;
    }
    k->taken[k->count++] = (struct taken){
        .known = t->known, .epoch = t->epoch, .stack = h->stack, .site = site, .shared = h->shared};
}

static void start(struct hdi_thread *main)
{
    memset(&w, 0, sizeof w);
    w.on = true;
    w.last = &w.first;
    w.bucket = hdi_alloc(BUCKETS * sizeof *w.bucket);
    made(main);
    for (uint32_t i = 0; i < main->locks.count; i++)
        if (!main->locks.held[i].tried)
            locked(&main->locks.held[i], main->locks.held[i].site);
}

static void add_wait(struct record *r, struct operation *o)
{
    struct hdi_thread *t = o->by->thread;
    uint32_t alike = 0;

    for (const struct wait *x = w.first; x; x = x->next)
        alike += x->operation->site == o->site;
    if (alike >= HDI_WAITS_SITES || w.waits >= HDI_WAITS_ALL)
        return;
    struct wait *x = take(sizeof *x + t->locks.count * sizeof x->held[0]);
    if (!x)
        return;
    *x = (struct wait){.record = r, .operation = o, .held_count = t->locks.count};
    memcpy(x->held, t->locks.held, t->locks.count * sizeof x->held[0]);
    *w.last = x;
    w.last = &x->next;
    w.waits++;
}

static void done(const struct hdi_happened *e)
{
    struct hdi_waits *t = self();
    struct record *r = t ? record_of(e->object, e->object) : NULL;
    struct operation *o = r ? take(sizeof *o) : NULL;

    if (!o)
        return;
    *o = (struct operation){.next = r->operations,
                            .by = t,
                            .known = t->began_known,
                            .epoch = t->began,
                            .stack = e->event == HD_EV_THREAD_EXIT ? 0 : hdi_stack(),
                            .kind = (uint16_t)e->event,
                            .site = e->site,
                            .n = e->n};
    r->operations = o;
    if (e->mode & HDI_COULD_WAIT && t->thread->locks.count)
        add_wait(r, o);
    t->epoch++;
}

/* ---- predicting ---- */

enum part { NOTHING, GIVES, TAKES, ENDS };

/* What `o` does to a wait of kind `waits`. */
static enum part part_of(enum hd_event waits, const struct operation *o)
{
    enum hd_event kind = (enum hd_event)o->kind;

    switch (waits) {
    case HD_EV_CHAN_RECV:
        return kind == HD_EV_CHAN_SEND    ? GIVES
               : kind == HD_EV_CHAN_CLOSE ? ENDS
               : o->n                     ? TAKES
                                          : NOTHING;
    case HD_EV_CHAN_SEND:
        return kind == HD_EV_CHAN_RECV ? GIVES : kind == HD_EV_CHAN_SEND ? TAKES : NOTHING;
    case HD_EV_SEM_WAIT:
        return kind == HD_EV_SEM_POST ? GIVES : TAKES;
    case HD_EV_HD_SEMAPHORE:
        return o->n < 0 ? GIVES : TAKES;
    case HD_EV_COND_WAIT:
        return kind == HD_EV_COND_SIGNAL || kind == HD_EV_COND_BROADCAST ? GIVES : NOTHING;
    case HD_EV_HD_COND_WAIT:
        return kind == HD_EV_HD_COND_SIGNAL ? GIVES : NOTHING;
    case HD_EV_HD_WAITGROUP_WAIT:
        return kind == HD_EV_HD_WAITGROUP_ADD && o->n < 0 ? GIVES : NOTHING;
    case HD_EV_THREAD_JOIN:
        return kind == HD_EV_THREAD_EXIT ? GIVES : NOTHING;
    default:
        return NOTHING;
    }
}

/* Units, values or places that were there at first; false: not known, or it is a lock. */
static bool at_first(const struct wait *x, int64_t *n)
{
    const struct hdi_object *o = x->record->object;
    const struct hdi_units *u = o->units;

    *n = 0;
    switch ((enum hd_event)x->operation->kind) {
    case HD_EV_SEM_WAIT:
    case HD_EV_HD_SEMAPHORE:
    case HD_EV_CHAN_RECV:
    case HD_EV_CHAN_SEND:
        break;
    default:
        return true;
    }
    if (!u || u[HDI_UNITS_ROOM].total < 0)
        return false;
    for (int side = 0; side < HDI_UNITS_SIDES; side++)
        if (!u[side].handed && u[side].returned)
            return false;
    *n = u[x->operation->kind == HD_EV_CHAN_SEND ? HDI_UNITS_ROOM : HDI_UNITS_CONTENT].total;
    return true;
}

/* The last time before `o` that some thread but the waiter took the lock, not before the wait. */
static const struct taken *need(const struct record *lock, bool shared, const struct wait *x,
                                const struct operation *o, const struct hdi_waits **who)
{
    const struct operation *wait = x->operation;

    for (const struct taker *k = lock->takers; k; k = k->next) {
        uint32_t low = 0, high = k->count;
        if (k->by == wait->by)
            continue;
        while (low < high) { /* how many of its epochs come before o */
            uint32_t middle = low + (high - low) / 2, epoch = k->taken[middle].epoch;
            if (k->by == o->by ? epoch <= o->epoch : comes_before(k->by, epoch, o))
                low = middle + 1;
            else
                high = middle;
        }
        for (; low && !comes_before(k->by, k->taken[low - 1].epoch, wait); low--)
            if (!(shared && k->taken[low - 1].shared)) {
                *who = k->by;
                return &k->taken[low - 1];
            }
    }
    return NULL;
}

static bool is_new(uint64_t wait, uint64_t held, uint64_t needed)
{
    const uint32_t most = sizeof w.given / sizeof w.given[0];

    for (uint32_t i = 0; i < w.givens; i++)
        if (w.given[i].wait == wait && w.given[i].held == held && w.given[i].needed == needed)
            return false;
    if (w.givens == most)
        return false;
    w.given[w.givens].wait = wait;
    w.given[w.givens].held = held;
    w.given[w.givens++].needed = needed;
    return true;
}

static void give(const struct wait *x, const struct hdi_held *h, const struct taken *needed,
                 const struct hdi_waits *who, const struct operation *waker)
{
    const struct operation *o = x->operation;
    struct hdi_object *object = x->record->object;
    struct hdp_finding *f;
    uint32_t link;

    if (!is_new(o->site, h->site, needed->site))
        return;
    f = hdi_finding_begin(HD_FK_WAIT_HOLDING_LOCK, NULL);
    link = f->notes;
    hdi_note(f, HD_ROLE_EDGE_HELD, o->by->thread, h->kind, h->object, h->site, h->stack)->link =
        link;
    hdi_note(f, HD_ROLE_WAITED, o->by->thread, (enum hd_event)o->kind, object, o->site, o->stack)
        ->link = link;
    link = f->notes;
    hdi_note(f, HD_ROLE_NEEDED, who->thread, h->kind, h->object, needed->site, needed->stack)
        ->link = link;
    hdi_note(f, HD_ROLE_WOKE, waker->by->thread, (enum hd_event)waker->kind, object, waker->site,
             waker->stack)
        ->link = link;
    hdi_finding_end(f, false);
}

/* The wait x under the lock h. */
static void predict(const struct wait *x, const struct hdi_held *h)
{
    const struct operation *wait = x->operation, *waker = NULL;
    const struct record *lock = record_of(h->object, h->object);
    const struct taken *needed = NULL;
    const struct hdi_waits *who = NULL;
    enum hd_event kind = (enum hd_event)wait->kind;
    bool all = kind == HD_EV_HD_WAITGROUP_WAIT;
    int64_t free;

    if (!lock || !lock->takers || !at_first(x, &free))
        return;
    for (const struct operation *o = x->record->operations; o; o = o->next) {
        enum part part = part_of(kind, o);
        if (o == wait || part == NOTHING || comes_before(wait->by, wait->epoch, o))
            continue;
        bool before = comes_before(o->by, o->epoch, wait);
        if (part == TAKES) {
            free -= o->n;
            continue;
        }
        if (before) {
            if (part == ENDS)
                return;
            free += kind == HD_EV_COND_WAIT || kind == HD_EV_HD_COND_WAIT || all ? 0
                    : o->n < 0                                                   ? -o->n
                                                                                 : o->n;
            continue;
        }
        const struct hdi_waits *by;
        const struct taken *t = need(lock, h->shared, x, o, &by);
        if (t && (!needed || part == GIVES)) {
            needed = t;
            who = by;
            waker = o;
        } else if (!t && !all) {
            return; /* it would come all the same */
        }
    }
    if (needed && free < (wait->n > 1 ? wait->n : 1))
        give(x, h, needed, who, waker);
}

/* ---- rings of locks ---- */

/* The times at which the thread of an edge took its second lock. */
struct taking {
    const struct hdi_waits *by;
    const struct taker *taker;
    uint64_t site;
    bool now; /* one of them is now */
};

static bool taking_of(const struct hdi_lock_edge *e, struct taking *out)
{
    struct hdi_thread *t = e->thread;
    struct hdi_object *took = (struct hdi_object *)(uintptr_t)e->took;
    const struct record *r = t->locks.waits ? record_of(took, took) : NULL;

    if (!r)
        return false;
    *out = (struct taking){.by = t->locks.waits, .taker = r->takers, .site = e->took_site};
    while (out->taker && out->taker->by != out->by)
        out->taker = out->taker->next;
    out->now = t == hdi_self() && hdi_held_find(t, took);
    return out->taker || out->now;
}

/* The i-th of them; false: there are no more. */
static bool time_of(const struct taking *k, uint32_t *i, struct taken *out)
{
    for (; k->taker && *i < k->taker->count; ++*i)
        if (k->taker->taken[*i].site == k->site) {
            *out = k->taker->taken[(*i)++];
            return true;
        }
    if (!k->now || *i > (k->taker ? k->taker->count : 0))
        return false;
    ++*i;
    *out = (struct taken){.known = k->by->known, .epoch = k->by->epoch};
    return true;
}

static bool are_ordered(const struct taking *a, const struct taking *b)
{
    struct taken x, y;
    uint32_t looked_at = 0;
    bool any = false;

    for (uint32_t i = 0; time_of(a, &i, &x);)
        for (uint32_t k = 0; time_of(b, &k, &y);) {
            if (++looked_at > TIMES_LOOKED_AT ||
                (x.epoch > epoch_in(y.known, a->by) && y.epoch > epoch_in(x.known, b->by)))
                return false;
            any = true;
        }
    return any;
}

bool hdi_waits_exclude(const struct hdi_lock_ring *ring)
{
    struct taking a, b;

    for (uint32_t i = 0; w.on && !ring->reader_again && i < ring->filled; i++)
        for (uint32_t k = 0; taking_of(&ring->edge[i], &a) && k < i; k++)
            if (taking_of(&ring->edge[k], &b) && are_ordered(&a, &b))
                return true;
    return false;
}

static void finish(void)
{
    for (const struct wait *x = w.first; x; x = x->next)
        for (uint32_t i = 0; i < x->held_count; i++)
            predict(x, &x->held[i]);
    w.on = false;
}

/* ---- what happens ---- */

/* What it orders may be the other way round in another schedule: a lock, or used as one so far. */
static bool of_lock(const struct hdi_happened *e)
{
    const struct hdi_object *o =
        e->mode & HDI_OF_LIB ? hdi_object_find(e->clock, HD_OB_NONE) : e->object;

    if (!o)
        return (e->mode & HDI_OF_LOCK) != 0;
    return o->label_kind == HD_OB_HD_MUTEX || o->label_kind == HD_OB_HD_RWMUTEX ||
           o->label_kind == HD_OB_WEIGHTED || (o->kind == HD_OB_SEM && hdi_units_owned(o));
}

void hdi_waits_observes(enum hdi_what what, const struct hdi_happened *e)
{
    const struct hdi_held *h;
    struct hdi_waits *t;

    if (what == HDI_STARTS && e->mode & HDP_LOCK_ORDER)
        start(e->thread);
    else if (!w.on)
        return;
    switch (what) {
    case HDI_ACQUIRED:
        h = hdi_held_find(hdi_self(), e->object);
        if ((h->count == 1 || e->mode & HDI_SHARED) && !h->tried)
            locked(h, e->site);
        break;
    case HDI_BEGINS:
        if ((t = self())) {
            t->began = t->epoch;
            t->began_known = t->known;
        }
        break;
    case HDI_DONE:
        done(e);
        break;
    case HDI_SENT:
        if (!of_lock(e))
            release(e->clock);
        break;
    case HDI_RECEIVED:
        if (!of_lock(e))
            acquire(e->clock);
        break;
    case HDI_THREAD_MADE:
        made(e->thread);
        break;
    case HDI_THREAD_ENDS:
        release(hdi_self());
        break;
    case HDI_THREAD_JOINED:
        acquire(e->thread);
        break;
    case HDI_ENDS:
        finish();
        break;
    default:
        break;
    }
}
