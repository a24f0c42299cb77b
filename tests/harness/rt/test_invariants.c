/* test_invariants.c - rt_check(): three threads as they may be, then each invariant broken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "turn/rt.h"
#include "traps.h"

static struct hdi_thread thread[3];
static struct hdi_thread *all[3], *live[4], *deadline[3];
static struct hdp_region region;

void *hdi_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

/* T0 runs, T1 can, T2 waits outside until a time; a fourth has ended. */
static int setup(void **state)
{
    (void)state;
    rt = (struct rt){.region = &region, .all = all, .live = live, .deadline = deadline};
    rt_set_grow(&rt.runnable, 3);
    rt_set_grow(&rt.outside, 3);
    for (uint32_t i = 0; i < 3; i++) {
        thread[i] = (struct hdi_thread){.index = i, .turn.live_at = i};
        thread[i].op = i ? &thread[i].turn.published : NULL;
        all[i] = live[i] = &thread[i];
    }
    live[3] = NULL;
    rt.live_slots = 4;
    rt.all_count = rt.live_count = 3;
    rt.current = &thread[0];
    thread[0].state = HDP_T_RUNNING;
    thread[1].state = HDP_T_ENABLED;
    thread[1].enabled = true;
    rt_set_add(&rt.runnable, 1);
    thread[2].state = HDP_T_BLOCKED;
    thread[2].outside = true;
    thread[2].op->until_ns = 100;
    rt_set_add(&rt.outside, 2);
    rt.outside_count = 1;
    deadline[0] = &thread[2];
    thread[2].turn.deadline_at = rt.deadlines = 1;
    return 0;
}

static void holds(void **state)
{
    (void)state;
    assert_false(traps(rt_check));
}

#define BROKEN(name, ...)                                                                          \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        __VA_ARGS__;                                                                               \
        assert_true(traps(rt_check));                                                              \
    }

BROKEN(one_is_not_counted, rt.live_count = 2)
BROKEN(the_ended_are_among_the_living, thread[1].life.ended = true)
BROKEN(one_is_at_another_place, thread[1].turn.live_at = 2)
BROKEN(two_run, thread[1].state = HDP_T_RUNNING)
BROKEN(nobody_runs, thread[0].state = HDP_T_LOST; rt.external_count = 1)
BROKEN(enabled_without_an_operation, thread[1].op = NULL)
BROKEN(enabled_and_not_runnable, rt_set_remove(&rt.runnable, 1))
BROKEN(running_and_still_runnable, rt_set_add(&rt.runnable, 0))
BROKEN(a_deadline_forgotten, rt.deadlines = 0; thread[2].turn.deadline_at = 0)
BROKEN(a_deadline_of_nobody, thread[2].op->until_ns = 0)
BROKEN(a_heap_out_of_order, thread[1] = thread[2]; thread[1].index = thread[1].turn.live_at = 1;
       thread[1].op = &thread[1].turn.published; thread[1].op->until_ns = 50;
       rt_set_remove(&rt.runnable, 1); rt_set_add(&rt.outside, 1); rt.outside_count = 2;
       deadline[1] = &thread[1]; thread[1].turn.deadline_at = rt.deadlines = 2)
BROKEN(outside_and_not_in_the_set, rt_set_remove(&rt.outside, 2))
BROKEN(outside_and_not_counted, rt.outside_count = 0)
BROKEN(own_and_not_counted, thread[2].op->own = true)
BROKEN(a_signal_wait_that_is_not_counted, thread[2].op->kind = HD_EV_SIGNAL_WAIT)
BROKEN(lost_and_not_counted, thread[1].state = HDP_T_LOST; rt_set_remove(&rt.runnable, 1))

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(holds, setup),
        cmocka_unit_test_setup(one_is_not_counted, setup),
        cmocka_unit_test_setup(the_ended_are_among_the_living, setup),
        cmocka_unit_test_setup(one_is_at_another_place, setup),
        cmocka_unit_test_setup(two_run, setup),
        cmocka_unit_test_setup(nobody_runs, setup),
        cmocka_unit_test_setup(enabled_without_an_operation, setup),
        cmocka_unit_test_setup(enabled_and_not_runnable, setup),
        cmocka_unit_test_setup(running_and_still_runnable, setup),
        cmocka_unit_test_setup(a_deadline_forgotten, setup),
        cmocka_unit_test_setup(a_deadline_of_nobody, setup),
        cmocka_unit_test_setup(a_heap_out_of_order, setup),
        cmocka_unit_test_setup(outside_and_not_in_the_set, setup),
        cmocka_unit_test_setup(outside_and_not_counted, setup),
        cmocka_unit_test_setup(own_and_not_counted, setup),
        cmocka_unit_test_setup(a_signal_wait_that_is_not_counted, setup),
        cmocka_unit_test_setup(lost_and_not_counted, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
