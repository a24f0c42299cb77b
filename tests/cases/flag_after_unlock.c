/* A flag is set outside the lock of those who wait for it, after that lock was held for something else, and
 * announced: flag_after_unlock HOW TWIN. Between the test and the wait of the other the word is lost. */
#include "case.h"
#include <heddle/heddle.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static struct hd_mutex hm;
static struct hd_cond hc;
static atomic_bool stop;
static int jobs;

static void *waits(void *arg)
{
    pthread_mutex_lock(&m);
    jobs++;
    while (!stop)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    return arg;
}

static void announce(bool broadcast)
{
    pthread_mutex_lock(&m);
    jobs++;
    if (!wrong)
        stop = true;
    pthread_mutex_unlock(&m);
    stop = true;
    if (broadcast)
        pthread_cond_broadcast(&c);
    else
        pthread_cond_signal(&c);
}

static void flag_broadcast(void)
{
    pthread_t t = start(waits, NULL);

    announce(true);
    finish(t);
}

static void flag_signal(void)
{
    pthread_t t = start(waits, NULL);

    announce(false);
    finish(t);
}

static void flag_many(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        t[i] = start(waits, NULL);
    announce(true);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
}

/* As pools do: jobs first, each under the lock, then the end. */
static void *works(void *arg)
{
    for (bool over = false; !over;) {
        pthread_mutex_lock(&m);
        while (jobs == 0 && !stop)
            pthread_cond_wait(&c, &m);
        if (jobs > 0)
            jobs--;
        else
            over = true;
        pthread_mutex_unlock(&m);
    }
    return arg;
}

static void flag_pool(void)
{
    pthread_t t = start(works, NULL), u = start(works, NULL);

    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&m);
        jobs++;
        pthread_cond_signal(&c);
        pthread_mutex_unlock(&m);
    }
    announce(true);
    finish(t);
    finish(u);
}

static void goes(void *arg)
{
    (void)arg;
    hd_mutex_lock(&hm);
    jobs++;
    while (!stop)
        hd_cond_wait(&hc);
    hd_mutex_unlock(&hm);
}

static void flag_hd_cond(void)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_cond_init(&hc, &hm, NULL);
    if (hd_wg_go(&wg, goes, NULL))
        exit(2);
    hd_mutex_lock(&hm);
    jobs++;
    if (!wrong)
        stop = true;
    hd_mutex_unlock(&hm);
    stop = true;
    hd_cond_broadcast(&hc);
    hd_wg_wait(&wg);
}

static const struct variant flags[] = {VARIANT(flag, broadcast), VARIANT(flag, signal),
                                       VARIANT(flag, many), VARIANT(flag, pool),
                                       VARIANT(flag, hd_cond)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(flags, argv[1])->run();
    return 0;
}
