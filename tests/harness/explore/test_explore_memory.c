/* hd_explore() of code that is built with heddle-cc: its accesses to memory are decisions, of plain variables and of
 * atomics, with goroutines and with threads, under each memory model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <semaphore.h>

#include <cmocka.h>

#include <heddle/always.h>
#include <heddle/go.h>
#include <heddle/test.h>
#include <heddle/waitgroup.h>

#define must(condition) ((condition) ? (void)0 : abort())

static long plain;
static atomic_long counted;

static void add_plain(void *unused)
{
    long before = plain;

    (void)unused;
    plain = before + 1;
}

static void add_atomic(void *unused)
{
    (void)unused;
    atomic_fetch_add(&counted, 1);
}

static void by_goroutines(void *add)
{
    struct hd_wg wg = {0};

    plain = 0;
    atomic_store(&counted, 0);
    must(!hd_wg_go(&wg, *(void (**)(void *))add, NULL));
    must(!hd_wg_go(&wg, *(void (**)(void *))add, NULL));
    hd_wg_wait(&wg);
    must(plain + counted == 2);
}

static void *thread(void *add)
{
    (*(void (**)(void *))add)(NULL);
    return NULL;
}

static void by_threads(void *add)
{
    pthread_t id[2];

    plain = 0;
    atomic_store(&counted, 0);
    must(!pthread_create(&id[0], NULL, thread, add));
    must(!pthread_create(&id[1], NULL, thread, add));
    must(!pthread_join(id[0], NULL));
    must(!pthread_join(id[1], NULL));
    must(plain + counted == 2);
}

static int explore(void (*fn)(void *), void (*add)(void *), struct hd_explore_result *r)
{
    const struct hd_explore_options options = {.schedules = 200};

    return hd_explore(fn, &add, &options, r);
}

static void lost_updates_are_found(void **state)
{
    static struct hd_explore_result r, again;

    (void)state;
    assert_int_equal(explore(by_goroutines, add_plain, &r), 1);
    assert_string_equal(r.word, "crash");
    assert_int_equal(explore(by_threads, add_plain, &r), 1);
    assert_int_equal(explore(by_threads, add_plain, &again), 1);
    assert_string_equal(r.report, again.report);
}

/* ---- every schedule ---- */

struct account {
    long plain;
    atomic_long counted;
    pthread_mutex_t lock;
};
static struct account *account; /* allocated in each schedule */

static void *pay_plain(void *unused)
{
    long before = account->plain;

    account->plain = before + 1;
    return unused;
}

static void *pay_in_two_steps(void *unused)
{
    atomic_store(&account->counted, atomic_load(&account->counted) + 1);
    return unused;
}

static void *pay_in_one_step(void *unused)
{
    atomic_fetch_add(&account->counted, 1);
    return unused;
}

static void *pay_locked(void *unused)
{
    pthread_mutex_lock(&account->lock);
    pay_plain(NULL);
    pthread_mutex_unlock(&account->lock);
    return unused;
}

static int owes; /* what the account may have less than was paid */

static void two_pay(void *pay)
{
    pthread_t id[2];

    account = calloc(1, sizeof *account);
    must(account);
    pthread_mutex_init(&account->lock, NULL);
    for (int i = 0; i < 2; i++)
        must(!pthread_create(&id[i], NULL, *(void *(**)(void *))pay, NULL));
    for (int i = 0; i < 2; i++)
        must(!pthread_join(id[i], NULL));
    must(account->plain + account->counted + owes >= 2);
    free(account);
}

static void explore_all(void *(*pay)(void *), int expected, const char *says)
{
    const struct hd_explore_options options = {.exhaustive = 1};
    static struct hd_explore_result r;

    if (hd_explore(two_pay, &pay, &options, &r) != expected || !strstr(r.report, says))
        fail_msg("%s", r.report);
}

static void all_schedules_of_accesses_are_explored(void **state)
{
    (void)state;
    explore_all(pay_in_two_steps, 1, "reproduced 1 of 1");
    explore_all(pay_in_one_step, 0, "all 2 schedules explored: none fails\n");
    explore_all(pay_locked, 0, "all 2 schedules explored: none fails\n");
    explore_all(pay_plain, 1, "reproduced 1 of 1");
    owes = 1; /* a compiler may merge what races: nothing is proved */
    explore_all(pay_plain, -1, "no proof: memory accesses race");
    explore_all(pay_in_two_steps, 0, "schedules explored: none fails\n");
    owes = 0;
}

/* ---- invariants ---- */

static atomic_int first, second;
static sem_t stored;

HD_INVARIANT(in_order, atomic_load(&second) <= atomic_load(&first))

static void *store_first(void *unused)
{
    atomic_store(&first, 1);
    sem_post(&stored);
    return unused;
}

static void *store_second(void *waits)
{
    if (*(const int *)waits)
        sem_wait(&stored);
    atomic_store(&second, 1);
    return NULL;
}

static void *begin_in_order(void *unused)
{
    hd_always(&in_order);
    return unused;
}

