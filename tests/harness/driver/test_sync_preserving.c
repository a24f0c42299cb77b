/* Sync-preserving races against the definition: all reorderings of random traces, one by one.
 *   test_syncp [TRACES [EVENTS [SEED]]]   a larger run by hand */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "predict/sync_preserving.h"

enum { THREADS = 3, LOCKS = 2, VARIABLES = 2, ATOMICS = 1, CLOCKS = 1, MOST = 16 };

#define VARIABLE(i) (0x1000u + 8u * (unsigned)(i))
#define ATOMIC(i) (0x2000u + 8u * (unsigned)(i))
#define LOCK(i) (0x3000u + 8u * (unsigned)(i))
#define CLOCK(i) (0x4000u + 8u * (unsigned)(i))

static uint64_t state = 1;

static uint32_t below(uint32_t n)
{
    state += 0x9e3779b97f4a7c15ull;
    uint64_t x = state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((x ^ x >> 31) % n);
}

/* ---- a trace, and what its events need ---- */

struct trace {
    struct hdp_tape_event event[MOST];
    uint32_t n, threads;
    uint32_t of[THREADS][MOST], length[THREADS];
    int saw[MOST];     /* the write that a read saw; -1: none */
    uint32_t at[MOST]; /* LOOK: bit set of the sections' first events that were open */
};

static bool is_memory(uint8_t kind)
{
    return kind <= HDP_TAPE_ATOMIC_UPDATE;
}

static bool is_write(uint8_t kind)
{
    return kind == HDP_TAPE_WRITE || kind == HDP_TAPE_ATOMIC_WRITE ||
           kind == HDP_TAPE_ATOMIC_UPDATE;
}

static bool is_read(uint8_t kind)
{
    return kind == HDP_TAPE_READ || kind == HDP_TAPE_ATOMIC_READ || kind == HDP_TAPE_ATOMIC_UPDATE;
}

static bool is_begin(uint8_t kind)
{
    return kind == HDP_TAPE_LOCK || kind == HDP_TAPE_RDLOCK;
}

/* Sections that are open, by their first events. */
struct world {
    int writer[VARIABLES + ATOMICS]; /* last write, or -1 */
    int open[LOCKS][THREADS];        /* or -1 */
    uint32_t done;                   /* bit set of events */
};

static void begin_world(struct world *w)
{
    memset(w, 0xff, sizeof *w);
    w->done = 0;
}

static unsigned cell_of(uint64_t where)
{
    return where >= ATOMIC(0) ? VARIABLES + (unsigned)(where - ATOMIC(0)) / 8
                              : (unsigned)(where - VARIABLE(0)) / 8;
}

static unsigned lock_of(uint64_t where)
{
    return (unsigned)(where - LOCK(0)) / 8;
}

static bool is_lock(uint64_t where)
{
    return where >= LOCK(0) && where < LOCK(LOCKS);
}

static uint32_t open_sections(const struct world *w, unsigned lock)
{
    uint32_t set = 0;
    for (int t = 0; t < THREADS; t++)
        if (w->open[lock][t] >= 0)
            set |= 1u << w->open[lock][t];
    return set;
}

static void apply(struct world *w, const struct hdp_tape_event *e, int number)
{
    w->done |= 1u << number;
    if (is_memory(e->kind) && is_write(e->kind))
        w->writer[cell_of(e->where)] = number;
    if (is_begin(e->kind))
        w->open[lock_of(e->where)][e->thread] = number;
    if (e->kind == HDP_TAPE_UNLOCK)
        w->open[lock_of(e->where)][e->thread] = -1;
}

static bool can_begin(const struct world *w, const struct trace *t, unsigned lock, uint8_t kind)
{
    for (int i = 0; i < THREADS; i++)
        if (w->open[lock][i] >= 0 &&
            (kind == HDP_TAPE_LOCK || t->event[w->open[lock][i]].kind == HDP_TAPE_LOCK))
            return false;
    return true;
}

