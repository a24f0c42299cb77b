/* activity.c - see activity.h */
#include "activity.h"

#include <string.h>
#include <unistd.h>

#define SLACK_NS 20000000 /* how exact the kernel's times are, and what letting go takes */

static const struct viewed *same_thread(const struct view *v, const struct viewed *t)
{
    for (size_t i = 0; i < v->threads; i++)
        if (v->thread[i].seen->tid == t->seen->tid && v->thread[i].seen->began == t->seen->began &&
            v->thread[i].seen->fibre == t->seen->fibre)
            return &v->thread[i];
    return NULL;
}

static bool has_function(const struct view *v, const struct viewed *t, const char *function)
{
    const struct stack *s = &v->shape[t->shape].stack;
    for (size_t i = 0; i < s->count; i++)
        if (s->frame[i].function && strcmp(s->frame[i].function, function) == 0)
            return true;
    return false;
}

/* The innermost function with a line in the sources, of all looks. */
static const char *common_function(struct view *const *look, size_t looks, const struct viewed *t)
{
    const struct view *last = look[looks - 1];
    const struct stack *s = &last->shape[t->shape].stack;
    for (size_t i = 0; i < s->count; i++) {
        const char *function = s->frame[i].function;
        bool all = function && s->frame[i].file && strncmp(s->frame[i].file, "./", 2) != 0 &&
                   strncmp(s->frame[i].file, "../sysdeps", 10) != 0;
        for (size_t k = 0; all && k + 1 < looks; k++) {
            const struct viewed *then = same_thread(look[k], t);
            all = then && has_function(look[k], then, function);
        }
        if (all)
            return function;
    }
    return NULL;
}

struct activity activity_of(struct view *const *look, const int64_t *at, size_t looks, size_t i)
{
    const struct view *last = look[looks - 1];
    const struct viewed *t = &last->thread[i], *then = looks > 1 ? same_thread(look[0], t) : NULL;
    struct activity a = {-1, t->seen->idle_ns, NULL};
    int64_t between = at[looks - 1] - at[0];
    if (!then || between <= 0 || t->seen->fibre)
        return a;
    uint64_t ticks = t->seen->used_ticks - then->seen->used_ticks;
    int64_t used = (int64_t)ticks * 1000000000 / sysconf(_SC_CLK_TCK);
    a.percent = (int)(used * 100 / between);
    if (a.percent > 100)
        a.percent = 100;
    a.within = common_function(look, looks, t);
    /* That it was stopped at the looks before counts as running, but was ours. */
    if (then->seen->idle_ns >= 0 && looks > 1) {
        int64_t since_last = at[looks - 1] - at[looks - 2];
        if (a.idle_ns >= since_last - SLACK_NS)
            a.idle_ns = then->seen->idle_ns + between;
    }
    return a;
}
