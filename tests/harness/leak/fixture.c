/* A test program with leak checks as fixtures; `wrong` leaves something in each test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/go.h>
#include <heddle/select.h>
#include <heddle/test.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

static bool wrong;

struct fetch {
    struct hd_chan *answers;
    struct hd_context *ctx;
    struct hd_wg asked;
};

static void fetch(void *arg)
{
    struct fetch *f = arg;
    int answer = 42;

    HD_SELECT(HD_SEND(f->answers, &answer), HD_RECV(hd_context_done(f->ctx), NULL));
    hd_wg_done(&f->asked);
}

/* Two are asked, the first answer is enough; right: the other is told. */
static void first_answer_wins(void **state)
{
    static struct fetch f;
    int answer;

    (void)state;
    f.answers = hd_chan_make_named("answers", sizeof(int), 0);
    f.ctx = hd_context_with_cancel(hd_context_background());
    hd_wg_add(&f.asked, 2);
    assert_null(hd_go_named("fetch", fetch, &f));
    assert_null(hd_go_named("fetch", fetch, &f));
    hd_chan_recv(f.answers, &answer);
    assert_int_equal(answer, 42);
    if (wrong)
        return;
    hd_context_cancel(f.ctx);
    hd_wg_wait(&f.asked);
    hd_context_unref(f.ctx);
    hd_chan_unref(f.answers);
}
HD_LEAK_CHECKED(first_answer_wins)

static void ticks(void **state)
{
    struct hd_ticker *ticker = hd_ticker_make(HD_MILLISECOND);

    (void)state;
    hd_chan_recv(hd_ticker_chan(ticker), NULL);
    if (!wrong)
        hd_ticker_free(ticker);
}
HD_LEAK_CHECKED(ticks)

static void *work(void *arg)
{
    return arg;
}

/* A plain thread: seen with a runtime loaded alone. */
static void thread_is_joined(void **state)
{
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, work, NULL), 0);
    if (!wrong)
        pthread_join(thread, NULL);
}
HD_LEAK_CHECKED(thread_is_joined)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        hd_leak_unit_test(first_answer_wins),
        hd_leak_unit_test(ticks),
        hd_leak_unit_test(thread_is_joined),
        cmocka_unit_test_setup_teardown(ticks, hd_leak_setup, hd_leak_teardown),
    };

    wrong = argc > 1 && strcmp(argv[1], "wrong") == 0;
    hd_leak_grace(600 * HD_MILLISECOND);
    return cmocka_run_group_tests(tests, hd_leak_setup, hd_leak_teardown);
}
