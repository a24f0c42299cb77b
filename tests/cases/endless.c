/* A program that never ends, in no schedule, so that nothing can be said of it: endless WHAT TWIN. A right one
 * ends after some rounds. */
#include "naps.h"

static bool more(void)
{
    static int rounds;

    return wrong || rounds++ < 3;
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void endless_mutex(void)
{
    while (more()) {
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
    }
}

static void endless_sleep(void)
{
    while (more())
        nap_usleep();
}

static void endless_ticker(void)
{
    struct hd_ticker *ticker = hd_ticker_make(nap_ms * HD_MILLISECOND);

    while (more())
        hd_chan_recv(hd_ticker_chan(ticker), NULL);
    hd_ticker_free(ticker);
}

static const struct variant all[] = {VARIANT(endless, mutex), VARIANT(endless, sleep),
                                     VARIANT(endless, ticker)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    naps_begin();
    finish(start(run, PICK(all, argv[1])));
    return 0;
}
