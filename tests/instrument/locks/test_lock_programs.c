/* test_lock_programs.c - generated lock programs: does the graph, from one run that went well, say
 * what all runs can do?
 *
 * A program is main, which makes the other threads in its course and waits for them at its end, and
 * for each thread a list of locks taken and released, up to three nested; locks are mutexes,
 * rwlocks (that prefer readers, or writers), or semaphores that begin with 1. It has no branches:
 * so whether it can deadlock is decided here by going through every state that it can reach. The
 * graph is shown one complete run at random. A deadlock that no run avoids has no such run: those
 * programs are left to the deadlock detector and counted apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "locks/lockgraph.h"

enum { THREADS = 4, LOCKS = 4, OPS = 48, PROGRAMS = 2000 };
enum kind { TAKE, READ, RELEASE, MAKE, JOIN };
enum variant {
    GATE = 1,
    READERS = 2,
    WRITERS_FIRST = 4, /* readers wait behind a writer that waits */
    SEMAPHORES = 8,    /* every second lock is one */
    SIGNALS = 16,      /* ... and the last is also posted by who did not take it */
};

struct op {
    uint8_t kind, arg;
};

struct program {
    uint32_t threads, locks, variant;
    struct op op[THREADS][OPS];
    uint8_t ops[THREADS];
};

struct state {
    uint8_t pc[THREADS];
    bool made[THREADS];
    bool arrived[THREADS]; /* a writer that waits, and keeps readers out */
};

static uint64_t rng;

static uint32_t below(uint32_t n)
{
    rng = rng * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(rng >> 33) % n;
}

static void add(struct program *p, uint32_t t, enum kind kind, uint32_t arg)
{
    p->op[t][p->ops[t]++] = (struct op){(uint8_t)kind, (uint8_t)arg};
}

static bool is_semaphore(const struct program *p, uint32_t lock)
{
    return p->variant & SEMAPHORES && lock % 2;
}

/* One block: up to three locks, properly nested or released in any order. */
static void add_block(struct program *p, uint32_t t)
{
    uint32_t lock[LOCKS], n = 1 + below(3);
    for (uint32_t i = 0; i < p->locks; i++)
        lock[i] = i;
    for (uint32_t i = 0; i < p->locks; i++) {
        uint32_t k = i + below(p->locks - i), other = lock[i];
        lock[i] = lock[k];
        lock[k] = other;
    }
    if (p->variant & GATE && below(3)) /* lock 0 before all others */
        for (uint32_t i = 0; i < p->locks; i++)
            if (lock[i] == 0) {
                lock[i] = lock[0];
                lock[0] = 0;
            }
    n = n < p->locks ? n : p->locks;
    for (uint32_t i = 0; i < n; i++)
        add(p, t, p->variant & READERS && below(2) ? READ : TAKE, lock[i]);
    while (n) {
        uint32_t i = below(3) ? n - 1 : below(n);
        add(p, t, RELEASE, lock[i]);
        memmove(&lock[i], &lock[i + 1], (--n - i) * sizeof *lock);
    }
}

static void generate(struct program *p, uint32_t variant)
{
    memset(p, 0, sizeof *p);
    p->variant = variant;
    p->threads = 2 + below(THREADS - 1);
    p->locks = 2 + below(LOCKS - 1);
    for (uint32_t t = 1; t < p->threads; t++)
        for (uint32_t i = 1 + below(2); i; i--)
            add_block(p, t);
    uint32_t joined = 1;
    for (uint32_t t = 1; t < p->threads; t++) {
        if (below(4) == 0)
            add_block(p, 0);
        if (t > joined && below(4) == 0)
            add(p, 0, JOIN, joined++);
        add(p, 0, MAKE, t);
    }
    if (below(2))
        add_block(p, 0);
    uint32_t last = (p->locks - 1) | 1;
    if (variant & SIGNALS && last < p->locks)
        add(p, below(p->threads), RELEASE, last);
    while (joined < p->threads)
        add(p, 0, JOIN, joined++);
}

/* What is held in state s: for writing (a semaphore: its value is 0), by how many readers, and is a
 * writer waiting? */
struct held {
    bool writer[LOCKS], waiting[LOCKS];
    uint8_t readers[LOCKS];
};

