/* lockorder.c - see lockorder.h. The graph knows a lock by its model, which outlives its memory. */
#include "lockorder.h"

#include "core/annotate.h"
#include "core/observers.h"
#include "core/thread.h"
#include "wire/lock_edges.h"
#include "wire/protocol.h"
#include "lockgraph_events.h"
#include "wait_under_lock.h"

#include <string.h>

static struct hdi_lockgraph *graph; /* NULL: not watched */
static struct hdi_lockgraph *whole; /* the same, also when the program has ended */
static struct hdp_lock_graph *kept; /* what the driver gets; NULL: not asked for */
static uint32_t stack_now;          /* of the acquisition that the graph is being told */

static uint32_t stack_of(void *data)
{
    (void)data;
    return stack_now ? stack_now : hdi_stack();
}

static uint64_t made_at(const void *lock, void *data)
{
    (void)data;
    return ((const struct hdi_object *)lock)->created_site;
}

static enum hd_object kind_of(const struct hdi_object *o)
{
    return (enum hd_object)(o->label_kind ? o->label_kind : o->kind);
}

static enum hd_event event_of(const struct hdi_object *o, uint8_t mode)
{
    bool shared = (mode & HDI_LOCK_SHARED) != 0;
    switch (kind_of(o)) {
    case HD_OB_RWLOCK:
        return shared ? HD_EV_RWLOCK_RDLOCK : HD_EV_RWLOCK_WRLOCK;
    case HD_OB_SPIN:
        return HD_EV_SPIN_LOCK;
    case HD_OB_SEM:
        return HD_EV_SEM_WAIT;
    case HD_OB_ONCE:
        return HD_EV_ONCE;
    case HD_OB_HD_MUTEX:
        return HD_EV_HD_MUTEX_LOCK;
    case HD_OB_HD_RWMUTEX:
        return shared ? HD_EV_HD_RWMUTEX_RLOCK : HD_EV_HD_RWMUTEX_LOCK;
    case HD_OB_HD_ONCE:
        return HD_EV_HD_ONCE;
    case HD_OB_MUTEX:
        return HD_EV_MUTEX_LOCK;
    default:
        return HD_EV_HD_OTHER;
    }
}

static struct hdi_object *object_of(const void *lock)
{
    return (struct hdi_object *)(uintptr_t)lock;
}

static bool declared_fine(const struct hdi_lock_ring *ring)
{
    for (uint32_t i = 0; i < ring->filled; i++)
        if (hdi_said_order_ok(object_of(ring->edge[i].held)->addr))
            return true;
    return false;
}

/* ---- what the driver gets ---- */

static uint32_t *edge_slot; /* hash table: entry of kept->edge, + 1 */
#define EDGE_SLOTS (4 * HDP_LOCK_EDGES)

/* All locks of a kind that were made at one place. */
static uint32_t class_entry(enum hd_object kind, uint64_t site)
{
    struct hdp_lock *l = kept->lock;
    for (uint32_t i = 0; i < kept->locks; i++)
        if (!l[i].id && l[i].created_site == site && l[i].kind == (uint16_t)kind)
            return i;
    if (kept->locks == HDP_LOCKS)
        return HDP_LOCKS;
    l[kept->locks] = (struct hdp_lock){.kind = (uint16_t)kind, .created_site = site};
    return kept->locks++;
}

/* Entry of o; HDP_LOCKS when there is no room for its class either. Half of them are for
 * classes. */
static uint32_t entry_of(struct hdi_object *o)
{
    if (o->in_graph)
        return o->in_graph - 1;
    uint32_t i;
    if (kept->locks < HDP_LOCKS / 2) {
        i = kept->locks++;
        kept->lock[i] = (struct hdp_lock){.id = o->id,
                                          .kind = (uint16_t)kind_of(o),
                                          .creator = hdi_thread_hash(o->creator),
                                          .addr = o->addr,
                                          .created_site = o->created_site};
        memcpy(kept->lock[i].label, o->label, sizeof kept->lock[i].label);
    } else {
        i = class_entry(kind_of(o), o->created_site);
    }
    if (i == HDP_LOCKS)
        kept->locks_dropped++;
    else
        kept->lock[i].count++;
    o->in_graph = i + 1;
    return i;
}

