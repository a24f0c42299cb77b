/* Condition variables, semaphores, barriers, sleeps and clocks in virtual time. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, monotonic;
static pthread_barrier_t barrier;
static sem_t sem;
static int ready, serial;

static double now(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct timespec in(clockid_t clock, double s)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    ts.tv_sec += (time_t)s;
    ts.tv_nsec += (long)((s - (double)(time_t)s) * 1e9);
    ts.tv_sec += ts.tv_nsec / 1000000000;
    ts.tv_nsec %= 1000000000;
    return ts;
}

static void *waiter(void *unused)
{
    struct timespec far = in(CLOCK_REALTIME, 3600), farther = in(CLOCK_MONOTONIC, 3600);

    pthread_mutex_lock(&lock);
    while (ready < 1)
        pthread_cond_wait(&cond, &lock);
    while (ready < 2)
        assert(pthread_cond_timedwait(&cond, &lock, &far) == 0);
    while (ready < 3)
        assert(pthread_cond_clockwait(&cond, &lock, CLOCK_MONOTONIC, &farther) == 0);
    pthread_mutex_unlock(&lock);
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
        __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
    sem_post(&sem);
    return unused;
}

int main(void)
{
    pthread_condattr_t attr;
    pthread_t t[3];
    struct timespec ts;
    struct timeval tv;
    double before;
    int value;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &attr);
    pthread_condattr_destroy(&attr);
    pthread_barrier_init(&barrier, NULL, 3);
    sem_init(&sem, 0, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, waiter, NULL);
    for (int i = 1; i <= 3; i++) {
        usleep(1000);
        pthread_mutex_lock(&lock);
        ready = i;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < 3; i++)
        assert(sem_wait(&sem) == 0);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert(serial == 1);

    assert(sem_trywait(&sem) == -1 && errno == EAGAIN);
    ts = in(CLOCK_REALTIME, 0.01);
    assert(sem_timedwait(&sem, &ts) == -1 && errno == ETIMEDOUT);
    ts = in(CLOCK_MONOTONIC, 0.01);
    assert(sem_clockwait(&sem, CLOCK_MONOTONIC, &ts) == -1 && errno == ETIMEDOUT);
    assert(sem_getvalue(&sem, &value) == 0 && value == 0);

    pthread_mutex_lock(&lock);
    ts = in(CLOCK_MONOTONIC, 0.05);
    before = now(CLOCK_MONOTONIC);
    assert(pthread_cond_timedwait(&monotonic, &lock, &ts) == ETIMEDOUT);
    assert(now(CLOCK_MONOTONIC) - before >= 0.049);
    ts.tv_nsec = 1000000000;
    assert(pthread_cond_timedwait(&monotonic, &lock, &ts) == EINVAL);
    pthread_mutex_unlock(&lock);

    before = now(CLOCK_REALTIME);
    ts = (struct timespec){0, 20000000};
    assert(nanosleep(&ts, NULL) == 0);
    ts = in(CLOCK_REALTIME, 0.02);
    assert(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == 0);
    assert(now(CLOCK_REALTIME) - before >= 0.039);
    assert(gettimeofday(&tv, NULL) == 0);
    before = (double)tv.tv_sec - (double)time(NULL);
    assert(before > -2 && before < 2);
    while (now(CLOCK_MONOTONIC) < 1) /* polling the clock ends */
        ;
    assert(pthread_barrier_destroy(&barrier) == 0 && sem_destroy(&sem) == 0);
    assert(pthread_cond_destroy(&cond) == 0 && pthread_cond_destroy(&monotonic) == 0);
    return 0;
}
