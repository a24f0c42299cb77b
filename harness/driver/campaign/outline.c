/* outline.c - see outline.h */
#include "outline.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "wire/hash.h"

/* What is known of a thread while its trace is read. */
struct progress {
    uint32_t thread, made; /* decisions */
    size_t last;           /* its last stretch, + 1 */
};

static struct progress *progress_of(struct progress **all, size_t *count, uint32_t thread)
{
    for (size_t i = 0; i < *count; i++)
        if ((*all)[i].thread == thread)
            return &(*all)[i];
    *all = mem_grow(*all, *count, sizeof **all);
    (*all)[*count] = (struct progress){.thread = thread};
    return &(*all)[(*count)++];
}

static void add_choice(struct outline *o, const struct hdp_step *at)
{
    o->choice = mem_grow(o->choice, o->choices, sizeof *o->choice);
    o->choice[o->choices++] = (struct outline_choice){at->thread, at->choice, at->site};
}

static void add_stretch(struct outline *o, const struct hdp_step *at, uint32_t made)
{
    o->stretch = mem_grow(o->stretch, o->stretches, sizeof *o->stretch);
    o->stretch[o->stretches++] =
        (struct stretch){.thread = at->thread, .upto = made, .flags = at->flags};
}

struct outline outline_of(const struct hdp_region *r)
{
    struct outline o = {0};
    struct progress *all = NULL, *p = NULL;
    size_t count = 0;

    if (r->result.steps > HDP_STEPS)
        return o;
    for (uint32_t i = 0; i < r->result.steps; i++) {
        const struct hdp_step *at = &r->trace[i];
        struct stretch *last = o.stretches ? &o.stretch[o.stretches - 1] : NULL;
        if (hdp_step_is_fault(at)) /* the configuration has it */
            continue;
        if (at->flags & HDP_STEP_CHOICE) {
            add_choice(&o, at);
            continue;
        }
        if (!p || p->thread != at->thread)
            p = progress_of(&all, &count, at->thread);
        if (at->kind == HD_EV_RELEASED) { /* the runtime counts none of these */
            if (p->last && p->last < o.stretches)
                o.stretch[p->last - 1].behind = true;
            continue;
        }
        p->made++;
        if (last && last->thread == at->thread && !last->flags && !at->flags)
            last->upto = p->made;
        else
            add_stretch(&o, at, p->made);
        p->last = o.stretches;
    }
    free(all);
    return o;
}

struct outline outline_copy(const struct outline *o)
{
    struct outline copy = {.stretches = o->stretches, .choices = o->choices};

    copy.stretch = mem_zeroed(o->stretches + 1, sizeof *copy.stretch);
    copy.choice = mem_zeroed(o->choices + 1, sizeof *copy.choice);
    memcpy(copy.stretch, o->stretch, o->stretches * sizeof *copy.stretch);
    memcpy(copy.choice, o->choice, o->choices * sizeof *copy.choice);
    return copy;
}

void outline_free(struct outline *o)
{
    free(o->stretch);
    free(o->choice);
    *o = (struct outline){0};
}

uint64_t outline_hash(const struct outline *o)
{
    uint64_t h = hash_mix(o->stretches, o->choices);

    for (size_t i = 0; i < o->stretches; i++) {
        const struct stretch *t = &o->stretch[i];
        h = hash_mix(h, (uint64_t)t->thread << 32 | t->upto);
        h = hash_mix(h, (uint64_t)t->flags << 1 | t->behind);
    }
    for (size_t i = 0; i < o->choices; i++)
        h = hash_mix(h, o->choice[i].value);
    return h;
}

/* Of neighbours of one thread the later one goes on where the earlier one ends. */
static void join(struct outline *o)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->stretches; i++) {
        const struct stretch *s = &o->stretch[i];
        if (kept && o->stretch[kept - 1].thread == s->thread && !o->stretch[kept - 1].flags &&
            !s->flags)
            kept--;
        o->stretch[kept++] = *s;
    }
    o->stretches = kept;
}

void outline_cut(struct outline *o, size_t first, size_t count)
{
    memmove(&o->stretch[first], &o->stretch[first + count],
            (o->stretches - first - count) * sizeof *o->stretch);
    o->stretches -= count;
    join(o);
}

void outline_move(struct outline *o, size_t from, size_t to)
{
    struct stretch s = o->stretch[from];

    memmove(&o->stretch[to + 1], &o->stretch[to], (from - to) * sizeof s);
    o->stretch[to] = s;
    join(o);
}

size_t outline_next(const struct outline *o, size_t from, uint32_t thread)
{
    while (from < o->stretches && o->stretch[from].thread != thread)
        from++;
    return from;
}

size_t outline_chosen(const struct outline *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->choices; i++)
        n += o->choice[i].value != 0;
    return n;
}

void outline_write(const struct outline *o, struct hdp_region *r)
{
    uint32_t n = 0;

    for (size_t i = 0; i < o->stretches && n < HDP_STEPS; i++) {
        const struct stretch *s = &o->stretch[i];
        r->replay[n++] = (struct hdp_step){.thread = s->thread,
                                           .kind = s->behind ? HD_EV_RELEASED : HD_EV_NONE,
                                           .flags = s->flags,
                                           .choice = s->upto};
    }
    for (size_t i = 0; i < o->choices && n < HDP_STEPS; i++)
        r->replay[n++] = (struct hdp_step){.thread = o->choice[i].thread,
                                           .flags = HDP_STEP_CHOICE,
                                           .choice = o->choice[i].value,
                                           .site = o->choice[i].site};
    r->config.flags |= HDP_REPLAY | HDP_STRETCHES;
    r->config.replay_steps = n;
    r->config.replay_points = 0;
}

void outline_read(struct outline *o, const struct hdp_region *r)
{
    for (size_t i = 0; i < o->stretches && i < HDP_STEPS; i++)
        o->stretch[i].could_go_on = r->replay[i].object != 0;
}
