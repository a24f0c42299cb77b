/* fails_cmocka.c - one test that fails, one that passes, with setup, teardown and options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fails.h"

static int set_up, torn_down;

static int setup(void **state)
{
    *state = &set_up;
    set_up++;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    torn_down++;
    return 0;
}

static void locks_opposite(void **state)
{
    (void)state;
    opposite(NULL);
}
HD_EXPLORED(locks_opposite)

static void locks_same(void **state)
{
    if (*state != &set_up || set_up != 1 || torn_down != 0)
        abort();
    same(NULL);
}
HD_EXPLORED_WITH(locks_same, .schedules = 7, .strategy = "pct")

int main(void)
{
    const struct CMUnitTest tests[] = {hd_unit_test(locks_opposite),
                                       hd_unit_test_setup_teardown(locks_same, setup, teardown)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    printf("set up %d, torn down %d\n", set_up, torn_down);
    return failed;
}
