/* test_fault_plan.c - which fault is to happen in which schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "campaign/fault_plan.h"
#include "util/fault_words.h"

enum { PLACES = 3, NUMBERS = 400 };
static const uint32_t times[PLACES] = {5, 1, 30};
static struct hdp_region *region;

/* A schedule comes to each place so often; behind a fault of the second once more to the first. */
static void tell(struct fault_plan *p, const struct hdp_config *config, uint64_t number)
{
    struct hdp_fault_points *f = &region->fault_points;
    bool again = config->fault[0].site == 11 || config->fault[1].site == 11;
    memset(&region->result, 0, sizeof region->result);
    for (uint32_t i = 0; i < HDP_FAULTS; i++) {
        const struct hdp_fault *at = &config->fault[i];
        if (!at->nth || (at->site == 10 && at->nth > times[0] && !again))
            continue;
        region->trace[region->result.steps++] =
            (struct hdp_step){.thread = at->thread,
                              .flags = HDP_STEP_CHOICE | HDP_STEP_CHOSE(HDP_CHOSE_FAULT, at->kind),
                              .choice = at->nth,
                              .site = at->site};
        region->result.faults++;
    }
    f->places = 0;
    for (uint32_t i = 0; i < PLACES; i++)
        f->place[f->places++] = (struct hdp_fault_place){.site = 10 + i,
                                                         .thread = 7,
                                                         .kind = HDP_FAULT_MALLOC,
                                                         .count = times[i] + (again && i == 0)};
    fault_plan_learn(p, region, number);
}

static bool begins_phase(uint64_t number)
{
    return number <= 4 || number == 64;
}

/* The faults of each schedule; those of a phase tell in the opposite order if `backwards`. */
static struct hdp_config *plan(uint64_t seed, bool backwards, struct fault_stats *s)
{
    struct hdp_config *all = calloc(NUMBERS + 1, sizeof *all);
    struct fault_plan *p = fault_plan_new();
    uint64_t first = 1, number;
    assert_non_null(all);
    for (number = 1; number <= NUMBERS; number++) {
        if (begins_phase(number)) {
            for (uint64_t i = 0; i < number - first; i++) {
                uint64_t which = backwards ? number - 1 - i : first + i;
                tell(p, &all[which], which);
            }
            first = number;
            fault_plan_phase(p, number);
        }
        all[number].faults = 1u << HDP_FAULT_MALLOC;
        fault_plan_choose(p, seed, number, &all[number]);
    }
    for (number = first; number <= NUMBERS; number++)
        tell(p, &all[number], number);
    if (s)
        fault_plan_count(p, s);
    fault_plan_free(p);
    return all;
}

static bool is_at(const struct hdp_fault *f, uint64_t site, uint32_t nth)
{
    return f->site == site && f->nth == nth && f->thread == 7 && f->kind == HDP_FAULT_MALLOC;
}

static void each_point_is_tried_once_alone_and_in_order(void **state)
{
    (void)state;
    struct fault_stats s = {0};
    struct hdp_config *all = plan(1, false, &s);
    uint32_t nth[PLACES] = {0}, last = 0, singles = 0;
    uint64_t number = 1;
    for (; singles < times[0] + times[1] + times[2]; number++) {
        const struct hdp_fault *f = all[number].fault;
        assert_true(number < NUMBERS);
        if (number == 1 || number % 4 == 0) {
            assert_int_equal(f[0].nth, 0);
            continue;
        }
        assert_int_equal(f[1].nth, 0);
        assert_true(f[0].site >= 10 && f[0].site < 10 + PLACES);
        assert_int_equal(f[0].nth, ++nth[f[0].site - 10]);
        assert_true(f[0].nth >= last); /* all first ones before all second ones */
        last = f[0].nth;
        singles++;
    }
    for (uint32_t i = 0; i < PLACES; i++)
        assert_int_equal(nth[i], times[i]);
    assert_int_equal(s.points[HDP_FAULT_MALLOC], times[0] + times[1] + times[2] + 1);
    assert_int_equal(s.tried[HDP_FAULT_MALLOC], s.points[HDP_FAULT_MALLOC]);
    assert_int_equal(s.points[HDP_FAULT_READ], 0);
    free(all);
}

/* The sixth of the first place is met behind a fault at the second alone. */
static void what_is_met_behind_a_fault_is_tried_behind_it(void **state)
{
    (void)state;
    struct hdp_config *all = plan(1, false, NULL);
    bool tried = false;
    for (uint64_t number = 1; number <= NUMBERS; number++)
        if (is_at(&all[number].fault[0], 10, times[0] + 1)) {
            assert_true(is_at(&all[number].fault[1], 11, 1));
            tried = true;
        }
    assert_true(tried);
    free(all);
}

static void chance_picks_two_at_the_end(void **state)
{
    (void)state;
    struct hdp_config *all = plan(1, false, NULL), *other = plan(2, false, NULL);
    uint32_t pairs = 0, different = 0;
    for (uint64_t number = NUMBERS / 2; number <= NUMBERS; number++) {
        assert_true((all[number].fault[0].nth == 0) == (number % 4 == 0));
        pairs += all[number].fault[1].nth != 0;
        different += memcmp(all[number].fault, other[number].fault, sizeof all[number].fault) != 0;
    }
    assert_true(pairs > NUMBERS / 5 && different > NUMBERS / 5);
    free(all);
    free(other);
}

static void the_order_of_those_side_by_side_is_no_matter(void **state)
{
    (void)state;
    struct hdp_config *all = plan(1, false, NULL), *other = plan(1, true, NULL);
    assert_memory_equal(all, other, (NUMBERS + 1) * sizeof *all);
    free(all);
    free(other);
}

static void words_are_understood(void **state)
{
    (void)state;
    uint32_t kinds;
    char *why;
    assert_null(faults_parse("short", &kinds));
    assert_int_equal(kinds, 1u << HDP_FAULT_READ | 1u << HDP_FAULT_WRITE);
    assert_null(faults_parse("cas,cancel", &kinds));
    assert_int_equal(kinds, 1u << HDP_FAULT_EXCHANGE | 1u << HDP_FAULT_CANCEL);
    assert_null(faults_parse("all", &kinds));
    assert_int_equal(kinds, (1u << HDP_FAULT_KINDS) - 1);
    static const char *const wrong[] = {"", "mallocs", "malloc,", "malloc,,short", "malloc short"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_non_null(why = faults_parse(wrong[i], &kinds));
        free(why);
    }
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++)
        assert_int_equal(fault_parse(fault_words[i].word), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_point_is_tried_once_alone_and_in_order),
        cmocka_unit_test(what_is_met_behind_a_fault_is_tried_behind_it),
        cmocka_unit_test(chance_picks_two_at_the_end),
        cmocka_unit_test(the_order_of_those_side_by_side_is_no_matter),
        cmocka_unit_test(words_are_understood),
    };
    region = calloc(1, sizeof *region);
    int failed = region ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(region);
    return failed;
}