static void holders(const struct program *p, const struct state *s, struct held *h)
{
    int value[LOCKS];
    *h = (struct held){0};
    for (uint32_t i = 0; i < LOCKS; i++)
        value[i] = 1;
    for (uint32_t t = 0; t < p->threads; t++) {
        bool reads[LOCKS] = {false};
        for (uint32_t i = 0; i < s->pc[t]; i++) {
            struct op o = p->op[t][i];
            if (o.kind > RELEASE)
                continue;
            if (o.kind == READ || (o.kind == RELEASE && reads[o.arg]))
                reads[o.arg] = o.kind == READ;
            else
                value[o.arg] += o.kind == RELEASE ? 1 : -1;
        }
        for (uint32_t i = 0; i < LOCKS; i++)
            h->readers[i] = (uint8_t)(h->readers[i] + reads[i]);
        if (s->arrived[t])
            h->waiting[p->op[t][s->pc[t]].arg] = true;
    }
    for (uint32_t i = 0; i < LOCKS; i++)
        h->writer[i] = value[i] < 1;
}

static bool over(const struct program *p, const struct state *s)
{
    for (uint32_t t = 0; t < p->threads; t++)
        if (s->pc[t] < p->ops[t])
            return false;
    return true;
}

static uint32_t enabled(const struct program *p, const struct state *s, uint32_t *list)
{
    struct held h;
    uint32_t n = 0;
    holders(p, s, &h);
    for (uint32_t t = 0; t < p->threads; t++) {
        if ((t && !s->made[t]) || s->pc[t] == p->ops[t])
            continue;
        struct op o = p->op[t][s->pc[t]];
        bool free = (o.kind == TAKE || o.kind == READ) && !h.writer[o.arg];
        bool can = o.kind == TAKE ? (free && !h.readers[o.arg]) ||
                                        (p->variant & WRITERS_FIRST && !s->arrived[t])
                   : o.kind == READ ? free && !h.waiting[o.arg]
                   : o.kind == JOIN ? s->pc[o.arg] == p->ops[o.arg]
                                    : true;
        if (can)
            list[n++] = t;
    }
    return n;
}

static void step(const struct program *p, struct state *s, uint32_t t)
{
    struct op o = p->op[t][s->pc[t]];
    struct held h;
    if (o.kind == TAKE && p->variant & WRITERS_FIRST && !s->arrived[t]) {
        holders(p, s, &h);
        s->arrived[t] = h.writer[o.arg] || h.readers[o.arg];
        if (s->arrived[t])
            return;
    }
    s->arrived[t] = false;
    s->pc[t]++;
    if (o.kind == MAKE)
        s->made[o.arg] = true;
}

/* ---- the truth: every state ---- */

struct seen {
    uint32_t *slot;
    uint32_t mask, count;
};

static bool seen_before(struct seen *v, const struct state *s)
{
    uint32_t key = 1;
    for (uint32_t t = 0; t < THREADS; t++)
        key = key * 64 + s->pc[t];
    for (uint32_t t = 0; t < THREADS; t++)
        key = key * 2 + s->arrived[t]; /* never 0: begins with a 1 */
    uint32_t i = (key * 2654435761u) & v->mask;
    while (v->slot[i]) {
        if (v->slot[i] == key)
            return true;
        i = (i + 1) & v->mask;
    }
    v->slot[i] = key;
    assert_true(++v->count < v->mask / 2);
    return false;
}

static bool can_deadlock(const struct program *p, const struct state *s, struct seen *v)
{
    uint32_t list[THREADS], n = enabled(p, s, list);
    if (n == 0)
        return !over(p, s);
    for (uint32_t i = 0; i < n; i++) {
        struct state next = *s;
        step(p, &next, list[i]);
        if (!seen_before(v, &next) && can_deadlock(p, &next, v))
            return true;
    }
    return false;
}

/* ---- the graph's verdict, from one run ---- */

struct run {
    uint8_t thread[2 * THREADS * OPS];
    uint32_t length;
};

static bool run_at_random(const struct program *p, struct run *r)
{
    struct state s = {0};
    uint32_t list[THREADS], n;
    r->length = 0;
    while ((n = enabled(p, &s, list))) {
        uint32_t t = list[below(n)];
        r->thread[r->length++] = (uint8_t)t;
        step(p, &s, t);
    }
    return over(p, &s);
}

static void count_ring(const struct hdi_lock_ring *ring, void *data)
{
    (void)ring;
    ++*(uint32_t *)data;
}

