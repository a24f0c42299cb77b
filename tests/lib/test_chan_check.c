/* test_chan_check.c - the check of a channel's invariants: some channels as they may be, and each
 * invariant broken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chan.c"
#include "traps.h"

static struct hd_chan *chan;
static struct hdi_turn turn[2];
static struct hdi_wait waiter[3];

static void with_room_for(size_t values)
{
    chan = hdi_chan_make(NULL, sizeof(int), values, NULL);
    assert_non_null(chan);
    for (int i = 0; i < 3; i++)
        waiter[i] = (struct hdi_wait){.turn = &turn[i != 0]};
    turn[0].chosen = turn[1].chosen = 0;
}

static void check(void)
{
    chan_check(chan);
}

static void as_it_may_be(void **state)
{
    (void)state;
    with_room_for(2);
    assert_false(traps(check));
    hdi_chan_join(chan, &waiter[0], false);
    assert_false(traps(check)); /* a receiver at an empty buffer */
    turn[0].chosen = 1;
    chan->count = 2;
    hdi_chan_join(chan, &waiter[1], true);
    assert_false(traps(check)); /* a sender at a full one, and a receiver whose turn is over */
    free(chan);
}

static void both_lines_of_one_select(void **state)
{
    (void)state;
    with_room_for(0);
    hdi_chan_join(chan, &waiter[1], true);
    hdi_chan_join(chan, &waiter[2], false);
    assert_false(traps(check));
    hdi_chan_join(chan, &waiter[0], false);
    assert_true(traps(check)); /* I2 */
    free(chan);
}

static void both_lines_of_a_buffer(void **state)
{
    (void)state;
    with_room_for(1);
    hdi_chan_join(chan, &waiter[1], true);
    hdi_chan_join(chan, &waiter[2], false);
    assert_true(traps(check)); /* I2 */
    free(chan);
}

static void a_sender_while_there_is_room(void **state)
{
    (void)state;
    with_room_for(2);
    chan->count = 1;
    hdi_chan_join(chan, &waiter[0], true);
    assert_true(traps(check)); /* I1 */
    free(chan);
}

static void a_receiver_while_there_is_a_value(void **state)
{
    (void)state;
    with_room_for(2);
    chan->count = 1;
    hdi_chan_join(chan, &waiter[0], false);
    assert_true(traps(check)); /* I1 */
    free(chan);
}

static void a_receiver_on_a_closed_channel(void **state)
{
    (void)state;
    with_room_for(2);
    chan->closed = true;
    assert_false(traps(check));
    hdi_chan_join(chan, &waiter[0], false);
    assert_true(traps(check)); /* I3 */
    free(chan);
}

static void more_values_than_room(void **state)
{
    (void)state;
    with_room_for(2);
    chan->count = 3;
    assert_true(traps(check));
    free(chan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_may_be),
        cmocka_unit_test(both_lines_of_one_select),
        cmocka_unit_test(both_lines_of_a_buffer),
        cmocka_unit_test(a_sender_while_there_is_room),
        cmocka_unit_test(a_receiver_while_there_is_a_value),
        cmocka_unit_test(a_receiver_on_a_closed_channel),
        cmocka_unit_test(more_values_than_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
