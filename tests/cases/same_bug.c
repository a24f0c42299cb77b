/* One bug, which some schedules show beside other waiters and some without: same_bug BUG TWIN. */
#include "company.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, n = PTHREAD_MUTEX_INITIALIZER;
static struct hd_mutex hm;

static void *locks_m(void *arg)
{
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    return arg;
}

static void goes(void *arg)
{
    (void)arg;
    hd_mutex_lock(&hm);
    hd_mutex_unlock(&hm);
}

static void bug_hd_relock(void)
{
    if (hd_go(goes, NULL))
        exit(2);
    hd_mutex_lock(&hm);
    if (wrong)
        hd_mutex_lock(&hm);
    hd_mutex_unlock(&hm);
}

static void bug_relock(void)
{
    start_detached(locks_m, NULL);
    start_detached(locks_m, NULL);
    pthread_mutex_lock(&m);
    if (wrong)
        pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
}

static void *mn(void *arg)
{
    pthread_mutex_lock(&m);
    pthread_mutex_lock(&n);
    pthread_mutex_unlock(&n);
    pthread_mutex_unlock(&m);
    return arg;
}

static void *nm(void *arg)
{
    pthread_mutex_lock(wrong ? &n : &m);
    pthread_mutex_lock(wrong ? &m : &n);
    pthread_mutex_unlock(&m);
    pthread_mutex_unlock(&n);
    return arg;
}

/* Two in a circle, and two who want one of the locks only. */
static void bug_order(void)
{
    pthread_t t = start(mn, NULL), u = start(nm, NULL);

    start_detached(locks_m, NULL);
    locks_m(NULL);
    finish(t);
    finish(u);
}

static bool go;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void *waits(void *arg)
{
    pthread_mutex_lock(&m);
    while (!go)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    return arg;
}

/* One signal for two: one, or none, is left waiting. */
static void bug_signal(void)
{
    pthread_t t = start(waits, NULL), u = start(waits, NULL);

    pthread_mutex_lock(&m);
    go = true;
    if (wrong)
        pthread_cond_signal(&c);
    else
        pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
    finish(t);
    finish(u);
}

static void *keeps(void *arg)
{
    pthread_mutex_lock(&m);
    if (!wrong)
        pthread_mutex_unlock(&m);
    return arg;
}

/* A lock that is not given back, and none, one or two who want it. */
static void bug_kept(void)
{
    start_detached(locks_m, NULL);
    start_detached(locks_m, NULL);
    finish(start(keeps, NULL));
    nap_usleep();
}

static struct hd_chan *channel;

static void sends(void *arg)
{
    (void)arg;
    hd_chan_send(channel, NULL);
}

/* Three answers, of which one is taken. */
static void bug_answers(void)
{
    channel = hd_chan_make(0, wrong ? 0 : 3);
    for (int i = 0; i < 3; i++)
        if (hd_go(sends, NULL))
            exit(2);
    hd_chan_recv(channel, NULL);
    hd_sleep(nap_ms * HD_MILLISECOND);
}

static const struct variant bugs[] = {VARIANT(bug, hd_relock), VARIANT(bug, relock),
                                      VARIANT(bug, order),     VARIANT(bug, signal),
                                      VARIANT(bug, kept),      VARIANT(bug, answers)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    naps_begin();
    PICK(bugs, argv[1])->run();
    return 0;
}