static void random_trace(struct trace *t, uint32_t events)
{
    struct world w;

    memset(t, 0, sizeof *t);
    begin_world(&w);
    t->threads = 2 + below(2);
    for (uint32_t tries = 0; t->n < events && tries < 1000; tries++) {
        struct hdp_tape_event e = {.thread = (uint16_t)below(t->threads)};
        unsigned lock = below(4) == 0;
        bool holds = w.open[lock][e.thread] >= 0;
        switch (below(12)) {
        case 0:
        case 1:
        case 2:
            e.kind = holds ? HDP_TAPE_UNLOCK : below(4) ? HDP_TAPE_LOCK : HDP_TAPE_RDLOCK;
            e.where = LOCK(lock);
            if (!holds && !can_begin(&w, t, lock, e.kind)) {
                if (below(3))
                    continue;
                e.kind = HDP_TAPE_LOOK; /* a try that fails */
            }
            break;
        case 3:
            e.kind = (uint8_t)(HDP_TAPE_ATOMIC_READ + below(3));
            e.where = ATOMIC(below(ATOMICS));
            break;
        case 4:
            if (below(2)) /* one of four traces has hard edges */
                continue;
            e.kind = (uint8_t[]){HDP_TAPE_RELEASE, HDP_TAPE_ACQUIRE, HDP_TAPE_LOOK,
                                 HDP_TAPE_TURN}[below(4)];
            e.where = CLOCK(below(CLOCKS));
            break;
        default:
            if (w.open[0][e.thread] < 0 && w.open[1][e.thread] < 0 && below(4))
                continue; /* most accesses are made under a lock */
            e.kind = below(2) ? HDP_TAPE_READ : HDP_TAPE_WRITE;
            e.where = below(12) ? VARIABLE(below(VARIABLES)) : ATOMIC(below(ATOMICS));
            break;
        }
        if (is_memory(e.kind)) {
            e.bytes = 4;
            e.site = 1 + below(6);
        }
        uint32_t i = t->n++;
        t->event[i] = e;
        t->saw[i] = is_read(e.kind) && is_memory(e.kind) ? w.writer[cell_of(e.where)] : -1;
        t->at[i] =
            e.kind == HDP_TAPE_LOOK && is_lock(e.where) ? open_sections(&w, lock_of(e.where)) : 0;
        t->of[e.thread][t->length[e.thread]++] = i;
        apply(&w, &e, (int)i);
    }
}

/* ---- the definition ---- */

/* May event i come next, in a reordering of which w is the state? */
static bool allowed(const struct trace *t, const struct world *w, uint32_t i)
{
    const struct hdp_tape_event *e = &t->event[i];

    if (is_memory(e->kind))
        return !is_read(e->kind) || w->writer[cell_of(e->where)] == t->saw[i];
    if (e->kind == HDP_TAPE_LOOK && is_lock(e->where))
        return (open_sections(w, lock_of(e->where)) & t->at[i]) == t->at[i];
    for (uint32_t k = 0; k < t->n; k++) {
        const struct hdp_tape_event *o = &t->event[k];
        bool done = w->done >> k & 1;
        if (k == i || o->where != e->where || is_memory(o->kind))
            continue;
        if (is_begin(e->kind) && is_begin(o->kind) && k > i && done &&
            (e->kind == HDP_TAPE_LOCK || o->kind == HDP_TAPE_LOCK))
            return false; /* sections keep their order */
        if (e->kind == HDP_TAPE_ACQUIRE && o->kind == HDP_TAPE_RELEASE && k < i && !done)
            return false;
        if (e->kind == HDP_TAPE_LOOK && k < i && !done &&
            (o->kind == HDP_TAPE_RELEASE || o->kind == HDP_TAPE_ACQUIRE))
            return false;
        if (e->kind == HDP_TAPE_TURN && o->kind == HDP_TAPE_TURN && done != (k < i))
            return false;
    }
    return !is_begin(e->kind) || can_begin(w, t, lock_of(e->where), e->kind);
}

