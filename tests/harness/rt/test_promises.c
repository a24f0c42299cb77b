/* What each strategy's paper promises, on programs so small that all their interleavings are known. The seeds are
 * fixed, so each test always goes the same way; its bounds are ones that chance would miss once in 10,000. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "turn/rt.h"

enum { THREADS = 4, OPS = 8, OBJECTS = 8, STEPS = THREADS * OPS, ORDERS = 4096, SURELY = 4 };

struct operation {
    enum { NOTHING, USE, LOCK, UNLOCK, MAKE } kind;
    uint32_t what; /* object, or thread to make */
};
#define USE(object)                                                                                \
    {                                                                                              \
        USE, object                                                                                \
    }
#define LOCK(object)                                                                               \
    {                                                                                              \
        LOCK, object                                                                               \
    }
#define UNLOCK(object)                                                                             \
    {                                                                                              \
        UNLOCK, object                                                                             \
    }
#define MAKE(thread)                                                                               \
    {                                                                                              \
        MAKE, thread                                                                               \
    }

/* What each thread does, up to the first NOTHING. Who is not made is there from the beginning. */
struct program {
    struct operation does[THREADS][OPS];
};

static struct hdp_region region;
static struct hdi_thread thread[THREADS];
static struct hdi_object object[OBJECTS];
static struct hdi_op op[THREADS];

/* A program on its way. */
struct state {
    const struct program *program;
    uint32_t at[THREADS], owner[OBJECTS]; /* + 1 */
    bool there[THREADS];
};

static struct state start(const struct program *p)
{
    struct state s = {.program = p, .there = {true, true, true, true}};

    for (uint32_t t = 0; t < THREADS; t++)
        for (uint32_t i = 0; i < OPS; i++)
            if (p->does[t][i].kind == MAKE)
                s.there[p->does[t][i].what] = false;
    return s;
}

static const struct operation *next_of(const struct state *s, uint32_t t)
{
    return s->at[t] < OPS && s->program->does[t][s->at[t]].kind ? &s->program->does[t][s->at[t]]
                                                                : NULL;
}

static uint32_t can_run(const struct state *s, uint32_t can[THREADS])
{
    uint32_t n = 0;

    for (uint32_t t = 0; t < THREADS; t++) {
        const struct operation *o = next_of(s, t);
        if (s->there[t] && o && !(o->kind == LOCK && s->owner[o->what]))
            can[n++] = t;
    }
    return n;
}

static void step(struct state *s, uint32_t t)
{
    const struct operation *o = next_of(s, t);

    if (o->kind == MAKE)
        s->there[o->what] = true;
    else if (o->kind != USE)
        s->owner[o->what] = o->kind == LOCK ? t + 1 : 0;
    s->at[t]++;
}

/* ---- all interleavings, each with the probability that a random walk takes it ---- */

struct order {
    uint8_t thread[STEPS];
    uint32_t steps, seen;
    double walk;
};
static struct order all[ORDERS];
static uint32_t orders;

static void enumerate(struct state s, struct order *so_far)
{
    uint32_t can[THREADS], n = can_run(&s, can);

    if (n == 0) {
        assert_true(orders < ORDERS);
        all[orders++] = *so_far;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct state then = s;
        struct order longer = *so_far;
        step(&then, can[i]);
        longer.thread[longer.steps++] = (uint8_t)can[i];
        longer.walk /= n;
        enumerate(then, &longer);
    }
}

static void enumerate_all(const struct program *p)
{
    orders = 0;
    enumerate(start(p), &(struct order){.walk = 1});
}

static void note(const struct order *o)
{
    for (uint32_t i = 0; i < orders; i++)
        if (memcmp(all[i].thread, o->thread, sizeof o->thread) == 0) {
            all[i].seen++;
            return;
        }
    fail_msg("an interleaving that there is not");
}

/* ---- one schedule ---- */

