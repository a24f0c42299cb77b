/* shadow_stack.c - shadow stacks and their interning. */
#include <stddef.h>

#include "core/control.h"
#include "memory/race/calling_context.h"
#include "shadow_stack.h"

HDI_TLS struct hdi_memory_thread *hdi_memory_thread_self;
HDI_TLS struct hdi_memory_thread *hdi_watched;

static struct hdi_memory_thread *by_tid[HDI_RACERS];

struct hdi_memory_thread *hdi_memory_thread_make(void)
{
    struct hdi_memory_thread *s =
        hdi_alloc_lasting(sizeof *s + HDI_FRAMES * sizeof(struct hdi_frame));
    s->base = s->top = (struct hdi_frame *)(s + 1);
    s->limit = s->base + HDI_FRAMES;
    return hdi_memory_thread_self = s;
}

struct hdi_memory_thread *hdi_memory_thread_of(uint32_t tid)
{
    return tid < HDI_RACERS ? by_tid[tid] : NULL;
}

void hdi_memory_thread_watch(void)
{
    struct hdi_memory_thread *s =
        hdi_memory_thread_self ? hdi_memory_thread_self : hdi_memory_thread_make();
    s->thread = hdi_self();
    if (!s->racer) {
        s->racer = hdi_race_thread();
        if (!s->racer) {
            hdi_unmodelled("memory of threads after 1024", 0);
            return;
        }
        by_tid[s->racer->tid] = s;
    }
    hdi_watched = s;
}

static const struct hdi_frame *innermost(const struct hdi_memory_thread *s)
{
    return s->top < s->limit ? s->top : s->limit;
}

uint32_t hdi_memory_thread_context(struct hdi_memory_thread *s, uint64_t pc)
{
    struct hdi_frame *end = (struct hdi_frame *)innermost(s), *f = end;
    while (f > s->base && !f[-1].context)
        f--;
    uint32_t context = f > s->base ? f[-1].context : 0;
    for (; f < end; f++)
        f->context = context = hdi_context_child(context, f->pc);
    return pc ? hdi_context_child(context, pc) : context;
}
