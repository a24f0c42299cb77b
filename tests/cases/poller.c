/* A thread looks again and again whether it is over, beside one that lets a while pass before it says
 * so: poller LOOK NAP TWIN. Natively the end is always reached; a wrong one fails there. */
#include "naps.h"

static bool stop; /* under the lock of the variant */

#define UNDER(name, init, lock, unlock, lock_to_set, unlock_set)                                   \
    static init;                                                                                   \
    static bool look_##name(void)                                                                  \
    {                                                                                              \
        bool now;                                                                                  \
                                                                                                   \
        lock(&name);                                                                               \
        now = stop;                                                                                \
        unlock(&name);                                                                             \
        return now;                                                                                \
    }                                                                                              \
    static void stop_##name(void)                                                                  \
    {                                                                                              \
        lock_to_set(&name);                                                                        \
        stop = true;                                                                               \
        unlock_set(&name);                                                                         \
    }

UNDER(mutex, pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, pthread_mutex_lock,
      pthread_mutex_unlock, pthread_mutex_lock, pthread_mutex_unlock)
UNDER(rwlock, pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER, pthread_rwlock_rdlock,
      pthread_rwlock_unlock, pthread_rwlock_wrlock, pthread_rwlock_unlock)
UNDER(spin, pthread_spinlock_t spin, pthread_spin_lock, pthread_spin_unlock, pthread_spin_lock,
      pthread_spin_unlock)
UNDER(hd_mutex, struct hd_mutex hd_mutex, hd_mutex_lock, hd_mutex_unlock, hd_mutex_lock,
      hd_mutex_unlock)
UNDER(hd_rwmutex, struct hd_rwmutex hd_rwmutex, hd_rwmutex_rlock, hd_rwmutex_runlock,
      hd_rwmutex_lock, hd_rwmutex_unlock)

static pthread_mutex_t tried = PTHREAD_MUTEX_INITIALIZER;

static bool look_trylock(void)
{
    bool now = false;

    if (pthread_mutex_trylock(&tried) == 0) {
        now = stop;
        pthread_mutex_unlock(&tried);
    }
    return now;
}

static void stop_trylock(void)
{
    pthread_mutex_lock(&tried);
    stop = true;
    pthread_mutex_unlock(&tried);
}

static sem_t posted;

static bool look_sem_trywait(void)
{
    return sem_trywait(&posted) == 0;
}

static void stop_sem_trywait(void)
{
    sem_post(&posted);
}

static bool look_sem_getvalue(void)
{
    int value;

    sem_getvalue(&posted, &value);
    return value > 0;
}

static void stop_sem_getvalue(void)
{
    sem_post(&posted);
}

static atomic_bool over;

static void stop_atomic(void)
{
    over = true;
}

static bool look_atomic(void)
{
    return over;
}

static bool look_yield(void)
{
    sched_yield();
    return over;
}

static bool look_exchange(void)
{
    bool expected = true;

    sched_yield();
    return atomic_compare_exchange_strong(&over, &expected, false);
}

static bool look_gettid(void)
{
    syscall(SYS_gettid);
    return over;
}

static bool look_zero_sleep(void)
{
    usleep(0);
    return over;
}

static bool look_timed_out(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec past = {0};

    pthread_mutex_lock(&m);
    pthread_cond_timedwait(&c, &m, &past);
    pthread_mutex_unlock(&m);
    return over;
}

static struct hd_chan *channel;

static bool look_closed_channel(void)
{
    hd_chan_recv(channel, NULL); /* at once: it is closed */
    return over;
}

static struct hd_chan *told;

static bool look_try_recv(void)
{
    bool sent;

    return hd_chan_try_recv(told, NULL, &sent);
}

static void stop_try_recv(void)
{
    hd_chan_close(told);
}

static bool look_select_default(void)
{
    return HD_SELECT_DEFAULT(HD_RECV(told, NULL)) == 0;
}

static struct hd_context *context;

static bool look_context(void)
{
    return hd_context_err(context);
}

static void stop_context(void)
{
    hd_context_cancel(context);
}

static int fd[2];

static bool look_read(void)
{
    char c;

    return read(fd[0], &c, 1) == 1;
}

static void stop_read(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static bool look_poll(void)
{
    struct pollfd ready = {fd[0], POLLIN, 0};

    return poll(&ready, 1, 0) == 1;
}

static pthread_t waits;

static void *wait_posted(void *arg)
{
    sem_wait(&posted);
    return arg;
}

static bool look_tryjoin(void)
{
    return pthread_tryjoin_np(waits, NULL) == 0;
}

/* Nobody need tell it: it looks at the clock. */
static bool look_clock(void)
{
    static struct timespec until;
    struct timespec now;

    if (!until.tv_sec)
        until = in_ms(CLOCK_MONOTONIC, nap_ms);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > until.tv_sec ||
           (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
}

static const struct look {
    const char *name;
    bool (*look)(void);
    void (*stop)(void);
} looks[] = {
    {"mutex", look_mutex, stop_mutex},
    {"rwlock", look_rwlock, stop_rwlock},
    {"spin", look_spin, stop_spin},
    {"trylock", look_trylock, stop_trylock},
    {"sem_trywait", look_sem_trywait, stop_sem_trywait},
    {"sem_getvalue", look_sem_getvalue, stop_sem_getvalue},
    {"atomic", look_atomic, stop_atomic},
    {"yield", look_yield, stop_atomic},
    {"exchange", look_exchange, stop_atomic},
    {"gettid", look_gettid, stop_atomic},
    {"zero_sleep", look_zero_sleep, stop_atomic},
    {"timed_out", look_timed_out, stop_atomic},
    {"read", look_read, stop_read},
    {"poll", look_poll, stop_read},
    {"tryjoin", look_tryjoin, stop_sem_trywait},
    {"clock", look_clock, stop_atomic},
    {"hd_mutex", look_hd_mutex, stop_hd_mutex},
    {"hd_rwmutex", look_hd_rwmutex, stop_hd_rwmutex},
    {"closed_channel", look_closed_channel, stop_atomic},
    {"try_recv", look_try_recv, stop_try_recv},
    {"select_default", look_select_default, stop_try_recv},
    {"context", look_context, stop_context},
};

static void *poll_loop(void *how)
{
    bool (*look)(void) = ((const struct look *)how)->look;

    while (!look())
        ;
    return NULL;
}

static const struct look *look_of(const char *name)
{
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].name, name) == 0)
            return &looks[i];
    exit(2);
}

int main(int argc, char **argv)
{
    const struct look *how;
    struct timespec before;
    pthread_t t;

    arguments(argc, argv, 2);
    how = look_of(argv[1]);
    naps_begin();
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&posted, 0, 0);
    assert(pipe2(fd, O_NONBLOCK) == 0);
    channel = hd_chan_make(0, 0);
    hd_chan_close(channel);
    told = hd_chan_make(0, 0);
    context = hd_context_with_cancel(hd_context_background());
    if (how->look == look_tryjoin)
        waits = start(wait_posted, NULL);
    t = start(poll_loop, how);
    clock_gettime(CLOCK_MONOTONIC, &before);
    PICK(naps, argv[2])->run();
    assert(ms_since(CLOCK_MONOTONIC, &before) >= nap_ms - 1);
    how->stop();
    finish(t);
    hd_context_end(context);
    hd_chan_unref(told);
    hd_chan_unref(channel);
    if (wrong)
        abort();
    return 0;
}