static bool predicted(const struct program *p, const struct run *r)
{
    static char lock[LOCKS];
    uint32_t rings = 0;
    struct hdi_lock_calls calls = {.found = count_ring, .data = &rings};
    struct hdi_lockgraph *g = hdi_lockgraph_new(&calls);
    struct hdi_lock_thread *t[THREADS] = {hdi_lock_thread_made(g, NULL, NULL)};
    struct state s = {0};
    for (uint32_t i = 0; i < p->locks; i++) {
        if (is_semaphore(p, i))
            hdi_lock_traits(g, &lock[i], HDI_LOCK_COUNTED);
        else if (p->variant & WRITERS_FIRST)
            hdi_lock_traits(g, &lock[i], HDI_LOCK_WRITER_FIRST);
    }
    for (uint32_t i = 0; i < r->length; i++) {
        uint32_t who = r->thread[i], at = s.pc[who];
        struct op o = p->op[who][at];
        step(p, &s, who);
        if (s.arrived[who])
            continue;
        uint64_t site = 0x1000 + who * 0x100 + at;
        switch ((enum kind)o.kind) {
        case TAKE:
        case READ:
            hdi_lock_acquired(t[who], &lock[o.arg],
                              o.kind == READ               ? HDI_LOCK_SHARED
                              : p->variant & WRITERS_FIRST ? HDI_LOCK_ALONE
                                                           : HDI_LOCK_EXCLUSIVE,
                              site);
            break;
        case RELEASE:
            assert_true(hdi_lock_released(t[who], &lock[o.arg]) || p->variant & SIGNALS);
            break;
        case MAKE:
            t[o.arg] = hdi_lock_thread_made(g, t[who], NULL);
            break;
        case JOIN:
            hdi_lock_thread_ended(t[o.arg]);
            hdi_lock_thread_joined(t[o.arg], t[who]);
            break;
        }
    }
    hdi_lockgraph_finish(g);
    hdi_lockgraph_delete(g);
    return rings != 0;
}

/* ---- the comparison ---- */

struct tally {
    uint32_t programs, deadlocks, found, missed, clean, false_alarms, always;
};

static struct tally compare(const char *name, uint64_t seed, uint32_t variant)
{
    struct tally tally = {0}, *a = &tally;
    rng = seed;
    struct seen v = {.mask = (1u << 18) - 1};
    v.slot = calloc(v.mask + 1, sizeof *v.slot);
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        struct program p;
        struct state start = {0};
        struct run r;
        bool went_well = false;
        generate(&p, variant);
        a->programs++;
        memset(v.slot, 0, (v.mask + 1) * sizeof *v.slot);
        v.count = 0;
        bool deadlock = can_deadlock(&p, &start, &v);
        for (uint32_t tries = 0; tries < 1000 && !went_well; tries++)
            went_well = run_at_random(&p, &r);
        if (!went_well) {
            assert_true(deadlock);
            a->always++;
            continue;
        }
        bool said = predicted(&p, &r);
        a->deadlocks += deadlock;
        a->clean += !deadlock;
        a->found += deadlock && said;
        a->missed += deadlock && !said;
        a->false_alarms += !deadlock && said;
    }
    free(v.slot);
    print_message(
        "  %-28s %5u programs: %4u can deadlock, %4u found, %u missed; %4u cannot, %u false "
        "alarms; %u left out\n",
        name, a->programs, a->deadlocks, a->found, a->missed, a->clean, a->false_alarms, a->always);
    return tally;
}

static void exact(const char *name, uint64_t seed, uint32_t variant)
{
    struct tally a = compare(name, seed, variant);
    assert_true(a.deadlocks > 100 && a.clean > 300);
    assert_int_equal(a.missed, 0);
    assert_int_equal(a.false_alarms, 0);
}

static void plain_locks(void **state)
{
    (void)state;
    exact("locks", 1, 0);
}

static void common_gate(void **state)
{
    (void)state;
    exact("common gate", 3, GATE);
}

static void with_readers(void **state)
{
    (void)state;
    exact("with readers", 2, READERS);
    exact("with readers, gate", 4, READERS | GATE);
}

static void writers_first(void **state)
{
    (void)state;
    exact("writers first", 5, READERS | WRITERS_FIRST);
    exact("writers first, gate", 6, READERS | WRITERS_FIRST | GATE);
}

static void semaphores(void **state)
{
    (void)state;
    exact("semaphores", 7, SEMAPHORES);
    exact("semaphores, gate", 8, SEMAPHORES | GATE);
}

/* Holding such a semaphore excludes nobody, so the graph lets go of it: what is then missed and
 * said wrongly is counted. */
static void semaphores_that_signal(void **state)
{
    (void)state;
    struct tally a = compare("semaphores that signal", 9, SEMAPHORES | SIGNALS);
    assert_true(a.deadlocks > 100 && a.clean > 300);
    assert_int_equal(a.false_alarms, 0);
    assert_true(a.found > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_locks),  cmocka_unit_test(common_gate),
        cmocka_unit_test(with_readers), cmocka_unit_test(writers_first),
        cmocka_unit_test(semaphores),   cmocka_unit_test(semaphores_that_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