static bool conflict(const struct trace *t, uint32_t a, uint32_t b)
{
    const struct hdp_tape_event *x = &t->event[a], *y = &t->event[b];
    return is_memory(x->kind) && is_memory(y->kind) && x->thread != y->thread &&
           x->where == y->where && (is_write(x->kind) || is_write(y->kind)) &&
           !(x->kind >= HDP_TAPE_ATOMIC_READ && y->kind >= HDP_TAPE_ATOMIC_READ);
}

static void mark_races(const struct trace *t, const uint32_t next[THREADS], uint32_t race[MOST])
{
    for (uint32_t i = 0; i < t->threads; i++)
        for (uint32_t k = 0; k < t->threads; k++)
            if (next[i] < t->length[i] && next[k] < t->length[k] &&
                conflict(t, t->of[i][next[i]], t->of[k][next[k]]))
                race[t->of[i][next[i]]] |= 1u << t->of[k][next[k]];
}

static void all_reorderings(const struct trace *t, const struct world *w, uint32_t next[THREADS],
                            uint32_t race[MOST])
{
    mark_races(t, next, race);
    for (uint32_t i = 0; i < t->threads; i++) {
        if (next[i] == t->length[i] || !allowed(t, w, t->of[i][next[i]]))
            continue;
        struct world after = *w;
        apply(&after, &t->event[t->of[i][next[i]]], (int)t->of[i][next[i]]);
        next[i]++;
        all_reorderings(t, &after, next, race);
        next[i]--;
    }
}

/* ---- comparison ---- */

struct tally {
    uint32_t traces, pairs, races, hidden, missed, wrong, places, places_missed, places_wrong;
};

static void show(const struct trace *t)
{
    static const char *const words[] = {"read",    "write",   "free", "aread",  "awrite",
                                        "update",  "reset",   "lock", "rdlock", "unlock",
                                        "release", "acquire", "look", "turn"};
    for (uint32_t i = 0; i < t->n; i++)
        print_message("  %2u  T%u %s %#lx site %lu\n", i, t->event[i].thread,
                      words[t->event[i].kind], (unsigned long)t->event[i].where,
                      (unsigned long)t->event[i].site);
}

/* The events of the witness, in the order of the trace, are a reordering with both next. */
static void check_witness(const struct trace *t, struct syncp *s, uint32_t a, uint32_t b)
{
    uint32_t prefix[THREADS], next[THREADS] = {0};
    struct world w;

    begin_world(&w);
    assert_true(syncp_witness(s, a, b, prefix));
    for (uint32_t i = 0; i < t->n; i++) {
        uint32_t thread = t->event[i].thread;
        if (next[thread] == prefix[thread])
            continue;
        assert_true(allowed(t, &w, i));
        apply(&w, &t->event[i], (int)i);
        next[thread]++;
    }
    assert_int_equal(t->of[t->event[a].thread][next[t->event[a].thread]], a);
    assert_int_equal(t->of[t->event[b].thread][next[t->event[b].thread]], b);
}

struct places {
    const struct trace *trace;
    bool found[8][8];
};

static bool wanted(void *arg, uint64_t a, uint64_t b)
{
    const struct places *p = arg;
    return !p->found[a][b];
}

static void found(void *arg, uint32_t a, uint32_t b)
{
    struct places *p = arg;
    uint64_t x = p->trace->event[a].site, y = p->trace->event[b].site;
    p->found[x][y] = p->found[y][x] = true;
}

static void compare_places(const struct trace *t, struct syncp *s, const uint32_t race[MOST],
                           struct tally *sum)
{
    struct places p = {.trace = t};
    bool real[8][8] = {{false}};

