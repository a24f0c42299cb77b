/* The Go Programming Language Specification: select statements. */
#include "check.h"

static struct hd_chan *ints(size_t capacity)
{
    return hd_chan_make(sizeof(int), capacity);
}

static void select_nothing(void *arg)
{
    (void)arg;
    hd_select(NULL, 0);
}

CHECK(a_select_without_cases_blocks_for_ever)
{
    expect(blocks(select_nothing, NULL));
}

static void select_nil(void *arg)
{
    HD_SELECT(HD_RECV(NULL, NULL), HD_SEND(NULL, arg));
}

CHECK(a_select_of_nil_channels_blocks_for_ever)
{
    expect(blocks(select_nil, NULL));
}

CHECK(the_default_is_taken_when_nothing_can)
{
    struct hd_chan *c = ints(0);

    expect(HD_SELECT_DEFAULT(HD_RECV(c, NULL)) == HD_DEFAULT);
    expect(HD_SELECT_DEFAULT(HD_SEND(c, &(int){1})) == HD_DEFAULT);
    expect(hd_select_default(NULL, 0) == HD_DEFAULT);
    hd_chan_unref(c);
}

CHECK(the_default_is_not_taken_when_something_can)
{
    struct hd_chan *c = ints(1);

    expect(HD_SELECT_DEFAULT(HD_SEND(c, &(int){1})) == 0);
    expect(HD_SELECT_DEFAULT(HD_SEND(c, &(int){2}), HD_RECV(c, NULL)) == 1);
    hd_chan_unref(c);
}

CHECK(a_nil_case_is_passed_over)
{
    struct hd_chan *c = ints(1);
    int value = 0;

    expect(HD_SELECT(HD_RECV(NULL, &value), HD_SEND(c, &(int){5}), HD_SEND(NULL, &value)) == 1);
    expect(HD_SELECT(HD_SEND(NULL, &value), HD_RECV(c, &value)) == 1 && value == 5);
    hd_chan_unref(c);
}

CHECK(a_closed_channel_can_always_be_received_from)
{
    struct hd_chan *c = ints(0), *never = ints(0);
    int value = 3;
    bool ok = true;

    hd_chan_close(c);
    expect(HD_SELECT(HD_RECV(never, NULL), HD_RECV_OK(c, &value, &ok)) == 1);
    expect(value == 0 && !ok);
    hd_chan_unref(c);
    hd_chan_unref(never);
}

static void select_send_to(void *chan)
{
    HD_SELECT(HD_SEND(chan, &(int){1}));
}

static void select_default_send_to(void *chan)
{
    HD_SELECT_DEFAULT(HD_SEND(chan, &(int){1}));
}

CHECK(a_chosen_send_to_a_closed_channel_panics)
{
    struct hd_chan *c = ints(0);

    hd_chan_close(c);
    expect(panics(select_send_to, c, "send on closed channel"));
    expect(panics(select_default_send_to, c, "send on closed channel"));
    hd_chan_unref(c);
}

CHECK(only_one_case_happens)
{
    struct hd_chan *a = ints(1), *b = ints(1);

    for (int i = 0; i < times(100); i++) {
        int chosen = HD_SELECT(HD_SEND(a, &i), HD_SEND(b, &i));
        expect(hd_chan_len(a) == (chosen == 0) && hd_chan_len(b) == (chosen == 1));
        hd_chan_recv(chosen ? b : a, NULL);
    }
    hd_chan_unref(a);
    hd_chan_unref(b);
}

CHECK(among_those_that_can_the_choice_is_fair)
{
    struct hd_chan *c[4];
    int seen[4] = {0}, rounds = HDI_UNWATCHED() ? 4000 : 4;

    for (int i = 0; i < 4; i++)
        hd_chan_close(c[i] = ints(0));
    for (int i = 0; i < rounds; i++)
        seen[HD_SELECT(HD_RECV(c[0], NULL), HD_RECV(c[1], NULL), HD_RECV(c[2], NULL),
                       HD_RECV(c[3], NULL))]++;
    for (int i = 0; i < 4; i++) {
        expect(rounds < 4000 || (seen[i] > 800 && seen[i] < 1200)); /* 1,000 within 7 sigma */
        hd_chan_unref(c[i]);
    }
}

struct two {
    struct hd_chan *a, *b;
    struct hd_wg wg;
    int chosen, value;
    bool ok;
};

static void select_two(void *arg)
{
    struct two *t = arg;

    t->chosen = HD_SELECT(HD_RECV_OK(t->a, &t->value, &t->ok), HD_RECV_OK(t->b, &t->value, &t->ok));
}

CHECK(a_waiting_select_takes_what_comes)
{
    for (int i = 0; i < 2; i++) {
        struct two t = {.a = ints(0), .b = ints(0)};
        GO_IN(&t.wg, select_two, &t);
        hd_sleep(MS);
        hd_chan_send(i ? t.b : t.a, &(int){i + 10});
        hd_wg_wait(&t.wg);
        expect(t.chosen == i && t.value == i + 10 && t.ok);
        hd_chan_unref(t.a);
        hd_chan_unref(t.b);
    }
}

CHECK(a_waiting_select_leaves_the_other_channels)
{
    struct two t = {.a = ints(0), .b = ints(0)};

    GO_IN(&t.wg, select_two, &t);
    hd_sleep(MS);
    hd_chan_send(t.a, &(int){1});
    expect(!hd_chan_try_send(t.b, &(int){2}));
    hd_wg_wait(&t.wg);
    hd_chan_unref(t.a);
    hd_chan_unref(t.b);
}

