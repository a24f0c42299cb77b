/* explore.c - one schedule of an exhaustive exploration: it follows the driver's orders, then goes on with
 * threads that do not sleep, and notes of each step what it touched (instrument/wire/explore.h).
 *
 * A thread that comes back to the very state in which it yielded before, and has changed nothing in between,
 * would do the same again: it waits until somebody changes what it touched.
 */
#include "rt.h"

#include <string.h>

#include "models/always.h"
#include "models/signals.h"

#define SPINNERS 64u /* threads, by index, that are looked at */
#define SPUN_KEYS 64u
#define SPUN_STATES 4u
#define MOST_STACK 65536u
#define MOST_ALONE 50u /* steps of one thread on end, before others are preferred */
#define MOST_BYTES 16u /* of one access, as long as it is not known */

static bool noting; /* the step that is being made is noted */
static bool time_passed;
static uint32_t ordered; /* orders followed */
static uint32_t steps_made;
static uint32_t alone;           /* steps of the last one's thread on end */
static uint32_t awake_before;    /* touches up to which those that sleep were woken */
static bool awake[HDP_SLEEPERS]; /* of the driver's sleepers: not any more */
static struct spinner {
    uint64_t key[SPUN_KEYS]; /* touched since the states below */
    uint32_t keys;
    uint64_t state[SPUN_STATES]; /* in which it yielded, one after another */
    uint32_t states;
    uint32_t changes;   /* what it changed itself, counted */
    bool waits;         /* until one of the keys is changed */
    bool may_have_done; /* since its last yield something that others do not see yet */
    bool stack_seen;    /* another has touched its stack */
    uint32_t chosen_at; /* step */
} spinner[SPINNERS];
static const struct hdi_thread *first_to_try; /* a lock, without waiting for it */
static bool many_try;                         /* another, too */

static struct hdp_explore *record(void)
{
    return &rt.region->explore;
}

static void uncontrolled(enum hdp_uncontrolled what)
{
    if (rt.exploring && noting)
        record()->uncontrolled |= what;
}

static uint64_t key_of(enum hd_object kind, uint64_t value)
{
    return (uint64_t)(kind + 1) << 56 | (value & ((1ull << 56) - 1));
}

/* What t waits for, whatever that is. */
static uint64_t wait_of(const struct hdi_thread *t)
{
    return key_of(HD_OB_COUNT, t->hash);
}

static const uint64_t the_clock = (uint64_t)(HD_OB_COUNT + 2) << 56;
static const uint64_t the_kernel = (uint64_t)(HD_OB_COUNT + 3) << 56;
static const uint64_t the_channels = (uint64_t)(HD_OB_COUNT + 5) << 56;
static const uint64_t the_deadlines = (uint64_t)(HD_OB_COUNT + 4) << 56;

static uint64_t word_key(uint64_t addr)
{
    return key_of(HD_OB_MEMORY, addr & ~3ull);
}

/* Who is about to do something to an object. */
static uint64_t plans_key(const struct hdi_object *o)
{
    return key_of(HD_OB_COUNT + 5, o->addr);
}

static uint64_t object_key(const struct hdi_object *o)
{
    switch (o->kind) {
    case HD_OB_THREAD:
        return key_of(HD_OB_THREAD, o->id | 1);
    case HD_OB_MEMORY:
    case HD_OB_FUTEX:
        return word_key(o->addr);
    case HD_OB_FD:
        return the_kernel;
    default:
        return key_of(o->kind, o->addr);
    }
}

void rt_explore_begin(void)
{
    struct hdp_explore *x = record();

    rt.exploring = (rt.config.flags & HDP_EXHAUSTIVE) && !(rt.config.flags & HDP_REPLAY);
    if (!rt.exploring)
        return;
    x->steps = x->touches = x->runnables = x->left = x->uncontrolled = 0;
    x->end = HDP_EXPLORED_DIED;
    noting = true;
    time_passed = false;
    ordered = awake_before = alone = steps_made = 0;
    memset(awake, 0, sizeof awake);
    memset(spinner, 0, sizeof spinner);
    first_to_try = NULL;
    many_try = false;
}