static struct order schedule(const struct rt_strategy *strategy, const struct program *p,
                             const struct hdp_config *config)
{
    struct state s = start(p);
    struct order o = {.steps = 0};
    uint32_t can[THREADS], n, profile = 0;
    static struct hdp_step trace[STEPS];
    bool made[THREADS] = {false};

    rt_random_seed(config->seed);
    memset(thread, 0, sizeof thread);
    for (uint32_t i = 0; i < OBJECTS; i++)
        object[i] = (struct hdi_object){.id = 7 + i};
    if (strategy->begin)
        strategy->begin(config);
    while ((n = can_run(&s, can)) > 0) {
        struct hdi_thread *e[THREADS];
        uint32_t t;
        for (t = 0; t < THREADS; t++)
            if (s.there[t] && !made[t]) {
                thread[t] = (struct hdi_thread){.index = t, .hash = 100 + t};
                if (strategy->created)
                    strategy->created(&thread[t]);
                made[t] = true;
            }
        for (uint32_t i = 0; i < n; i++) {
            const struct operation *next = next_of(&s, can[i]);
            op[can[i]] =
                (struct hdi_op){.kind = next->kind == MAKE ? HD_EV_THREAD_CREATE : HD_EV_ATOMIC_RMW,
                                .object = next->kind == MAKE ? NULL : &object[next->what],
                                .site = 0x1000 * (can[i] + 1) + s.at[can[i]]};
            e[i] = &thread[can[i]];
            e[i]->op = &op[can[i]];
        }
        t = e[strategy->pick(e, n)]->index;
        trace[profile++] = (struct hdp_step){.thread = thread[t].hash,
                                             .kind = (uint16_t)op[t].kind,
                                             .object = op[t].object ? op[t].object->id : 0,
                                             .site = op[t].site};
        o.thread[o.steps++] = (uint8_t)t;
        step(&s, t);
    }
    memcpy(region.profile, trace, profile * sizeof *trace);
    region.profile_steps = profile;
    return o;
}

static void sample(const struct rt_strategy *strategy, const struct program *p, uint32_t depth,
                   uint32_t times)
{
    enumerate_all(p);
    region.profile_steps = 0;
    for (uint64_t seed = 0; seed <= times; seed++) {
        struct order o = schedule(
            seed ? strategy : &rt_random_walk, p,
            &(struct hdp_config){.seed = seed, .depth = depth, .expected_steps = all[0].steps});
        if (seed)
            note(&o);
    }
}

/* Chi-square of what was seen against `likely`, as a share of what chance exceeds once in 10,000
 * (Wilson and Hilferty 1931): more than 1 is no chance. */
static double off(uint32_t times, double (*likely)(const struct order *o))
{
    double sum = 0, df = orders - 1, spread = 2 / (9 * df), root = 1 - spread + 3.72 * sqrt(spread);

    for (uint32_t i = 0; i < orders; i++) {
        double expected = times * likely(&all[i]);
        assert_true(expected >= 5); /* or chi-square means nothing */
        sum += (all[i].seen - expected) * (all[i].seen - expected) / expected;
    }
    return sum / (df * root * root * root);
}

static double uniform(const struct order *o)
{
    (void)o;
    return 1.0 / orders;
}

static double by_walk(const struct order *o)
{
    return o->walk;
}

/* Is a share of `hits` of `times` at least `share`, but for chance? */
static bool reaches(uint32_t hits, uint32_t times, double share)
{
    return hits + SURELY * sqrt(times * share * (1 - share)) >= times * share;
}

/* ---- the programs ---- */

/* One object, and threads that use it more often than others. */
static const struct program uneven = {{{USE(0), USE(0), USE(0), USE(0)}, {USE(0)}, {USE(0)}}};
/* The same, made one after another by a thread that does not use it. */
static const struct program made_late = {
    {{MAKE(1), MAKE(2), MAKE(3)}, {USE(0), USE(0)}, {USE(0)}, {USE(0), USE(0)}}};
/* Three threads on one lock. */
static const struct program one_lock = {{{MAKE(1), MAKE(2), MAKE(3)},
                                         {LOCK(0), UNLOCK(0)},
                                         {LOCK(0), UNLOCK(0)},
                                         {LOCK(0), UNLOCK(0)}}};
/* Two of which one has it twice. */
static const struct program lock_twice = {
    {{LOCK(0), UNLOCK(0), LOCK(0), UNLOCK(0)}, {LOCK(0), UNLOCK(0)}}};
