/* Scope: order, early leaving, panics, goexit, locks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <heddle/go.h>
#include <heddle/scope.h>
#include <heddle/waitgroup.h>

static char trail[16];

static void leave_mark(void *mark)
{
    strcat(trail, mark);
}

static void blocks_and_loops(void)
{
    HD_DEFER(leave_mark, "f");
    for (int i = 0; i < 3; i++) {
        HD_DEFER(leave_mark, "a");
        HD_DEFER(leave_mark, "b");
        if (i == 1)
            return;
        leave_mark("-");
    }
}

static void last_first_at_the_end_of_the_block(void **state)
{
    (void)state;
    trail[0] = '\0';
    blocks_and_loops();
    assert_string_equal(trail, "-babaf");
}

struct account {
    struct hd_mutex mutex;
    struct hd_rwmutex rw;
};

static void panic_inside(void *arg)
{
    struct account *account = arg;

    HD_SCOPED_LOCK(&account->mutex);
    HD_DEFER(leave_mark, "p");
    hd_panic("inside");
}

static void a_panic_unlocks(void **state)
{
    struct account account = {HD_MUTEX_INIT, HD_RWMUTEX_INIT};
    hd_err err;

    (void)state;
    trail[0] = '\0';
    err = hd_recover(panic_inside, &account);
    assert_string_equal(hd_err_message(err), "inside");
    assert_string_equal(trail, "p");
    assert_true(hd_mutex_trylock(&account.mutex));
    hd_mutex_unlock(&account.mutex);
    hd_err_unref(err);
}

static void exit_inside(void *arg)
{
    struct account *account = arg;

    HD_SCOPED_WLOCK(&account->rw);
    hd_goexit();
}

static void a_goexit_unlocks(void **state)
{
    struct account account = {HD_MUTEX_INIT, HD_RWMUTEX_INIT};
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    assert_null(hd_wg_go(&wg, exit_inside, &account));
    hd_wg_wait(&wg);
    {
        HD_SCOPED_RLOCK(&account.rw);
        assert_false(hd_rwmutex_try_lock(&account.rw));
    }
    assert_true(hd_rwmutex_try_lock(&account.rw));
}

static void panic_while_leaving(void *arg)
{
    (void)arg;
    hd_panic("second");
}

static void panic_twice(void *arg)
{
    (void)arg;
    HD_DEFER(leave_mark, "z");
    HD_DEFER(panic_while_leaving, NULL);
    hd_panic("first");
}

static void a_panic_while_leaving_takes_over(void **state)
{
    hd_err err;

    (void)state;
    trail[0] = '\0';
    err = hd_recover(panic_twice, NULL);
    assert_string_equal(hd_err_message(err), "second");
    assert_string_equal(trail, "z");
    hd_err_unref(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_first_at_the_end_of_the_block),
        cmocka_unit_test(a_panic_unlocks),
        cmocka_unit_test(a_goexit_unlocks),
        cmocka_unit_test(a_panic_while_leaving_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
