/* Channels: each rule of Go's specification and memory model, at capacities 0 to 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/select.h>
#include <heddle/time.h>

#include "chan_inside.h"
#include "panics.h"
#include "rounds.h"
#include "spawn_test.h"

HD_CHAN(ints, int)

#define MOST_CAPACITY 3

static void send_int(struct hd_chan *chan, int value)
{
    hd_chan_send(chan, &value);
}

/* ---- one goroutine: buffer, length, closing ---- */

static void a_buffer_keeps_the_order(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 3);
    int value = 0;

    (void)state;
    assert_int_equal(hd_chan_cap(chan), 3);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++) {
            assert_int_equal(hd_chan_len(chan), i);
            send_int(chan, 10 * round + i);
        }
        assert_false(hd_chan_try_send(chan, &value));
        for (int i = 0; i < 3; i++) {
            assert_true(hd_chan_recv(chan, &value));
            assert_int_equal(value, 10 * round + i);
        }
        assert_false(hd_chan_try_recv(chan, &value, NULL));
    }
    hd_chan_unref(chan);
}

static void a_closed_channel_is_drained_then_gives_zeroes(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 2);
    int value = 7;
    bool ok;

    (void)state;
    send_int(chan, 1);
    send_int(chan, 2);
    hd_chan_close(chan);
    assert_int_equal(hd_chan_len(chan), 2);
    assert_true(hd_chan_recv(chan, &value));
    assert_int_equal(value, 1);
    assert_true(hd_chan_try_recv(chan, &value, &ok));
    assert_true(ok);
    assert_int_equal(value, 2);
    for (int i = 0; i < 3; i++) {
        value = 7;
        assert_false(hd_chan_recv(chan, &value));
        assert_int_equal(value, 0);
    }
    value = 7;
    assert_true(hd_chan_try_recv(chan, &value, &ok));
    assert_false(ok);
    assert_int_equal(value, 0);
    assert_false(hd_chan_recv(chan, NULL));
    hd_chan_unref(chan);
}

static void a_range_ends_with_the_channel(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 8);
    int sum = 0;

    (void)state;
    for (int i = 1; i <= 8; i++)
        send_int(chan, i);
    hd_chan_close(chan);
    HD_RANGE(int, value, chan)
    sum += value;
    assert_int_equal(sum, 36);
    hd_chan_unref(chan);
}

static void try_on_null_does_not_happen(void **state)
{
    int value = 0;

    (void)state;
    assert_false(hd_chan_try_send(NULL, &value));
    assert_false(hd_chan_try_recv(NULL, &value, NULL));
    assert_int_equal(hd_chan_len(NULL), 0);
    assert_int_equal(hd_chan_cap(NULL), 0);
    hd_chan_unref(NULL);
}

static void values_of_every_size_arrive_whole(void **state)
{
    const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 24, 31, 100, 4096, HD_CHAN_MOST_BYTES};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct hd_chan *chan = hd_chan_make(sizes[i], 2);
        unsigned char *in = malloc(2 * sizes[i]), *out = in + sizes[i];
        assert_non_null(in);
        for (size_t at = 0; at < sizes[i]; at++)
            in[at] = (unsigned char)(at * 7 + i);
        for (int lap = 0; lap < 3; lap++) {
            hd_chan_send(chan, in);
            memset(out, 0xee, sizes[i]);
            assert_true(hd_chan_recv(chan, out));
            assert_memory_equal(in, out, sizes[i]);
        }
        free(in);
        hd_chan_unref(chan);
    }
}

static void signals_have_no_value(void **state)
{
    struct hd_chan *chan = hd_chan_make(0, 2);

    (void)state;
    hd_chan_send(chan, NULL);
    hd_chan_send(chan, NULL);
    assert_false(hd_chan_try_send(chan, NULL));
    assert_int_equal(hd_chan_len(chan), 2);
    assert_true(hd_chan_recv(chan, NULL));
    assert_true(hd_chan_recv(chan, NULL));
    assert_false(hd_chan_try_recv(chan, NULL, NULL));
    hd_chan_unref(chan);
}

