/* reach.c - see reach.h.
 *
 * A thread is
 *   a root     it can run, or may be able to some day for all that is known here
 *   waiting    for an object that may be out of reach; it turns into a root when that is reached
 *   leaked     what is left
 */
#include "reach.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "beside/other_tool.h"
#include "mark.h"
#include "wire/protocol.h"
#include "sent_pointers.h"

#define WEAK 16u
#define SELECT_TOLD 32u /* lib/select.c tells no more cases: there may be others */

static struct hdi_span weak[WEAK];
static uint32_t weak_count;
static bool have_handlers; /* the program handles signals, as of this look */

void hdi_reach_off(void)
{
    hdi_reach_on = false;
}

bool hdi_reach_start(void)
{
    if (hdi_reach_on && (hdi_tool() != HDI_TOOL_NONE || !hdi_modules_read()))
        hdi_reach_off();
    return hdi_reach_on;
}

void hdi_reach_weak(const void *memory, size_t bytes)
{
    if (weak_count < WEAK)
        weak[weak_count++] = (struct hdi_span){(uintptr_t)memory, (uintptr_t)memory + bytes};
}

/* ---- stacks ---- */

static void thread_made(struct hdi_thread *t, const pthread_attr_t *a)
{
    void *given;
    size_t bytes = hdi_modules.stack_bytes;

    if (!hdi_reach_on || hdi_in_process())
        return;
    if (a && (pthread_attr_getstacksize(a, &bytes) != 0 ||
              pthread_attr_getstack(a, &given, &bytes) != 0 || (uintptr_t)given + bytes != 0))
        bytes = 0; /* a stack of the program's own */
    t->reach.stack_bytes = bytes;
}

void hdi_reach_observes(enum hdi_what what, const struct hdi_happened *e)
{
    if (what == HDI_BYTES_LEFT)
        hdi_reach_sent(e->clock, (size_t)e->n);
    else if (what == HDI_THREAD_MADE)
        thread_made(e->thread, e->attr);
    else if (what == HDI_STARTS && !(e->mode & HDP_REACH))
        hdi_reach_off();
}

/* The whole stack of t with its descriptor. */
static bool whole_stack_in(const struct hdi_map *map, const struct hdi_thread *t,
                           struct hdi_span *out)
{
    if (hdi_in_process()) {
        *out = (struct hdi_span){t->stack_low, t->stack_high};
    } else if (!t->creator) {
        for (size_t i = 0; i < map->count; i++)
            if (map->at[i].stack) {
                *out = (struct hdi_span){map->at[i].low, map->at[i].high};
                return true;
            }
        return false;
    } else {
        out->high = ((uintptr_t)t->handle + hdi_modules.descriptor_bytes + 4095) & ~4095ul;
        out->low = out->high - t->reach.stack_bytes;
    }
    return out->low < out->high;
}

static bool whole_stack(const struct hdi_thread *t, struct hdi_span *out)
{
    return whole_stack_in(hdi_mark_map(), t, out);
}

static uintptr_t stack_pointer(const struct hdi_thread *t)
{
    return t->reach.registers.sp;
}

/* What of its stack is in use: without thread-local variables of a thread that waits in its first
 * turn there is nothing. */
static struct hdi_span frames(const struct hdi_thread *t)
{
    struct hdi_span s = {0, 0};

    whole_stack(t, &s);
    s.low = stack_pointer(t);
    if (!hdi_in_process() && t->creator)
        s.high = (uintptr_t)t->handle;
    return s;
}

static bool begun(const struct hdi_thread *t)
{
    return stack_pointer(t) != 0;
}

/* Is t's stack where it should be? */
static bool understood(const struct hdi_thread *t)
{
    struct hdi_span all, used;

    if (t->state == HDP_T_LOST || (t->state == HDP_T_RUNNING && t != hdi_self()))
        return false;
    if (!begun(t))
        return t->op && t->op->kind == HD_EV_THREAD_START;
    if ((t->creator && !hdi_in_process() && !t->reach.stack_bytes) || !whole_stack(t, &all))
        return false;
    used = frames(t);
    return used.low > all.low && used.low < used.high && used.high <= all.high;
}

