/* Leak checks inside hd_explore(): quiescence takes the place of the grace period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/go.h>
#include <heddle/mutex.h>
#include <heddle/test.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#define must(condition) ((condition) ? (void)0 : abort())

struct part {
    bool right;
    size_t left;
};

static void send(void *chan)
{
    hd_chan_send(chan, NULL);
}

/* The check ends before the function does: what is left is given a way out only then. */
static void leaves_a_sender(void *arg)
{
    struct part *part = arg;
    struct hd_chan *chan = hd_chan_make_named("replies", 0, 0);
    char text[1024];

    hd_leak_check_begin("sender");
    must(!hd_go_named("sender", send, chan));
    if (part->right)
        hd_chan_recv(chan, NULL);
    part->left = hd_leak_check_end(text, sizeof text);
    must(part->left == !part->right);
    must(part->right || strstr(text, "goroutine \"sender\" [chan send \"replies\"]"));
    if (!part->right)
        hd_chan_recv(chan, NULL);
    hd_chan_unref(chan);
}

static void nap(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++)
        hd_sleep(HD_HOUR);
}

/* They end a day later, which costs nothing; and may be anywhere when the check ends. */
static void waits_for_sleepers(void *arg)
{
    char text[1024];

    (void)arg;
    hd_leak_check_begin("sleepers");
    must(!hd_go(nap, NULL));
    must(!hd_go(nap, NULL));
    hd_go_yield();
    must(hd_leak_check_end(text, sizeof text) == 0);
}

static void yield_for_ever(void *stop)
{
    while (!*(volatile bool *)stop)
        hd_go_yield();
}

static void one_runs_for_ever(void *arg)
{
    static bool stop;
    char text[1024];

    (void)arg;
    stop = false;
    hd_leak_check_begin("busy");
    must(!hd_go_named("busy", yield_for_ever, &stop));
    must(hd_leak_check_end(text, sizeof text) == 1);
    must(strstr(text, "goroutine \"busy\" [running]"));
    stop = true;
}

static void begin_and_end(void *wg)
{
    hd_leak_check_begin("one of two");
    waits_for_sleepers(NULL);
    must(hd_leak_check_end(NULL, 0) == 0);
    hd_wg_done(wg);
}

static void two_side_by_side(void *arg)
{
    struct hd_wg wg = {0};

    (void)arg;
    hd_wg_add(&wg, 2);
    must(!hd_go(begin_and_end, &wg));
    must(!hd_go(begin_and_end, &wg));
    hd_wg_wait(&wg);
}

static struct hd_explore_result explore(void (*fn)(void *), void *arg, int expected)
{
    struct hd_explore_options o = {.schedules = 300};
    struct hd_explore_result r;
    int got = hd_explore(fn, arg, &o, &r);

    if (got != expected)
        print_message("%s\n", r.report);
    assert_int_equal(got, expected);
    return r;
}

static void right_code_is_silent(void **state)
{
    (void)state;
    assert_int_equal(explore(leaves_a_sender, &(struct part){.right = true}, 0).failing, 0);
    explore(waits_for_sleepers, NULL, 0);
    explore(two_side_by_side, NULL, 0);
}

static void a_leak_fails_the_schedule(void **state)
{
    struct hd_explore_result r = explore(leaves_a_sender, &(struct part){.right = false}, 1);

    (void)state;
    assert_string_equal(r.word, "leak-blocked");
    assert_int_equal(r.first, 1);
    assert_non_null(strstr(r.report, "at the end of \"sender\" (test_leak_explored.c:"));
    assert_non_null(strstr(r.report, "waits to send to channel"));
    assert_non_null(strstr(r.report, "leaves_a_sender"));
}

static void who_runs_for_ever_is_a_leak(void **state)
{
    struct hd_explore_result r = explore(one_runs_for_ever, NULL, 1);

    (void)state;
    assert_string_equal(r.word, "leak-blocked");
    assert_non_null(strstr(r.report, "still running at the end of \"busy\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_code_is_silent),
        cmocka_unit_test(a_leak_fails_the_schedule),
        cmocka_unit_test(who_runs_for_ever_is_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
