/* hd_explore: what it finds, that it stays silent on right code, that a number is a replay. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/always.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/mutex.h>
#include <heddle/test.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#define must(condition) ((condition) ? (void)0 : abort())

static void produce(void *p)
{
    for (int i = 0; i < 3; i++)
        hd_chan_send(p, &i);
}

static void start(void (*fn)(void *), void *arg)
{
    must(hd_go(fn, arg) == NULL);
}

static void receives_all(void *unused)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 1);
    int sum = 0, v;

    (void)unused;
    start(produce, c);
    start(produce, c);
    for (int i = 0; i < 6; i++) {
        hd_chan_recv(c, &v);
        sum += v;
    }
    must(sum == 6);
    hd_chan_unref(c);
}

static void receives_too_few(void *unused)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 1);
    int v;

    (void)unused;
    start(produce, c);
    hd_chan_recv(c, &v);
}

static void receives_too_many(void *unused)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 1);
    int v;

    (void)unused;
    start(produce, c);
    for (int i = 0; i < 4; i++)
        hd_chan_recv(c, &v);
}

struct account {
    struct hd_mutex lock;
    struct hd_wg done;
    int balance;
    int atomic;
};

static void deposit(void *p)
{
    struct account *a = p;
    int before;

    hd_mutex_lock(&a->lock);
    before = a->balance;
    if (!a->atomic) {
        hd_mutex_unlock(&a->lock);
        hd_mutex_lock(&a->lock);
    }
    a->balance = before + 1;
    hd_mutex_unlock(&a->lock);
    hd_wg_done(&a->done);
}

static void deposits(void *how)
{
    struct account a = {.atomic = how != NULL};

    hd_wg_init(&a.done, "deposits");

    hd_wg_add(&a.done, 2);
    start(deposit, &a);
    start(deposit, &a);
    hd_wg_wait(&a.done);
    must(a.balance == 2);
}

static void close_twice(void *p)
{
    hd_chan_close(p);
}

static void closes_twice(void *unused)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 0);

    (void)unused;
    start(close_twice, c);
    close_twice(c);
}

static void sleeps_for_hours(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++)
        hd_sleep(3600LL * 1000000000);
}

static struct hd_explore_result explore(void (*fn)(void *), void *arg, int expected)
{
    struct hd_explore_result r;
    struct hd_explore_options o = {.schedules = 500};

    assert_int_equal(hd_explore(fn, arg, &o, &r), expected);
    return r;
}

static void right_code_is_silent(void **state)
{
    struct hd_explore_result r = explore(receives_all, NULL, 0);

    (void)state;
    assert_int_equal(r.schedules, 500);
    assert_int_equal(r.failing, 0);
    explore(deposits, "atomic", 0);
}

static void leaks_are_found(void **state)
{
    struct hd_explore_result r = explore(receives_too_few, NULL, 1);

    (void)state;
    assert_string_equal(r.word, "leak-blocked");
    assert_non_null(strstr(r.report, "produce"));
    assert_non_null(strstr(r.report, "HEDDLE_SCHEDULE="));
}

static void standstills_are_found(void **state)
{
    (void)state;
    assert_string_equal(explore(receives_too_many, NULL, 1).word, "deadlock");
}

static void aborts_are_found_again(void **state)
{
    struct hd_explore_result one = explore(deposits, NULL, 1), two = explore(deposits, NULL, 1);

    (void)state;
    assert_true(one.first > 0);
    assert_int_equal(one.first, two.first);
    assert_string_equal(one.word, "crash");
}

static void aborts_once(void *schedules)
{
    if (atomic_fetch_add((atomic_int *)schedules, 1) == 0)
        abort();
}

static void what_does_not_come_again_is_shown_as_it_was(void **state)
{
    void *schedules =
        mmap(NULL, sizeof(atomic_int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct hd_explore_result r;

    (void)state;
    assert_ptr_not_equal(schedules, MAP_FAILED);
    r = explore(aborts_once, schedules, 1);
    assert_string_equal(r.word, "crash");
    assert_non_null(strstr(r.report, "SIGABRT"));
    assert_non_null(strstr(r.report, "not reproduced"));
    munmap(schedules, sizeof(atomic_int));
}

static void names_of_no_schedule_are_refused(void **state)
{
    static const char *const wrong[] = {"puts:", "puts:x", "puts:0", "puts:3x", "first"};
    struct hd_explore_options o = {.name = "puts"};
    struct hd_explore_result r;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("HEDDLE_SCHEDULE", wrong[i], 1);
        assert_int_equal(hd_explore(receives_all, NULL, &o, &r), -1);
        assert_non_null(strstr(r.report, "is the number of no schedule"));
    }
    setenv("HEDDLE_SCHEDULE", "gets:", 1);
    assert_int_equal(hd_explore(receives_too_many, NULL, &o, &r), 0);
    unsetenv("HEDDLE_SCHEDULE");
}

static void panics_are_found(void **state)
{
    struct hd_explore_result r = explore(closes_twice, NULL, 1);

    (void)state;
    assert_string_equal(r.word, "panic");
    assert_non_null(strstr(r.report, "close of closed channel"));
}

static void others_go_on(void **state)
{
    struct hd_explore_options o = {.schedules = 200, .keep_going = 1};
    struct hd_explore_result r;

    (void)state;
    assert_int_equal(hd_explore(deposits, NULL, &o, &r), 1);
    assert_int_equal(r.schedules, 200);
    assert_in_range(r.failing, 2, 199);
}

static void leaks_may_be_ignored(void **state)
{
    struct hd_explore_options o = {.schedules = 20, .ignore_leaks = 1};

    (void)state;
    assert_int_equal(hd_explore(receives_too_few, NULL, &o, NULL), 0);
}

static void time_is_virtual(void **state)
{
    struct hd_explore_result r = explore(sleeps_for_hours, NULL, 0);

    (void)state;
    assert_true(r.virtual_ns >= 500 * 10 * 3600LL * 1000000000);
}

static void unknown_strategies_are_refused(void **state)
{
    struct hd_explore_options o = {.strategy = "luck"};
    struct hd_explore_result r;

    (void)state;
    assert_int_equal(hd_explore(receives_all, NULL, &o, &r), -1);
    assert_non_null(strstr(r.report, "luck"));
}

/* ---- faults ---- */

