/* test_lock_classes.c - a hundred thousand locks: memory stays bounded, and what is said stays
 * exact. HEDDLE_LOCKS=N takes N locks instead.
 *
 * All locks have one class, and most chains are folded by the time that they matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "locks/lockgraph.h"

enum { CLASS = 0x100, OUTER = 0x200, INNER = 0x204, GATE = 0x208 };

struct world {
    struct hdi_lockgraph *g;
    struct hdi_lock_thread *main, *a, *b;
    uint64_t rings;
    struct hdi_lock_ring last;
    uint64_t *lock; /* N of them */
};

static uint32_t locks = 100000;
static uint64_t gate, writes;

static void found(const struct hdi_lock_ring *ring, void *data)
{
    struct world *w = data;
    w->rings++;
    w->last = *ring;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct hdi_lock_calls calls = {.found = found, .data = w};
    w->lock = calloc(locks + 1, sizeof *w->lock);
    w->g = hdi_lockgraph_new(&calls);
    w->main = hdi_lock_thread_made(w->g, NULL, NULL);
    w->a = hdi_lock_thread_made(w->g, w->main, w);
    w->b = hdi_lock_thread_made(w->g, w->main, w);
    for (uint32_t i = 0; i < locks; i++)
        hdi_lock_made(w->g, &w->lock[i], CLASS);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    hdi_lockgraph_delete(w->g);
    free(w->lock);
    free(w);
    return 0;
}

static void pair(struct hdi_lock_thread *t, const void *outer, const void *inner)
{
    hdi_lock_acquired(t, outer, 0, OUTER);
    hdi_lock_acquired(t, inner, 0, INNER);
    hdi_lock_released(t, inner);
    hdi_lock_released(t, outer);
}

static struct hdi_lock_stats stats_of(struct world *w)
{
    struct hdi_lock_stats s;
    hdi_lockgraph_stats(w->g, &s);
    return s;
}

/* One ring: at once when nothing was forgotten, as is the case with a hundred thousand locks.
 * Beyond, none may be given, and the graph says that it lost something. */
static void assert_one_ring(struct world *w)
{
    bool lost = stats_of(w).forgotten != 0;
    assert_true(w->rings == 1 || (lost && w->rings == 0));
    assert_true(!lost || locks > 100000);
}

/* What the tables may hold at most, and not more for a million locks than for a hundred thousand:
 * chains, each with a label, a lock and a link; dependencies folded, and their index; births. */
static void assert_bounded(struct world *w, const char *what)
{
    struct hdi_lock_stats s = stats_of(w);
    uint64_t bound =
        2ull * HDI_LOCK_EXACT * (s.chain_bytes + s.label_bytes + s.lock_bytes + s.link_bytes) +
        HDI_LOCK_GHOSTS * 72ull + HDI_LOCK_BIRTHS * 16ull + (16u << 20);
    print_message("%-22s %u locks: %.1f MB (bound %.0f), %llu chains, %llu folded, %llu "
                  "called back, %llu classes, %llu forgotten, %llu cut\n",
                  what, locks, (double)s.bytes / 1e6, (double)bound / 1e6,
                  (unsigned long long)s.chains, (unsigned long long)s.folded,
                  (unsigned long long)s.called_back, (unsigned long long)s.classes,
                  (unsigned long long)s.forgotten, (unsigned long long)s.cut);
    assert_true(s.bytes <= bound);
    assert_true(s.chains <= HDI_LOCK_EXACT + 16);
    assert_int_equal(s.skipped, 0);
}

/* Everybody takes two of one class in address order: right code, twice. */
static void in_address_order(void **state)
{
    struct world *w = *state;
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i + 1 < locks; i++)
            pair(turn ? w->a : w->b, &w->lock[i], &w->lock[i + 1]);
    assert_int_equal(w->rings, 0);
    assert_bounded(w, "in address order");
    assert_int_equal(stats_of(w).cut, 0);
    assert_true(locks > 100000 || stats_of(w).forgotten == 0);
}

/* ... and then one thread takes two of them the other way round. */
static void one_inversion(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i + 1 < locks; i++)
        pair(w->a, &w->lock[i], &w->lock[i + 1]);
    assert_true(stats_of(w).folded > locks / 4);
    pair(w->b, &w->lock[78], &w->lock[77]);
    assert_one_ring(w);
    for (uint32_t i = 0; i < 2 && w->rings; i++)
        assert_true(w->last.edge[i].held == &w->lock[77] || w->last.edge[i].held == &w->lock[78]);
    assert_true(!w->rings || w->last.edge[0].held != w->last.edge[1].held);
    assert_bounded(w, "one inversion");
}