/* ---- loops that wait ---- */

static struct spinner *spinner_of(const struct hdi_thread *t)
{
    return t && t->index < SPINNERS ? &spinner[t->index] : NULL;
}

static void note_spun(struct spinner *s, uint64_t key)
{
    for (uint32_t i = 0; i < s->keys && i < SPUN_KEYS; i++)
        if (s->key[i] == key)
            return;
    if (s->keys < SPUN_KEYS)
        s->key[s->keys] = key;
    s->keys++;
}

static bool has_spun(const struct spinner *s, uint64_t key)
{
    for (uint32_t i = 0; i < s->keys && i < SPUN_KEYS; i++)
        if (s->key[i] == key)
            return true;
    return key == HDP_EVERYTHING || s->keys > SPUN_KEYS;
}

static void wake_spinner(uint32_t i)
{
    bool waited = spinner[i].waits;

    spinner[i].waits = false;
    spinner[i].states = 0; /* what it saw in them is not so any more */
    if (waited)
        hdi_reconsider(rt.all[i]);
}

/* But t. */
static void wake_spinners(const struct hdi_thread *t, uint64_t key)
{
    for (uint32_t i = 0; i < SPINNERS && i < rt.all_count; i++)
        if (rt.all[i] != t && has_spun(&spinner[i], key))
            wake_spinner(i);
}

static bool spins_no_more(const struct hdi_op *op)
{
    const struct spinner *s = spinner_of(op->self);

    return !s || !s->waits;
}

/* All that decides what t does next until it touches something: its registers and its stack, and what it has
 * changed so far. 0: there is too much of it. */
__attribute__((no_sanitize("address"))) static uint64_t state_of(const struct hdi_thread *t,
                                                                 const struct spinner *s)
{
    const struct hdp_registers *r = &t->reach.registers;
    /* Our own frames hold what others did, too: they are left out where it is known what the program had. */
    const uint64_t *from = t->turn.yields_from;
    uint64_t low = from ? (uint64_t)(uintptr_t)from : r->sp;
    uint64_t h = hash_next(hdi_memory_writes() ^ (uint64_t)s->changes << 32 ^ t->locks.count);

    if (!t->turn.first_frame || low > t->turn.first_frame || t->turn.first_frame - low > MOST_STACK)
        return 0;
    for (uint32_t i = 0; i < t->locks.count; i++) {
        const struct hdi_held *held = &t->locks.held[i];
        h = hash_next(h ^ (uint64_t)(uintptr_t)held->object ^ (uint64_t)held->count << 48 ^
                      (uint64_t)held->shared << 63);
    }
    for (size_t i = 0; !from && i < sizeof r->kept / sizeof r->kept[0]; i++)
        h = hash_next(h ^ r->kept[i]);
    for (uint64_t at = low; at + 8 <= t->turn.first_frame; at += 8)
        h = hash_next(h ^ *(const volatile uint64_t *)at);
    return h | 1;
}

/* Has t yielded in this state before? */
static bool was_there(const struct hdi_thread *t, struct spinner *s)
{
    uint64_t state = state_of(t, s);

    for (uint32_t i = 0; i < s->states && state; i++)
        if (s->state[i] == state)
            return true;
    if (s->states == SPUN_STATES || !state) /* it gets somewhere */
        s->states = s->keys = 0;
    s->state[s->states++] = state;
    return false;
}

void rt_explore_yields(struct hdi_thread *t, struct hdi_op *op)
{
    struct spinner *s = spinner_of(t);

    if (!rt.exploring || !s || op->kind != HD_EV_YIELD || rt.draining)
        return;
    s->waits = was_there(t, s);
    if (s->waits)
        op->ready = spins_no_more;
    else if (s->may_have_done)
        wake_spinners(t, HDP_EVERYTHING);
    s->may_have_done = false;
}

