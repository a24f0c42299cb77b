/* A thread waits, with a lock in its hands, for what another does only once it has had that lock: holds LOCK
 * WAIT COMPANY TWIN. A right one gives the lock back first. */
#include "company.h"
#include <sys/eventfd.h>

#define LOCK(name, init, lock, unlock)                                                             \
    static init;                                                                                   \
    static void lock_##name(void)                                                                  \
    {                                                                                              \
        lock(&name);                                                                               \
    }                                                                                              \
    static void unlock_##name(void)                                                                \
    {                                                                                              \
        unlock(&name);                                                                             \
    }

LOCK(mutex, pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, pthread_mutex_lock,
     pthread_mutex_unlock)
LOCK(rwlock, pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER, pthread_rwlock_wrlock,
     pthread_rwlock_unlock)
LOCK(sem, sem_t sem, sem_wait, sem_post)
LOCK(hd_mutex, struct hd_mutex hd_mutex, hd_mutex_lock, hd_mutex_unlock)
LOCK(hd_rwmutex, struct hd_rwmutex hd_rwmutex, hd_rwmutex_lock, hd_rwmutex_unlock)

static const struct lock {
    const char *name;
    void (*lock)(void), (*unlock)(void);
} locks[] = {{"mutex", lock_mutex, unlock_mutex},
             {"rwlock", lock_rwlock, unlock_rwlock},
             {"sem", lock_sem, unlock_sem},
             {"hd_mutex", lock_hd_mutex, unlock_hd_mutex},
             {"hd_rwmutex", lock_hd_rwmutex, unlock_hd_rwmutex}};
static const struct lock *lock;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static bool done;

static void wait_cond(void)
{
    pthread_mutex_lock(&m);
    while (!done)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static void tell_cond(void)
{
    pthread_mutex_lock(&m);
    done = true;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

static sem_t posted;

static void wait_posted(void)
{
    sem_wait(&posted);
}

static void tell_posted(void)
{
    sem_post(&posted);
}

static pthread_barrier_t barrier;

static void meet(void)
{
    pthread_barrier_wait(&barrier);
}

static int fd[2], event;

static void wait_pipe(void)
{
    char byte;

    assert(read(fd[0], &byte, 1) == 1);
}

static void tell_pipe(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static void wait_eventfd(void)
{
    eventfd_t value;

    assert(eventfd_read(event, &value) == 0);
}

static void tell_eventfd(void)
{
    assert(eventfd_write(event, 1) == 0);
}

static struct hd_chan *channel;

static void wait_receive(void)
{
    hd_chan_recv(channel, NULL);
}

static void tell_send(void)
{
    hd_chan_send(channel, NULL);
}

static void tell_close(void)
{
    hd_chan_close(channel);
}

static struct hd_wg wg;

static void wait_waitgroup(void)
{
    hd_wg_wait(&wg);
}

static void tell_waitgroup(void)
{
    hd_wg_done(&wg);
}

static const struct way {
    const char *name;
    void (*wait)(void), (*tell)(void);
} ways[] = {{"cond", wait_cond, tell_cond},
            {"sem", wait_posted, tell_posted},
            {"barrier", meet, meet},
            {"pipe", wait_pipe, tell_pipe},
            {"eventfd", wait_eventfd, tell_eventfd},
            {"receive", wait_receive, tell_send},
            {"send", tell_send, wait_receive},
            {"close", wait_receive, tell_close},
            {"waitgroup", wait_waitgroup, tell_waitgroup}};
static const struct way *way;

static void *waits(void *arg)
{
    lock->lock();
    if (!wrong)
        lock->unlock();
    way->wait();
    if (wrong)
        lock->unlock();
    return arg;
}

static void *tells(void *arg)
{
    lock->lock();
    lock->unlock();
    way->tell();
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 3);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        if (strcmp(locks[i].name, argv[1]) == 0)
            lock = &locks[i];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, argv[2]) == 0)
            way = &ways[i];
    if (!lock || !way)
        return 2;
    naps_begin();
    nap_ms = 50;
    sem_init(&sem, 0, 1);
    sem_init(&posted, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    assert(pipe(fd) == 0);
    event = eventfd(0, 0);
    channel = hd_chan_make(0, 0);
    hd_wg_add(&wg, 1);
    first_body = waits;
    second_body = tells;
    PICK(companies, argv[3])->run();
    return 0;
}