static bool same_edge(const struct hdp_lock_edge *a, const struct hdp_lock_edge *b)
{
    return a->held == b->held && a->took == b->took && a->held_site == b->held_site &&
           a->took_site == b->took_site && a->thread == b->thread &&
           a->held_shared == b->held_shared && a->took_shared == b->took_shared &&
           a->gates == b->gates && memcmp(a->gate, b->gate, sizeof a->gate) == 0;
}

static void keep_edge(const struct hdi_lock_edge *e, void *data)
{
    bool folded = !e->held; /* of many locks: their classes are known */
    uint32_t held = folded ? class_entry((enum hd_object)e->held_kind, e->held_made)
                           : entry_of(object_of(e->held));
    uint32_t took = folded ? class_entry((enum hd_object)e->took_kind, e->took_made)
                           : entry_of(object_of(e->took));
    struct hdp_lock_edge new = {.held = held,
                                .took = took,
                                .held_site = e->held_site,
                                .took_site = e->took_site,
                                .thread = hdi_thread_hash(e->thread),
                                .held_shared = (e->held_mode & HDI_LOCK_SHARED) != 0,
                                .took_shared = (e->took_mode & HDI_LOCK_SHARED) != 0,
                                .gates = (uint16_t)(e->gates < UINT16_MAX ? e->gates : UINT16_MAX),
                                .count = e->count < UINT32_MAX ? (uint32_t)e->count : UINT32_MAX};
    (void)data;
    if (new.held == HDP_LOCKS || new.took == HDP_LOCKS) {
        kept->edges_dropped++;
        return;
    }
    for (uint32_t i = 0; i < HDP_LOCK_GATES; i++) {
        uint32_t gate = e->gate[i] ? entry_of(object_of(e->gate[i])) : HDP_LOCKS;
        new.gate[i] = gate == HDP_LOCKS ? 0 : gate + 1;
    }
    uint64_t h = ((uint64_t) new.held << 32 | new.took) * 0x9e3779b97f4a7c15ull;
    h = (h ^ new.held_site ^ new.took_site << 20 ^ new.thread) * 0xd6e8feb86659fd93ull;
    uint32_t at = (uint32_t)(h >> 40) % EDGE_SLOTS;
    for (; edge_slot[at]; at = (at + 1) % EDGE_SLOTS)
        if (same_edge(&kept->edge[edge_slot[at] - 1], &new)) {
            kept->edge[edge_slot[at] - 1].count += new.count;
            return;
        }
    if (kept->edges == HDP_LOCK_EDGES) {
        kept->edges_dropped++;
        return;
    }
    kept->edge[kept->edges++] = new;
    edge_slot[at] = kept->edges;
}

void hdi_lockorder_keep(struct hdp_lock_graph *out)
{
    kept = out;
    kept->locks = kept->edges = kept->locks_dropped = kept->edges_dropped = 0;
    edge_slot = hdi_alloc(EDGE_SLOTS * sizeof *edge_slot);
}

uint64_t hdi_lockorder_forgotten(void)
{
    struct hdi_lock_stats stats = {0};
    if (whole)
        hdi_lockgraph_stats(whole, &stats);
    return stats.forgotten + stats.cut + stats.skipped;
}

void hdi_lockorder_export(void)
{
    if (!kept || !whole)
        return;
    hdi_lockgraph_each(whole, keep_edge, NULL);
    kept->forgotten = hdi_lockorder_forgotten();
    kept->valid = 1;
    kept = NULL; /* once */
}

/* ---- findings ---- */

