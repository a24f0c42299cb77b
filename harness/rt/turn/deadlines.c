/* deadlines.c - the threads that wait for a time, the next one first: a binary heap in rt.deadline.
 *
 * In it is every thread whose pending operation has a deadline and cannot complete now. Among equal
 * deadlines the thread that was made first comes first. A deadline that has passed stays until its
 * thread has had the turn.
 */
#include "rt.h"

static bool before(const struct hdi_thread *a, const struct hdi_thread *b)
{
    return a->op->until_ns != b->op->until_ns ? a->op->until_ns < b->op->until_ns
                                              : a->index < b->index;
}

static void place(struct hdi_thread *t, uint32_t at)
{
    rt.deadline[at] = t;
    t->turn.deadline_at = at + 1;
}

static void settle(struct hdi_thread *t, uint32_t at)
{
    uint32_t child;

    for (; at > 0 && before(t, rt.deadline[(at - 1) / 2]); at = (at - 1) / 2)
        place(rt.deadline[(at - 1) / 2], at);
    for (; (child = 2 * at + 1) < rt.deadlines; at = child) {
        if (child + 1 < rt.deadlines && before(rt.deadline[child + 1], rt.deadline[child]))
            child++;
        if (!before(rt.deadline[child], t))
            break;
        place(rt.deadline[child], at);
    }
    place(t, at);
}

void rt_deadline_remove(struct hdi_thread *t)
{
    uint32_t at = t->turn.deadline_at;
    struct hdi_thread *last;

    if (!at)
        return;
    t->turn.deadline_at = 0;
    last = rt.deadline[--rt.deadlines];
    if (last != t)
        settle(last, at - 1);
}

void rt_deadline_set(struct hdi_thread *t)
{
    t->turn.deadline_ns = t->op->until_ns;
    settle(t, t->turn.deadline_at ? t->turn.deadline_at - 1 : rt.deadlines++);
}

struct hdi_thread *rt_earliest(void)
{
    return rt.deadlines ? rt.deadline[0] : NULL;
}

int64_t rt_first_deadline(void)
{
    return rt.deadlines ? rt.deadline[0]->op->until_ns : 0;
}

/* The heap's order: whoever is not due has none below that is. */
uint32_t rt_deadlines_passed(struct hdi_thread **out)
{
    uint32_t n = 0;

    if (!rt.deadlines || rt.deadline[0]->op->until_ns > rt.now_ns)
        return 0;
    out[n++] = rt.deadline[0];
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t child = 2 * (out[i]->turn.deadline_at - 1) + 1, k = 0; k < 2; k++, child++)
            if (child < rt.deadlines && rt.deadline[child]->op->until_ns <= rt.now_ns)
                out[n++] = rt.deadline[child];
    return n;
}
