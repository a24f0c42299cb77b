/* test_lock_programs.c - generated lock programs: does the graph, from one run that went well, say
 * what all runs can do?
 *
 * A program is main, which makes the other threads in its course and waits for them at its end, and
 * for each thread a list of locks taken and released, up to three nested. It has no branches: so
 * whether it can deadlock is decided here by going through every state that it can reach. The graph
 * is shown one complete run at random. A deadlock that no run avoids has no such run: those
 * programs are left to the deadlock detector and counted apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../instrument/lockgraph.h"

enum { THREADS = 4, LOCKS = 4, OPS = 48, PROGRAMS = 2000 };
enum kind { TAKE, READ, RELEASE, MAKE, JOIN };

struct op {
    uint8_t kind, arg;
};

struct program {
    uint32_t threads, locks;
    struct op op[THREADS][OPS];
    uint8_t ops[THREADS];
};

struct state {
    uint8_t pc[THREADS];
    bool made[THREADS];
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

/* One block: up to three locks, properly nested or released in any order. */
static void add_block(struct program *p, uint32_t t, bool gate, bool readers)
{
    uint32_t lock[LOCKS], n = 1 + below(3);
    for (uint32_t i = 0; i < p->locks; i++)
        lock[i] = i;
    for (uint32_t i = 0; i < p->locks; i++) {
        uint32_t k = i + below(p->locks - i), other = lock[i];
        lock[i] = lock[k];
        lock[k] = other;
    }
    if (gate && below(3)) /* lock 0 before all others */
        for (uint32_t i = 0; i < p->locks; i++)
            if (lock[i] == 0) {
                lock[i] = lock[0];
                lock[0] = 0;
            }
    n = n < p->locks ? n : p->locks;
    for (uint32_t i = 0; i < n; i++)
        add(p, t, readers && below(2) ? READ : TAKE, lock[i]);
    while (n) {
        uint32_t i = below(3) ? n - 1 : below(n);
        add(p, t, RELEASE, lock[i]);
        memmove(&lock[i], &lock[i + 1], (--n - i) * sizeof *lock);
    }
}

static void generate(struct program *p, bool gate, bool readers)
{
    memset(p, 0, sizeof *p);
    p->threads = 2 + below(THREADS - 1);
    p->locks = 2 + below(LOCKS - 1);
    for (uint32_t t = 1; t < p->threads; t++)
        for (uint32_t i = 1 + below(2); i; i--)
            add_block(p, t, gate, readers);
    uint32_t joined = 1;
    for (uint32_t t = 1; t < p->threads; t++) {
        if (below(4) == 0)
            add_block(p, 0, gate, readers);
        if (t > joined && below(4) == 0)
            add(p, 0, JOIN, joined++);
        add(p, 0, MAKE, t);
    }
    if (below(2))
        add_block(p, 0, gate, readers);
    while (joined < p->threads)
        add(p, 0, JOIN, joined++);
}

/* What is held in state s: for writing, and by how many readers. */
static void holders(const struct program *p, const struct state *s, bool *writer, uint8_t *readers)
{
    memset(writer, 0, LOCKS * sizeof *writer);
    memset(readers, 0, LOCKS);
    for (uint32_t t = 0; t < p->threads; t++) {
        enum { NOTHING, WRITES, READS } has[LOCKS] = {NOTHING};
        for (uint32_t i = 0; i < s->pc[t]; i++) {
            struct op o = p->op[t][i];
            if (o.kind <= RELEASE)
                has[o.arg] = o.kind == TAKE ? WRITES : o.kind == READ ? READS : NOTHING;
        }
        for (uint32_t i = 0; i < LOCKS; i++) {
            if (has[i] == WRITES)
                writer[i] = true;
            if (has[i] == READS)
                readers[i]++;
        }
    }
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
    bool writer[LOCKS];
    uint8_t readers[LOCKS];
    uint32_t n = 0;
    holders(p, s, writer, readers);
    for (uint32_t t = 0; t < p->threads; t++) {
        if ((t && !s->made[t]) || s->pc[t] == p->ops[t])
            continue;
        struct op o = p->op[t][s->pc[t]];
        bool can = o.kind == TAKE   ? !writer[o.arg] && !readers[o.arg]
                   : o.kind == READ ? !writer[o.arg]
                   : o.kind == JOIN ? s->pc[o.arg] == p->ops[o.arg]
                                    : true;
        if (can)
            list[n++] = t;
    }
    return n;
}

static void step(const struct program *p, struct state *s, uint32_t t)
{
    struct op o = p->op[t][s->pc[t]++];
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
    key++; /* never 0 */
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
    uint8_t thread[THREADS * OPS];
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
    uint8_t pc[THREADS] = {0};
    for (uint32_t i = 0; i < r->length; i++) {
        uint32_t who = r->thread[i], at = pc[who]++;
        struct op o = p->op[who][at];
        uint64_t site = 0x1000 + who * 0x100 + at;
        switch ((enum kind)o.kind) {
        case TAKE:
        case READ:
            hdi_lock_acquired(t[who], &lock[o.arg],
                              o.kind == READ ? HDI_LOCK_SHARED : HDI_LOCK_EXCLUSIVE, site);
            break;
        case RELEASE:
            assert_true(hdi_lock_released(t[who], &lock[o.arg]));
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

static void compare(struct tally *a, bool gate, bool readers)
{
    struct seen v = {.mask = (1u << 18) - 1};
    v.slot = calloc(v.mask + 1, sizeof *v.slot);
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        struct program p;
        struct state start = {0};
        struct run r;
        bool went_well = false;
        generate(&p, gate, readers);
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
        gate      ? "common gate"
        : readers ? "with readers"
                  : "locks",
        a->programs, a->deadlocks, a->found, a->missed, a->clean, a->false_alarms, a->always);
}

static void plain_locks(void **state)
{
    (void)state;
    struct tally a = {0};
    rng = 1;
    compare(&a, false, false);
    assert_true(a.deadlocks > 300 && a.clean > 300);
    assert_int_equal(a.missed, 0);
}

static void with_readers(void **state)
{
    (void)state;
    struct tally a = {0};
    rng = 2;
    compare(&a, false, true);
    assert_true(a.deadlocks > 100 && a.clean > 300);
    assert_int_equal(a.missed, 0);
}

static void common_gate(void **state)
{
    (void)state;
    struct tally a = {0};
    rng = 3;
    compare(&a, true, false);
    assert_int_equal(a.missed, 0);
    assert_true(a.deadlocks > 100 && a.clean > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_locks),
        cmocka_unit_test(with_readers),
        cmocka_unit_test(common_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
