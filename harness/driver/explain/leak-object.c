/* leak-object - a context, ticker or pool that nobody ended
 *
 * Means:  Whoever has it must close, stop or cancel it: until then it keeps memory, and often a
 *         goroutine.
 * Found:  When the program ends, or a leak check does (heddle/leak.h).
 * Limits: Of the objects of lib/ alone.
 * Build:  cc -g -O1 -pthread, with pkg-config --cflags --libs heddle
 * Run:    heddle run -- ./program
 */
#include <heddle/heddle.h>

static void nothing(void *unused)
{
    (void)unused;
}

int main(void)
{
    struct hd_ticker *ticks = hd_ticker_make(HD_SECOND);

    if (hd_go(nothing, NULL))
        return 1;
    hd_chan_recv(hd_ticker_chan(ticks), NULL);
#ifdef RIGHT
    hd_ticker_stop(ticks);
#endif
    return 0;
}