/* Nobody can run but those that wait in loops for each other: what becomes of that is the verdict's affair. */
static bool let_spinners_go(void)
{
    bool any = false;

    for (uint32_t i = 0; i < SPINNERS && i < rt.all_count; i++)
        any |= spinner[i].waits;
    if (!any || rt.deadlines || hdi_timer_next() || rt_awaited_outside() || rt.external_count)
        return false;
    uncontrolled(HDP_UNCONTROLLED_SPINS);
    rt_explore_end(HDP_EXPLORED_SPINS);
    return true;
}

/* ---- what is touched ---- */

/* A lock that is taken and given back is as it was, but for who tries it meanwhile and does not wait. From
 * the first such try on, what others do with locks is a change. */
static bool another_tries(const struct hdi_thread *t)
{
    return many_try || (first_to_try && first_to_try != t);
}

static void note_try(const struct hdi_thread *t)
{
    switch (t->last.kind) {
    case HD_EV_MUTEX_LOCK:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
        if (!rt_has_deadline(&t->last))
            return;
        break;
    case HD_EV_MUTEX_TRYLOCK:
    case HD_EV_SPIN_TRYLOCK:
    case HD_EV_RWLOCK_TRYLOCK:
        break;
    default:
        return;
    }
    if (many_try || first_to_try == t)
        return;
    many_try = first_to_try;
    first_to_try = t;
    wake_spinners(t, HDP_EVERYTHING);
}

/* Is it more than what a loop that waits does and undoes? Of updates those tell it that changed something. */
static bool changes(const struct hdi_thread *t, enum hdp_touch_mode mode)
{
    switch (t->last.kind) {
    case HD_EV_ATOMIC_RMW:
    case HD_EV_YIELD:
        return false;
    case HD_EV_MUTEX_LOCK:
    case HD_EV_MUTEX_TRYLOCK:
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_SPIN_TRYLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_RWLOCK_TRYLOCK:
    case HD_EV_RWLOCK_UNLOCK:
        return mode != HDP_TOUCH_LOOKS && another_tries(t);
    default:
        return mode != HDP_TOUCH_LOOKS;
    }
}

static bool is_of_lives(uint64_t key, enum hdp_touch_mode mode)
{
    uint64_t kind = key >> 56;

    return kind == HD_OB_THREAD + 1 || (kind == HD_OB_COUNT + 1 && mode != HDP_TOUCH_AFFECTS);
}

static bool is_on_stack(const struct hdi_thread *t, uint64_t key)
{
    uint64_t addr = key & ((1ull << 56) - 1);

    return key == word_key(addr) && addr < t->turn.first_frame &&
           t->turn.first_frame - addr <= MOST_STACK;
}

/* What lies there is part of its state, state_of(), and nobody else has looked at it. */
static bool is_own_stack(const struct hdi_thread *t, uint64_t key)
{
    return !spinner_of(t)->stack_seen && is_on_stack(t, key);
}

/* t has touched it. Whose stack it is on does not go unseen from here on. */
static void note_foreign_stack(const struct hdi_thread *t, uint64_t key)
{
    for (uint32_t i = 0; i < SPINNERS && i < rt.all_count; i++)
        if (rt.all[i] != t && !spinner[i].stack_seen && is_on_stack(rt.all[i], key)) {
            spinner[i].stack_seen = true;
            wake_spinner(i);
        }
}

/* False: that was known, or nothing is noted. */
static bool note_touch(uint64_t key, enum hdp_touch_mode mode)
{
    struct hdp_explore *x = record();
    struct hdp_explored_step *s;

    if (!rt.exploring || !noting || !x->steps)
        return false;
    s = &x->step[x->steps - 1];
    if (!is_of_lives(key, mode))
        s->flags &= (uint16_t)~HDP_EXPLORED_OWN;
    for (uint32_t i = 0; i < s->touches; i++) {
        struct hdp_touch *known = &x->touch[s->touch + i];
        if (known->key == key && (known->mode == mode || known->mode == HDP_TOUCH_CHANGES))
            return false;
    }
    if (x->touches == HDP_TOUCHES) {
        rt_explore_end(HDP_EXPLORED_FULL);
        return false;
    }
    x->touch[x->touches++] = (struct hdp_touch){.key = key, .mode = mode};
    s->touches++;
    return true;
}

