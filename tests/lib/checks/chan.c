/* The Go Programming Language Specification: channel types, send and receive, close, length. The Go
 * Memory Model: channel communication. */
#include "check.h"

static struct hd_chan *ints(size_t capacity)
{
    return hd_chan_make(sizeof(int), capacity);
}

static void send_one(void *chan)
{
    hd_chan_send(chan, &(int){1});
}

static void receive(void *chan)
{
    hd_chan_recv(chan, NULL);
}

static void close_it(void *chan)
{
    hd_chan_close(chan);
}

CHECK(a_send_on_nil_blocks_for_ever)
{
    expect(blocks(send_one, NULL));
}

CHECK(a_receive_from_nil_blocks_for_ever)
{
    expect(blocks(receive, NULL));
}

CHECK(closing_nil_panics)
{
    expect(panics(close_it, NULL, "close of nil channel"));
}

CHECK(closing_twice_panics)
{
    struct hd_chan *c = ints(0);

    hd_chan_close(c);
    expect(panics(close_it, c, "close of closed channel"));
    hd_chan_unref(c);
}

CHECK(a_send_on_a_closed_channel_panics)
{
    struct hd_chan *c = ints(1);

    hd_chan_close(c);
    expect(panics(send_one, c, "send on closed channel"));
    hd_chan_unref(c);
}

CHECK(also_with_room_in_the_buffer)
{
    struct hd_chan *c = ints(8);

    send_one(c);
    hd_chan_close(c);
    expect(panics(send_one, c, "send on closed channel"));
    expect(hd_chan_len(c) == 1);
    hd_chan_unref(c);
}

CHECK(a_closed_channel_gives_zero_and_false)
{
    struct hd_chan *c = ints(0);
    int value = 7;

    hd_chan_close(c);
    expect(!hd_chan_recv(c, &value) && value == 0);
    value = 7;
    expect(!hd_chan_recv(c, &value) && value == 0);
    hd_chan_unref(c);
}

CHECK(what_was_sent_before_the_close_comes_out_first)
{
    struct hd_chan *c = ints(3);
    int value = 0;

    for (int i = 1; i <= 3; i++)
        hd_chan_send(c, &i);
    hd_chan_close(c);
    for (int i = 1; i <= 3; i++)
        expect(hd_chan_recv(c, &value) && value == i);
    expect(!hd_chan_recv(c, &value) && value == 0);
    hd_chan_unref(c);
}

CHECK(a_receive_that_drops_the_value_says_whether_there_was_one)
{
    struct hd_chan *c = ints(1);

    send_one(c);
    hd_chan_close(c);
    expect(hd_chan_recv(c, NULL));
    expect(!hd_chan_recv(c, NULL));
    hd_chan_unref(c);
}

CHECK(length_and_capacity)
{
    struct hd_chan *c = ints(3), *none = ints(0);

    expect(hd_chan_len(c) == 0 && hd_chan_cap(c) == 3);
    send_one(c);
    send_one(c);
    expect(hd_chan_len(c) == 2 && hd_chan_cap(c) == 3);
    receive(c);
    expect(hd_chan_len(c) == 1);
    expect(hd_chan_len(none) == 0 && hd_chan_cap(none) == 0);
    hd_chan_unref(c);
    hd_chan_unref(none);
}

CHECK(length_and_capacity_of_nil_are_0)
{
    expect(hd_chan_len(NULL) == 0 && hd_chan_cap(NULL) == 0);
}

CHECK(a_close_keeps_length_and_capacity)
{
    struct hd_chan *c = ints(2);

    send_one(c);
    hd_chan_close(c);
    expect(hd_chan_len(c) == 1 && hd_chan_cap(c) == 2);
    hd_chan_unref(c);
}

CHECK(a_send_waits_for_a_receiver)
{
    static struct hd_chan *c;

    c = ints(0);
    expect(blocks(send_one, c));
    receive(c);
    hd_sleep(MS);
}

CHECK(a_buffer_takes_as_many_as_its_capacity)
{
    struct hd_chan *c = ints(2);

    expect(hd_chan_try_send(c, &(int){1}) && hd_chan_try_send(c, &(int){2}));
    expect(!hd_chan_try_send(c, &(int){3}));
    receive(c);
    expect(hd_chan_try_send(c, &(int){3}));
    hd_chan_unref(c);
}

