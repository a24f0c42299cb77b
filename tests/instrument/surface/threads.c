/* Threads: create, join in all its forms, detach, exit, cancel, thread-specific data. Exits 0 when
 * each call answers as POSIX says. Run natively and under heddle, where no schedule may show a
 * finding. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t released;
static int destroyed, cleaned;

static void destroy(void *value)
{
    pthread_mutex_lock(&lock); /* a destructor may wait, too */
    destroyed += *(int *)value;
    pthread_mutex_unlock(&lock);
}

static void *specific(void *value)
{
    pthread_setspecific(key, value);
    pthread_exit(value);
}

static void clean(void *unused)
{
    (void)unused;
    cleaned++;
    pthread_mutex_unlock(&lock);
}

static void *waits_for_ever(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(clean, NULL);
    while (!unused)
        pthread_cond_wait(&never, &lock);
    pthread_cleanup_pop(1);
    return NULL;
}

static void *sleeps_long(void *unused)
{
    sleep(1000000);
    return unused;
}

static void *spins_async(void *unused)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;)
        sched_yield();
    return unused;
}

static void *holds_out(void *unused)
{
    int old;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    assert(old == PTHREAD_CANCEL_ENABLE);
    sem_wait(&released);
    usleep(1000);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    assert(0 && "cancelled");
    return unused;
}

static void *detached(void *unused)
{
    sem_post(&released);
    return unused;
}

static void cancel(void *(*body)(void *))
{
    pthread_t t;
    void *result;

    assert(pthread_create(&t, NULL, body, NULL) == 0);
    assert(pthread_cancel(t) == 0);
    assert(pthread_join(t, &result) == 0);
    assert(result == PTHREAD_CANCELED);
}

static struct timespec in(long ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += ms / 1000;
    ts.tv_nsec += ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

int main(void)
{
    pthread_t t;
    pthread_attr_t attr;
    struct timespec soon;
    int one = 1, rc;
    void *result;

    sem_init(&released, 0, 0);
    pthread_key_create(&key, destroy);
    pthread_create(&t, NULL, specific, &one);
    assert(pthread_join(t, &result) == 0 && result == &one && destroyed == 1);

    cancel(waits_for_ever);
    assert(cleaned <= 1 && pthread_mutex_trylock(&lock) == 0); /* 0: cancelled before it began */
    pthread_mutex_unlock(&lock);
    cancel(sleeps_long);
    cancel(spins_async);

    pthread_create(&t, NULL, holds_out, NULL);
    pthread_cancel(t);
    soon = in(20);
    rc = pthread_timedjoin_np(t, &result, &soon);
    assert(rc == ETIMEDOUT);
    rc = pthread_tryjoin_np(t, &result);
    assert(rc == EBUSY);
    sem_post(&released);
    assert(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_create(&t, &attr, detached, NULL);
    pthread_attr_destroy(&attr);
    sem_wait(&released);
    pthread_create(&t, NULL, detached, NULL);
    assert(pthread_detach(t) == 0);
    sem_wait(&released);

    assert(pthread_join(pthread_self(), NULL) == EDEADLK);
    assert(pthread_kill(pthread_self(), 0) == 0);
    return 0;
}