static void touch(uint64_t key, enum hdp_touch_mode mode)
{
    if (!note_touch(key, mode))
        return;
    if (rt.current && spinner_of(rt.current)) {
        note_spun(spinner_of(rt.current), key);
        spinner_of(rt.current)->changes += key != wait_of(rt.current) &&
                                           !is_own_stack(rt.current, key) &&
                                           changes(rt.current, mode);
        note_try(rt.current);
        note_foreign_stack(rt.current, key);
    }
    /* An update tells by itself whether it changed anything. */
    if (mode != HDP_TOUCH_LOOKS && !(rt.current && rt.current->last.kind == HD_EV_ATOMIC_RMW))
        wake_spinners(rt.current, key);
}

/* It waits as long as it must: it cannot come before what lets it go on. */
static bool waits(const struct hdi_op *op)
{
    return op->ready && !rt_has_deadline(op);
}

/* What one operation does to its object without being asked, and others do not touch. */
static enum hdp_touch_mode mode_of(const struct hdi_thread *t, const struct hdi_op *op,
                                   enum hdi_wake wake)
{
    const struct hdi_held *held;

    switch (op->kind) {
    case HD_EV_MUTEX_TRYLOCK:
    case HD_EV_RWLOCK_TRYLOCK:
    case HD_EV_SPIN_TRYLOCK:
    case HD_EV_SEM_TRYWAIT:
    case HD_EV_READ:
    case HD_EV_ATOMIC_LOAD:
    case HD_EV_OPERATION:
    case HD_EV_ATOMIC_RMW: /* one that fails; else it says so: hdi_touched_memory() */
        return HDP_TOUCH_LOOKS;
    case HD_EV_THREAD_JOIN:
        return waits(op) ? HDP_TOUCH_TAKES : HDP_TOUCH_LOOKS;
    case HD_EV_THREAD_EXIT:
        return HDP_TOUCH_GIVES;
    case HD_EV_MUTEX_LOCK:
    case HD_EV_COND_RELOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_RWLOCK_WRLOCK:
        return wake == HDI_TIMED_OUT ? HDP_TOUCH_LOOKS
               : waits(op)           ? HDP_TOUCH_TAKES
                                     : HDP_TOUCH_CHANGES;
    case HD_EV_RWLOCK_RDLOCK:
        return wake == HDI_TIMED_OUT ? HDP_TOUCH_LOOKS
               : waits(op)           ? HDP_TOUCH_SHARES
                                     : HDP_TOUCH_CHANGES;
    case HD_EV_SEM_WAIT:
        return wake == HDI_TIMED_OUT ? HDP_TOUCH_LOOKS : HDP_TOUCH_CHANGES;
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_RWLOCK_UNLOCK:
        held = hdi_held_find((struct hdi_thread *)t, op->object);
        return !held ? HDP_TOUCH_CHANGES : held->shared ? HDP_TOUCH_UNSHARES : HDP_TOUCH_GIVES;
    case HD_EV_SEM_POST:
        return HDP_TOUCH_ADDS;
    default:
        return HDP_TOUCH_CHANGES;
    }
}