static struct hd_wg group;
static enum { ALL_CHECKED, BLOCK_UNCHECKED, GO_UNCHECKED } unchecked;

static void fills_block(void *unused)
{
    char *p = malloc(100);

    (void)unused;
    if (p || unchecked == BLOCK_UNCHECKED)
        *(volatile char *)p = 1;
    free(p);
    hd_wg_done(&group);
}

static void runs_two(void *unused)
{
    (void)unused;
    group = (struct hd_wg){0};
    for (int i = 0; i < 2; i++) {
        hd_wg_add(&group, 1);
        if (hd_go(fills_block, NULL) != NULL && unchecked != GO_UNCHECKED)
            hd_wg_done(&group);
    }
    hd_wg_wait(&group);
}

static struct hd_explore_result explore_faults(const char *faults, int wrong, int expected)
{
    struct hd_explore_options o = {.schedules = 200, .faults = faults};
    struct hd_explore_result r;

    unchecked = (unsigned)wrong;
    if (hd_explore(runs_two, NULL, &o, &r) != expected)
        fail_msg("faults=%s: %s", faults, r.report);
    return r;
}

static void faults_are_chosen(void **state)
{
    struct hd_explore_result r = explore_faults("malloc", BLOCK_UNCHECKED, 1);

    (void)state;
    assert_string_equal(r.word, "crash");
    assert_non_null(strstr(r.report, "\n  with a fault: malloc returned NULL in T"));
    assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    assert_int_equal(explore_faults("malloc", BLOCK_UNCHECKED, 1).first, r.first);
    r = explore_faults("malloc", ALL_CHECKED, 0);
    assert_int_equal(r.schedules, 200);
    assert_string_equal(r.report, "");
    r = explore_faults("pthread_create", GO_UNCHECKED, 1);
    assert_string_equal(r.word, "deadlock");
    assert_non_null(strstr(r.report, "\n  with a fault: pthread_create: EAGAIN in T0"));
    explore_faults("pthread_create,malloc", ALL_CHECKED, 0);
    explore_faults(NULL, BLOCK_UNCHECKED, 0);
}

