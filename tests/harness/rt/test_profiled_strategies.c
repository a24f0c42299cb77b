/* Strategies that go by what earlier schedules did: surw, hold, flip, rare, novel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "turn/rt.h"
#include "wire/tuples.h"

enum { A, B, C, THREADS };

static struct hdp_region region;
static struct hdi_thread thread[THREADS];
static struct hdi_object object[3];
static struct hdi_op op[THREADS];

static void did(int t, enum hd_event kind, uint32_t id, uint64_t site)
{
    region.profile[region.profile_steps++] = (struct hdp_step){
        .thread = thread[t].hash, .kind = (uint16_t)kind, .object = id, .site = site};
}

static int begin(void **state)
{
    (void)state;
    memset(&region, 0, sizeof region);
    rt.region = &region;
    for (uint32_t i = 0; i < THREADS; i++)
        thread[i] = (struct hdi_thread){.index = i, .hash = 100 + i, .op = &op[i]};
    for (uint32_t i = 0; i < 3; i++)
        object[i] = (struct hdi_object){.id = 7 + i};
    return 0;
}

static void is_about_to(int t, enum hd_event kind, int o, uint64_t site)
{
    op[t] = (struct hdi_op){.kind = kind, .object = &object[o], .site = site};
}

/* A thread that has three operations on an object and one that has one: each of the four orders is
 * as likely as the others. */
static void surw_is_uniform_over_orders(void **state)
{
    enum { ROUNDS = 8000 };
    uint32_t at[4] = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        did(A, HD_EV_MUTEX_LOCK, 7, 0x10);
    did(B, HD_EV_MUTEX_LOCK, 7, 0x20);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint32_t left[] = {3, 1}, before = 0;
        rt_random_seed(seed);
        rt_surw.begin(&(struct hdp_config){.seed = seed});
        is_about_to(A, HD_EV_MUTEX_LOCK, 0, 0x10);
        is_about_to(B, HD_EV_MUTEX_LOCK, 0, 0x20);
        while (left[B]) {
            struct hdi_thread *e[2];
            uint32_t n = 0, k;
            for (int t = A; t <= B; t++)
                if (left[t])
                    e[n++] = &thread[t];
            k = e[rt_surw.pick(e, n)]->index;
            left[k]--;
            before += k == A;
        }
        at[before]++;
    }
    for (int i = 0; i < 4; i++) /* 2,000 expected, standard deviation 39 */
        assert_in_range(at[i], 1800, 2200);
}

/* Who does not use the object goes on by chance meanwhile. */
static void surw_lets_others_run(void **state)
{
    uint32_t ran = 0;

    (void)state;
    did(A, HD_EV_MUTEX_LOCK, 7, 0x10);
    did(B, HD_EV_MUTEX_LOCK, 7, 0x20);
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct hdi_thread *e[] = {&thread[A], &thread[B], &thread[C]};
        rt_random_seed(seed);
        rt_surw.begin(&(struct hdp_config){.seed = seed});
        is_about_to(A, HD_EV_MUTEX_LOCK, 0, 0x10);
        is_about_to(B, HD_EV_MUTEX_LOCK, 0, 0x20);
        is_about_to(C, HD_EV_MUTEX_LOCK, 1, 0x30);
        ran += rt_surw.pick(e, 3) == C;
    }
    assert_in_range(ran, 30, 70); /* one of the other two waits for its turn */
}

/* Two objects that two threads write: the first schedules hold in front of the one, then of the
 * other. */
static void two_written_objects(void)
{
    did(A, HD_EV_ATOMIC_STORE, 7, 0x10);
    did(B, HD_EV_ATOMIC_STORE, 7, 0x20);
    did(A, HD_EV_ATOMIC_STORE, 8, 0x30);
    did(B, HD_EV_ATOMIC_STORE, 8, 0x40);
    did(A, HD_EV_ATOMIC_STORE, 9, 0x50); /* nobody else's */
}

/* How often a thread ran that was about to do this, of 200 times; another could always run. */
static uint32_t runs(uint32_t depth, enum hd_event kind, int o, uint64_t site)
{
    uint32_t ran = 0;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct hdi_thread *e[] = {&thread[A], &thread[B]};
        rt_random_seed(seed);
        rt_hold.begin(&(struct hdp_config){.seed = seed, .depth = depth});
        is_about_to(A, kind, o, site);
        is_about_to(B, HD_EV_YIELD, 2, 0x99);
        ran += rt_hold.pick(e, 2) == A;
    }
    return ran;
}