static void touch_of_operation(const struct hdi_thread *t, const struct hdi_op *op,
                               enum hdi_wake wake)
{
    touch(wait_of(t), HDP_TOUCH_CHANGES);
    if (wake == HDI_TIMED_OUT) {
        touch(the_clock, HDP_TOUCH_CHANGES);
        touch(the_deadlines, HDP_TOUCH_CHANGES);
    }
    if (wake == HDI_CANCELLED)
        uncontrolled(HDP_UNCONTROLLED_CANCEL);
    if (wake == HDI_INTERRUPTED)
        uncontrolled(HDP_UNCONTROLLED_SIGNAL);
    if (op->outside && !op->own)
        uncontrolled(HDP_UNCONTROLLED_OUTSIDE);
    switch (op->kind) {
    case HD_EV_YIELD:
        if (!op->granted &&
            !hdi_memory_is_watched()) /* who yields thinks of others: whatever it does next, they may see */
            touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
        return;
    case HD_EV_NONE:
    case HD_EV_THREAD_START:
    case HD_EV_THREAD_CREATE:
    case HD_EV_PREEMPT:
    case HD_EV_RELEASED:
    case HD_EV_LIBRARY:
    case HD_EV_FENCE:
        return;
    case HD_EV_SLEEP:
        touch(the_clock, HDP_TOUCH_LOOKS);
        return;
    case HD_EV_READ:
    case HD_EV_WRITE:
    case HD_EV_ATOMIC_LOAD:
    case HD_EV_ATOMIC_STORE:
    case HD_EV_ATOMIC_RMW:
        touch(word_key((uint64_t)(uintptr_t)op->data), mode_of(t, op, wake));
        return;
    case HD_EV_FREE: /* the rest of the block is touched as it is given back */
        touch(word_key((uint64_t)(uintptr_t)op->data), HDP_TOUCH_CHANGES);
        return;
    case HD_EV_SELECT:
        touch(the_channels, HDP_TOUCH_CHANGES);
        return;
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
    case HD_EV_CHAN_CLOSE:
        touch(the_channels, HDP_TOUCH_LOOKS); /* who selects looks at several, and changes one */
        break;
    case HD_EV_COND_WAIT:
    case HD_EV_BARRIER_WAIT:
    case HD_EV_FUTEX_WAIT:
        if (op->granted && wake == HDI_READY)
            return;
        break;
    case HD_EV_FD_WAIT:
    case HD_EV_SIGNAL_WAIT:
    case HD_EV_TIMER_SET:
    case HD_EV_CHILD_WAIT:
    case HD_EV_EXTERNAL:
        touch(the_kernel, HDP_TOUCH_CHANGES);
        break;
    case HD_EV_THREAD_KILL:
        uncontrolled(HDP_UNCONTROLLED_SIGNAL);
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
        return;
    case HD_EV_THREAD_CANCEL:
    case HD_EV_EXIT:
    case HD_EV_LEAK_CHECK:
    case HD_EV_HD_CONTEXT:
    case HD_EV_HD_TIMER:
    case HD_EV_HD_OTHER:
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
        return;
    default:
        break;
    }
    if (op->object)
        touch(object_key(op->object), mode_of(t, op, wake));
    else if (op->kind != HD_EV_FD_WAIT)
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
}

/* The operation's own touch says it more exactly. */
static bool is_told(const struct hdi_op *op, const struct hdi_object *o)
{
    switch (op->kind) {
    case HD_EV_SEM_POST:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_RWLOCK_UNLOCK:
    case HD_EV_MUTEX_LOCK:
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_COND_RELOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_THREAD_EXIT:
        return op->object == o;
    default:
        return false;
    }
}

void rt_explore_changed(const struct hdi_object *o)
{
    if (!rt.exploring || !rt.current || is_told(&rt.current->last, o))
        return;
    touch(object_key(o), rt.current->last.kind == HD_EV_COND_WAIT && o->kind == HD_OB_MUTEX
                             ? HDP_TOUCH_GIVES
                             : HDP_TOUCH_CHANGES);
}

void hdi_touched(const struct hdi_object *o)
{
    if (rt.exploring && rt.current)
        touch(object_key(o), HDP_TOUCH_CHANGES);
}

void hdi_touched_moment(void)
{
    if (rt.exploring && rt.current)
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
}

void hdi_touched_plans(const struct hdi_object *o)
{
    if (rt.exploring && rt.current)
        touch(plans_key(o), HDP_TOUCH_LOOKS);
}

void rt_explore_published(const struct hdi_op *op)
{
    if (rt.exploring && op->kind == HD_EV_HD_WAITGROUP_ADD && op->object)
        touch(plans_key(op->object), HDP_TOUCH_ADDS);
}

void hdi_touched_end(const struct hdi_object *o)
{
    if (rt.exploring && rt.current)
        touch(object_key(o), HDP_TOUCH_ADDS);
}

void hdi_touched_clock(void)
{
    if (rt.exploring && rt.current)
        touch(the_clock, HDP_TOUCH_LOOKS);
}