bool hdi_reach_unused(const struct hdi_map *map, struct hdi_spans *out)
{
    uint32_t n;
    struct hdi_thread **live = hdi_live(&n);
    struct hdi_span s;

    for (uint32_t i = 0; i < n; i++) {
        const struct hdi_thread *t = live[i];
        if (hdi_in_process() || !begun(t) || t->state == HDP_T_LOST ||
            (t->creator && !t->reach.stack_bytes) || !whole_stack_in(map, t, &s) ||
            stack_pointer(t) <= s.low || stack_pointer(t) >= s.high ||
            !hdi_spans_add(out, s.low, stack_pointer(t)))
            return false;
    }
    return true;
}

/* ---- who waits for what ---- */

static bool catches_signals(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction sa;
        if (sigaction(number, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL &&
            sa.sa_handler != SIG_IGN && !hdi_map_is_own((uintptr_t)sa.sa_handler))
            return true;
    }
    return false;
}

static struct hdi_thread *joined(const struct hdi_thread *t)
{
    return t->op->kind == HD_EV_THREAD_JOIN && t->op->object
               ? (struct hdi_thread *)((char *)t->op->object - offsetof(struct hdi_thread, object))
               : NULL;
}

/* Could t wait for something that nobody reaches? */
static bool waits(const struct hdi_thread *t)
{
    const struct hdi_op *op = t->op;

    if (!op || t->enabled || t->state != HDP_T_BLOCKED || op->outside || t->leak.expected ||
        (op->until_ns != 0 && op->until_ns != HDI_FOREVER) || !begun(t) ||
        (t->cancel.pending && !t->cancel.disabled))
        return false;
    switch (op->kind) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
        return true; /* without a channel: for ever */
    case HD_EV_SELECT:
        return t->wait.count > 0 && t->wait.count < SELECT_TOLD;
    case HD_EV_SEM_WAIT:
    case HD_EV_FUTEX_WAIT:
        return op->object && !have_handlers; /* a handled signal ends it */
    default:
        return op->object != NULL;
    }
}

/* Its object, or the i-th of those of its select; 0: no more. */
static uintptr_t awaited(const struct hdi_thread *t, uint32_t i)
{
    if (t->wait.count)
        return i < t->wait.count ? t->wait.cases[i].object->addr : 0;
    return i == 0 && t->op->object ? t->op->object->addr : 0;
}

/* ---- the look ---- */

struct look {
    struct hdi_thread **live;
    uint32_t count;
};

/* Does addr lie on the stack of one who waits itself? */
static bool on_waiting_stack(const struct look *k, uintptr_t addr)
{
    for (uint32_t i = 0; i < k->count; i++) {
        struct hdi_span s;
        if (begun(k->live[i]) && whole_stack(k->live[i], &s) && addr >= s.low && addr < s.high)
            return k->live[i]->reach.waits && addr >= frames(k->live[i]).low;
    }
    return false;
}

/* Who waits for what can always be reached is a root from the start. */
static bool is_static(const struct look *k, uintptr_t addr)
{
    struct hdi_span s;

    return hdi_mark_place(addr, &s) == HDI_PLACE_ELSEWHERE && !on_waiting_stack(k, addr);
}

static void classify(const struct look *k)
{
    bool more = true;

    for (uint32_t i = 0; i < k->count; i++)
        k->live[i]->reach.waits = waits(k->live[i]);
    while (more) { /* an object on the stack of one who is a root is reached */
        more = false;
        for (uint32_t i = 0; i < k->count; i++) {
            struct hdi_thread *t = k->live[i];
            uintptr_t addr;
            for (uint32_t c = 0; t->reach.waits && !joined(t) && (addr = awaited(t, c)); c++)
                if (is_static(k, addr)) {
                    t->reach.waits = false;
                    more = true;
                }
        }
    }
}