static void faults_without_effect_are_named(void **state)
{
    struct hd_explore_result r = explore_faults("malloc,short", ALL_CHECKED, 0);

    (void)state;
    assert_string_equal(
        r.report,
        "hd_explore: faults=short had no effect: nothing was read by read(), recv() or the like, "
        "or written so, in more than one byte while goroutines ran\n");
}

static void unknown_faults_are_refused(void **state)
{
    struct hd_explore_result r = explore_faults("luck", ALL_CHECKED, -1);

    (void)state;
    assert_non_null(strstr(r.report, "or all, not \"luck\""));
}

/* ---- every schedule ---- */

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static int in_one_order, entered;

static void *posts(void *unused)
{
    pthread_mutex_lock(in_one_order ? &ledger : &journal);
    pthread_mutex_lock(in_one_order ? &journal : &ledger);
    pthread_mutex_unlock(in_one_order ? &journal : &ledger);
    pthread_mutex_unlock(in_one_order ? &ledger : &journal);
    return unused;
}

static void takes_both(void *unused)
{
    pthread_t id;

    must(!pthread_create(&id, NULL, posts, unused));
    pthread_mutex_lock(&ledger);
    pthread_mutex_lock(&journal);
    pthread_mutex_unlock(&journal);
    pthread_mutex_unlock(&ledger);
    must(!pthread_join(id, NULL));
}

/* It fails in one order of many. */
static void *counts_entries(void *among)
{
    pthread_mutex_lock(&ledger);
    entered = entered * 4 + *(int *)among;
    pthread_mutex_unlock(&ledger);
    return NULL;
}

static void enters_four(void *wrong)
{
    static int among[4] = {0, 1, 2, 3};
    pthread_t id[4];

    entered = 0;
    for (int i = 0; i < 4; i++)
        must(!pthread_create(&id[i], NULL, counts_entries, &among[i]));
    for (int i = 0; i < 4; i++)
        must(!pthread_join(id[i], NULL));
    must(!wrong || entered != ((3 * 4 + 2) * 4 + 1) * 4 + 0);
}

static void produces_one(void *c)
{
    int one = 1;

    hd_chan_send(c, &one);
}

/* Wrong: who comes second comes behind its end. */
static void hands_over(void *wrong)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 0);
    int v;

    start(produces_one, c);
    start(produces_one, c);
    hd_chan_recv(c, &v);
    if (!wrong)
        hd_chan_recv(c, &v);
    hd_chan_unref(c);
}

static struct hd_explore_result explore_all(void (*fn)(void *), void *arg, int expected)
{
    const struct hd_explore_options o = {.exhaustive = 1};
    struct hd_explore_result r;

    if (hd_explore(fn, arg, &o, &r) != expected)
        fail_msg("%s", r.report);
    assert_int_equal(r.exhausted, expected == 0);
    return r;
}

static void all_schedules_are_explored(void **state)
{
    struct hd_explore_result r;

    (void)state;
    in_one_order = 1;
    r = explore_all(takes_both, NULL, 0);
    assert_int_equal(r.schedules, 2);
    assert_non_null(strstr(r.report, "all 2 schedules explored: none fails\n  covers: "));
    assert_non_null(strstr(r.report, "no proof: what threads share beside"));
    in_one_order = 0;
    r = explore_all(takes_both, NULL, 1);
    assert_string_equal(r.word, "deadlock");
    assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    r = explore_all(enters_four, NULL, 0);
    assert_int_equal(r.schedules, 24); /* orders of four */
    r = explore_all(enters_four, &in_one_order, 1);
    assert_string_equal(r.word, "crash");
    assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    r = explore_all(hands_over, NULL, 0);
    r = explore_all(hands_over, &in_one_order, 1);
    assert_string_equal(r.word, "panic");
}