void hdi_touched_files(void)
{
    if (rt.live_count > 1)
        uncontrolled(HDP_UNCONTROLLED_FILES);
}

void hdi_touched_block(uintptr_t addr, size_t bytes)
{
    enum { STEP = 256, MOST = 4096 };

    if (!rt.exploring)
        return;
    if (bytes >= MOST)
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
    for (size_t at = 0; bytes < MOST && at < bytes; at += STEP)
        hdi_touched_memory(addr + at, bytes - at < STEP ? bytes - at : STEP, true);
}

void hdi_touched_memory(uintptr_t addr, size_t bytes, bool write)
{
    enum { WORDS = 64 };

    if (!rt.exploring)
        return;
    uintptr_t first = addr >> 2, words = bytes ? ((addr + bytes - 1) >> 2) - first + 1 : 0;
    if (words > WORDS)
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
    for (uintptr_t i = 0; i < words && words <= WORDS; i++)
        touch(word_key((first + i) << 2), write ? HDP_TOUCH_CHANGES : HDP_TOUCH_LOOKS);
}

void rt_explore_handled(void)
{
    uncontrolled(HDP_UNCONTROLLED_SIGNAL);
}

void rt_explore_got_on(void)
{
    if (rt.exploring && rt.current && rt.current->last.kind == HD_EV_ATOMIC_RMW)
        wake_spinners(rt.current, word_key((uint64_t)(uintptr_t)rt.current->last.data));
    if (rt.exploring && spinner_of(rt.current))
        spinner_of(rt.current)->changes++;
}

void rt_explore_affects(const struct hdi_thread *t, bool enables)
{
    if (t != rt.current)
        touch(wait_of(t), enables ? HDP_TOUCH_ENABLES : HDP_TOUCH_AFFECTS);
}

void rt_explore_clock(bool by_itself)
{
    if (by_itself)
        time_passed = true;
    else
        touch(the_clock, HDP_TOUCH_CHANGES);
}

/* Only the next timed wait can run out: another one may be that now. */
void rt_explore_deadlines(const struct hdi_thread *before)
{
    const struct hdi_thread *now = rt_earliest();

    if (!rt.exploring)
        return;
    touch(the_deadlines, HDP_TOUCH_ADDS);
    if (now == before)
        return;
    if (now)
        rt_explore_affects(now, false);
    if (before && before->turn.deadline_at)
        rt_explore_affects(before, false);
}

/* ---- decisions ---- */

/* Those that sleep are woken by what the last step touched. */
static void wake_sleepers(void)
{
    struct hdp_explore *x = record();

    for (uint32_t i = 0; i < x->sleepers; i++)
        if (!awake[i])
            awake[i] =
                hdp_touches(&x->slept[x->sleeper[i].touch], x->sleeper[i].touches,
                            &x->touch[awake_before], x->touches - awake_before, hdp_modes_depend);
    awake_before = x->touches;
}

static bool sleeps(const struct hdi_thread *t)
{
    struct hdp_explore *x = record();

    for (uint32_t i = 0; i < x->sleepers; i++)
        if (!awake[i] && x->sleeper[i].thread == t->hash)
            return true;
    return false;
}

/* It begins, makes, joins or ends a thread. */
static bool is_own_affair(const struct hdi_thread *t)
{
    switch (t->op->kind) {
    case HD_EV_THREAD_START:
    case HD_EV_THREAD_CREATE:
        return true;
    case HD_EV_THREAD_JOIN:
        return waits(t->op) && t->enabled;
    case HD_EV_THREAD_EXIT:
        return t->locks.count == 0;
    default:
        return false;
    }
}

static bool is_to_come(const struct hdi_thread *t)
{
    return t->op->until_ns > rt.now_ns && !rt_set_has(&rt.runnable, t->index);
}

static bool may_run_out(const struct hdi_thread *t)
{
    return (t->op->elastic || (rt.config.flags & HDP_ELASTIC_SLEEP)) &&
           t->op->until_ns - rt.now_ns < rt.config.patience_ns;
}

/* The next timed waits may run out, although others can run; a sleep when nobody can. They come behind the first
 * n of e. */
