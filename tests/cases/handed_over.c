/* A goroutine takes a lock and ends; whoever is told so gives it back, as Go's locks allow: handed_over
 * LOCK WANTED TWIN. A wrong one never gives it back. */
#include "case.h"
#include <heddle/heddle.h>

static struct hd_mutex mutex;
static struct hd_rwmutex rwmutex;

static void take_mutex(void)
{
    hd_mutex_lock(&mutex);
}

static void give_mutex(void)
{
    hd_mutex_unlock(&mutex);
}

static void take_writing(void)
{
    hd_rwmutex_lock(&rwmutex);
}

static void give_writing(void)
{
    hd_rwmutex_unlock(&rwmutex);
}

static void take_reading(void)
{
    hd_rwmutex_rlock(&rwmutex);
}

static void give_reading(void)
{
    hd_rwmutex_runlock(&rwmutex);
}

static const struct lock {
    const char *name;
    void (*take)(void), (*give)(void);
} locks[] = {{"mutex", take_mutex, give_mutex},
             {"writing", take_writing, give_writing},
             {"reading", take_reading, give_reading}};
static const struct lock *lock;
static struct hd_chan *taken;

static void taker(void *arg)
{
    (void)arg;
    lock->take();
    hd_chan_close(taken);
}

static void wants(void *arg)
{
    hd_chan_recv(taken, NULL);
    if (lock->take == take_mutex) {
        hd_mutex_lock(&mutex);
        hd_mutex_unlock(&mutex);
    } else {
        hd_rwmutex_lock(&rwmutex);
        hd_rwmutex_unlock(&rwmutex);
    }
    (void)arg;
}

int main(int argc, char **argv)
{
    bool wanted;

    arguments(argc, argv, 2);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        if (strcmp(locks[i].name, argv[1]) == 0)
            lock = &locks[i];
    wanted = strcmp(argv[2], "wanted") == 0;
    if (!lock || (!wanted && strcmp(argv[2], "unwanted") != 0))
        return 2;
    taken = hd_chan_make(0, 0);
    if (hd_go(taker, NULL) || (wanted && hd_go(wants, NULL)))
        return 2;
    hd_chan_recv(taken, NULL);
    if (!wrong)
        lock->give();
    hd_sleep(10 * HD_MILLISECOND);
    return 0;
}