static bool add_extras(const struct look *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        struct hdi_thread *t = k->live[i];
        struct hdi_span s;
        uintptr_t addr;
        if (!t->reach.waits)
            continue;
        s = frames(t);
        if (!hdi_mark_extra(s.low, s.high, HDI_EXTRA_STACK))
            return false;
        if (hdi_modules.may_signal_threads && !hdi_in_process() && t->creator &&
            !hdi_mark_extra((uintptr_t)t->handle, (uintptr_t)t->handle + 1, HDI_EXTRA_HANDLE))
            return false;
        for (uint32_t c = 0; !joined(t) && (addr = awaited(t, c)); c++)
            if (hdi_mark_place(addr, &s) == HDI_PLACE_FREED &&
                !hdi_mark_extra(s.low, s.high, HDI_EXTRA_FREED))
                return false;
    }
    return true;
}

static bool exclude(void)
{
    struct hdi_thread *t;
    struct hdi_span s;

    for (uint32_t i = 0; i < weak_count; i++)
        if (!hdi_mark_exclude(weak[i].low, weak[i].high))
            return false;
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if ((t->reach.stack_bytes || !t->creator) && t->handle && whole_stack(t, &s) &&
            !hdi_mark_exclude(s.low, s.high))
            return false;
    return true;
}

static void mark_thread_variables(const struct hdi_thread *t)
{
    uintptr_t self = (uintptr_t)t->handle;

    for (uint32_t i = 0; i < hdi_modules.tls; i++)
        hdi_mark_memory(self - hdi_modules.tls_block[i].below,
                        self - hdi_modules.tls_block[i].below + hdi_modules.tls_block[i].bytes);
    hdi_mark_memory(self, self + hdi_modules.descriptor_bytes);
}

static void mark_thread(const struct hdi_thread *t)
{
    struct hdi_span s = frames(t);

    if (!begun(t)) {
        hdi_mark_word((uintptr_t)t->life.arg);
        return;
    }
    for (size_t i = 0; i < sizeof t->reach.registers.kept / sizeof t->reach.registers.kept[0]; i++)
        hdi_mark_word(t->reach.registers.kept[i]);
    for (size_t i = 0; i < sizeof t->carrier.local / sizeof t->carrier.local[0]; i++)
        hdi_mark_word((uintptr_t)t->carrier.local[i]);
    hdi_mark_word(s.low); /* what lies on it, too, is reached */
    hdi_mark_memory(s.low, s.high);
    if (!hdi_in_process() && t->creator)
        mark_thread_variables(t);
}

static bool reached(const struct hdi_thread *t)
{
    const struct hdi_thread *u = joined(t);
    uintptr_t addr;

    if (hdi_modules.may_signal_threads && !hdi_in_process() && t->creator &&
        hdi_marked((uintptr_t)t->handle))
        return true;
    if (u)
        return u->life.ended || !u->reach.waits;
    for (uint32_t c = 0; (addr = awaited(t, c)); c++)
        if (hdi_marked(addr))
            return true;
    return false;
}