static uint32_t with_early(struct hdi_thread **e, uint32_t n)
{
    int64_t next = INT64_MAX;
    bool sleeps = false;
    uint32_t others = n;

    for (uint32_t i = 0; i < rt.deadlines; i++)
        if (is_to_come(rt.deadline[i]) && rt.deadline[i]->op->until_ns < next)
            next = rt.deadline[i]->op->until_ns;
    for (uint32_t i = 0; i < rt.deadlines; i++) {
        struct hdi_thread *t = rt.deadline[i];
        if (is_to_come(t) && t->op->until_ns == next && may_run_out(t))
            e[n++] = t;
        sleeps |= is_to_come(t) && t->op->until_ns == next && !may_run_out(t);
    }
    for (uint32_t i = 0; sleeps && others && i < rt.deadlines; i++)
        if (is_to_come(rt.deadline[i]) && rt.deadline[i]->op->until_ns > next &&
            may_run_out(rt.deadline[i])) /* it could, were the sleep over */
            uncontrolled(HDP_UNCONTROLLED_SLEEP);
    return n;
}

static struct hdi_thread *astray(void)
{
    rt_explore_end(HDP_EXPLORED_ASTRAY);
    return NULL;
}

static struct hdi_thread *ordered_thread(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t wanted = record()->order[ordered++].thread;

    for (uint32_t i = 0; i < n; i++)
        if (wanted && e[i]->hash == wanted)
            return e[i];
    return astray();
}

static void note_decision(struct hdi_thread *const *e, uint32_t n, const struct hdi_thread *t)
{
    struct hdp_explore *x = record();

    if (x->steps == HDP_EXPLORED_STEPS || x->runnables + n > HDP_RUNNABLES) {
        rt_explore_end(HDP_EXPLORED_FULL);
        return;
    }
    x->step[x->steps++] =
        (struct hdp_explored_step){.thread = t->hash,
                                   .flags = (time_passed ? HDP_EXPLORED_TIME_PASSED : 0) |
                                            (is_own_affair(t) ? HDP_EXPLORED_OWN : 0),
                                   .kind = (uint16_t)t->op->kind,
                                   .touch = x->touches,
                                   .runnable = x->runnables,
                                   .runnables = n};
    time_passed = false;
    for (uint32_t i = 0; i < n; i++)
        x->runnable[x->runnables++] = e[i]->hash;
}

/* Without orders the one that has the turn keeps it, unless it only tries again, or goes on and on. */
static bool is_better(const struct hdi_thread *a, const struct hdi_thread *b, bool a_early,
                      bool b_early)
{
    bool yields = a->op->kind == HD_EV_YIELD, other_yields = b->op->kind == HD_EV_YIELD;

    if (a_early != b_early)
        return b_early;
    if (record()->own_first && is_own_affair(a) != is_own_affair(b))
        return is_own_affair(a);
    if (yields && other_yields && a->index < SPINNERS && b->index < SPINNERS)
        return spinner[a->index].chosen_at < spinner[b->index].chosen_at;
    return yields != other_yields ? other_yields
           : alone < MOST_ALONE   ? a == rt.current
                                  : b == rt.current;
}

bool rt_explore_next(struct hdi_thread **e, uint32_t n, struct hdi_thread **next, bool *early)
{
    struct hdi_thread *t = NULL;
    uint32_t in_time = n, chosen = 0;

    if (hdi_timer_next())
        uncontrolled(HDP_UNCONTROLLED_TIMER);
    n = with_early(e, n);
    if (!n)
        return let_spinners_go();
    if (record()->most_steps && steps_made++ == record()->most_steps) {
        rt_explore_end(HDP_EXPLORED_BOUND);
        rt_finish(HDP_CUT);
    }
    if (ordered < record()->orders) {
        t = ordered_thread(e, n);
        awake_before = record()->touches; /* the last order's step is the first that may wake */
    } else {
        wake_sleepers();
        for (uint32_t i = 0; i < n; i++)
            if (!sleeps(e[i]) && (!t || is_better(e[i], t, i >= in_time, chosen >= in_time))) {
                t = e[i];
                chosen = i;
            }
        if (!t) {
            rt_explore_end(HDP_EXPLORED_REDUNDANT);
            rt_finish(HDP_CUT);
        }
    }
    if (!t)
        return true; /* it is over, and the rest is chance */
    note_decision(e, n, t);
    alone = t == rt.current && alone <= MOST_ALONE ? alone + 1 : 0;
    *next = t;
    *early = !rt_set_has(&rt.runnable, t->index);
    return true;
}