static void hold_holds_writes_to_each_object_in_turn(void **state)
{
    (void)state;
    two_written_objects();
    assert_int_equal(runs(1, HD_EV_ATOMIC_STORE, 0, 0x60), 0);
    assert_in_range(runs(1, HD_EV_ATOMIC_LOAD, 0, 0x60), 60, 140);
    assert_in_range(runs(1, HD_EV_ATOMIC_STORE, 1, 0x60), 60, 140);
    assert_int_equal(runs(2, HD_EV_ATOMIC_STORE, 1, 0x60), 0);
    assert_in_range(runs(2, HD_EV_ATOMIC_STORE, 0, 0x60), 60, 140);
}

static void then_places(void **state)
{
    (void)state;
    two_written_objects();
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(runs(3 + i, HD_EV_ATOMIC_LOAD, 2, 0x10 + 0x10 * i), 0);
        assert_in_range(runs(3 + i, HD_EV_ATOMIC_LOAD, 2, 0x50), 60, 140);
    }
}

/* When all are held one of them goes on. */
static void hold_is_no_deadlock(void **state)
{
    struct hdi_thread *e[] = {&thread[A], &thread[B]};
    uint32_t ran[2] = {0};

    (void)state;
    two_written_objects();
    for (uint64_t seed = 1; seed <= 200; seed++) {
        rt_random_seed(seed);
        rt_hold.begin(&(struct hdp_config){.seed = seed, .depth = 1});
        is_about_to(A, HD_EV_ATOMIC_STORE, 0, 0x10);
        is_about_to(B, HD_EV_ATOMIC_STORE, 0, 0x20);
        ran[rt_hold.pick(e, 2)]++;
    }
    assert_in_range(ran[A], 60, 140);
    assert_in_range(ran[B], 60, 140);
}

/* What was learned of races is held at, too. */
static void hold_confirms_pairs(void **state)
{
    uint32_t held;

    (void)state;
    region.learned.pairs = 1;
    region.learned.pair[0] = (struct hdp_learned_pair){.first = 0x70, .second = 0x80};
    held = 200 - runs(1, HD_EV_READ, 2, 0x70);
    assert_in_range(held, 100,
                    150); /* a quarter of the schedules holds there, the rest is chance */
}

/* A writes two objects, then B reads them: who ran, step by step, when `flip` comes to its turn `depth`. */
static const char *flipped(uint32_t depth)
{
    static char order[5];
    static const enum hd_event kind[] = {HD_EV_ATOMIC_STORE, HD_EV_ATOMIC_LOAD};
    uint32_t done[2] = {0};

    region.profile_steps = region.result.steps = 0;
    for (int t = A; t <= B; t++)
        for (uint32_t i = 0; i < 2; i++)
            did(t, kind[t], 7 + i, 0x10u * (unsigned)(t + 1) + i);
    rt_random_seed(depth);
    rt_flip.begin(&(struct hdp_config){.depth = depth});
    for (int step = 0; step < 4; step++) {
        struct hdi_thread *e[2];
        uint32_t n = 0, k;
        for (int t = A; t <= B; t++)
            if (done[t] < 2) {
                is_about_to(t, kind[t], (int)done[t], 0x10u * (unsigned)(t + 1) + done[t]);
                e[n++] = &thread[t];
            }
        k = e[rt_flip.pick(e, n)]->index;
        region.trace[region.result.steps++] = (struct hdp_step){.thread = thread[k].hash,
                                                                .kind = (uint16_t)op[k].kind,
                                                                .object = op[k].object->id,
                                                                .site = op[k].site};
        done[k]++;
        order[step] = "AB"[k];
    }
    return order;
}

static void flip_goes_through_pairs(void **state)
{
    (void)state;
    assert_string_equal(flipped(1), "BAAB"); /* A's first write after B's first read */
    assert_string_equal(flipped(2), "ABBA"); /* its second one after B's second read */
    assert_string_equal(flipped(4), "ABBA"); /* B's first read after A's first write, alone */
    assert_string_equal(flipped(5), "BAAB");
    assert_string_equal(flipped(7), "BBAA"); /* as the first, and B goes on */
}