CHECK(a_try_without_a_partner_fails)
{
    struct hd_chan *c = ints(0);
    int value = 9;
    bool ok = true;

    expect(!hd_chan_try_send(c, &value));
    expect(!hd_chan_try_recv(c, &value, &ok) && value == 9 && ok);
    hd_chan_unref(c);
}

CHECK(a_try_receive_from_a_closed_channel_succeeds)
{
    struct hd_chan *c = ints(0);
    int value = 9;
    bool ok = true;

    hd_chan_close(c);
    expect(hd_chan_try_recv(c, &value, &ok) && value == 0 && !ok);
    hd_chan_unref(c);
}

static void try_send(void *chan)
{
    expect(hd_chan_try_send(chan, &(int){1}));
}

CHECK(a_try_send_on_a_closed_channel_panics)
{
    struct hd_chan *c = ints(0);

    hd_chan_close(c);
    expect(panics(try_send, c, "send on closed channel"));
    hd_chan_unref(c);
}

CHECK(tries_on_nil_fail)
{
    expect(!hd_chan_try_send(NULL, &(int){1}) && !hd_chan_try_recv(NULL, NULL, NULL));
}

CHECK(an_offer_is_taken_or_dropped)
{
    struct hd_chan *c = ints(1);

    expect(hd_chan_offer(c, &(int){4}));
    hd_chan_offer(c, &(int){5});
    hd_chan_offer(NULL, &(int){6});
    int value = 0;
    expect(hd_chan_recv(c, &value) && value == 4 && hd_chan_len(c) == 0);
    hd_chan_unref(c);
}

struct pair {
    struct hd_chan *c, *back;
    struct hd_wg wg;
    int sum, shared;
};

static void count_up(void *arg)
{
    struct pair *p = arg;

    for (int i = 1; i <= 10; i++)
        hd_chan_send(p->c, &i);
    hd_chan_close(p->c);
}

CHECK(a_range_ends_when_closed_and_drained)
{
    struct pair p = {.c = ints(3)};
    int sum = 0;

    GO_IN(&p.wg, count_up, &p);
    HD_RANGE(int, value, p.c)
    sum += value;
    expect(sum == 55);
    hd_wg_wait(&p.wg);
    hd_chan_unref(p.c);
}

CHECK(values_arrive_in_the_order_sent)
{
    for (size_t capacity = 0; capacity < 4; capacity++) {
        struct pair p = {.c = ints(capacity)};
        int value, next = 1;
        GO_IN(&p.wg, count_up, &p);
        while (hd_chan_recv(p.c, &value))
            expect(value == next++);
        expect(next == 11);
        hd_wg_wait(&p.wg);
        hd_chan_unref(p.c);
    }
}

static void write_then_send(void *arg)
{
    struct pair *p = arg;

    p->shared = 42;
    hd_chan_send(p->c, &(int){0});
}

CHECK(a_send_comes_before_its_receive)
{
    for (int i = 0; i < times(200); i++) {
        struct pair p = {.c = ints(1)};
        GO_IN(&p.wg, write_then_send, &p);
        hd_chan_recv(p.c, NULL);
        expect(p.shared == 42);
        hd_wg_wait(&p.wg);
        hd_chan_unref(p.c);
    }
}

static void write_then_close(void *arg)
{
    struct pair *p = arg;

    p->shared = 42;
    hd_chan_close(p->c);
}

CHECK(a_close_comes_before_a_receive_that_sees_it)
{
    for (int i = 0; i < times(200); i++) {
        struct pair p = {.c = ints(0)};
        GO_IN(&p.wg, write_then_close, &p);
        hd_chan_recv(p.c, NULL);
        expect(p.shared == 42);
        hd_wg_wait(&p.wg);
        hd_chan_unref(p.c);
    }
}

static void write_then_receive(void *arg)
{
    struct pair *p = arg;

    p->shared = 42;
    hd_chan_recv(p->c, NULL);
}

