/* chans.c - channels: never received, never closed, closed by the wrong one, nil, too few takers.
 */
#include "bug.h"

static void send_one(void *arg)
{
    struct box *b = arg;
    int value = 1;

    hd_chan_send(b->a, &value);
}

static void receive_one(void *arg)
{
    struct box *b = arg;

    hd_chan_recv(b->a, NULL);
}

/* The answer is taken from whoever is first; the others' answers have no taker. */
BUG(first_answer_only)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, right ? 3 : 0);
    for (int i = 0; i < 3; i++)
        GO(send_one, b);
    hd_chan_recv(b->a, NULL);
}

static void forward_until_closed(void *arg)
{
    struct box *b = arg;

    HD_RANGE(int, value, b->a)
    b->x += value;
}

BUG(range_never_closed)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    RUN(forward_until_closed, b);
    for (int i = 1; i <= 3; i++)
        hd_chan_send(b->a, &i);
    if (right)
        hd_chan_close(b->a);
    hd_wg_wait(&b->wg);
    assert(b->x == 6);
}

/* The channel of an option that was not asked for stays nil. */
BUG(nil_channel_send)
{
    struct box *b = box_new(right);

    if (right)
        b->a = CHAN(int, 1);
    RUN(send_one, b);
    hd_wg_wait(&b->wg);
}

static void produce_and_close(void *arg)
{
    struct box *b = arg;

    hd_chan_send(b->a, &b->x);
    if (!b->right || hd_int64_add(&b->count, 1) == 2)
        hd_chan_close(b->a);
}

BUG(closed_by_each_producer)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 4);
    RUN(produce_and_close, b);
    RUN(produce_and_close, b);
    hd_wg_wait(&b->wg);
    /* What panics is done, too: main may come here before the program dies. */
    assert(!right || hd_chan_len(b->a) == 2);
}

static void produce_three(void *arg)
{
    struct box *b = arg;

    for (int i = 0; i < 3; i++)
        hd_chan_send(b->a, &i);
}

BUG(closed_before_last_send)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 8);
    RUN(produce_three, b);
    if (right)
        hd_wg_wait(&b->wg);
    hd_chan_close(b->a);
    hd_wg_wait(&b->wg);
}

/* An unbuffered send waits for a receiver that comes only afterwards, in the same goroutine. */
BUG(send_to_oneself)
{
    struct box *b = box_new(right);
    int value = 7;

    b->a = CHAN(int, right ? 1 : 0);
    hd_chan_send(b->a, &value);
    hd_chan_recv(b->a, &value);
    assert(value == 7);
}

static void ping(void *arg)
{
    struct box *b = arg;

    if (b->right)
        hd_chan_send(b->a, &b->x);
    hd_chan_recv(b->b, NULL);
    if (!b->right)
        hd_chan_send(b->a, &b->x);
}

static void pong(void *arg)
{
    struct box *b = arg;

    hd_chan_recv(b->a, NULL);
    hd_chan_send(b->b, &b->y);
}

BUG(both_listen_first)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    b->b = CHAN(int, 0);
    RUN(ping, b);
    RUN(pong, b);
    hd_wg_wait(&b->wg);
}

static void take_if_any(void *arg)
{
    struct box *b = arg;

    if (b->right ? hd_chan_try_recv(b->a, NULL, NULL) : hd_chan_len(b->a) > 0)
        if (!b->right)
            hd_chan_recv(b->a, NULL);
}

BUG(length_then_receive)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 1);
    hd_chan_send(b->a, &b->x);
    RUN(take_if_any, b);
    RUN(take_if_any, b);
    hd_wg_wait(&b->wg);
}

static void number_in(void *arg)
{
    struct box *b = arg;
    int mine = (int)hd_int64_add(&b->count, 1) - 1;

    if (b->right)
        b->items[mine] = mine;
    else
        hd_chan_send(b->a, &mine);
}

/* Answers come in the order in which goroutines get ready, not in which they were started. */
BUG(order_of_answers)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 3);
    for (int i = 0; i < 3; i++)
        RUN(number_in, b);
    hd_wg_wait(&b->wg);
    for (int i = 0, got = -1; i < 3; i++) {
        if (right)
            got = b->items[i];
        else
            hd_chan_recv(b->a, &got);
        assert(got == i);
    }
}

struct question {
    int number;
    struct hd_chan *reply;
};

static void answer(void *arg)
{
    struct box *b = arg;

    HD_RANGE(struct question, q, b->b)
    hd_chan_send(q.reply, &q.number);
}

static void ask(void *arg)
{
    struct box *b = arg;
    struct question q = {.number = (int)hd_int64_add(&b->count, 1)};
    int got;

    q.reply = b->right ? CHAN(int, 1) : b->a;
    hd_chan_send(b->b, &q);
    hd_go_yield();
    hd_chan_recv(q.reply, &got);
    assert(got == q.number && "somebody else's answer");
}

BUG(one_reply_channel_for_all)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 4);
    b->b = CHAN(struct question, 0);
    GO(answer, b);
    RUN(ask, b);
    RUN(ask, b);
    hd_wg_wait(&b->wg);
    hd_chan_close(b->b);
}

static void critical(void *arg)
{
    struct box *b = arg;
    bool fails = hd_int64_add(&b->count, 1) == 1;

    hd_chan_send(b->a, NULL);
    if (fails && !b->right)
        hd_chan_recv(b->a, NULL); /* on the error path, and again below */
    hd_chan_recv(b->a, NULL);
}

BUG(slot_given_back_twice)
{
    struct box *b = box_new(right);

    b->a = SIGNAL(1);
    RUN(critical, b);
    RUN(critical, b);
    hd_wg_wait(&b->wg);
}

static void double_each(void *arg)
{
    struct box *b = arg;

    HD_RANGE(int, value, b->a)
    {
        value *= 2;
        hd_chan_send(b->b, &value);
    }
    hd_chan_close(b->b);
}

/* All is fed in before anything is taken out: it works as long as the buffers are large enough. */
BUG(feed_before_drain)
{
    struct box *b = box_new(right);
    int jobs = draw(2, 4), sum = 0;

    b->a = CHAN(int, 1);
    b->b = CHAN(int, right ? 4 : 1);
    GO(double_each, b);
    for (int i = 0; i < jobs; i++)
        hd_chan_send(b->a, &i);
    hd_chan_close(b->a);
    HD_RANGE(int, value, b->b)
    sum += value;
    assert(sum == jobs * (jobs - 1));
}

/* One value says "stop", but two are listening. */
BUG(one_stop_for_two)
{
    struct box *b = box_new(right);

    b->a = CHAN(int, 0);
    RUN(receive_one, b);
    RUN(receive_one, b);
    if (right)
        hd_chan_close(b->a);
    else
        hd_chan_send(b->a, &b->x);
    hd_wg_wait(&b->wg);
}
