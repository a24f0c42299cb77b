/* race_report.c - a race becomes a finding: both sides, the heap block, who freed it.
 *
 * Told once per pair of places in a process. Stacks are taken in rich schedules, where each slot of
 * the shadow knows its calling context; otherwise places alone.
 */
#include <link.h>
#include <stdio.h>
#include <string.h>

#include "memory/access.h"
#include "memory/descriptor_race.h"
#include "core/annotate.h"
#include "heap_blocks.h"
#include "calling_context.h"
#include "lockset.h"
#include "race_report.h"

#define PCS 64u
#define TOLD 4096u

struct low_pc {
    uint32_t low;
    uint64_t full;
};

static int look_in(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    struct low_pc *want = data;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        uint64_t low = info->dlpi_addr + p->p_vaddr, high = low + p->p_memsz;
        uint64_t pc = (low & ~(uint64_t)UINT32_MAX) | want->low;
        if (pc < low)
            pc += (uint64_t)1 << 32;
        if (pc >= low && pc <= high) {
            want->full = pc;
            return 1;
        }
    }
    return 0;
}

uint64_t hdi_full_pc(uint32_t pc)
{
    struct low_pc want = {.low = pc};
    dl_iterate_phdr(look_in, &want);
    return want.full;
}

/* Has this pair been told? Remembers it. A full table tells no more. */
static bool told(uint32_t a, uint32_t b, enum hd_finding_kind kind)
{
    static uint64_t pairs[2 * TOLD]; /* open addressing; 0 = empty */
    static unsigned used;
    uint64_t pair = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    pair = (pair ^ (uint64_t)kind << 61) | 1;
    uint64_t at = pair * 0x9e3779b97f4a7c15ull >> 32;
    for (; pairs[at % (2 * TOLD)]; at++)
        if (pairs[at % (2 * TOLD)] == pair)
            return true;
    if (used == TOLD)
        return true;
    used++;
    pairs[at % (2 * TOLD)] = pair;
    return false;
}

static enum hd_event event_of(enum hdi_access kind)
{
    switch (kind) {
    case HDI_READ:
        return HD_EV_READ;
    case HDI_ALLOCATED:
    case HDI_WRITE:
        return HD_EV_WRITE;
    case HDI_ATOMIC_READ:
        return HD_EV_ATOMIC_LOAD;
    case HDI_ATOMIC_WRITE:
        return HD_EV_ATOMIC_STORE;
    case HDI_FREED:
        return HD_EV_FREE;
    }
    return HD_EV_NONE;
}

static uint32_t extra_of(enum hdi_access kind, unsigned bytes)
{
    return bytes | (kind != HDI_READ && kind != HDI_ATOMIC_READ ? HD_ACCESS_WRITE : 0) |
           (kind == HDI_ATOMIC_READ || kind == HDI_ATOMIC_WRITE ? HD_ACCESS_ATOMIC : 0) |
           (kind == HDI_ALLOCATED ? HD_ACCESS_ALLOCATION : 0) |
           (kind == HDI_FREED ? HD_ACCESS_FREE : 0);
}

static uint32_t stack_of(uint32_t context)
{
    uint64_t pcs[PCS];
    uint32_t n = context ? hdi_context_pcs(context, pcs, PCS) : 0;
    return n ? hdi_stack_pcs(pcs, n) : 0;
}

/* The locks of a lock set, as they were taken, belong to the note with index `link`. */
static void note_locks(struct hdp_finding *f, uint32_t set, struct hdi_thread *t, uint32_t link)
{
    const struct hdi_lockset *locks = hdi_lockset_at(set);
    for (uint32_t i = 0; locks && i < locks->count; i++) {
        const struct hdi_held *h = &locks->lock[i];
        struct hdp_note *note =
            hdi_note(f, HD_ROLE_HOLDS, t, (enum hd_event)h->kind, h->object, h->site, h->stack);
        note->link = link;
    }
}

static void note_block(struct hdp_finding *f, const struct hdi_block *b, bool with_free)
{
    struct hdp_note *note =
        hdi_note(f, HD_ROLE_ALLOCATED, NULL, HD_EV_NONE, NULL, b->site, stack_of(b->context));
    note->thread = b->thread;
    note->addr = b->addr;
    note->extra = b->bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)b->bytes;
    if (!with_free)
        return;
    note = hdi_note(f, HD_ROLE_FREED, NULL, HD_EV_FREE, NULL, b->freed_site,
                    stack_of(b->freed_context));
    note->thread = b->freed_thread;
    note->addr = b->addr;
}