    for (uint32_t a = 0; a < t->n; a++)
        for (uint32_t b = 0; b < t->n; b++)
            if (race[a] >> b & 1)
                real[t->event[a].site][t->event[b].site] = true;
    struct syncp_search search = {.work = UINT64_MAX, .wanted = wanted, .found = found, .arg = &p};
    assert_true(syncp_search(s, &search));
    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = i; k < 8; k++) {
            sum->places += real[i][k];
            sum->places_missed += real[i][k] && !p.found[i][k];
            sum->places_wrong += !real[i][k] && p.found[i][k];
        }
}

/* Were the two side by side in the trace itself, as far as happens-before can tell? */
static bool is_adjacent(const struct trace *t, uint32_t a, uint32_t b)
{
    for (uint32_t i = a + 1; i < b; i++)
        if (t->event[i].thread == t->event[a].thread || t->event[i].thread == t->event[b].thread)
            return false;
    return true;
}

static void compare(const struct trace *t, struct tally *sum)
{
    uint32_t race[MOST] = {0}, next[THREADS] = {0};
    struct syncp *s = syncp_new(t->event, t->n, t->threads, false);
    struct world w;

    begin_world(&w);
    all_reorderings(t, &w, next, race);
    sum->traces++;
    assert_int_equal(syncp_events(s), t->n);
    for (uint32_t a = 0; a < t->n; a++)
        for (uint32_t b = a + 1; b < t->n; b++) {
            assert_int_equal(syncp_conflict(s, a, b), conflict(t, a, b));
            if (!conflict(t, a, b))
                continue;
            bool real = race[a] >> b & 1, said = syncp_is_race(s, a, b);
            sum->pairs++;
            sum->races += real;
            sum->hidden += real && !is_adjacent(t, a, b);
            sum->missed += real && !said;
            sum->wrong += said && !real;
            if (real != said && sum->missed + sum->wrong < 4) {
                print_message("%s: events %u and %u\n", real ? "missed" : "false", a, b);
                show(t);
            }
            if (said && real)
                check_witness(t, s, a, b);
        }
    compare_places(t, s, race, sum);
    syncp_free(s);
}

static void run(uint32_t traces, uint32_t events, struct tally *sum)
{
    for (uint32_t i = 0; i < traces; i++) {
        struct trace t;
        random_trace(&t, events - below(events / 3));
        compare(&t, sum);
    }
    print_message("%u traces, %u conflicting pairs, %u races (%u apart from each other): "
                  "missed %u, false %u\n",
                  sum->traces, sum->pairs, sum->races, sum->hidden, sum->missed, sum->wrong);
    print_message("%u pairs of places: missed %u, false %u\n", sum->places, sum->places_missed,
                  sum->places_wrong);
}

static void finds_exactly_the_races_of_random_traces(void **unused)
{
    struct tally sum = {0};

    (void)unused;
    run(3000, 10, &sum);
    assert_true(sum.races > 1000 && sum.pairs - sum.races > 300);
    assert_int_equal(sum.missed + sum.wrong, 0);
    assert_int_equal(sum.places_missed + sum.places_wrong, 0);
}

/* ---- by hand ---- */

static struct hdp_tape_event event(unsigned thread, enum hdp_tape_kind kind, uint64_t where)
{
    return (struct hdp_tape_event){.where = where,
                                   .bytes = kind <= HDP_TAPE_RESET ? 8 : 0,
                                   .site = where,
                                   .thread = (uint16_t)thread,
                                   .kind = (uint8_t)kind};
}

static bool first_and_last_race(const struct hdp_tape_event *e, uint32_t n, bool careful)
{
    struct syncp *s = syncp_new(e, n, THREADS, careful);
    bool race = syncp_is_race(s, 0, n - 1);
    syncp_free(s);
    return race;
}

