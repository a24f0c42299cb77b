/* test_feedback.c - what workers tell each other: everything, once, in one order, whoever said it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "campaign/feedback.h"

static struct worker workers[2];
static struct crew crew = {.worker = workers, .workers = 2};

static void fresh(void)
{
    for (unsigned i = 0; i < 2; i++) {
        free(workers[i].region);
        workers[i].region = calloc(1, sizeof *workers[i].region);
        assert_non_null(workers[i].region);
    }
}

static void say(unsigned worker, uint64_t site)
{
    struct hdp_learned *news = &workers[worker].region->news;
    news->site[news->sites++] = site;
    news->word[news->words++] = site + 1;
    news->pair[news->pairs++] = (struct hdp_learned_pair){site, site * 2};
}

static void everybody_knows_the_same_whoever_said_it(void **state)
{
    (void)state;
    struct hdp_learned first;
    for (unsigned turned = 0; turned < 2; turned++) {
        struct feedback *l = feedback_new();
        fresh();
        say(turned, 30);
        say(turned, 10);
        say(!turned, 20);
        say(!turned, 30);
        feedback_share(l, &crew);
        const struct hdp_learned *known = &workers[0].region->learned;
        assert_int_equal(known->sites, 3);
        assert_int_equal(known->words, 3);
        assert_int_equal(known->pairs, 3);
        assert_int_equal(known->site[0], 10);
        assert_int_equal(known->site[2], 30);
        assert_memory_equal(known, &workers[1].region->learned, sizeof *known);
        assert_int_equal(workers[0].region->news.sites, 0);
        if (turned)
            assert_memory_equal(known, &first, sizeof first);
        first = *known;
        feedback_free(l);
    }
}

static void later_news_join_what_is_known(void **state)
{
    (void)state;
    struct feedback *l = feedback_new();
    fresh();
    say(0, 50);
    feedback_share(l, &crew);
    say(1, 40);
    say(1, 50);
    feedback_share(l, &crew);
    assert_int_equal(workers[0].region->learned.sites, 2);
    assert_int_equal(workers[0].region->learned.site[0], 40);
    feedback_free(l);
}

static void a_table_that_is_full_says_so(void **state)
{
    (void)state;
    struct feedback *l = feedback_new();
    fresh();
    for (uint32_t i = 0; i < HDP_LEARNED_SITES; i++) {
        workers[0].region->news.site[i] = 2 * i + 2;
        workers[1].region->news.site[i] = 2 * i + 1;
    }
    workers[0].region->news.sites = workers[1].region->news.sites = HDP_LEARNED_SITES;
    feedback_share(l, &crew);
    assert_true(workers[0].region->learned.full);
    assert_int_equal(workers[0].region->learned.sites, HDP_LEARNED_SITES);
    feedback_free(l);
}

static void counts_that_a_program_overwrote_are_not_believed(void **state)
{
    (void)state;
    struct feedback *l = feedback_new();
    fresh();
    workers[0].region->news.sites = UINT32_MAX;
    say(1, 7);
    feedback_share(l, &crew);
    assert_int_equal(workers[0].region->learned.sites, 1);
    feedback_free(l);
}

static void run(struct feedback *l, uint64_t number, uint32_t steps, uint32_t different)
{
    struct hdp_region *r = workers[number % 2].region;
    r->result.steps = steps;
    for (uint32_t i = 0; i < steps; i++)
        r->trace[i] =
            (struct hdp_step){.object = 1, .thread = i % 2, .site = 100 * number + i % different};
    feedback_profile(l, r, number);
}

static void the_richest_profile_goes_to_all_whatever_came_first(void **state)
{
    (void)state;
    for (unsigned turned = 0; turned < 2; turned++) {
        struct feedback *l = feedback_new();
        fresh();
        run(l, 1, 9, 2);
        run(l, turned ? 3 : 2, 4, 3);
        run(l, turned ? 2 : 3, 4, 3);
        run(l, 4, 6, 1);
        workers[1].region->result.steps = 20; /* of one thread alone */
        for (uint32_t i = 0; i < 20; i++)
            workers[1].region->trace[i] = (struct hdp_step){.object = i, .site = i};
        feedback_profile(l, workers[1].region, 5);
        assert_int_equal(workers[0].region->profile_steps, 0);
        feedback_share(l, &crew);
        assert_int_equal(workers[0].region->profile_steps, 4);
        assert_int_equal(workers[0].region->profile[1].site, 301);
        assert_memory_equal(workers[0].region->profile, workers[1].region->profile,
                            4 * sizeof(struct hdp_step));
        feedback_free(l);
    }
}