static void a_reference_keeps_it(void **state)
{
    struct hd_chan *chan = hd_chan_make(sizeof(int), 1);
    int value = 0;

    (void)state;
    assert_ptr_equal(hd_chan_ref(chan), chan);
    hd_chan_unref(chan);
    send_int(chan, 3);
    assert_true(hd_chan_recv(chan, &value));
    assert_int_equal(value, 3);
    hd_chan_unref(chan);
}

/* ---- panics, with Go's words ---- */

static void send_one(void *chan)
{
    send_int(chan, 1);
}

static void try_send_one(void *chan)
{
    int value = 1;

    assert_false(hd_chan_try_send(chan, &value));
}

static void select_send_one(void *chan)
{
    int value = 1;

    HD_SELECT(HD_SEND(chan, &value));
}

static void close_it(void *chan)
{
    hd_chan_close(chan);
}

static void make_absurd(void *capacity)
{
    hd_chan_unref(hd_chan_make(8, *(size_t *)capacity));
}

static void make_wide(void *bytes)
{
    hd_chan_unref(hd_chan_make(*(size_t *)bytes, 1));
}

static void misuse_panics_as_in_go(void **state)
{
    size_t absurd[] = {SIZE_MAX, SIZE_MAX / 8, (size_t)PTRDIFF_MAX / 8}, wide = 65536;

    (void)state;
    for (size_t capacity = 0; capacity <= 1; capacity++) {
        struct hd_chan *chan = hd_chan_make(sizeof(int), capacity);
        hd_chan_close(chan);
        assert_panics(send_one, chan, "send on closed channel");
        assert_panics(try_send_one, chan, "send on closed channel");
        assert_panics(select_send_one, chan, "send on closed channel");
        assert_panics(close_it, chan, "close of closed channel");
        hd_chan_unref(chan);
    }
    assert_panics(close_it, NULL, "close of nil channel");
    for (int i = 0; i < 3; i++)
        assert_panics(make_absurd, &absurd[i], "makechan: size out of range");
    assert_panics(make_wide, &wide, "makechan: size out of range");
}

struct waiting_sender {
    struct hd_chan *chan, *done;
    hd_err panicked;
};

static void send_and_note_the_panic(void *arg)
{
    struct waiting_sender *sender = arg;

    sender->panicked = hd_recover(send_one, sender->chan);
    hd_chan_send(sender->done, NULL);
}

static void until_waiting(struct hd_chan *chan, size_t goroutines)
{
    while (hdi_chan_waiting(chan) < goroutines)
        hd_sleep(HD_MILLISECOND);
}

static void a_sender_that_waits_panics_when_it_is_closed(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= 2; capacity++) {
        struct waiting_sender sender = {.chan = hd_chan_make(sizeof(int), capacity),
                                        .done = hd_chan_make(0, 0)};
        for (size_t i = 0; i < capacity; i++)
            send_int(sender.chan, 0);
        start(send_and_note_the_panic, &sender);
        until_waiting(sender.chan, 1);
        hd_chan_close(sender.chan);
        hd_chan_recv(sender.done, NULL);
        assert_string_equal(hd_err_message(sender.panicked), "send on closed channel");
        assert_int_equal(hd_chan_len(sender.chan), capacity); /* its value was not sent */
        hd_err_unref(sender.panicked);
        hd_chan_unref(sender.chan);
        hd_chan_unref(sender.done);
    }
}

/* ---- goroutines that wait ---- */

struct numbered {
    struct hd_chan *chan, *log;
    struct hd_wg wg;
    int number, got;
    bool ok;
};

static void send_number(void *arg)
{
    struct numbered *one = arg;

    send_int(one->chan, one->number);
    hd_wg_done(&one->wg);
}

