/* selects.c - select: blocked sends inside a case, defaults that drop, cases that never rest. */
#include "bug.h"

static void gossip(struct box *b, struct hd_chan *in, struct hd_chan *out)
{
    int news = 1;

    if (b->right) {
        bool sent = false, got = false;
        while (!sent || !got)
            if (HD_SELECT(HD_RECV(got ? NULL : in, NULL), HD_SEND(sent ? NULL : out, &news)) == 0)
                got = true;
            else
                sent = true;
        return;
    }
    hd_chan_send(out, &news);
    hd_chan_recv(in, NULL);
}

static void left(void *arg)
{
    struct box *b = arg;

    gossip(b, b->a, b->b);
}

static void right_side(void *arg)
{
    struct box *b = arg;

    gossip(b, b->b, b->a);
}

BUG(both_send_first)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    b->b = CHAN(int, 0);
    RUN(left, b);
    RUN(right_side, b);
    hd_wg_wait(&b->wg);
}

static void work_until_stop(void *arg)
{
    struct box *b = arg;
    bool stopped = false;

    while (!stopped) {
        if (b->right && HD_SELECT_DEFAULT(HD_RECV(b->b, NULL)) == 0)
            break;
        switch (HD_SELECT(HD_RECV(b->a, NULL), HD_RECV(b->b, NULL))) {
        case 0:
            assert((b->right || hd_int64_load(&b->count) == 0) && "worked after the stop");
            break;
        case 1:
            stopped = true;
        }
    }
}

/* Stop and work are both ready: select may choose the work. */
BUG(stop_has_no_priority)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 4);
    b->b = SIGNAL(0);
    for (int i = 0; i < 4; i++)
        hd_chan_send(b->a, &i);
    RUN(work_until_stop, b);
    hd_int64_store(&b->count, 1);
    hd_chan_close(b->b);
    hd_wg_wait(&b->wg);
}

static void await_news(void *arg)
{
    struct box *b = arg;

    hd_chan_recv(b->a, NULL);
}

/* The default drops the news when the listener is not yet listening. */
BUG(notify_with_default)
{
    struct box *b = box_new(right);

    b->a = SIGNAL(right ? 1 : 0);
    RUN(await_news, b);
    (void)HD_SELECT_DEFAULT(HD_SEND(b->a, NULL));
    hd_wg_wait(&b->wg);
}

static void merge(void *arg)
{
    struct box *b = arg;
    struct hd_chan *in[2] = {b->a, b->b};

    for (int open = 2; open > 0;) {
        int value;
        bool ok;
        int chosen = HD_SELECT(HD_RECV_OK(in[0], &value, &ok), HD_RECV_OK(in[1], &value, &ok));
        if (ok) {
            b->x++;
        } else if (b->right || in[chosen] != b->c) {
            open--;
            if (b->right)
                in[chosen] = NULL; /* a closed channel is always ready */
        }
    }
}

BUG(closed_case_counts_again)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 2);
    b->b = CHAN(int, 2);
    for (int i = 0; i < 2; i++) {
        hd_chan_send(b->a, &i);
        hd_chan_send(b->b, &i);
    }
    hd_chan_close(b->a);
    hd_chan_close(b->b);
    RUN(merge, b);
    hd_wg_wait(&b->wg);
    assert(b->x == 4 && "one input was closed, and the other's values were lost");
}

static void poll_until_done(void *arg)
{
    struct box *b = arg;
    bool done = false;

    for (int turns = 0; !done; turns++) {
        assert(turns < 64 && "the break left the switch, not the loop");
        switch (HD_SELECT(HD_RECV(b->a, NULL), HD_RECV(b->b, NULL))) {
        case 0:
            break;
        case 1:
            if (b->right)
                done = true;
            break;
        }
    }
}

BUG(break_leaves_the_switch)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 1);
    b->b = SIGNAL(0);
    hd_chan_send(b->a, &b->x);
    hd_chan_close(b->b);
    RUN(poll_until_done, b);
    hd_wg_wait(&b->wg);
}

static void late_answer(void *arg)
{
    struct box *b = arg;

    HD_RANGE(int, question, b->a)
    {
        hd_sleep(span(question == 1 ? 3 * HD_SECOND : HD_SECOND));
        hd_chan_send(b->b, &question);
    }
}

/* The answer that came too late for the first question is taken for the second's. */
BUG(late_answer_for_next_question)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 2);
    b->b = CHAN(int, 2);
    GO(late_answer, b);
    for (int question = 1, got; question <= 2; question++) {
        hd_chan_send(b->a, &question);
        for (;;) {
            if (HD_SELECT_TIMEOUT(span(question * 2 * HD_SECOND), HD_RECV(b->b, &got)) ==
                HD_TIMED_OUT)
                break;
            if (right && got != question)
                continue;
            assert(got == question);
            break;
        }
    }
    hd_chan_close(b->a);
}

static void beat(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 6; i++) {
        hd_sleep(span(HD_SECOND));
        hd_chan_send(b->b, NULL);
    }
    hd_chan_close(b->b);
}

/* The time-out is made anew at each heartbeat, so the whole never times out. */
BUG(timeout_starts_anew)
{
    struct box *b = box_new(right);
    struct hd_timer *whole = hd_timer_make(span(3500 * HD_MILLISECOND));
    bool timed_out = false, ok = true;

    b->b = SIGNAL(8);
    GO(beat, b);
    while (!timed_out && ok)
        timed_out =
            right ? HD_SELECT(HD_RECV_OK(b->b, NULL, &ok), HD_RECV(hd_timer_chan(whole), NULL)) == 1
                  : HD_SELECT_TIMEOUT(span(3500 * HD_MILLISECOND), HD_RECV_OK(b->b, NULL, &ok)) ==
                        HD_TIMED_OUT;
    hd_timer_free(whole);
    assert(timed_out && "six seconds went by without a time-out");
}

/* One timer for two operations: the second gets what the first left. */
BUG(timer_shared_by_two)
{
    struct hd_timer *timer = hd_timer_make(span(2 * HD_SECOND));
    struct hd_chan *never = SIGNAL(0);
    int64_t start;

    hd_sleep(span(1500 * HD_MILLISECOND)); /* the first operation */
    if (right)
        hd_timer_reset(timer, span(2 * HD_SECOND));
    start = hd_now();
    (void)HD_SELECT(HD_RECV(never, NULL), HD_RECV(hd_timer_chan(timer), NULL));
    assert(hd_now() - start >= span(1900 * HD_MILLISECOND));
    hd_timer_free(timer);
}
