/* What a channel's views allow. Compiled as it stands, which must succeed, and once with each of
 * WRONG_*, which must not. */
#include <heddle/chan.h>

HD_CHAN(ints, int)

int views_compile(ints both)
{
    ints_rx in = ints_to_rx(both);
    ints_tx out = ints_to_tx(both);
    int value = 0;

    ints_tx_send(out, 1);
    ints_tx_close(out);
    ints_rx_recv(in, &value);
#if defined(WRONG_CLOSE_BY_RECEIVER)
    ints_rx_close(in);
#elif defined(WRONG_CLOSE_OF_VIEW)
    ints_close(in);
#elif defined(WRONG_SEND_BY_RECEIVER)
    ints_rx_send(in, 1);
#elif defined(WRONG_RECEIVE_BY_SENDER)
    ints_tx_recv(out, &value);
#elif defined(WRONG_TYPE)
    ints_tx_send(out, "text");
#elif defined(WRONG_WIDENING)
    ints_to_tx(in);
#endif
    return value;
}