CHECK(without_a_buffer_a_receive_comes_before_the_end_of_its_send)
{
    for (int i = 0; i < times(200); i++) {
        struct pair p = {.c = ints(0)};
        GO_IN(&p.wg, write_then_receive, &p);
        hd_chan_send(p.c, &(int){0});
        expect(p.shared == 42);
        hd_wg_wait(&p.wg);
        hd_chan_unref(p.c);
    }
}

static void with_a_slot(void *arg)
{
    struct pair *p = arg;

    hd_chan_send(p->c, &(int){0});
    p->shared++;
    hd_chan_recv(p->c, NULL);
}

CHECK(a_buffer_of_one_is_a_lock)
{
    struct pair p = {.c = ints(1)};

    for (int i = 0; i < 8; i++)
        GO_IN(&p.wg, with_a_slot, &p);
    hd_wg_wait(&p.wg);
    expect(p.shared == 8);
    hd_chan_unref(p.c);
}

static void send_ten(void *arg)
{
    struct pair *p = arg;

    for (int i = 0; i < 10; i++)
        hd_chan_send(p->c, &(int){1});
}

CHECK(many_may_send)
{
    struct pair p = {.c = ints(2)};
    int sum = 0, value;

    for (int i = 0; i < 4; i++)
        GO_IN(&p.wg, send_ten, &p);
    for (int i = 0; i < 40; i++) {
        expect(hd_chan_recv(p.c, &value));
        sum += value;
    }
    hd_wg_wait(&p.wg);
    expect(sum == 40 && hd_chan_len(p.c) == 0);
    hd_chan_unref(p.c);
}

static struct hd_atomic_int32 received;

static void receive_all(void *arg)
{
    struct pair *p = arg;
    int value;

    while (hd_chan_recv(p->c, &value))
        hd_int32_add(&received, value);
}

CHECK(many_may_receive_each_value_once)
{
    struct pair p = {.c = ints(2)};

    hd_int32_store(&received, 0);
    for (int i = 0; i < 4; i++)
        GO_IN(&p.wg, receive_all, &p);
    for (int i = 0; i < 40; i++)
        hd_chan_send(p.c, &(int){1});
    hd_chan_close(p.c);
    hd_wg_wait(&p.wg);
    expect(hd_int32_load(&received) == 40);
    hd_chan_unref(p.c);
}

static void wait_for_close(void *arg)
{
    struct pair *p = arg;

    if (!hd_chan_recv(p->c, NULL))
        hd_int32_add(&received, 1);
}

CHECK(a_close_wakes_all_receivers)
{
    struct pair p = {.c = ints(0)};

    hd_int32_store(&received, 0);
    for (int i = 0; i < 6; i++)
        GO_IN(&p.wg, wait_for_close, &p);
    hd_sleep(MS);
    hd_chan_close(p.c);
    hd_wg_wait(&p.wg);
    expect(hd_int32_load(&received) == 6);
    hd_chan_unref(p.c);
}

static void send_and_panic(void *arg)
{
    struct pair *p = arg;

    if (panics(send_one, p->c, "send on closed channel"))
        hd_int32_add(&received, 1);
}

CHECK(a_close_makes_waiting_senders_panic)
{
    struct pair p = {.c = ints(0)};

    hd_int32_store(&received, 0);
    for (int i = 0; i < 3; i++)
        GO_IN(&p.wg, send_and_panic, &p);
    hd_sleep(MS);
    hd_chan_close(p.c);
    hd_wg_wait(&p.wg);
    expect(hd_int32_load(&received) == 3);
    hd_chan_unref(p.c);
}

static void answer(void *arg)
{
    struct pair *p = arg;
    int value;

    while (hd_chan_recv(p->c, &value)) {
        value *= 2;
        hd_chan_send(p->back, &value);
    }
    hd_chan_close(p->back);
}

CHECK(request_and_answer)
{
    struct pair p = {.c = ints(0), .back = ints(0)};
    int value;

    GO_IN(&p.wg, answer, &p);
    for (int i = 0; i < 20; i++) {
        hd_chan_send(p.c, &i);
        expect(hd_chan_recv(p.back, &value) && value == 2 * i);
    }
    hd_chan_close(p.c);
    expect(!hd_chan_recv(p.back, &value));
    hd_wg_wait(&p.wg);
    hd_chan_unref(p.c);
    hd_chan_unref(p.back);
}

