/* WaitGroup: zero, reuse, several waiters, publication, and a group that ends when wait returns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/go.h>
#include <heddle/waitgroup.h>

#include "panics.h"
#include "rounds.h"
#include "team.h"

static void zero_does_not_wait(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    hd_wg_wait(&wg);
    hd_wg_add(&wg, 2);
    hd_wg_add(&wg, -1);
    hd_wg_done(&wg);
    hd_wg_wait(&wg);
    hd_wg_add(&wg, 0);
}

struct job {
    struct hd_wg wg;
    int results[4]; /* plain: published by done */
    struct hd_atomic_int32 next;
};

static void *work(void *arg)
{
    struct job *job = arg;

    job->results[hd_int32_add(&job->next, 1) - 1] = 7;
    hd_wg_done(&job->wg);
    return NULL;
}

static void a_done_publishes_and_a_group_is_reused(void **state)
{
    struct job job = {.wg = HD_WG_INIT};

    (void)state;
    for (int round = 0; round < rounds(200); round++) {
        struct team team;
        hd_int32_store(&job.next, 0);
        hd_wg_add(&job.wg, 4);
        team_start(&team, 4, work, &job);
        hd_wg_wait(&job.wg);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(job.results[i], 7);
            job.results[i] = 0;
        }
        team_join(&team);
    }
}

struct gate {
    struct hd_wg open, passed;
};

static void *pass(void *arg)
{
    struct gate *gate = arg;

    hd_wg_wait(&gate->open);
    hd_wg_done(&gate->passed);
    return NULL;
}

static void all_waiters_are_released(void **state)
{
    struct gate gate = {HD_WG_INIT, HD_WG_INIT};
    struct team team;

    (void)state;
    hd_wg_add(&gate.open, 1);
    hd_wg_add(&gate.passed, 6);
    team_start(&team, 6, pass, &gate);
    hd_wg_done(&gate.open);
    hd_wg_wait(&gate.passed);
    team_join(&team);
}

static void *done_once(void *arg)
{
    hd_wg_done(arg);
    return NULL;
}

/* The group is gone as soon as wait returns: the done must not look at it again. */
static void a_group_may_end_after_wait(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(500); i++) {
        struct hd_wg *wg = calloc(1, sizeof *wg);
        struct team team;
        assert_non_null(wg);
        hd_wg_add(wg, 1);
        team_start(&team, 1, done_once, wg);
        hd_wg_wait(wg);
        free(wg);
        team_join(&team);
    }
}

static void done_too_often(void *arg)
{
    hd_wg_done(arg);
}

static void a_negative_counter_panics(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    hd_wg_add(&wg, 1);
    hd_wg_done(&wg);
    assert_panics(done_too_often, &wg, "sync: negative WaitGroup counter");
}

static void count_up(void *arg)
{
    hd_int32_add(arg, 1);
}

static void count_up_and_exit(void *arg)
{
    hd_int32_add(arg, 1);
    hd_goexit();
}

static void wg_go_is_done_at_return_and_goexit(void **state)
{
    struct hd_atomic_int32 count = {0};
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    for (int i = 0; i < rounds(50); i++)
        assert_null(hd_wg_go(&wg, i % 2 ? count_up : count_up_and_exit, &count));
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), rounds(50));
}

static void add_most(void *arg)
{
    hd_wg_add(arg, INT32_MAX);
}

static void done(void *arg)
{
    hd_wg_done(arg);
}

static void wait_now(void *arg)
{
    hd_wg_wait(arg);
}

static void destroy(void *arg)
{
    hd_wg_destroy(arg);
}

static void wait_for_it(void *arg)
{
    struct gate *gate = arg;

    hd_wg_wait(&gate->open);
}

static void misuse_of_its_end_panics(void **state)
{
    void (*const late[])(void *) = {done, wait_now, destroy, add_most};
    struct gate gate = {HD_WG_INIT, HD_WG_INIT};

    (void)state;
    hd_wg_add(&gate.open, 1);
    assert_null(hd_wg_go(&gate.passed, wait_for_it, &gate));
    while ((uint32_t)atomic_load(&gate.open.state) == 0)
        hd_go_yield();
    assert_panics(destroy, &gate.open, "sync: end of a WaitGroup on which goroutines wait");
    hd_wg_done(&gate.open);
    hd_wg_wait(&gate.passed);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        gate.open = (struct hd_wg)HD_WG_INIT;
        hd_wg_destroy(&gate.open);
        assert_panics(late[i], &gate.open, "sync: use of a WaitGroup after its end");
    }
    hd_wg_init(&gate.open, NULL);
    hd_wg_wait(&gate.open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_does_not_wait),
        cmocka_unit_test(a_done_publishes_and_a_group_is_reused),
        cmocka_unit_test(all_waiters_are_released),
        cmocka_unit_test(a_group_may_end_after_wait),
        cmocka_unit_test(a_negative_counter_panics),
        cmocka_unit_test(wg_go_is_done_at_return_and_goexit),
        cmocka_unit_test(misuse_of_its_end_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
