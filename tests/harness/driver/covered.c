/* covered.c - synchronisation of which it is known what may happen, and in which order.
 *   covered [turned [fails]]   turned: the first thread looks later, so that more can happen; fails: each time */
#include <errno.h>
#include <pthread.h>
#include <time.h>

static pthread_mutex_t apart = PTHREAD_MUTEX_INITIALIZER, busy = PTHREAD_MUTEX_INITIALIZER,
                       shared = PTHREAD_MUTEX_INITIALIZER, alone = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t signalled = PTHREAD_COND_INITIALIZER, silent = PTHREAD_COND_INITIALIZER;
static int ready, count, turned;

static void add(pthread_mutex_t *lock)
{
    pthread_mutex_lock(lock);
    count++;
    pthread_mutex_unlock(lock);
}

/* Long before anybody looks, unless turned. */
static void early(void)
{
    pthread_mutex_lock(&apart);
    count++;
    pthread_mutex_unlock(&apart);
}

static void late(void)
{
    pthread_mutex_lock(&apart);
    count++;
    pthread_mutex_unlock(&apart);
}

static int wait_for(pthread_cond_t *c, int seconds)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += seconds;
    return pthread_cond_timedwait(c, &shared, &t);
}

static void *one(void *arg)
{
    if (!turned)
        early();
    pthread_mutex_lock(&shared);
    ready = 1;
    pthread_cond_signal(&signalled);
    pthread_mutex_unlock(&shared);
    if (turned)
        early();
    if (pthread_mutex_trylock(&busy) == 0)
        pthread_mutex_unlock(&busy);
    return arg;
}

static void *two(void *arg)
{
    pthread_mutex_lock(&shared);
    while (!ready)
        if (wait_for(&signalled, 1000) == ETIMEDOUT) /* nobody is that late */
            break;
    pthread_mutex_unlock(&shared);
    late();
    add(&busy);
    add(&alone);
    pthread_mutex_lock(&shared);
    wait_for(&silent, 1); /* nobody signals it */
    pthread_mutex_unlock(&shared);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread[2];

    (void)argv;
    turned = argc > 1;
    pthread_create(&thread[0], NULL, one, NULL);
    pthread_create(&thread[1], NULL, two, NULL);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    add(&alone); /* after a join: no other order is thinkable */
    return argc > 2;
}