/* Whoever has its reach.waits set afterwards is leaked. */
static bool spread(const struct look *k, bool thorough)
{
    struct hdi_thread *t;
    bool more = true;

    if (!hdi_mark_start(thorough))
        return false;
    hdi_mark_roots();
    hdi_sent_each(hdi_mark_word);
    if (hdi_in_process()) {
        const struct hdi_map *map = hdi_mark_map();
        for (size_t i = 0; i < map->count; i++)
            if (map->at[i].stack)
                hdi_mark_memory(map->at[i].low, map->at[i].high);
    }
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++) {
        if (t->life.ended && t->life.known && !t->life.joined && !hdi_in_process() && t->creator)
            mark_thread_variables(t); /* what it returned */
        else if (!t->life.ended && !t->reach.waits)
            mark_thread(t);
        else if (!t->life.ended && have_handlers && !hdi_in_process() && t->creator)
            mark_thread_variables(t); /* a handler may run there */
    }
    while (more) {
        if (!hdi_mark_all())
            return false;
        more = false;
        for (uint32_t i = 0; i < k->count; i++)
            if (k->live[i]->reach.waits && reached(k->live[i])) {
                k->live[i]->reach.waits = false;
                mark_thread(k->live[i]);
                more = true;
            }
    }
    return true;
}

static void report(struct hdi_thread *t)
{
    char text[HDP_TEXT];

    snprintf(
        text, sizeof text,
        "leaked while the program still runs: no thread that can run has a way to reach what it "
        "waits for since step %u",
        t->reach.since);
    t->reach.finding = hdi_leaked_thread(t, text);
}

static bool anybody(const struct look *k, uint32_t since)
{
    for (uint32_t i = 0; i < k->count; i++)
        if (!k->live[i]->reach.finding && k->live[i]->reach.since <= since && waits(k->live[i]))
            return true;
    return false;
}

enum hdi_reach hdi_reach_look(uint32_t since)
{
    struct look k;

    k.live = hdi_live(&k.count);
    if (!hdi_reach_on)
        return HDI_REACH_UNSURE;
    have_handlers = false;
    if (!anybody(&k, since))
        return HDI_REACH_NOBODY;
    have_handlers = catches_signals();
    if (hdi_modules.moves_break || !hdi_mark_begin())
        return HDI_REACH_UNSURE;
    for (uint32_t i = 0; i < k.count; i++)
        if (!understood(k.live[i]))
            return HDI_REACH_UNSURE;
    classify(&k);
    if (!exclude() || !add_extras(&k) || !spread(&k, false))
        return HDI_REACH_UNSURE;
    for (uint32_t i = 0; i < k.count; i++)
        if (k.live[i]->reach.waits && !k.live[i]->reach.finding) {
            if (!spread(&k, true))
                return HDI_REACH_UNSURE;
            break;
        }
    for (uint32_t i = 0; i < k.count; i++)
        if (k.live[i]->reach.waits && !k.live[i]->reach.finding && !joined(k.live[i]))
            report(k.live[i]);
    return HDI_REACH_LOOKED;
}

/* Some 200 bytes are looked through in a microsecond, and a step takes two. */
uint32_t hdi_reach_price(void)
{
    size_t heap = hdi_blocks_bytes(), last = hdi_mark_bytes();

    return (uint32_t)((heap > last ? heap : last) / 40);
}

void hdi_reach_mistaken(struct hdi_thread *t)
{
    struct hdi_thread *u;
    struct hdp_finding *gone = t->reach.finding;

    hdi_reach_off();
    hdi_finding_withdraw(gone);
    t->reach.finding = NULL;
    t->leak.told = false;
    for (uint32_t i = 0; (u = hdi_thread_known(i)); i++)
        if (u->reach.finding > gone)
            u->reach.finding--;
}

/* ---- told from outside ---- */

/* A dead stack whose memory was given back is a stack no more. */
void hdi_reach_mapped(void *p, size_t bytes, uint64_t pc)
{
    uintptr_t low = (uintptr_t)p, high = low + bytes;
    struct hdi_thread *t;

    if (hdi_map_is_own(pc)) {
        hdi_map_add_own(low, high);
        return;
    }
    hdi_map_not_own(low, high);
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++) {
        uintptr_t top = ((uintptr_t)t->handle + hdi_modules.descriptor_bytes + 4095) & ~4095ul;
        if (t->life.ended && t->reach.stack_bytes && low < top && top - t->reach.stack_bytes < high)
            t->reach.stack_bytes = 0;
    }
}