/* Rings that messages kept from closing so far: what comes may show them without. */
struct postponed {
    struct postponed *next;
    struct hdi_lock_ring ring;
};
static struct postponed *postponed;
static uint32_t postponed_count;

static struct hdp_finding *describe(const struct hdi_lock_ring *ring)
{
    static const char *again = "a thread reads again what it reads already; a writer that comes "
                               "between waits for it and keeps it out";
    struct hdp_finding *f = hdi_finding_begin(HD_FK_LOCK_ORDER, ring->reader_again ? again : NULL);
    for (uint32_t i = 0; i < ring->filled; i++) {
        const struct hdi_lock_edge *e = &ring->edge[i];
        struct hdi_object *held = object_of(e->held), *took = object_of(e->took);
        uint32_t link = f->notes;
        if (kept) { /* while there is room: with their own entries */
            entry_of(held);
            entry_of(took);
        }
        if (!ring->reader_again || i == 0)
            hdi_note(f, HD_ROLE_EDGE_HELD, e->thread, event_of(held, e->held_mode), held,
                     e->held_site, e->held_stack)
                ->link = link;
        hdi_note(f, HD_ROLE_EDGE_TOOK, e->thread, event_of(took, e->took_mode), took, e->took_site,
                 e->took_stack)
            ->link = link;
    }
    f->dropped += (ring->edges - ring->filled) * 2;
    return f;
}

static void found(const struct hdi_lock_ring *ring, void *data)
{
    struct postponed *p;

    (void)data;
    if (declared_fine(ring))
        return;
    if (postponed_count == HDP_EXCLUDED || !hdi_waits_exclude(ring)) {
        hdi_finding_end(describe(ring), false);
        return;
    }
    p = hdi_alloc(sizeof *p);
    *p = (struct postponed){.next = postponed, .ring = *ring};
    postponed = p;
    postponed_count++;
}

static void finish(void)
{
    hdi_lockgraph_finish(graph);
    graph = NULL;
    for (; postponed; postponed = postponed->next)
        if (hdi_waits_exclude(&postponed->ring))
            hdi_finding_excluded(describe(&postponed->ring));
        else
            hdi_finding_end(describe(&postponed->ring), false);
}

/* ---- what happens ---- */

static void take(struct hdi_object *o, uint32_t mode, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_happened e = {.mode = mode, .site = site};

    if (!self->locks.graph || hdi_draining())
        return;
    if (kind_of(o) == HD_OB_HD_RWMUTEX)
        e.mode |= HDI_WRITER_FIRST;
    if (e.mode & HDI_WRITER_FIRST && !o->writer_first) {
        o->writer_first = true;
        hdi_lock_traits(graph, o, HDI_LOCK_WRITER_FIRST);
    }
    lg_observes(graph, self->locks.graph, o, kind_of(o), HDI_ACQUIRED, &e);
}

/* Memory that the graph gave back, by which it is asked for again: system calls are dear. */
static struct spare {
    struct spare *next;
    size_t bytes;
} * spares;

#define LINE 64u

static void *memory(size_t bytes, void *unused)
{
    (void)unused;
    for (struct spare **at = &spares, *s; (s = *at); at = &s->next)
        if (s->bytes == bytes) {
            *at = s->next;
            return memset(s, 0, bytes);
        }
    uintptr_t p = (uintptr_t)hdi_alloc(bytes + LINE - 1); /* the graph wants whole cache lines */
    return (void *)((p + LINE - 1) & ~(uintptr_t)(LINE - 1));
}

static void give_back(void *p, size_t bytes, void *unused)
{
    struct spare *s = p;

    (void)unused;
    *s = (struct spare){.next = spares, .bytes = bytes};
    spares = s;
}