static const struct program mixed = {
    {{USE(0), LOCK(1), USE(2), UNLOCK(1)}, {LOCK(1), USE(0), UNLOCK(1)}, {USE(2), USE(0)}}};

/* ---- random walk ---- */

static void random_walk_takes_each_way_as_often_as_it_should(void **state)
{
    const struct program *p[] = {&uneven, &made_late, &lock_twice, &mixed};

    (void)state;
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
        sample(&rt_random_walk, p[i], 0, 40000);
        assert_true(off(40000, by_walk) < 1);
    }
}

/* ---- SURW ---- */

/* The order in which the object is used, without the threads' creation. */
static uint32_t of_object(const struct order *o)
{
    uint32_t key = 0;

    for (uint32_t i = 0; i < o->steps; i++)
        if (o->thread[i] != 0)
            key = key * THREADS + o->thread[i];
    return key;
}

/* all[] becomes the orders of the object alone. */
static void fold(void)
{
    uint32_t n = 0, k;

    for (uint32_t i = 0; i < orders; i++) {
        for (k = 0; k < n && of_object(&all[k]) != of_object(&all[i]); k++)
            ;
        if (k == n)
            all[n++] = all[i];
        else
            all[k].seen += all[i].seen;
    }
    orders = n;
}

static void surw_is_uniform(void **state)
{
    (void)state;
    sample(&rt_surw, &uneven, 0, 20000);
    assert_int_equal(orders, 30);
    assert_true(off(20000, uniform) < 1);
    sample(&rt_surw, &lock_twice, 0, 20000);
    assert_int_equal(orders, 3);
    assert_true(off(20000, uniform) < 1);
}

/* Threads that are made one after another are as likely to come first. */
static void surw_is_uniform_over_threads_to_come(void **state)
{
    (void)state;
    sample(&rt_surw, &made_late, 0, 20000);
    fold();
    assert_int_equal(orders, 30);
    assert_true(off(20000, uniform) < 1);
    sample(&rt_surw, &one_lock, 0, 20000);
    fold();
    assert_int_equal(orders, 6);
    assert_true(off(20000, uniform) < 1);
}

/* The measure tells: a random walk is not uniform. */
static void a_random_walk_is_not_uniform(void **state)
{
    (void)state;
    sample(&rt_random_walk, &uneven, 0, 20000);
    assert_true(off(20000, uniform) > 1);
    sample(&rt_random_walk, &made_late, 0, 20000);
    fold();
    assert_true(off(20000, uniform) > 1);
}

/* ---- POS ---- */

/* All operations race: it draws anew for all of them, like a random walk. */
static void pos_walks_where_all_races(void **state)
{
    const struct program *p[] = {&uneven, &lock_twice};

    (void)state;
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
        sample(&rt_pos, p[i], 0, 40000);
        assert_true(off(40000, by_walk) < 1);
    }
}

/* A race of one operation with another that comes after k which race with nobody: that one is first
 * when its priority and all k before it are higher, 1 in k + 2. A random walk: 1 in 2^(k+1). */
static void pos_does_not_care_what_lies_between(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < 6; k++) {
        struct program p = {{{USE(0)}, {USE(0)}}};
        uint32_t late = 0, times = 20000;
        double share = 1.0 / (k + 2);
        for (uint32_t i = 0; i <= k; i++)
            p.does[1][i] = (struct operation)USE(i < k ? 1 : 0);
        sample(&rt_pos, &p, 0, times);
        for (uint32_t i = 0; i < orders; i++)
            if (all[i].thread[k + 1] == 0)
                late += all[i].seen;
        assert_true(reaches(late, times, share) && reaches(times - late, times, 1 - share));
    }
}

/* ---- PCT ---- */

/* Where thread t does its operation number i. */
static uint32_t when(const struct order *o, uint32_t t, uint32_t i)
{
    uint32_t at = 0;

    for (; o->thread[at] != t || i-- > 0; at++)
        ;
    return at;
}

/* Does o meet an ordering constraint of this depth: a's operation i before b's j; b's j between a's i
 * and i + 1; and b's j + 1 after that? */
static bool meets(const struct order *o, uint32_t depth, uint32_t a, uint32_t i, uint32_t b,
                  uint32_t j)
{
    if (when(o, a, i) > when(o, b, j))
        return false;
    if (depth > 1 && when(o, b, j) > when(o, a, i + 1))
        return false;
    return depth < 3 || when(o, a, i + 1) < when(o, b, j + 1);
}

