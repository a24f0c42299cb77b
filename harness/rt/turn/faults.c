/* faults.c - faults that the schedule chooses: is one to happen here?
 *
 * The points of each thread are counted, kind by kind and place by place, so that a later schedule
 * can name one. What happened is a step of the trace.
 */
#include "rt.h"

#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "reach/snapshot.h"

#define SLOTS (2 * HDP_FAULT_PLACES)

uint32_t hdi_faults;
bool hdi_hints;
static bool threads; /* the program has made one, or tried to: it has come to its own code */
static uint32_t had; /* bit i: fault[i] of the configuration has happened */
static uint16_t slot[SLOTS]; /* hash table of places: index + 1 */

void rt_faults_begin(void)
{
    hdi_faults = rt.config.faults;
    hdi_hints = (rt.config.flags & HDP_HINTS) != 0;
    threads = rt.in_process;
    had = 0;
    if (!hdi_faults)
        return;
    memset(slot, 0, sizeof slot);
    rt.region->fault_points.places = rt.region->fault_points.forgotten = 0;
}

/* The dynamic linker allocates where no program could say that it failed. */
static bool is_linker(uint64_t site)
{
    static uintptr_t low, high;

    if (!high) {
        const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)getauxval(AT_BASE);
        const ElfW(Phdr) *p = e ? (const void *)((const char *)e + e->e_phoff) : NULL;
        low = (uintptr_t)e;
        high = low + 1;
        for (int i = 0; e && i < e->e_phnum; i++)
            if (p[i].p_type == PT_LOAD && low + p[i].p_vaddr + p[i].p_memsz > high)
                high = low + p[i].p_vaddr + p[i].p_memsz;
    }
    return site >= low && site < high;
}

/* NULL: there are too many. */
static struct hdp_fault_place *place_of(uint32_t thread, enum hdp_fault_kind kind, uint64_t site)
{
    struct hdp_fault_points *f = &rt.region->fault_points;
    uint32_t at = (uint32_t)hash_next(site ^ (uint64_t)thread << 32 ^ kind) % SLOTS;

    for (; slot[at]; at = (at + 1) % SLOTS) {
        struct hdp_fault_place *p = &f->place[slot[at] - 1];
        if (p->site == site && p->thread == thread && p->kind == kind)
            return p;
    }
    if (f->places == HDP_FAULT_PLACES) {
        f->forgotten++;
        return NULL;
    }
    f->place[f->places] = (struct hdp_fault_place){.site = site, .thread = thread, .kind = kind};
    slot[at] = (uint16_t)(f->places + 1);
    return &f->place[f->places++];
}

static bool is_wanted(const struct hdp_fault *f, const struct hdp_fault_place *p)
{
    return f->thread == p->thread && f->kind == p->kind && f->nth == p->count &&
           (rt.config.flags & HDP_EDITED ? rt_edited_at(f->place, p->site) : f->site == p->site);
}

static void record(const struct hdp_fault_place *p)
{
    struct hdp_result *r = &rt.region->result;

    rt_lock();
    if (r->steps < HDP_STEPS)
        rt.region->trace[r->steps] =
            (struct hdp_step){.thread = p->thread,
                              .flags = HDP_STEP_CHOICE | HDP_STEP_CHOSE(HDP_CHOSE_FAULT, p->kind),
                              .choice = p->count,
                              .site = p->site};
    r->steps++;
    r->faults++;
    r->interleaving += hash_next(((uint64_t)p->thread << 32 | p->count) ^ hash_place(0, p->site));
    rt_unlock();
}

bool hdi_fault_here(enum hdp_fault_kind kind, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    struct hdp_fault_place *p;

    threads |= kind == HDP_FAULT_CREATE || rt.all_count > 1;
    if (!rt.started || !threads || !hdi_controlled() || rt.draining || hdi_map_is_own(site) ||
        is_linker(site) || !(p = place_of(self->hash, kind, site)))
        return false;
    p->count++;
    for (uint32_t i = 0; i < HDP_FAULTS; i++)
        if (!(had & 1u << i) && rt.config.fault[i].nth && is_wanted(&rt.config.fault[i], p)) {
            had |= 1u << i;
            record(p);
            return true;
        }
    return false;
}

/* A wait that a signal interrupts, or a request to cancel: the thread goes on whether or not it could. */
bool rt_fault_of_wait(struct hdi_thread *self, struct hdi_op *op)
{
    op->self = self;
    if (op->cancellable && self != rt.main && !self->goroutine && !self->cancel.disabled &&
        !self->cancel.pending && hdi_fault(HDP_FAULT_CANCEL, op->site))
        self->cancel.pending = true;
    return op->interrupt != HDI_GOES_ON && op->kind != HD_EV_SIGNAL_WAIT && op->ready &&
           !(rt_has_deadline(op) && op->until_ns <= rt.now_ns) && !op->ready(op) &&
           hdi_fault(HDP_FAULT_INTERRUPT, op->site);
}