/* The orders that two pairs ask for need not be possible together. */
static void flip_ends_whatever_it_wants(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 200; i++)
        assert_int_equal(strlen(flipped(3 * i)), 4);
}

/* Of 1,000 schedules, in how many does `rare` let B go first, at its turn `depth`? */
static uint32_t b_first(uint32_t depth)
{
    uint32_t times = 0;

    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct hdi_thread *e[] = {&thread[A], &thread[B]};
        rt_random_seed(seed);
        rt_rare.begin(&(struct hdp_config){.depth = depth});
        times += rt_rare.pick(e, 2) == 1;
    }
    return times;
}

/* All schedules so far had A's operation after C's on this object, none had B's there. */
static void rare_takes_what_few_had(void **state)
{
    static struct hdp_history history;
    uint32_t index[2];

    (void)state;
    did(C, HD_EV_ATOMIC_STORE, 7, 0x30);
    did(A, HD_EV_ATOMIC_LOAD, 7, 0x10);
    did(B, HD_EV_ATOMIC_LOAD, 7, 0x20);
    region.trace[region.result.steps++] = region.profile[0];
    is_about_to(A, HD_EV_ATOMIC_LOAD, 0, 0x10);
    is_about_to(B, HD_EV_ATOMIC_LOAD, 0, 0x20);
    for (uint32_t depth = 0; depth < 4; depth++)
        assert_in_range(b_first(depth), 440, 560);
    memset(&history, 0, sizeof history);
    hdp_history_add(&history, 7, 0x30, thread[C].hash);
    for (int by_thread = 0; by_thread < 2; by_thread++) {
        hdp_tuples(&history, 7, 0x10, thread[A].hash, by_thread, index);
        region.tuple[index[0]] = region.tuple[index[1]] = 9;
    }
    for (uint32_t depth = 0; depth < 4; depth++) /* 1 : 1/19 together, else 1 : 1/100 */
        assert_in_range(b_first(depth), depth & 2 ? 920 : 975, depth & 2 ? 970 : 1000);
}

/* What no two threads use comes first. */
static void rare_goes_where_it_matters(void **state)
{
    (void)state;
    did(A, HD_EV_ATOMIC_STORE, 7, 0x10);
    did(B, HD_EV_ATOMIC_LOAD, 7, 0x20);
    did(B, HD_EV_MUTEX_LOCK, 8, 0x21);
    is_about_to(A, HD_EV_ATOMIC_STORE, 0, 0x10);
    is_about_to(B, HD_EV_MUTEX_LOCK, 1, 0x21);
    assert_int_equal(b_first(0), 1000);
    is_about_to(B, HD_EV_MUTEX_LOCK, 2, 0x21); /* another object, at the place that had this one */
    assert_int_equal(b_first(0), 1000);
    is_about_to(B, HD_EV_MUTEX_UNLOCK, 0, 0x22);
    assert_int_equal(b_first(0), 1000);
}

/* A and B each read an object, then write it. */
static const enum hd_event reads_then_writes[] = {HD_EV_ATOMIC_LOAD, HD_EV_ATOMIC_STORE};

/* Many schedules had the two orders that these ones have together. */
static void had(const char *who)
{
    static struct hdp_orders o;
    uint32_t done[2] = {0};

    hdp_orders_begin(&o);
    for (; *who; who++) {
        uint32_t t = *who == 'B', n = done[t]++;
        uint32_t k = hdp_orders_add(&o, 7, 0x10 + n, thread[t].hash,
                                    n ? HDP_ACCESS_WRITES : HDP_ACCESS_READS);
        for (uint32_t j = 0; j < o.count; j++)
            region.order_pair[hdp_order_pair(&o.order[j], &o.order[k])] = 200;
    }
}