static void two_store(void *waits)
{
    pthread_t id[2];

    atomic_store(&second, 0);
    atomic_store(&first, 0);
    must(!sem_init(&stored, 0, 0));
    hd_always(&in_order);
    must(!pthread_create(&id[0], NULL, store_first, NULL));
    must(!pthread_create(&id[1], NULL, store_second, waits));
    must(!pthread_join(id[0], NULL));
    must(!pthread_join(id[1], NULL));
}

/* The invariant begins in one thread, while another one breaks it for a moment. */
static void begun_late(void *order)
{
    pthread_t id;

    atomic_store(&second, 0);
    atomic_store(&first, 0);
    must(!pthread_create(&id, NULL, begin_in_order, NULL));
    atomic_store(*(const int *)order ? &first : &second, 1);
    atomic_store(*(const int *)order ? &second : &first, 1);
    must(!pthread_join(id, NULL));
}

static void explore_invariant(void (*fn)(void *), int right, int exhaustive)
{
    const struct hd_explore_options options = {.schedules = exhaustive ? 0 : 200,
                                               .exhaustive = exhaustive};
    static struct hd_explore_result r;
    int failed = hd_explore(fn, &right, &options, &r);

    if (failed == right || failed < 0)
        fail_msg("%d: %s", failed, r.report);
    if (failed) {
        assert_string_equal(r.word, "assertion");
        assert_non_null(strstr(r.report, "always: atomic_load(&second) <= atomic_load(&first)"));
        assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    }
}

/* The stores have nothing to do with each other, but for the invariant: no order of them may be left out. */
static void invariants_are_looked_at_behind_each_step(void **state)
{
    (void)state;
    for (int exhaustive = 0; exhaustive < 2; exhaustive++)
        for (int right = 0; right < 2; right++) {
            explore_invariant(two_store, right, exhaustive);
            explore_invariant(begun_late, right, exhaustive);
        }
}

/* Nothing of one schedule is known in the next: run alone, as for the report, it fails as well. */
static void a_failing_schedule_fails_alone(void **state)
{
    static struct hd_explore_result r;
    struct hd_explore_options options = {.schedules = 200};
    void (*add)(void *) = add_plain;

    (void)state;
    for (options.seed = 1; options.seed <= 12; options.seed++) {
        assert_int_equal(hd_explore(by_threads, &add, &options, &r), 1);
        assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    }
}

static void atomic_updates_are_silent(void **state)
{
    static struct hd_explore_result r;

    (void)state;
    assert_int_equal(explore(by_goroutines, add_atomic, &r), 0);
    assert_int_equal(explore(by_threads, add_atomic, &r), 0);
    assert_int_equal(r.schedules, 200);
}

/* Two stores, two loads: both load the old value in no order of the four, but under weak models. */
static atomic_int left, right;
static int seen[2];

static void store_left(void *order)
{
    atomic_store_explicit(&left, 1, *(memory_order *)order);
    seen[0] = atomic_load_explicit(&right, *(memory_order *)order);
}

static void store_right(void *order)
{
    atomic_store_explicit(&right, 1, *(memory_order *)order);
    seen[1] = atomic_load_explicit(&left, *(memory_order *)order);
}

static void both_sides(void *order)
{
    struct hd_wg wg = {0};

    atomic_store(&left, 0);
    atomic_store(&right, 0);
    must(!hd_wg_go(&wg, store_left, order));
    must(!hd_wg_go(&wg, store_right, order));
    hd_wg_wait(&wg);
    must(seen[0] || seen[1]);
}

static int under(const char *model, memory_order order)
{
    static struct hd_explore_result r;
    const struct hd_explore_options options = {.schedules = 200, .memory_model = model};

    return hd_explore(both_sides, &order, &options, &r);
}

static void old_values_are_seen_where_the_model_has_them(void **state)
{
    (void)state;
    assert_int_equal(under(NULL, memory_order_relaxed), 0);
    assert_int_equal(under("sc", memory_order_relaxed), 0);
    assert_int_equal(under("tso", memory_order_relaxed), 1);
    assert_int_equal(under("c11", memory_order_relaxed), 1);
    assert_int_equal(under("tso", memory_order_seq_cst), 0);
    assert_int_equal(under("c11", memory_order_seq_cst), 0);
}

static void unknown_models_are_refused(void **state)
{
    static struct hd_explore_result r;
    const struct hd_explore_options options = {.memory_model = "arm"};

    (void)state;
    assert_int_equal(hd_explore(by_goroutines, NULL, &options, &r), -1);
    assert_string_equal(r.report, "hd_explore: unknown memory model \"arm\": sc, tso or c11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_updates_are_found),
        cmocka_unit_test(all_schedules_of_accesses_are_explored),
        cmocka_unit_test(invariants_are_looked_at_behind_each_step),
        cmocka_unit_test(a_failing_schedule_fails_alone),
        cmocka_unit_test(atomic_updates_are_silent),
        cmocka_unit_test(old_values_are_seen_where_the_model_has_them),
        cmocka_unit_test(unknown_models_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
