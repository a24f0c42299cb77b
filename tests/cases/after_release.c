/* What a thread does after a release and before its next call comes too late for whom the release let go on, in
 * some schedules: after_release RELEASE EFFECT TWIN. Plain builds see it only if the other may run right after the
 * release. A right one does it before. */
#include "company.h"
#include <sys/eventfd.h>

static atomic_int ready; /* not a call: nothing that a plain build shows */

static void *(*other_body)(void *);
static pthread_t other;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t s;
static int fd[2], event;
static int word;
static struct hd_chan *channel;
static struct hd_wg wg;
static struct hd_mutex hm;
static struct hd_rwmutex hrw;
static bool given; /* under one of the locks */

/* A lock is held by main before the other starts, and given back: the other gets it then. */
#define LOCK(name, lock_it, unlock_it)                                                             \
    static void take_##name(void)                                                                  \
    {                                                                                              \
        lock_it;                                                                                   \
    }                                                                                              \
    static void release_##name(void)                                                               \
    {                                                                                              \
        unlock_it;                                                                                 \
    }                                                                                              \
    static void acquire_##name(void)                                                               \
    {                                                                                              \
        lock_it;                                                                                   \
        unlock_it;                                                                                 \
    }

LOCK(mutex, pthread_mutex_lock(&m), pthread_mutex_unlock(&m))
LOCK(rwlock, pthread_rwlock_wrlock(&rw), pthread_rwlock_unlock(&rw))
LOCK(spin, pthread_spin_lock(&spin), pthread_spin_unlock(&spin))
LOCK(hd_mutex, hd_mutex_lock(&hm), hd_mutex_unlock(&hm))
LOCK(hd_rwmutex, hd_rwmutex_lock(&hrw), hd_rwmutex_unlock(&hrw))

static void nothing(void)
{
}

static void release_sem(void)
{
    sem_post(&s);
}

static void acquire_sem(void)
{
    sem_wait(&s);
}

static void acquire_cond(void)
{
    pthread_mutex_lock(&m);
    while (!given)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static void give_under_lock(void)
{
    pthread_mutex_lock(&m);
    given = true;
    pthread_mutex_unlock(&m);
}

static void release_signal(void)
{
    give_under_lock();
    pthread_cond_signal(&c);
}

static void release_broadcast(void)
{
    give_under_lock();
    pthread_cond_broadcast(&c);
}

static void release_barrier(void)
{
    pthread_barrier_wait(&barrier);
}

static void release_pipe(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static void acquire_pipe(void)
{
    char byte;

    assert(read(fd[0], &byte, 1) == 1);
}

static void release_close(void)
{
    close(fd[1]);
}

static void acquire_close(void)
{
    char byte;

    assert(read(fd[0], &byte, 1) == 0);
}

static void release_eventfd(void)
{
    assert(eventfd_write(event, 1) == 0);
}

static void acquire_eventfd(void)
{
    eventfd_t value;

    assert(eventfd_read(event, &value) == 0);
}

static void release_futex(void)
{
    __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void acquire_futex(void)
{
    while (!__atomic_load_n(&word, __ATOMIC_SEQ_CST))
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void release_kill(void)
{
    pthread_kill(other, SIGALRM);
}

static void acquire_kill(void)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigwait(&set, &sig);
}

static void *starts(void *arg)
{
    return other_body(arg);
}

static void release_create(void)
{
    other = start(starts, NULL);
}

static void goes(void *arg)
{
    other_body(arg);
    hd_wg_done(&wg);
}

static void release_go(void)
{
    hd_wg_add(&wg, 1);
    if (hd_go(goes, NULL))
        exit(2);
}

static void release_send(void)
{
    hd_chan_send(channel, NULL);
}

static void acquire_receive(void)
{
    hd_chan_recv(channel, NULL);
}

static void release_channel_close(void)
{
    hd_chan_close(channel);
}

static void release_done(void)
{
    hd_wg_done(&wg);
}

static void acquire_waitgroup(void)
{
    hd_wg_wait(&wg);
}

static const struct release {
    const char *name;
    void (*take)(void), (*release)(void), (*acquire)(void);
} releases[] = {
    {"mutex", take_mutex, release_mutex, acquire_mutex},
    {"rwlock", take_rwlock, release_rwlock, acquire_rwlock},
    {"spin", take_spin, release_spin, acquire_spin},
    {"sem", nothing, release_sem, acquire_sem},
    {"signal", nothing, release_signal, acquire_cond},
    {"broadcast", nothing, release_broadcast, acquire_cond},
    {"barrier", nothing, release_barrier, release_barrier},
    {"pipe", nothing, release_pipe, acquire_pipe},
    {"close", nothing, release_close, acquire_close},
    {"eventfd", nothing, release_eventfd, acquire_eventfd},
    {"futex", nothing, release_futex, acquire_futex},
    {"kill", nothing, release_kill, acquire_kill},
    {"create", nothing, release_create, nothing},
    {"go", nothing, release_go, nothing},
    {"send", nothing, release_send, acquire_receive},
    {"channel_close", nothing, release_channel_close, acquire_receive},
    {"done", nothing, release_done, acquire_waitgroup},
    {"hd_mutex", take_hd_mutex, release_hd_mutex, acquire_hd_mutex},
    {"hd_rwmutex", take_hd_rwmutex, release_hd_rwmutex, acquire_hd_rwmutex},
};
static const struct release *how;

/* What was to be seen by now is not. */
static void *expects(void *arg)
{
    how->acquire();
    assert(ready);
    return arg;
}

/* It waits for a word that came too early: between its test and its wait. */
static pthread_mutex_t waking = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;

static void *waits(void *arg)
{
    how->acquire();
    pthread_mutex_lock(&waking);
    while (!ready)
        pthread_cond_wait(&woken, &waking);
    pthread_mutex_unlock(&waking);
    return arg;
}

static void effect_late(void)
{
    if (!wrong)
        ready = 1;
    how->release();
    ready = 1;
}

static void effect_wakeup(void)
{
    if (!wrong)
        ready = 1;
    how->release();
    ready = 1; /* not under the lock of those who wait */
    pthread_cond_broadcast(&woken);
}

int main(int argc, char **argv)
{
    bool late;

    arguments(argc, argv, 2);
    for (size_t i = 0; i < sizeof releases / sizeof *releases; i++)
        if (strcmp(releases[i].name, argv[1]) == 0)
            how = &releases[i];
    late = strcmp(argv[2], "late") == 0;
    if (!how || (!late && strcmp(argv[2], "wakeup") != 0))
        return 2;
    naps_begin();
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_barrier_init(&barrier, NULL, 2);
    sem_init(&s, 0, 0);
    assert(pipe(fd) == 0);
    event = eventfd(0, 0);
    channel = hd_chan_make(0, 1);
    other_body = late ? expects : waits;
    if (how->release == release_done)
        hd_wg_add(&wg, 1);
    if (how->acquire != nothing) {
        how->take();
        other = start(starts, NULL);
    }
    if (late)
        effect_late();
    else
        effect_wakeup();
    if (how->release == release_go)
        hd_wg_wait(&wg);
    else
        finish(other);
    return 0;
}