static void receive_number(void *arg)
{
    struct numbered *one = arg;

    one->ok = hd_chan_recv(one->chan, &one->got);
    hd_wg_done(&one->wg);
}

#define LINE 6

static void senders_are_served_in_order(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= MOST_CAPACITY; capacity++) {
        struct hd_chan *chan = hd_chan_make(sizeof(int), capacity);
        struct numbered senders[LINE] = {0};
        int value;
        for (size_t i = 0; i < capacity; i++)
            send_int(chan, -1);
        for (int i = 0; i < LINE; i++) {
            senders[i].chan = chan;
            senders[i].number = i;
            hd_wg_add(&senders[i].wg, 1);
            start(send_number, &senders[i]);
            until_waiting(chan, (size_t)i + 1);
        }
        for (size_t i = 0; i < capacity; i++)
            assert_true(hd_chan_recv(chan, &value));
        for (int i = 0; i < LINE; i++) {
            assert_true(hd_chan_recv(chan, &value));
            assert_int_equal(value, i);
        }
        for (int i = 0; i < LINE; i++)
            hd_wg_wait(&senders[i].wg);
        hd_chan_unref(chan);
    }
}

static void receivers_are_served_in_order(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= MOST_CAPACITY; capacity++) {
        struct hd_chan *chan = hd_chan_make(sizeof(int), capacity);
        struct numbered receivers[LINE] = {0};
        for (int i = 0; i < LINE; i++) {
            receivers[i].chan = chan;
            hd_wg_add(&receivers[i].wg, 1);
            start(receive_number, &receivers[i]);
            until_waiting(chan, (size_t)i + 1);
        }
        for (int i = 0; i < LINE - 2; i++)
            send_int(chan, i + 1);
        hd_chan_close(chan); /* the last two get nothing */
        for (int i = 0; i < LINE; i++) {
            hd_wg_wait(&receivers[i].wg);
            assert_int_equal(receivers[i].ok, i < LINE - 2);
            assert_int_equal(receivers[i].got, i < LINE - 2 ? i + 1 : 0);
        }
        hd_chan_unref(chan);
    }
}

static void wait_on_null(void *arg)
{
    struct hd_atomic_int32 *passed = arg;
    int value = 0;

    if (hd_int32_load(passed) == 0)
        hd_chan_send(NULL, &value);
    else
        hd_chan_recv(NULL, &value);
    hd_int32_add(passed, 100);
}

/* They stay behind, as they would in Go: the test ends without them. */
static void null_blocks_for_ever(void **state)
{
    static struct hd_atomic_int32 sender, receiver = {1};

    (void)state;
    if (hdi_watchers & 1u)
        skip(); /* rightly reported as leaks */
    start(wait_on_null, &sender);
    start(wait_on_null, &receiver);
    hd_sleep(5 * HD_MILLISECOND);
    assert_int_equal(hd_int32_load(&sender), 0);
    assert_int_equal(hd_int32_load(&receiver), 1);
}

/* ---- many to many: nothing lost, nothing twice, each sender's values in order ---- */

#define PEERS 4
#define EACH 300

struct stream {
    ints chan;
    struct hd_wg senders, receivers;
    struct hd_atomic_int32 next;
    int each;
    unsigned char seen[PEERS][EACH];
};

static void send_stream(void *arg)
{
    struct stream *stream = arg;
    int me = hd_int32_add(&stream->next, 1) - 1;

    for (int i = 0; i < stream->each; i++)
        ints_send(stream->chan, me * EACH + i);
    hd_wg_done(&stream->senders);
}

static void receive_stream(void *arg)
{
    struct stream *stream = arg;
    int last[PEERS] = {-1, -1, -1, -1};

    for (int value; ints_recv(stream->chan, &value);) {
        int sender = value / EACH, place = value % EACH;
        assert_true(last[sender] < place);
        last[sender] = place;
        stream->seen[sender][place]++; /* nobody else has this value */
    }
    hd_wg_done(&stream->receivers);
}