/* The lock orders them in the trace, nothing does in the program. */
static void sees_through_a_lock(void **unused)
{
    const struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)), event(0, HDP_TAPE_LOCK, LOCK(0)),
        event(0, HDP_TAPE_UNLOCK, LOCK(0)),    event(1, HDP_TAPE_LOCK, LOCK(0)),
        event(1, HDP_TAPE_UNLOCK, LOCK(0)),    event(1, HDP_TAPE_WRITE, VARIABLE(0)),
    };
    (void)unused;
    assert_true(first_and_last_race(e, 6, true));
}

/* What the second section reads, the first has written: the order stays. */
static void keeps_what_was_read(void **unused)
{
    const struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)), event(0, HDP_TAPE_LOCK, LOCK(0)),
        event(0, HDP_TAPE_WRITE, VARIABLE(1)), event(0, HDP_TAPE_UNLOCK, LOCK(0)),
        event(1, HDP_TAPE_LOCK, LOCK(0)),      event(1, HDP_TAPE_READ, VARIABLE(1)),
        event(1, HDP_TAPE_UNLOCK, LOCK(0)),    event(1, HDP_TAPE_WRITE, VARIABLE(0)),
    };
    (void)unused;
    assert_false(first_and_last_race(e, 8, false));
}

/* A counter that both sections count up: compilers tell of the writes alone. */
static void may_take_a_write_for_an_update(void **unused)
{
    const struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)), event(0, HDP_TAPE_LOCK, LOCK(0)),
        event(0, HDP_TAPE_WRITE, VARIABLE(1)), event(0, HDP_TAPE_UNLOCK, LOCK(0)),
        event(1, HDP_TAPE_LOCK, LOCK(0)),      event(1, HDP_TAPE_WRITE, VARIABLE(1)),
        event(1, HDP_TAPE_UNLOCK, LOCK(0)),    event(1, HDP_TAPE_WRITE, VARIABLE(0)),
    };
    (void)unused;
    assert_true(first_and_last_race(e, 8, false));
    assert_false(first_and_last_race(e, 8, true));
}

/* Memory that was given out anew in between is other memory. */
static void new_memory_is_other_memory(void **unused)
{
    const struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)),
        event(1, HDP_TAPE_RESET, VARIABLE(0)),
        event(1, HDP_TAPE_WRITE, VARIABLE(0)),
    };
    struct syncp *s = syncp_new(e, 3, 2, false);
    (void)unused;
    assert_false(syncp_conflict(s, 0, 2));
    syncp_free(s);
}

/* Bytes beside each other do not conflict, those of a range and one in it do. */
static void knows_bytes(void **unused)
{
    struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)),
        event(1, HDP_TAPE_WRITE, VARIABLE(0) + 4),
        event(2, HDP_TAPE_READ, VARIABLE(0) - 64),
    };
    (void)unused;
    e[0].bytes = e[1].bytes = 4;
    e[2].bytes = 67;
    struct syncp *s = syncp_new(e, 3, 3, false);
    assert_false(syncp_conflict(s, 0, 1));
    assert_true(syncp_conflict(s, 0, 2));
    assert_false(syncp_conflict(s, 1, 2));
    syncp_free(s);
}

/* Many blocks of 64 MiB that are given back and out again: word by word the tape would be cut. */
static void takes_a_block_as_a_whole(void **unused)
{
    enum { BLOCKS = 50, EACH = 4, N = BLOCKS * EACH + 2 };
    const uint64_t block = (uint64_t)1 << 30, bytes = (uint64_t)64 << 20;
    struct hdp_tape_event e[N];
    (void)unused;
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct hdp_tape_event *at = &e[i * EACH];
        at[0] = event(1, HDP_TAPE_WRITE, block + 3);
        at[1] = event(0, HDP_TAPE_FREE, block);
        at[2] = event(0, HDP_TAPE_RESET, block);
        at[3] = event(1, HDP_TAPE_READ, block + bytes - 5);
        at[0].bytes = 1;
        at[1].bytes = at[2].bytes = bytes;
        at[3].bytes = 2;
    }
    e[N - 2] = event(0, HDP_TAPE_WRITE, block + bytes - 8);
    e[N - 1] = event(1, HDP_TAPE_WRITE, block + bytes);
    struct syncp *s = syncp_new(e, N, 2, false);
    assert_int_equal(syncp_events(s), N);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_true(syncp_conflict(s, i * EACH, i * EACH + 1));
        assert_false(syncp_conflict(s, i * EACH + 1, i * EACH + 3)); /* it is new by then */
    }
    assert_true(syncp_conflict(s, N - 3, N - 2));
    assert_false(syncp_conflict(s, N - 3, N - 1));
    assert_false(syncp_conflict(s, N - 2, N - 1));
    assert_true(syncp_is_race(s, N - 3, N - 2));
    syncp_free(s);
}