/* A heap of locks whose children lie anywhere: the class is a ring, no two locks are. */
static void a_class_ring_alone(void **state)
{
    struct world *w = *state;
    uint32_t step = 7919; /* prime, and no factor of the number of locks */
    for (int turn = 0; turn < 2; turn++)
        for (uint64_t i = 1; i < locks; i++)
            pair(turn ? w->a : w->b, &w->lock[i / 2 * step % locks], &w->lock[i * step % locks]);
    assert_int_equal(w->rings, 0);
    assert_bounded(w, "a class ring alone");
}

/* One table, many objects, one log. */
static void between_two(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i < locks; i++) {
        pair(w->a, &gate, &w->lock[i]);
        pair(w->b, &w->lock[i], &writes);
    }
    assert_int_equal(w->rings, 0);
    assert_bounded(w, "table, objects, log");
    pair(w->b, &w->lock[5], &gate);
    assert_one_ring(w);
}

static void gated(struct hdi_lock_thread *t, const void *outer, const void *inner)
{
    hdi_lock_acquired(t, &gate, 0, GATE);
    pair(t, outer, inner);
    hdi_lock_released(t, &gate);
}

/* What was folded comes back with its gate. */
static void gates_are_kept(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i + 1 < locks; i++)
        gated(w->a, &w->lock[i], &w->lock[i + 1]);
    gated(w->b, &w->lock[78], &w->lock[77]);
    assert_true(stats_of(w).called_back || locks > 100000);
    assert_int_equal(w->rings, 0);
    pair(w->b, &w->lock[68], &w->lock[67]);
    assert_one_ring(w);
    assert_bounded(w, "behind a gate");
}

/* ... and with its place between forks and joins. */
static void forks_and_joins_are_kept(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i + 1 < locks; i++)
        pair(w->a, &w->lock[i], &w->lock[i + 1]);
    hdi_lock_thread_ended(w->a);
    hdi_lock_thread_joined(w->a, w->main);
    struct hdi_lock_thread *late = hdi_lock_thread_made(w->g, w->main, w);
    pair(late, &w->lock[78], &w->lock[77]);
    assert_true(stats_of(w).called_back || locks > 100000);
    assert_int_equal(w->rings, 0);
    pair(w->b, &w->lock[68], &w->lock[67]);
    assert_one_ring(w);
}

/* A lock that began anew has no past. */
static void destroyed_ones_are_not(void **state)
{
    struct world *w = *state;
    for (uint32_t i = 0; i + 1 < locks; i++)
        pair(w->a, &w->lock[i], &w->lock[i + 1]);
    hdi_lock_made(w->g, &w->lock[77], CLASS);
    pair(w->b, &w->lock[78], &w->lock[77]);
    assert_int_equal(w->rings, 0);
    pair(w->b, &w->lock[68], &w->lock[67]);
    assert_one_ring(w);
}

struct total {
    uint64_t concrete, by_class;
    bool wrong;
};

static void add(const struct hdi_lock_edge *e, void *data)
{
    struct total *t = data;
    t->wrong |= e->held_made != CLASS || e->took_made != CLASS || e->held_site != OUTER ||
                e->took_site != INNER;
    *(e->held ? &t->concrete : &t->by_class) += e->count;
}

/* Whoever wants to see the graph gets every order: of two locks, or counted by class. */
static void counted_by_class(void **state)
{
    struct world *w = *state;
    struct total t = {0};
    for (uint32_t i = 0; i + 1 < locks; i++)
        pair(w->a, &w->lock[i], &w->lock[i + 1]);
    hdi_lockgraph_each(w->g, add, &t);
    assert_true(!t.wrong ||
                locks > 100000); /* of so many, some have the class of their first use */
    assert_int_equal(t.concrete + t.by_class, locks - 1);
    assert_true(t.by_class > 0 && t.concrete > 0);
}

int main(void)
{
    const char *wanted = getenv("HEDDLE_LOCKS");
    if (wanted && atoi(wanted) > 1000)
        locks = (uint32_t)atoi(wanted);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(in_address_order),       TEST(one_inversion),
        TEST(a_class_ring_alone),     TEST(between_two),
        TEST(gates_are_kept),         TEST(forks_and_joins_are_kept),
        TEST(destroyed_ones_are_not), TEST(counted_by_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