CHECK(a_channel_of_channels)
{
    struct hd_chan *outer = hd_chan_make(sizeof(struct hd_chan *), 1), *inner = ints(1), *got;

    hd_chan_send(outer, &inner);
    expect(hd_chan_recv(outer, &got) && got == inner);
    send_one(got);
    expect(hd_chan_len(inner) == 1);
    hd_chan_unref(inner);
    hd_chan_unref(outer);
}

CHECK(values_are_copied)
{
    struct big {
        char text[300];
    } value = {"before"}, got;
    struct hd_chan *c = hd_chan_make(sizeof value, 1);

    hd_chan_send(c, &value);
    strcpy(value.text, "after");
    expect(hd_chan_recv(c, &got) && strcmp(got.text, "before") == 0);
    hd_chan_unref(c);
}

CHECK(signals_carry_no_value)
{
    struct hd_chan *c = hd_chan_make(0, 2);

    hd_chan_send(c, NULL);
    hd_chan_send(c, NULL);
    expect(hd_chan_len(c) == 2 && hd_chan_recv(c, NULL) && hd_chan_len(c) == 1);
    hd_chan_unref(c);
}

static void make_absurd(void *bytes)
{
    hd_chan_unref(hd_chan_make(*(size_t *)bytes, 1));
}

static void make_absurdly_many(void *capacity)
{
    hd_chan_unref(hd_chan_make(sizeof(int), *(size_t *)capacity));
}

CHECK(an_absurd_size_panics)
{
    size_t bytes = 65536, capacity = SIZE_MAX / 2;

    expect(panics(make_absurd, &bytes, "makechan: size out of range"));
    expect(panics(make_absurdly_many, &capacity, "makechan: size out of range"));
}

HD_CHAN(numbers, int)

CHECK(typed_channels)
{
    numbers c = numbers_make(2);
    numbers_rx in = numbers_to_rx(c);
    numbers_tx out = numbers_to_tx(c);
    int value = 0;
    bool ok = false;

    numbers_tx_send(out, 3);
    expect(numbers_offer(c, 4) && !numbers_tx_offer(out, 5) && numbers_len(c) == 2);
    expect(numbers_rx_recv(in, &value) && value == 3);
    numbers_tx_close(out);
    expect(numbers_rx_try_recv(in, &value, &ok) && ok && value == 4);
    expect(!numbers_recv(c, &value) && value == 0);
    numbers_unref(c);
}

CHECK(go_close)
{
    struct hd_chan *c = ints(0);

    HD_GO(hd_chan_close, hd_chan_ref(c));
    expect(!hd_chan_recv(c, NULL));
    hd_chan_unref(c);
    hd_chan_unref(c);
}

struct stage {
    struct hd_chan *in, *out;
};

static void filter(void *arg)
{
    struct stage *stage = arg;
    int prime, value;

    if (hd_chan_recv(stage->in, &prime)) {
        hd_chan_send(stage->out, &prime); /* the first is what it stands for */
        while (hd_chan_recv(stage->in, &value))
            if (value % prime)
                hd_chan_send(stage->out, &value);
    }
    hd_chan_close(stage->out);
}

/* The sieve of Go's first tutorial. */
CHECK(a_sieve_of_goroutines)
{
    static const int primes[] = {2, 3, 5, 7, 11, 13};
    struct stage stages[6];
    struct hd_wg wg = HD_WG_INIT;
    struct hd_chan *first = ints(32);
    int value;

    for (int i = 2; i < 16; i++)
        hd_chan_send(first, &i);
    hd_chan_close(first);
    for (int i = 0; i < 6; i++) {
        stages[i] = (struct stage){i ? stages[i - 1].out : first, ints(32)};
        GO_IN(&wg, filter, &stages[i]);
        expect(hd_chan_recv(stages[i].out, &value) && value == primes[i]);
    }
    expect(!hd_chan_recv(stages[5].out, &value));
    hd_wg_wait(&wg);
    for (int i = 0; i < 6; i++)
        hd_chan_unref(stages[i].out);
    hd_chan_unref(first);
}