/* Who ran, step by step, when `novel` has seen A run, then B. */
static const char *thought_out_as(uint32_t serial, uint64_t seed)
{
    static char order[5];
    uint32_t done[2] = {0};

    region.result.steps = region.path[0].steps = 0;
    region.paths = 1;
    for (int t = A; t <= B; t++)
        for (uint32_t i = 0; i < 2; i++)
            region.path[0].step[region.path[0].steps++] =
                (struct hdp_step){.thread = thread[t].hash,
                                  .kind = (uint16_t)reads_then_writes[i],
                                  .object = 7,
                                  .site = 0x10 + i};
    rt_random_seed(seed);
    rt_novel.begin(&(struct hdp_config){.depth = serial});
    for (int t = A; t <= B; t++)
        rt_novel.created(&thread[t]);
    for (int step = 0; step < 4; step++) {
        struct hdi_thread *e[2];
        uint32_t n = 0, k;
        for (int t = A; t <= B; t++)
            if (done[t] < 2) {
                is_about_to(t, reads_then_writes[done[t]], 0, 0x10 + done[t]);
                e[n++] = &thread[t];
            }
        k = e[rt_novel.pick(e, n)]->index;
        region.trace[region.result.steps++] = (struct hdp_step){.thread = thread[k].hash,
                                                                .kind = (uint16_t)op[k].kind,
                                                                .object = 7,
                                                                .site = op[k].site};
        done[k]++;
        order[step] = "AB"[k];
    }
    return order;
}

static const char *thought_out(uint64_t seed)
{
    return thought_out_as(1, seed);
}

static bool one_after_the_other(const char *order)
{
    return order[0] == order[1];
}

static void novel_interleaves_what_never_was(void **state)
{
    (void)state;
    had("AABB");
    for (uint64_t seed = 1; seed <= 100; seed++)
        assert_false(one_after_the_other(thought_out(seed)));
}

static void novel_lets_run_what_was_always_interleaved(void **state)
{
    (void)state;
    had("ABAB");
    had("ABBA");
    for (uint64_t seed = 1; seed <= 100; seed++)
        assert_true(one_after_the_other(thought_out(seed)));
}

/* Of 220 times, each way of drawing 20 times, how often `novel` found the order that few schedules had. */
static uint32_t found(uint32_t from)
{
    enum { WAYS = 11 };
    uint32_t times = 0;

    for (uint32_t serial = from; serial < from + WAYS; serial++)
        for (uint64_t seed = 1; seed <= 20; seed++)
            times += !one_after_the_other(thought_out_as(serial, seed));
    return times;
}

static void novel_thinks_less_later(void **state)
{
    (void)state;
    had("AABB");
    had("BBAA");
    assert_in_range(found(1), 218, 220);
    assert_in_range(found(502), 205, 220);
    assert_in_range(found(513), 110, 195); /* two tries of the one path */
    assert_in_range(found(5013), 110, 195);
}

/* A wrapper's one place stands for as many operations as there are objects. */
static void one_place_on_two_objects_is_two_operations(void **state)
{
    static struct hdp_orders o;
    uint64_t hash[2];

    (void)state;
    hdp_orders_begin(&o);
    for (uint32_t i = 0; i < 2; i++)
        hash[i] = o.order[hdp_orders_add(&o, 7 + i, 0x10, 100, HDP_ACCESS_WRITES)].hash;
    assert_true(hash[0] != hash[1]);
    hdp_orders_begin(&o);
    for (uint32_t i = 0; i < 2; i++)
        hash[i] = o.order[hdp_orders_add(&o, 7 + i, 0x10, 100 + i, HDP_ACCESS_WRITES)].hash;
    assert_true(hash[0] == hash[1]); /* of threads that do the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(surw_is_uniform_over_orders, begin),
        cmocka_unit_test_setup(surw_lets_others_run, begin),
        cmocka_unit_test_setup(hold_holds_writes_to_each_object_in_turn, begin),
        cmocka_unit_test_setup(then_places, begin),
        cmocka_unit_test_setup(hold_is_no_deadlock, begin),
        cmocka_unit_test_setup(hold_confirms_pairs, begin),
        cmocka_unit_test_setup(flip_goes_through_pairs, begin),
        cmocka_unit_test_setup(flip_ends_whatever_it_wants, begin),
        cmocka_unit_test_setup(rare_takes_what_few_had, begin),
        cmocka_unit_test_setup(rare_goes_where_it_matters, begin),
        cmocka_unit_test_setup(novel_interleaves_what_never_was, begin),
        cmocka_unit_test_setup(novel_lets_run_what_was_always_interleaved, begin),
        cmocka_unit_test_setup(novel_thinks_less_later, begin),
        cmocka_unit_test(one_place_on_two_objects_is_two_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