void rt_explore_step(const struct hdi_thread *t, enum hdi_wake wake)
{
    struct spinner *s = spinner_of(t);

    if (!rt.exploring)
        return;
    if (s)
        s->chosen_at = record()->steps;
    /* What it writes is not seen. Behind a yield it may come back to where it was. */
    if (s && !hdi_memory_is_watched() && t->last.kind == HD_EV_YIELD)
        s->may_have_done = true;
    else if (!hdi_memory_is_watched())
        wake_spinners(t, HDP_EVERYTHING);
    touch_of_operation(t, &t->last, wake);
    /* What is looked at behind each step makes an order of all steps, and keeps no thread from waiting. */
    if (hdi_always_standing)
        note_touch(word_key((uintptr_t)&hdi_always_standing), HDP_TOUCH_CHANGES);
}

uint32_t rt_explore_choice(uint32_t n)
{
    struct hdp_explore *x = record();
    uint32_t value = 0;

    if (!noting)
        return 0;
    if (ordered < x->orders) {
        value = x->order[ordered].choice;
        if (x->order[ordered++].thread || value >= n) {
            astray();
            return 0;
        }
    }
    if (x->steps == HDP_EXPLORED_STEPS) {
        rt_explore_end(HDP_EXPLORED_FULL);
        return value;
    }
    x->step[x->steps++] = (struct hdp_explored_step){.thread = rt.current ? rt.current->hash : 0,
                                                     .flags = HDP_EXPLORED_CHOICE,
                                                     .choice = value,
                                                     .options = n,
                                                     .touch = x->touches};
    return value;
}

/* ---- the end ---- */

/* What its operation would touch is found as for a step, and is not the last step's. */
static void note_left(const struct hdi_thread *t)
{
    struct hdp_explore *x = record();
    struct hdp_explored_step *last = &x->step[x->steps - 1], kept = *last;

    last->touch = x->touches;
    last->touches = 0;
    if (t->op)
        touch_of_operation(t, t->op, HDI_READY);
    if (t->op && t->op->kind >= HD_EV_READ && t->op->kind <= HD_EV_ATOMIC_RMW)
        hdi_touched_memory((uintptr_t)t->op->data, MOST_BYTES, true);
    if (!t->op || t->op->kind == HD_EV_FREE) /* how large it is is not known */
        touch(HDP_EVERYTHING, HDP_TOUCH_CHANGES);
    x->left_thread[x->left++] =
        (struct hdp_explored_thread){.thread = t->hash,
                                     .can_run = !t->op || t->enabled || rt_has_deadline(t->op),
                                     .touch = last->touch,
                                     .touches = last->touches};
    *last = kept;
}

void rt_explore_end(enum hdp_explored_end end)
{
    struct hdp_explore *x = record();
    uint32_t n;
    struct hdi_thread **live;

    if (!rt.exploring)
        return;
    memset(spinner, 0, sizeof spinner);
    if (end != HDP_EXPLORED_ASTRAY && end != HDP_EXPLORED_FULL) {
        live = hdi_live(&n);
        for (uint32_t i = 0; i < n && x->steps && x->left < HDP_SLEEPERS; i++)
            note_left(live[i]);
        if (n > HDP_SLEEPERS)
            end = HDP_EXPLORED_FULL;
    }
    x->end = end;
    noting = rt.exploring = false;
    live = hdi_live(&n);
    for (uint32_t i = 0; i < n; i++)
        if (live[i]->op && live[i]->op->kind == HD_EV_YIELD)
            hdi_reconsider(live[i]);
    rt.idle_ops = 0; /* that one thread was kept trying is our doing */
}