static void all_that_fail_are_counted(void **state)
{
    const struct hd_explore_options o = {.exhaustive = 1, .keep_going = 1};
    struct hd_explore_result r;

    (void)state;
    assert_int_equal(hd_explore(enters_four, &in_one_order, &o, &r), 1);
    assert_int_equal(r.failing, 1);
    assert_int_equal(r.schedules, 24);
    assert_non_null(strstr(r.report, "all 24 schedules explored: not all pass"));
}

/* What is left when fn returns may have gone before. */
static void goes(void *fails)
{
    must(!fails);
}

static void leaves_one(void *fails)
{
    start(goes, fails);
}

static void the_end_comes_late_too(void **state)
{
    const struct hd_explore_options o = {.exhaustive = 1, .ignore_leaks = 1};
    struct hd_explore_result r;

    (void)state;
    assert_int_equal(hd_explore(leaves_one, &entered, &o, &r), 1);
    assert_int_equal(hd_explore(leaves_one, NULL, &o, &r), 0);
    assert_true(r.schedules > 1);
}

static void what_is_no_proof_does_not_pass(void **state)
{
    struct hd_explore_options o = {.exhaustive = 1, .schedules = 5};
    struct hd_explore_result r;

    (void)state;
    assert_int_equal(hd_explore(enters_four, NULL, &o, &r), -1);
    assert_int_equal(r.schedules, 5);
    assert_int_equal(r.exhausted, 0);
    assert_non_null(strstr(r.report, "no proof: not all was explored"));
    o = (struct hd_explore_options){.exhaustive = 1, .max_steps = 10};
    assert_int_equal(hd_explore(enters_four, NULL, &o, &r), -1);
    assert_non_null(strstr(r.report, "no proof: "));
    assert_non_null(strstr(r.report, "reached the step bound (max_steps): "));
    o = (struct hd_explore_options){.exhaustive = 1, .strategy = "pct"};
    assert_int_equal(hd_explore(enters_four, NULL, &o, &r), -1);
    assert_non_null(strstr(r.report, "strategy does not go with exhaustive"));
    o = (struct hd_explore_options){.exhaustive = 1, .memory_model = "c11"};
    assert_int_equal(hd_explore(enters_four, NULL, &o, &r), -1);
    assert_non_null(strstr(r.report, "memory_model does not go with exhaustive"));
    o = (struct hd_explore_options){.exhaustive = 1, .faults = "malloc"};
    assert_int_equal(hd_explore(enters_four, NULL, &o, &r), -1);
    assert_non_null(strstr(r.report, "faults does not go with exhaustive"));
}

/* In a process of its own, which ends behind that schedule. */
static void one_of_all_is_run_again(void **state)
{
    const struct hd_explore_options o = {.exhaustive = 1, .name = "four"};
    struct hd_explore_result r = explore_all(enters_four, &in_one_order, 1);
    char asked[64];
    int status;

    (void)state;
    for (uint64_t number = r.first - 1; number <= r.first; number++) {
        pid_t pid = fork();
        if (pid == 0) {
            snprintf(asked, sizeof asked, "four:%llu", (unsigned long long)number);
            setenv("HEDDLE_SCHEDULE", asked, 1);
            hd_explore(enters_four, &in_one_order, &o, &r);
            _exit(77);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WIFSIGNALED(status) || WEXITSTATUS(status) == 1, number == r.first);
    }
}

/* cmocka catches a crash, and goes on with the next test. */
static pid_t tester;
static int *strays;

static void crashes(void *unused)
{
    (void)unused;
    *(volatile char *)NULL = 1;
}

static void crashes_are_found(void **state)
{
    (void)state;
    assert_string_equal(explore(crashes, NULL, 1).word, "crash");
}

static void no_child_goes_on(void **state)
{
    (void)state;
    if (getpid() != tester) {
        ++*strays;
        _exit(0);
    }
    assert_int_equal(*strays, 0);
}

