/* A thread does something over and over, in periods, while others get stuck, which it does not
 * hide: heartbeat BEAT STUCK TWIN. */
#include "case.h"
#include <heddle/heddle.h>

enum { PERIOD_MS = 20 };

static atomic_bool quit;

/* Each lets one period pass. */
static void beat_cond_timedwait(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec t = in_ms(CLOCK_REALTIME, PERIOD_MS);

    pthread_mutex_lock(&m);
    pthread_cond_timedwait(&c, &m, &t);
    pthread_mutex_unlock(&m);
}

static void beat_ticker(void)
{
    static struct hd_ticker *ticker;

    if (!ticker)
        ticker = hd_ticker_make(PERIOD_MS * HD_MILLISECOND);
    hd_chan_recv(hd_ticker_chan(ticker), NULL);
    if (quit)
        hd_ticker_free(ticker);
}

static const struct variant beats[] = {VARIANT(beat, cond_timedwait), VARIANT(beat, ticker)};
static const struct variant *beat;

static void *heartbeat(void *arg)
{
    while (!quit)
        beat->run();
    return arg;
}

static void stuck_relock(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&m);
    if (wrong)
        pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
}

static void stuck_hd_relock(void)
{
    static struct hd_mutex m;

    hd_mutex_lock(&m);
    if (wrong)
        hd_mutex_lock(&m);
    hd_mutex_unlock(&m);
}

static const struct variant stucks[] = {VARIANT(stuck, relock), VARIANT(stuck, hd_relock)};

int main(int argc, char **argv)
{
    pthread_t beating;

    arguments(argc, argv, 2);
    beat = PICK(beats, argv[1]);
    beating = start(heartbeat, NULL);
    finish(start(run, PICK(stucks, argv[2])));
    quit = true;
    finish(beating);
    return 0;
}