/* Two threads, one step each on one object, in this order. */
static struct hdp_region *two_steps(uint32_t first, uint32_t second)
{
    struct hdp_region *r = workers[0].region;

    r->trace[0] =
        (struct hdp_step){.thread = first, .kind = HD_EV_ATOMIC_STORE, .object = 7, .site = 1};
    r->trace[1] =
        (struct hdp_step){.thread = second, .kind = HD_EV_ATOMIC_STORE, .object = 7, .site = 1};
    r->result.steps = 2;
    return r;
}

static void what_threads_did_is_kept_once_in_whatever_order(void **state)
{
    struct feedback *l = feedback_new(), *again = feedback_new();
    json_t *o;

    (void)state;
    fresh();
    feedback_path(l, two_steps(1, 2));
    feedback_path(l, two_steps(2, 1));
    feedback_share(l, &crew);
    assert_int_equal(workers[1].region->paths, 1);
    assert_int_equal(workers[1].region->path[0].step[0].thread, 1);
    feedback_path(l, two_steps(1, 3));
    feedback_share(l, &crew);
    assert_int_equal(workers[1].region->paths, 2);
    assert_int_equal(workers[1].region->path[0].step[1].thread, 3);
    /* A corpus has them, too. */
    assert_true(feedback_read(again, o = feedback_json(l)));
    workers[1].region->paths = 0;
    memset(workers[1].region->path, 0, sizeof workers[1].region->path);
    feedback_path(again, two_steps(2, 1));
    feedback_share(again, &crew);
    assert_int_equal(workers[1].region->paths, 2);
    assert_int_equal(workers[1].region->path[0].step[1].thread, 3);
    json_decref(o);
    feedback_free(l);
    feedback_free(again);
}

/* What was a point in one schedule, and is none any more, nobody comes to. */
static void a_path_is_without_what_is_no_point(void **state)
{
    struct feedback *l = feedback_new();
    struct hdp_region *r;

    (void)state;
    fresh();
    r = two_steps(1, 2);
    r->trace[0].kind = r->trace[1].kind = HD_EV_READ;
    r->trace[1].site = 30;
    feedback_path(l, r);
    say(0, 30);
    feedback_share(l, &crew);
    assert_int_equal(workers[1].region->path[0].steps, 1);
    assert_int_equal(workers[1].region->path[0].step[0].site, 30);
    say(0, 1);
    feedback_share(l, &crew);
    assert_int_equal(workers[1].region->path[0].steps, 2);
    feedback_free(l);
}

static uint32_t counted(const struct hdp_region *r)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < HDP_ORDER_PAIRS; i++)
        sum += r->order_pair[i];
    return sum;
}

static void orders_are_counted_and_those_that_did_not_come_a_little(void **state)
{
    struct feedback *l = feedback_new(), *again = feedback_new();
    struct hdp_region *r;
    json_t *o;

    (void)state;
    fresh();
    r = two_steps(1, 2); /* two orders, so three pairs of them */
    feedback_count(l, r);
    feedback_share(l, &crew);
    assert_int_equal(counted(workers[1].region), 3 * HDP_ORDER_ONCE);
    for (uint32_t i = 0; r->result.expected_pairs < 2; i++)
        if (!r->order_pair[i])
            r->result.expected_pair[r->result.expected_pairs++] = (uint16_t)i;
    feedback_count(l, r);
    feedback_share(l, &crew);
    assert_int_equal(counted(workers[1].region), 6 * HDP_ORDER_ONCE + 2);
    assert_true(feedback_read(again, o = feedback_json(l)));
    memset(workers[1].region->order_pair, 0, sizeof r->order_pair);
    feedback_share(again, &crew);
    assert_int_equal(counted(workers[1].region), 6 * HDP_ORDER_ONCE + 2);
    json_decref(o);
    feedback_free(l);
    feedback_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_knows_the_same_whoever_said_it),
        cmocka_unit_test(later_news_join_what_is_known),
        cmocka_unit_test(a_table_that_is_full_says_so),
        cmocka_unit_test(counts_that_a_program_overwrote_are_not_believed),
        cmocka_unit_test(the_richest_profile_goes_to_all_whatever_came_first),
        cmocka_unit_test(what_threads_did_is_kept_once_in_whatever_order),
        cmocka_unit_test(a_path_is_without_what_is_no_point),
        cmocka_unit_test(orders_are_counted_and_those_that_did_not_come_a_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