/* Each bug of depth d has at least 1 / (n k^(d-1)) of the schedules. */
static void pct_keeps_its_bound(void **state)
{
    static const struct program p = {
        {{USE(0), USE(1), USE(2)}, {USE(1), USE(0), USE(2)}, {USE(2), USE(3)}}};
    const uint32_t n = 3, ops[] = {3, 3, 2}, k = 8, times = 20000;

    (void)state;
    for (uint32_t depth = 1; depth <= 3; depth++) {
        sample(&rt_pct, &p, depth, times);
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++)
                for (uint32_t i = 0; a != b && i + (depth > 1) < ops[a]; i++)
                    for (uint32_t j = 0; j + (depth > 2) < ops[b]; j++) {
                        uint32_t hits = 0;
                        for (uint32_t o = 0; o < orders; o++)
                            if (meets(&all[o], depth, a, i, b, j))
                                hits += all[o].seen;
                        assert_true(reaches(hits, times, 1 / (n * pow(k, depth - 1))));
                    }
    }
}

/* ---- all of them ---- */

/* Whoever goes by chance alone gets everywhere. */
static void all_interleavings_are_reached(void **state)
{
    static const struct {
        const struct rt_strategy *strategy;
        uint32_t depth;
    } by[] = {{&rt_random_walk, 0}, {&rt_pos, 0}, {&rt_surw, 0}, {&rt_hold, 0}, {&rt_pct, 9}};
    const struct program *p[] = {&uneven, &one_lock, &lock_twice, &mixed};

    (void)state;
    for (size_t s = 0; s < sizeof by / sizeof by[0]; s++)
        for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
            uint32_t missed = 0;
            sample(by[s].strategy, p[i], by[s].depth, 60000);
            for (uint32_t o = 0; o < orders; o++)
                missed += all[o].seen == 0;
            if (missed)
                fail_msg("strategy %zu: %u of %u interleavings of program %zu not reached", s,
                         missed, orders, i);
        }
}

/* Who tries again and again does not keep the one that it waits for from running. */
static void who_spins_lets_others_run(void **state)
{
    const struct rt_strategy *all_of_them[] = {&rt_random_walk, &rt_pos, &rt_surw,       &rt_burst,
                                               &rt_hold,        &rt_pct, &rt_round_robin};

    (void)state;
    for (size_t s = 0; s < sizeof all_of_them / sizeof all_of_them[0]; s++)
        for (uint64_t seed = 1; seed <= 2000; seed++) {
            const struct rt_strategy *strategy = all_of_them[s];
            struct hdi_thread *e[] = {&thread[0], &thread[1]};
            uint32_t tries = 0;
            schedule(&rt_random_walk, &uneven, &(struct hdp_config){.seed = seed});
            rt_random_seed(seed);
            if (strategy->begin)
                strategy->begin(&(struct hdp_config){.seed = seed, .depth = 3});
            for (uint32_t t = 0; t < 2; t++) {
                thread[t] = (struct hdi_thread){.index = t, .hash = 100 + t, .op = &op[t]};
                op[t] = (struct hdi_op){
                    .kind = HD_EV_ATOMIC_RMW, .object = &object[t], .site = 0x1000 * (t + 1)};
                if (strategy->created)
                    strategy->created(&thread[t]);
            }
            while (e[strategy->pick(e, 2)] == &thread[0]) {
                if (strategy->yielded)
                    strategy->yielded(&thread[0]);
                assert_true(++tries < 400);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_walk_takes_each_way_as_often_as_it_should),
        cmocka_unit_test(surw_is_uniform),
        cmocka_unit_test(surw_is_uniform_over_threads_to_come),
        cmocka_unit_test(a_random_walk_is_not_uniform),
        cmocka_unit_test(pos_walks_where_all_races),
        cmocka_unit_test(pos_does_not_care_what_lies_between),
        cmocka_unit_test(pct_keeps_its_bound),
        cmocka_unit_test(all_interleavings_are_reached),
        cmocka_unit_test(who_spins_lets_others_run),
    };

    rt.region = &region;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
