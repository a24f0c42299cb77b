/* lockorder.c - see lockorder.h. The graph knows a lock by its model, which outlives its memory. */
#include "lockorder.h"

#include "lockgraph.h"
#include "real.h"
#include "tool.h"

static struct hdi_lockgraph *graph; /* NULL: not watched */
static uint32_t stack_now;          /* of the acquisition that the graph is being told */

static uint32_t stack_of(void *data)
{
    (void)data;
    return stack_now ? stack_now : hdi_stack();
}

static void mapped(void *p, size_t bytes, void *data)
{
    (void)data;
    hdi_tool_hide(p, bytes);
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

/* Locks whose order the program declared to be fine, by address: also such as it has not used yet.
 */
struct fine {
    struct fine *next;
    uintptr_t addr;
};
static struct fine *fine;

HDI_EXPORT void heddle_rt_lock_order_ok(const void *lock);
HDI_EXPORT void heddle_rt_lock_order_ok(const void *lock)
{
    if (!hdi_enter())
        return;
    struct fine *f = hdi_alloc(sizeof *f);
    f->addr = (uintptr_t)lock;
    f->next = fine;
    fine = f;
}

HDI_EXPORT void heddle_rt_expect_leak(void);
HDI_EXPORT void heddle_rt_expect_leak(void)
{
    if (hdi_enter())
        hdi_self()->leak_expected = true;
}

static bool declared_fine(const struct hdi_lock_ring *ring)
{
    for (const struct fine *f = fine; f; f = f->next)
        for (uint32_t i = 0; i < ring->filled; i++)
            if (object_of(ring->edge[i].held)->addr == f->addr)
                return true;
    return false;
}

static void found(const struct hdi_lock_ring *ring, void *data)
{
    if (declared_fine(ring))
        return;
    static const char *again = "a thread reads again what it reads already; a writer that comes "
                               "between waits for it and keeps it out";
    struct hdp_finding *f = hdi_finding_begin(HD_FK_LOCK_ORDER, ring->reader_again ? again : NULL);
    (void)data;
    for (uint32_t i = 0; i < ring->filled; i++) {
        const struct hdi_lock_edge *e = &ring->edge[i];
        struct hdi_object *held = object_of(e->held), *took = object_of(e->took);
        uint32_t link = f->notes;
        if (!ring->reader_again || i == 0)
            hdi_note(f, HD_ROLE_EDGE_HELD, e->thread, event_of(held, e->held_mode), held,
                     e->held_site, e->held_stack)
                ->link = link;
        hdi_note(f, HD_ROLE_EDGE_TOOK, e->thread, event_of(took, e->took_mode), took, e->took_site,
                 e->took_stack)
            ->link = link;
    }
    f->dropped += (ring->edges - ring->filled) * 2;
    hdi_finding_end(f, false);
}

void hdi_lockorder_start(struct hdi_thread *main, bool rich)
{
    struct hdi_lock_calls calls = {
        .found = found, .stack = rich ? stack_of : NULL, .mapped = mapped, .eager = rich};
    graph = hdi_lockgraph_new(&calls);
    if (!graph)
        return;
    main->locks = hdi_lock_thread_made(graph, NULL, main);
    for (uint32_t i = 0; i < main->held_count; i++)
        hdi_lockorder_held(&main->held[i], main->held[i].site);
}

void hdi_lockorder_made(struct hdi_thread *t)
{
    if (graph)
        t->locks = hdi_lock_thread_made(graph, t->creator ? t->creator->locks : NULL, t);
}

void hdi_lockorder_joined(struct hdi_thread *t, struct hdi_thread *joiner)
{
    if (graph && t->locks && joiner->locks)
        hdi_lock_thread_joined(t->locks, joiner->locks);
    t->locks = NULL; /* the graph may use it anew */
}

void hdi_lockorder_ended(struct hdi_thread *t)
{
    if (graph && t->locks)
        hdi_lock_thread_ended(t->locks);
}

static bool is_try(enum hd_event kind)
{
    return kind == HD_EV_MUTEX_TRYLOCK || kind == HD_EV_RWLOCK_TRYLOCK ||
           kind == HD_EV_SPIN_TRYLOCK || kind == HD_EV_SEM_TRYWAIT ||
           kind == HD_EV_HD_MUTEX_TRYLOCK || kind == HD_EV_HD_RWMUTEX_TRYLOCK;
}

/* One that gives up after a while cannot deadlock: like one that only tries. */
static bool gives_up(const struct hdi_thread *self, enum hd_event kind)
{
    return self->last.kind == kind && self->last.until_ns && self->last.until_ns != HDI_FOREVER;
}

static void take(struct hdi_object *o, enum hd_event kind, bool shared, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    uint32_t mode = shared ? HDI_LOCK_SHARED : HDI_LOCK_EXCLUSIVE;
    if (!self->locks || hdi_draining())
        return;
    if (is_try(kind) || gives_up(self, kind))
        mode |= HDI_LOCK_TRY;
    if (kind_of(o) == HD_OB_HD_RWMUTEX)
        hdi_lockorder_writer_first(o);
    if (!shared && o->writer_first)
        mode |= HDI_LOCK_ALONE;
    hdi_lock_acquired(self->locks, o, mode, site);
}

void hdi_lockorder_held(const struct hdi_held *h, uint64_t site)
{
    if (!graph)
        return;
    stack_now = h->count == 1 ? h->stack : 0;
    take(h->object, (enum hd_event)h->kind, h->shared, site);
    stack_now = 0;
}

void hdi_lockorder_dropped(struct hdi_thread *t, const struct hdi_object *object, uint32_t times)
{
    while (graph && t->locks && times-- && hdi_lock_released(t->locks, object))
        ;
}

void hdi_lockorder_destroyed(const struct hdi_object *object)
{
    if (graph)
        hdi_lock_destroyed(graph, object);
}

void hdi_lockorder_writer_first(const struct hdi_object *object)
{
    struct hdi_object *o = object_of(object);
    if (graph && !o->writer_first) {
        o->writer_first = true;
        hdi_lock_traits(graph, o, HDI_LOCK_WRITER_FIRST);
    }
}

void hdi_lockorder_semaphore(const struct hdi_object *object)
{
    if (graph)
        hdi_lock_traits(graph, object, HDI_LOCK_COUNTED);
}

void hdi_lockorder_took(struct hdi_object *object, enum hd_event kind, uint64_t site)
{
    if (!graph)
        return;
    hdi_lockorder_semaphore(object);
    take(object, kind, false, site);
}

void hdi_lockorder_finish(void)
{
    if (graph)
        hdi_lockgraph_finish(graph);
    graph = NULL;
}