static void nothing_is_lost_or_doubled(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= 64; capacity = capacity * 2 + 1) {
        struct stream *stream = calloc(1, sizeof *stream);
        assert_non_null(stream);
        stream->chan = ints_make(capacity);
        stream->each = rounds(EACH);
        hd_wg_add(&stream->senders, PEERS);
        hd_wg_add(&stream->receivers, PEERS);
        for (int i = 0; i < PEERS; i++) {
            start(send_stream, stream);
            start(receive_stream, stream);
        }
        hd_wg_wait(&stream->senders);
        ints_close(stream->chan);
        hd_wg_wait(&stream->receivers);
        for (int i = 0; i < PEERS; i++)
            for (int j = 0; j < stream->each; j++)
                assert_int_equal(stream->seen[i][j], 1);
        ints_unref(stream->chan);
        free(stream);
    }
}

/* ---- the memory model: plain variables, published by channels; a detector would see a race ----
 */

struct published {
    struct hd_chan *chan, *back;
    int plain;
};

static void write_then_send(void *arg)
{
    struct published *it = arg;

    it->plain = 1;
    send_int(it->chan, 0);
    hd_chan_send(it->back, NULL);
}

static void a_send_publishes(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= MOST_CAPACITY; capacity++) {
        struct published it = {.chan = hd_chan_make(sizeof(int), capacity),
                               .back = hd_chan_make(0, 0)};
        start(write_then_send, &it);
        hd_chan_recv(it.chan, NULL);
        assert_int_equal(it.plain, 1);
        hd_chan_recv(it.back, NULL);
        hd_chan_unref(it.chan);
        hd_chan_unref(it.back);
    }
}

static void write_then_close(void *arg)
{
    struct published *it = arg;

    it->plain = 1;
    hd_chan_close(it->chan);
}

static void a_close_publishes(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity <= MOST_CAPACITY; capacity++) {
        struct published it = {.chan = hd_chan_make(sizeof(int), capacity)};
        start(write_then_close, &it);
        assert_false(hd_chan_recv(it.chan, NULL));
        assert_int_equal(it.plain, 1);
        hd_chan_unref(it.chan);
    }
}

static void write_then_receive(void *arg)
{
    struct published *it = arg;

    it->plain = 1;
    hd_chan_recv(it->chan, NULL);
}

/* The k-th receive comes before the (k+C)-th send: a channel as a semaphore. */
static void a_receive_publishes_to_the_send_that_takes_its_place(void **state)
{
    (void)state;
    for (int capacity = 0; capacity <= MOST_CAPACITY; capacity++) {
        struct published it = {.chan = hd_chan_make(sizeof(int), (size_t)capacity)};
        start(write_then_receive, &it);
        for (int i = 0; i <= capacity; i++)
            send_int(it.chan, i);
        assert_int_equal(it.plain, 1);
        hd_chan_unref(it.chan);
    }
}

struct guarded {
    struct hd_chan *tokens;
    struct hd_wg wg;
    int plain;
};

static void count_under_token(void *arg)
{
    struct guarded *it = arg;

    for (int i = 0; i < rounds(200); i++) {
        hd_chan_send(it->tokens, NULL);
        it->plain++;
        hd_chan_recv(it->tokens, NULL);
    }
    hd_wg_done(&it->wg);
}

static void a_channel_of_one_is_a_mutex(void **state)
{
    struct guarded it = {.tokens = hd_chan_make(0, 1)};

    (void)state;
    hd_wg_add(&it.wg, 3);
    for (int i = 0; i < 3; i++)
        start(count_under_token, &it);
    hd_wg_wait(&it.wg);
    assert_int_equal(it.plain, 3 * rounds(200));
    hd_chan_unref(it.tokens);
}