static void explored(void **state)
{
    receives_all(state);
}
HD_EXPLORED(explored)

/* ---- invariants ---- */

static int level, most;
static struct hd_mutex level_lock;

HD_INVARIANT(bounded, level <= most)

static void fill(void *by)
{
    hd_mutex_lock(&level_lock);
    level += *(const int *)by;
    hd_mutex_unlock(&level_lock);
    hd_mutex_lock(&level_lock);
    level -= *(const int *)by;
    hd_mutex_unlock(&level_lock);
}

static void two_fill(struct hd_wg *wg, int *by)
{
    level = 0;
    must(!hd_wg_go(wg, fill, by));
    must(!hd_wg_go(wg, fill, by));
    hd_wg_wait(wg);
}

static void fills(void *by)
{
    struct hd_wg wg = {0};

    hd_always(&bounded);
    two_fill(&wg, by);
}

static void fills_under_what_stood(void *by)
{
    struct hd_wg wg = {0};

    two_fill(&wg, by);
}

static void invariants_of_goroutines(void **state)
{
    const struct hd_explore_options options = {.schedules = 100};
    static struct hd_explore_result r;
    int by = 1;

    (void)state;
    most = 1;
    assert_int_equal(hd_explore(fills, &by, &options, &r), 1);
    assert_non_null(strstr(r.report, "always: level <= most"));
    assert_non_null(strstr(r.report, "reproduced 1 of 1"));
    most = 2;
    assert_int_equal(hd_explore(fills, &by, &options, &r), 0);
    assert_int_equal(r.schedules, 100);

    /* One that stood before holds in each schedule, and ends when it is ended. */
    most = 1;
    hd_always(&bounded);
    assert_int_equal(hd_explore(fills_under_what_stood, &by, &options, &r), 1);
    most = 2;
    assert_int_equal(hd_explore(fills_under_what_stood, &by, &options, &r), 0);
    hd_always_end(&bounded);
    most = 1;
    assert_int_equal(hd_explore(fills_under_what_stood, &by, &options, &r), 0);
}

static void begins_once(void *arg)
{
    static bool begun; /* of the schedules that one process runs, the first alone */

    if (!begun)
        hd_always(&bounded);
    begun = true;
    fills_under_what_stood(arg);
    if (most == 2)
        most = 1; /* what the first began has ended with it */
}

static void invariants_end_with_their_schedule(void **state)
{
    const struct hd_explore_options options = {.schedules = 100};
    static struct hd_explore_result r;
    int by = 1;

    (void)state;
    most = 2;
    assert_int_equal(hd_explore(begins_once, &by, &options, &r), 0);
}

int main(void)
{
    tester = getpid();
    strays = mmap(NULL, sizeof *strays, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(strays != MAP_FAILED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_code_is_silent),
        cmocka_unit_test(leaks_are_found),
        cmocka_unit_test(standstills_are_found),
        cmocka_unit_test(aborts_are_found_again),
        cmocka_unit_test(what_does_not_come_again_is_shown_as_it_was),
        cmocka_unit_test(names_of_no_schedule_are_refused),
        cmocka_unit_test(panics_are_found),
        cmocka_unit_test(others_go_on),
        cmocka_unit_test(leaks_may_be_ignored),
        cmocka_unit_test(time_is_virtual),
        cmocka_unit_test(unknown_strategies_are_refused),
        cmocka_unit_test(crashes_are_found),
        cmocka_unit_test(no_child_goes_on),
        cmocka_unit_test(faults_are_chosen),
        cmocka_unit_test(faults_without_effect_are_named),
        cmocka_unit_test(unknown_faults_are_refused),
        cmocka_unit_test(all_schedules_are_explored),
        cmocka_unit_test(all_that_fail_are_counted),
        cmocka_unit_test(the_end_comes_late_too),
        cmocka_unit_test(what_is_no_proof_does_not_pass),
        cmocka_unit_test(one_of_all_is_run_again),
        hd_unit_test(explored),
        cmocka_unit_test(invariants_of_goroutines),
        cmocka_unit_test(invariants_end_with_their_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