struct hdi_side hdi_race_side(const struct hdi_earlier *earlier)
{
    struct hdi_memory_thread *t = hdi_memory_thread_of(earlier->tid);

    return (struct hdi_side){t ? t->thread : NULL, hdi_full_pc(earlier->pc),
                             stack_of(earlier->context)};
}

static unsigned count(uint8_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier)
{
    static const char *const words[] = {"read",        "allocation",   "write",
                                        "atomic read", "atomic write", "free"};
    if (!hdi_watch.config.races)
        return;
    if (hdi_descriptor_raced(word, pc, earlier))
        return;
    bool freed = earlier->kind == HDI_FREED;
    if (!freed && hdi_said_any_benign &&
        hdi_said_benign(word + (unsigned)__builtin_ctz(earlier->mask), count(earlier->mask)))
        return;
    enum hd_finding_kind what = freed ? HD_FK_USE_AFTER_FREE : HD_FK_DATA_RACE;
    if (told((uint32_t)pc, earlier->pc, what))
        return;
    struct hdi_memory_thread *mine = hdi_memory_thread_of(t->tid),
                             *other = hdi_memory_thread_of(earlier->tid);
    mine->busy++;
    uintptr_t addr = word + (unsigned)__builtin_ctz(earlier->mask);
    unsigned bytes = count(earlier->mask);
    uint64_t value = 0;
    memcpy(&value, (const void *)addr, bytes);
    char text[HDP_TEXT];
    snprintf(text, sizeof text, "%s and %s of %u byte%s at %#lx without an order between them",
             words[kind], words[earlier->kind], bytes, bytes == 1 ? "" : "s", (unsigned long)addr);
    if (freed)
        snprintf(text, sizeof text, "%s of %u byte%s at %#lx, which was freed", words[kind], bytes,
                 bytes == 1 ? "" : "s", (unsigned long)addr);
    else
        snprintf(text + strlen(text), sizeof text - strlen(text), ", value %#lx",
                 (unsigned long)value);
    struct hdp_finding *f = hdi_finding_begin(what, text);
    bool rich = hdi_watch.config.rich;
    struct hdp_note *note = hdi_note(f, HD_ROLE_ACCESS, mine->thread, event_of(kind), NULL, pc,
                                     rich ? stack_of(hdi_memory_thread_context(mine, pc)) : 0);
    note->addr = addr;
    note->extra = extra_of(kind, bytes);
    note->step = f->step;
    note_locks(f, hdi_lockset_of(mine->thread), mine->thread, 0);
    uint32_t other_side = f->notes;
    uint64_t earlier_pc = hdi_full_pc(earlier->pc);
    note =
        hdi_note(f, freed ? HD_ROLE_FREED : HD_ROLE_PREVIOUS_ACCESS, other ? other->thread : NULL,
                 event_of(earlier->kind), NULL, earlier_pc, stack_of(earlier->context));
    note->addr = addr;
    note->extra = extra_of(earlier->kind, bytes);
    note->step = hdi_context_step(earlier->context);
    note_locks(f, hdi_context_locks(earlier->context), other ? other->thread : NULL, other_side);
    const struct hdi_block *b = hdi_block_around(addr);
    if (b)
        note_block(f, b, false);
    hdi_finding_end(f, false);
    mine->busy--;
}

void hdi_report_double_free(const struct hdi_block *b, uint64_t pc)
{
    if (told((uint32_t)pc, (uint32_t)b->freed_site, HD_FK_DOUBLE_FREE))
        return;
    char text[HDP_TEXT];
    snprintf(text, sizeof text, "block of %zu bytes at %#lx freed twice", b->bytes,
             (unsigned long)b->addr);
    struct hdp_finding *f = hdi_finding_begin(HD_FK_DOUBLE_FREE, text);
    struct hdi_memory_thread *s = hdi_memory_thread_self;
    struct hdp_note *note =
        hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_FREE, NULL, pc,
                 s && hdi_watch.config.rich ? stack_of(hdi_memory_thread_context(s, pc)) : 0);
    note->addr = b->addr;
    note_block(f, b, true);
    hdi_finding_end(f, false);
}