/* ---- a channel may go as soon as its last value is received ---- */

static void send_last(void *chan)
{
    hd_chan_send(chan, NULL);
}

static void the_receiver_may_free_it(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(400); i++) {
        struct hd_chan *chan = hd_chan_make(0, (size_t)(i & 1));
        start(send_last, chan);
        assert_true(hd_chan_recv(chan, NULL));
        hd_chan_unref(chan);
    }
}

/* ---- typed channels and their views ---- */

static void produce(void *arg)
{
    ints_tx out = ints_to_tx(*(ints *)arg);

    for (int i = 0; i < 10; i++)
        ints_tx_send(out, i);
    ints_tx_close(out);
}

static void views_send_and_receive(void **state)
{
    ints chan = ints_make(2);
    ints_rx in = ints_to_rx(chan);
    int sum = 0;
    bool ok = true;

    (void)state;
    start(produce, &chan);
    for (int value; ints_rx_recv(in, &value);)
        sum += value;
    assert_int_equal(sum, 45);
    assert_int_equal(ints_rx_cap(in), 2);
    assert_int_equal(ints_len(chan), 0);
    assert_int_equal(HD_SELECT(ints_rx_on_recv_ok(in, NULL, &ok)), 0);
    assert_false(ok);
    ints_unref(chan);
}

/* ---- use after the last reference ---- */

static void send_late(void *chan)
{
    hd_chan_send(chan, &(int){1});
}

static void receive_late(void *chan)
{
    hd_chan_recv(chan, NULL);
}

static void try_late(void *chan)
{
    if (hd_chan_try_send(chan, &(int){1}) || hd_chan_try_recv(chan, NULL, NULL))
        return;
}

static void close_late(void *chan)
{
    hd_chan_close(chan);
}

static void len_late(void *chan)
{
    (void)hd_chan_len(chan);
}

static void select_late(void *chan)
{
    HD_SELECT(HD_RECV(chan, NULL), HD_RECV(NULL, NULL));
}

static void ref_late(void *chan)
{
    hd_chan_ref(chan);
}

static void unref_late(void *chan)
{
    hd_chan_unref(chan);
}

static void a_channel_used_after_its_last_reference_panics(void **state)
{
    void (*const use[])(void *) = {send_late, receive_late, try_late, close_late,
                                   len_late,  select_late,  ref_late, unref_late};

    (void)state;
    for (size_t i = 0; i < sizeof use / sizeof *use; i++) {
        struct hd_chan *chan = hd_chan_make(sizeof(int), 1);
        hd_chan_unref(chan);
        assert_panics(use[i], chan, "use of a channel after its last reference");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_used_after_its_last_reference_panics),
        cmocka_unit_test(a_buffer_keeps_the_order),
        cmocka_unit_test(a_closed_channel_is_drained_then_gives_zeroes),
        cmocka_unit_test(a_range_ends_with_the_channel),
        cmocka_unit_test(try_on_null_does_not_happen),
        cmocka_unit_test(values_of_every_size_arrive_whole),
        cmocka_unit_test(signals_have_no_value),
        cmocka_unit_test(a_reference_keeps_it),
        cmocka_unit_test(misuse_panics_as_in_go),
        cmocka_unit_test(a_sender_that_waits_panics_when_it_is_closed),
        cmocka_unit_test(senders_are_served_in_order),
        cmocka_unit_test(receivers_are_served_in_order),
        cmocka_unit_test(null_blocks_for_ever),
        cmocka_unit_test(nothing_is_lost_or_doubled),
        cmocka_unit_test(a_send_publishes),
        cmocka_unit_test(a_close_publishes),
        cmocka_unit_test(a_receive_publishes_to_the_send_that_takes_its_place),
        cmocka_unit_test(a_channel_of_one_is_a_mutex),
        cmocka_unit_test(the_receiver_may_free_it),
        cmocka_unit_test(views_send_and_receive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