CHECK(a_waiting_select_sees_a_close)
{
    struct two t = {.a = ints(0), .b = ints(0), .value = 5};

    GO_IN(&t.wg, select_two, &t);
    hd_sleep(MS);
    hd_chan_close(t.b);
    hd_wg_wait(&t.wg);
    expect(t.chosen == 1 && t.value == 0 && !t.ok);
    hd_chan_unref(t.a);
    hd_chan_unref(t.b);
}

static void panic_in_select(void *arg)
{
    struct two *t = arg;

    t->ok = panics(select_send_to, t->a, "send on closed channel");
}

CHECK(a_waiting_send_case_panics_at_a_close)
{
    struct two t = {.a = ints(0)};

    GO_IN(&t.wg, panic_in_select, &t);
    hd_sleep(MS);
    hd_chan_close(t.a);
    hd_wg_wait(&t.wg);
    expect(t.ok);
    hd_chan_unref(t.a);
}

static void select_send_two(void *arg)
{
    struct two *t = arg;

    t->chosen = HD_SELECT(HD_SEND(t->a, &(int){1}), HD_SEND(t->b, &(int){2}));
}

CHECK(selects_meet)
{
    for (int i = 0; i < times(100); i++) {
        struct two t = {.a = ints(0), .b = ints(0)};
        int value = 0, chosen;
        GO_IN(&t.wg, select_send_two, &t);
        chosen = HD_SELECT(HD_RECV(t.a, &value), HD_RECV(t.b, &value));
        hd_wg_wait(&t.wg);
        expect(chosen == t.chosen && value == chosen + 1);
        hd_chan_unref(t.a);
        hd_chan_unref(t.b);
    }
}

CHECK(a_select_does_not_meet_itself)
{
    struct hd_chan *c = ints(0);
    int value;

    expect(HD_SELECT_TIMEOUT(MS, HD_SEND(c, &(int){1}), HD_RECV(c, &value)) == HD_TIMED_OUT);
    hd_chan_unref(c);
}

CHECK(a_timeout_comes_when_nothing_does)
{
    struct hd_chan *c = ints(0);
    int64_t before = hd_now();

    expect(HD_SELECT_TIMEOUT(3 * MS, HD_RECV(c, NULL)) == HD_TIMED_OUT);
    expect(hd_now() - before >= 3 * MS);
    hd_chan_unref(c);
}

CHECK(a_timeout_of_nothing_is_a_default)
{
    struct hd_chan *c = ints(1);

    expect(HD_SELECT_TIMEOUT(0, HD_RECV(c, NULL)) == HD_TIMED_OUT);
    expect(HD_SELECT_TIMEOUT(-1, HD_SEND(c, &(int){1})) == 0);
    hd_chan_unref(c);
}

CHECK(what_can_happen_comes_before_a_timeout)
{
    struct hd_chan *c = ints(1);

    hd_chan_send(c, &(int){8});
    expect(HD_SELECT_TIMEOUT(0, HD_RECV(c, NULL)) == 0);
    hd_chan_unref(c);
}

CHECK(the_case_after_with_time_after)
{
    struct hd_chan *c = ints(0), *after = hd_after(MS);

    expect(HD_SELECT(HD_RECV(c, NULL), HD_RECV(after, NULL)) == 1);
    hd_chan_unref(after);
    hd_chan_unref(c);
}

CHECK(a_channel_set_to_nil_turns_its_case_off)
{
    struct hd_chan *a = ints(2), *b = ints(2), *from_a = a, *from_b = b;
    int sum = 0, value;
    bool ok;

    for (int i = 0; i < 2; i++) {
        hd_chan_send(a, &(int){1});
        hd_chan_send(b, &(int){10});
    }
    hd_chan_close(a);
    hd_chan_close(b);
    while (from_a || from_b) {
        int chosen = HD_SELECT(HD_RECV_OK(from_a, &value, &ok), HD_RECV_OK(from_b, &value, &ok));
        sum += value;
        if (!ok)
            *(chosen ? &from_b : &from_a) = NULL;
    }
    expect(sum == 22);
    hd_chan_unref(a);
    hd_chan_unref(b);
}

CHECK(many_cases)
{
    struct hd_chan *c[40];
    struct hd_case cases[40];

    for (int i = 0; i < 40; i++) {
        c[i] = ints(1);
        cases[i] = HD_RECV(c[i], NULL);
    }
    hd_chan_send(c[33], &(int){1});
    expect(hd_select(cases, 40) == 33);
    for (int i = 0; i < 40; i++)
        hd_chan_unref(c[i]);
}

HD_CHAN(letters, char)

CHECK(typed_cases)
{
    letters c = letters_make(1), none = {NULL};
    char value = 0;
    bool ok = false;

    expect(HD_SELECT(letters_on_recv(none, &value), letters_on_send(c, &(char){'x'})) == 1);
    expect(HD_SELECT(letters_on_recv_ok(c, &value, &ok)) == 0 && value == 'x' && ok);
    expect(HD_SELECT_DEFAULT(letters_rx_on_recv(letters_to_rx(c), &value)) == HD_DEFAULT);
    expect(HD_SELECT(letters_tx_on_send(letters_to_tx(c), &(char){'y'})) == 0);
    letters_unref(c);
}

CHECK(a_choice_is_below_its_bound)
{
    int seen = 0;

    for (int i = 0; i < 100; i++) {
        uint32_t chosen = hd_choose(3);
        expect(chosen < 3);
        seen |= 1 << chosen;
    }
    expect(!HDI_UNWATCHED() || seen == 7);
    expect(hd_choose(1) == 0);
}

static void choose_nothing(void *arg)
{
    (void)arg;
    hd_choose(0);
}

CHECK(a_choice_among_nothing_panics)
{
    expect(panics(choose_nothing, NULL, "choice among nothing"));
}
