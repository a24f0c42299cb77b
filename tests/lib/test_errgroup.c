/* Errgroup: the first error wins and cancels, limits hold, panics become errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/errgroup.h>
#include <heddle/go.h>
#include <heddle/select.h>

#include "panics.h"
#include "rounds.h"

static hd_err succeed(void *arg)
{
    hd_int32_add(arg, 1);
    return NULL;
}

static void all_succeed(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct hd_atomic_int32 count = {0};

    (void)state;
    assert_null(hd_errgroup_wait(&group));
    for (int round = 0; round < 3; round++) { /* also after a wait */
        for (int i = 0; i < 10; i++)
            hd_errgroup_go(&group, succeed, &count);
        assert_null(hd_errgroup_wait(&group));
    }
    assert_int_equal(hd_int32_load(&count), 30);
}

static hd_err fail_it(void *arg)
{
    return hd_errorf(HD_ERR_USER, "task %d", *(int *)arg);
}

struct sibling {
    struct hd_context *ctx;
    struct hd_atomic_int32 cancelled;
};

static hd_err wait_for_cancel(void *arg)
{
    struct sibling *sibling = arg;

    hd_chan_recv(hd_context_done(sibling->ctx), NULL);
    if (hd_err_code(hd_context_cause(sibling->ctx)) == HD_ERR_USER)
        hd_int32_add(&sibling->cancelled, 1);
    return hd_context_err(sibling->ctx);
}

static void the_first_error_cancels_the_siblings(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct sibling sibling = {.ctx = NULL};
    int number = 7;
    hd_err err;

    (void)state;
    sibling.ctx = hd_errgroup_with_context(&group, hd_context_background());
    for (int i = 0; i < 3; i++)
        hd_errgroup_go(&group, wait_for_cancel, &sibling);
    hd_errgroup_go(&group, fail_it, &number);
    err = hd_errgroup_wait(&group);
    assert_string_equal(hd_err_message(err), "task 7"); /* not the siblings' "context canceled" */
    assert_int_equal(hd_int32_load(&sibling.cancelled), 3);
    hd_err_unref(err);
    hd_errgroup_destroy(&group);
}

static void wait_ends_the_context(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct hd_context *ctx;

    (void)state;
    ctx = hd_context_ref(hd_errgroup_with_context(&group, hd_context_background()));
    assert_null(hd_context_err(ctx));
    assert_null(hd_errgroup_wait(&group));
    assert_ptr_equal(hd_context_err(ctx), hd_cancelled);
    hd_context_unref(ctx);
}

struct crowd {
    struct hd_atomic_int32 inside, most;
};

static hd_err crowd(void *arg)
{
    struct crowd *c = arg;
    int32_t now = hd_int32_add(&c->inside, 1), most;

    while ((most = hd_int32_load(&c->most)) < now && !hd_int32_cas(&c->most, most, now))
        ;
    hd_go_yield();
    hd_int32_add(&c->inside, -1);
    return NULL;
}

static void the_limit_holds(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct crowd c = {{0}, {0}};

    (void)state;
    hd_errgroup_set_limit(&group, 3);
    for (int i = 0; i < rounds(60); i++)
        hd_errgroup_go(&group, crowd, &c);
    assert_null(hd_errgroup_wait(&group));
    for (int i = 0; i < rounds(20); i++) /* a wait does not lift it */
        hd_errgroup_go(&group, crowd, &c);
    assert_null(hd_errgroup_wait(&group));
    assert_in_range(hd_int32_load(&c.most), 1, 3);
    hd_errgroup_destroy(&group);
}

static hd_err wait_at(void *gate)
{
    hd_chan_recv(gate, NULL);
    return NULL;
}

static void set_limit(void *group)
{
    hd_errgroup_set_limit(group, 5);
}

static void try_go_and_changing_the_limit(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct hd_chan *gate = hd_chan_make(0, 0);

    (void)state;
    hd_errgroup_set_limit(&group, 0);
    assert_false(hd_errgroup_try_go(&group, wait_at, gate));
    hd_errgroup_set_limit(&group, 1);
    assert_true(hd_errgroup_try_go(&group, wait_at, gate));
    assert_false(hd_errgroup_try_go(&group, wait_at, gate));
    assert_panics(set_limit, &group,
                  "errgroup: modify limit while 1 goroutines in the group are still active");
    hd_chan_close(gate);
    assert_null(hd_errgroup_wait(&group));
    hd_errgroup_set_limit(&group, -1);
    hd_chan_unref(gate);
    gate = hd_chan_make(0, 0);
    assert_true(hd_errgroup_try_go(&group, wait_at, gate));
    assert_panics(set_limit, &group, /* also without a limit until now */
                  "errgroup: modify limit while 1 goroutines in the group are still active");
    hd_chan_close(gate);
    assert_null(hd_errgroup_wait(&group));
    hd_errgroup_destroy(&group);
    hd_chan_unref(gate);
}

static void destroy(void *group)
{
    hd_errgroup_destroy(group);
}

static void the_first_error_stays(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    struct hd_chan *gate = hd_chan_make(0, 0);
    struct hd_atomic_int32 count = {0};
    int first = 1, second = 2;
    hd_err err;

    (void)state;
    hd_errgroup_go(&group, fail_it, &first);
    err = hd_errgroup_wait(&group);
    assert_string_equal(hd_err_message(err), "task 1");
    hd_err_unref(err);
    hd_errgroup_go(&group, fail_it, &second);
    hd_errgroup_go(&group, succeed, &count);
    err = hd_errgroup_wait(&group);
    assert_string_equal(hd_err_message(err), "task 1");
    hd_err_unref(err);
    hd_errgroup_go(&group, wait_at, gate);
    assert_panics(destroy, &group, "errgroup: end of a group whose tasks still run");
    hd_chan_close(gate);
    hd_err_unref(hd_errgroup_wait(&group));
    hd_errgroup_destroy(&group);
    assert_null(hd_errgroup_wait(&group));
    hd_chan_unref(gate);
}

static hd_err panic_task(void *arg)
{
    (void)arg;
    hd_panic("lost my way");
}

static hd_err exit_task(void *arg)
{
    (void)arg;
    hd_goexit();
}

static void a_panic_is_an_error_and_an_exit_is_none(void **state)
{
    struct hd_errgroup group = HD_ERRGROUP_INIT;
    hd_err err;

    (void)state;
    hd_errgroup_go(&group, exit_task, NULL);
    assert_null(hd_errgroup_wait(&group));
    hd_errgroup_go(&group, panic_task, NULL);
    err = hd_errgroup_wait(&group);
    assert_int_equal(hd_err_code(err), HD_ERR_PANIC);
    assert_string_equal(hd_err_message(err), "lost my way");
    hd_err_unref(err);
    hd_errgroup_destroy(&group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_succeed),
        cmocka_unit_test(the_first_error_cancels_the_siblings),
        cmocka_unit_test(wait_ends_the_context),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(try_go_and_changing_the_limit),
        cmocka_unit_test(the_first_error_stays),
        cmocka_unit_test(a_panic_is_an_error_and_an_exit_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
