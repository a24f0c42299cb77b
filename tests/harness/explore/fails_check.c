/* fails_check.c - the same with Check. */
#include <check.h>
#include <stdlib.h>

#include "fails.h"

START_TEST(locks_opposite)
{
    ck_assert_int_eq(hd_explore_print("locks_opposite", opposite, NULL, NULL), 0);
}
END_TEST

START_TEST(locks_same)
{
    ck_assert_int_eq(hd_explore_print("locks_same", same, NULL, NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("locks");
    TCase *tests = tcase_create("locks");
    SRunner *runner = srunner_create(suite);

    tcase_add_test(tests, locks_opposite);
    tcase_add_test(tests, locks_same);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}