static bool any(void *arg, uint64_t a, uint64_t b)
{
    (void)arg, (void)a, (void)b;
    return true;
}

static void count(void *arg, uint32_t a, uint32_t b)
{
    (void)a, (void)b;
    ++*(unsigned *)arg;
}

/* One place under the one lock or the other, another place under both: no lock guards all, and yet
 * each pair has one. */
static void guesses_no_pair_with_a_common_lock(void **unused)
{
    const struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_LOCK, LOCK(0)),      event(0, HDP_TAPE_WRITE, VARIABLE(0)),
        event(0, HDP_TAPE_UNLOCK, LOCK(0)),    event(0, HDP_TAPE_LOCK, LOCK(1)),
        event(0, HDP_TAPE_WRITE, VARIABLE(0)), event(0, HDP_TAPE_UNLOCK, LOCK(1)),
        event(1, HDP_TAPE_LOCK, LOCK(0)),      event(1, HDP_TAPE_LOCK, LOCK(1)),
        event(1, HDP_TAPE_READ, VARIABLE(0)),  event(1, HDP_TAPE_UNLOCK, LOCK(1)),
        event(1, HDP_TAPE_READ, VARIABLE(0)),  event(1, HDP_TAPE_UNLOCK, LOCK(0)),
    };
    (void)unused;
    for (uint32_t events = 10; events <= 12; events += 2) { /* the last read has one lock */
        unsigned guesses = 0;
        struct syncp *s = syncp_new(e, events, 2, false);
        struct syncp_search search = {
            .guesses = true, .work = UINT64_MAX, .wanted = any, .found = count, .arg = &guesses};
        assert_true(syncp_search(s, &search));
        assert_int_equal(guesses, events == 12);
        syncp_free(s);
    }
}

/* A tape that the program wrote over is read up to there. */
static void stops_at_nonsense(void **unused)
{
    struct hdp_tape_event e[] = {
        event(0, HDP_TAPE_WRITE, VARIABLE(0)),
        event(7, HDP_TAPE_WRITE, VARIABLE(0)),
    };
    struct syncp *s = syncp_new(e, 2, 2, false);
    (void)unused;
    assert_int_equal(syncp_events(s), 1);
    syncp_free(s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_exactly_the_races_of_random_traces),
        cmocka_unit_test(sees_through_a_lock),
        cmocka_unit_test(keeps_what_was_read),
        cmocka_unit_test(may_take_a_write_for_an_update),
        cmocka_unit_test(new_memory_is_other_memory),
        cmocka_unit_test(knows_bytes),
        cmocka_unit_test(takes_a_block_as_a_whole),
        cmocka_unit_test(guesses_no_pair_with_a_common_lock),
        cmocka_unit_test(stops_at_nonsense),
    };
    if (argc > 1) {
        struct tally sum = {0};
        uint32_t events = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10;
        state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
        run((uint32_t)strtoul(argv[1], NULL, 10),
            events < 4      ? 4
            : events > MOST ? MOST
                            : events,
            &sum);
        return sum.missed + sum.wrong + sum.places_missed + sum.places_wrong != 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
