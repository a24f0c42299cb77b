/* recurrence.c - one thread alone goes on, and comes back to the very state that the program was in before:
 * it does the same again for ever, and those that wait are never woken by it.
 */
#include "rt.h"

#include "models/signals.h"
#include "reach/reach.h"

/* So long one thread goes on before it is looked at. */
#define ALONE_STEPS 4096u
/* So often the state is compared before another one is compared with. */
#define COMPARED 16u
#define TIMES 4u
#define WITHIN 1024u /* steps until it stands at the same place again */

static struct {
    const struct hdi_thread *thread;
    uint32_t since, taken_step;
    uint32_t compared, times;
    uint64_t site;
    int64_t now_ns;
    bool taken;
    struct hdi_program_state state;
    uint32_t first_step; /* when it was first looked at; 0: not yet */
    uint64_t first_interleaving;
} alone;

/* What it does next may depend on more than the program's own state. */
static bool looks_outside(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_FD_WAIT:
    case HD_EV_EXTERNAL:
    case HD_EV_SIGNAL_WAIT:
    case HD_EV_TIMER_SET:
    case HD_EV_CHILD_WAIT:
    case HD_EV_THREAD_CREATE:
    case HD_EV_THREAD_START:
    case HD_EV_THREAD_EXIT:
    case HD_EV_THREAD_JOIN:
    case HD_EV_THREAD_CANCEL:
    case HD_EV_THREAD_KILL:
    case HD_EV_SLEEP:
    case HD_EV_EXIT:
    case HD_EV_LEAK_CHECK:
        return true;
    default:
        return false;
    }
}

/* Nothing but this thread moves: no time, nobody outside, no signal. NULL: something else may. */
static const struct hdi_thread *only_one(void)
{
    uint32_t first = rt_set_next(&rt.runnable, 0);

    if (first == RT_SET_END || rt_set_next(&rt.runnable, first + 1) != RT_SET_END || rt.deadlines ||
        rt.draining || rt.external_count || rt_awaited_outside() || hdi_timer_next() ||
        hdi_children_live() || looks_outside(rt.all[first]->op->kind))
        return NULL;
    return rt.all[first];
}

bool rt_repeats_itself(void)
{
    const struct hdi_thread *t = only_one();
    uint32_t steps = rt.region->result.steps;
    struct hdi_program_state now;

    if (!t || t != alone.thread) {
        alone.thread = t;
        alone.since = steps;
        alone.taken = false;
        alone.times = alone.first_step = 0;
        return false;
    }
    if (alone.taken && steps - alone.taken_step > WITHIN) {
        alone.taken = false;
        alone.times++;
    }
    if (steps - alone.since < ALONE_STEPS || alone.times >= TIMES ||
        (alone.taken && (t->op->site != alone.site || rt.now_ns != alone.now_ns)))
        return false;
    if (!alone.first_step) {
        alone.first_step = steps;
        alone.first_interleaving = rt.region->result.interleaving;
    }
    if (!hdi_program_state(&now)) {
        alone.times = TIMES;
        return false;
    }
    if (alone.taken && now.hash == alone.state.hash && now.calls == alone.state.next_calls)
        return true;
    if (!alone.taken || alone.compared++ == COMPARED) {
        alone.times += alone.taken;
        alone.taken = true;
        alone.compared = 0;
        alone.taken_step = steps;
        alone.site = t->op->site;
        alone.now_ns = rt.now_ns;
    }
    alone.state = alone.compared ? alone.state : now;
    alone.state.next_calls = now.next_calls;
    return false;
}

void rt_forget_repetition(void)
{
    rt.region->result.steps = alone.first_step;
    rt.region->result.interleaving = alone.first_interleaving;
}