static void start(struct hdi_thread *main, bool rich)
{
    struct hdi_lock_calls calls = {.found = found,
                                   .stack = rich ? stack_of : NULL,
                                   .memory = memory,
                                   .give_back = give_back,
                                   .made = made_at,
                                   .eager = rich};
    postponed = NULL;
    postponed_count = 0;
    spares = NULL;
    graph = whole = hdi_lockgraph_new(&calls);
    if (!graph)
        return;
    main->locks.graph = hdi_lock_thread_made(graph, NULL, main);
    for (uint32_t i = 0; i < main->locks.count; i++) {
        const struct hdi_held *h = &main->locks.held[i];
        stack_now = h->stack;
        take(h->object, (h->shared ? HDI_SHARED : 0) | (h->tried ? HDI_TRIED : 0), h->site);
    }
    stack_now = 0;
}

static void acquired(const struct hdi_happened *e)
{
    const struct hdi_held *h = hdi_held_find(hdi_self(), e->object);

    if (h->count > 1 && !(e->mode & HDI_SHARED)) /* each read lock, of the others the first */
        return;
    stack_now = h->count == 1 ? h->stack : 0;
    take(e->object, e->mode | (h->tried ? HDI_TRIED : 0), e->site);
    stack_now = 0;
}

static void released(enum hdi_what what, const struct hdi_happened *e)
{
    const struct hdi_held *h = hdi_held_find(e->thread, e->object);
    bool gone = !e->thread->locks.graph || e->thread->life.ended;
    uint32_t times = !h || gone                     ? 0
                     : what == HDI_LOST             ? (h->shared ? h->count : 1)
                     : (h->shared || h->count == 1) ? 1
                                                    : 0;

    while (times--)
        lg_observes(graph, e->thread->locks.graph, e->object, kind_of(e->object), HDI_RELEASED, e);
}

/* A semaphore that began with one unit is a lock, as long as whoever takes it gives it back. */
static void passed(const struct hdi_happened *e)
{
    struct hdi_thread *self = hdi_self();

    if (!e->object->one_unit)
        return;
    if (e->event != HD_EV_SEM_POST) {
        hdi_lock_traits(graph, e->object, HDI_LOCK_COUNTED);
        take(e->object, e->mode & HDI_COULD_WAIT ? 0 : HDI_TRIED, e->site);
    } else if (self->locks.graph) {
        lg_observes(graph, self->locks.graph, e->object, HD_OB_SEM, HDI_RELEASED, e);
    }
}

void hdi_lockorder_observes(enum hdi_what what, const struct hdi_happened *e)
{
    struct hdi_thread *self = hdi_self();

    if (what == HDI_UNITS)
        e->object->one_unit = e->object->kind == HD_OB_SEM && e->n == 1;
    else if (what == HDI_STARTS && e->mode & HDP_LOCK_ORDER)
        start(e->thread, (e->mode & HDP_RICH) != 0);
    else if (!graph)
        return;
    switch (what) {
    case HDI_MADE:
    case HDI_DESTROYED:
        if (kept)
            hdi_lockgraph_each_of(graph, e->object, keep_edge, NULL);
        lg_observes(graph, NULL, e->object, kind_of(e->object), what, e);
        break;
    case HDI_ACQUIRED:
        acquired(e);
        break;
    case HDI_RELEASED:
    case HDI_LOST:
        released(what, e);
        break;
    case HDI_DONE:
        passed(e);
        break;
    case HDI_THREAD_MADE:
        e->thread->locks.graph = hdi_lock_thread_made(graph, self->locks.graph, e->thread);
        break;
    case HDI_THREAD_FAILED:
    case HDI_THREAD_ENDS:
        if (what == HDI_THREAD_FAILED)
            self = e->thread;
        if (self->locks.graph)
            lg_observes(graph, self->locks.graph, NULL, HD_OB_NONE, what, e);
        break;
    case HDI_THREAD_JOINED:
        if (e->thread->locks.graph && self->locks.graph)
            hdi_lock_thread_joined(e->thread->locks.graph, self->locks.graph);
        e->thread->locks.graph = NULL; /* the graph may use it anew */
        break;
    case HDI_ENDS:
        finish();
        break;
    default:
        break;
    }
}
