/* A thread does something in periods, or a timer does, while others get stuck, which that does not
 * hide: heartbeat BEAT LIFE STUCK TWIN. */
#include "naps.h"

static const struct variant *beat;
static atomic_bool quit;

static void *heartbeat(void *arg)
{
    while (!quit)
        beat->run();
    return arg;
}

static void nothing(union sigval value)
{
    (void)value;
}

/* Nobody beats, but something is due again and again. */
static void idle_ticker(void)
{
    static struct hd_ticker *ticker;

    if (quit)
        hd_ticker_free(ticker);
    else
        ticker = hd_ticker_make(nap_ms * HD_MILLISECOND);
}

static void idle_timer(void)
{
    static timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    struct itimerspec t = {.it_value = nap_time(), .it_interval = nap_time()};

    event.sigev_notify_function = nothing;
    if (quit) {
        timer_delete(timer);
        return;
    }
    assert(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    assert(timer_settime(timer, 0, &t, NULL) == 0);
}

static void idle_itimer(void)
{
    struct timeval period = {0, quit ? 0 : nap_ms * 1000};
    struct itimerval t = {period, period};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigset_t set;

    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    assert(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

static const struct variant idles[] = {VARIANT(idle, ticker), VARIANT(idle, timer),
                                       VARIANT(idle, itimer)};

/* What cannot go on. */
static void stuck_relock(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&m);
    if (wrong)
        pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
}

static void stuck_upgrade(void)
{
    static pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

    pthread_rwlock_rdlock(&l);
    if (!wrong)
        pthread_rwlock_unlock(&l);
    pthread_rwlock_wrlock(&l);
    pthread_rwlock_unlock(&l);
}

static void stuck_hd_relock(void)
{
    static struct hd_mutex m;

    hd_mutex_lock(&m);
    if (wrong)
        hd_mutex_lock(&m);
    hd_mutex_unlock(&m);
}

static void once_more(void);
static pthread_once_t once = PTHREAD_ONCE_INIT, other_once = PTHREAD_ONCE_INIT;

static void done(void)
{
}

static void once_more(void)
{
    pthread_once(wrong ? &once : &other_once, wrong ? once_more : done);
}

static void stuck_once(void)
{
    pthread_once(&once, once_more);
}

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *other(void *arg)
{
    pthread_mutex_lock(wrong ? &b : &a);
    pthread_mutex_lock(wrong ? &a : &b);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

static void stuck_order(void)
{
    pthread_t t = start(other, NULL);

    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    finish(t);
}

static void stuck_join(void)
{
    pthread_t t;

    pthread_mutex_lock(&a);
    t = start(other, NULL);
    if (!wrong)
        pthread_mutex_unlock(&a);
    finish(t);
    if (wrong)
        pthread_mutex_unlock(&a);
}

/* From here on: what nobody does any more. */
static void stuck_cond(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&m);
    while (wrong)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static void stuck_sem(void)
{
    static sem_t s;

    sem_init(&s, 0, wrong ? 0 : 1);
    sem_wait(&s);
}

static void stuck_barrier(void)
{
    static pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, wrong ? 2 : 1);
    pthread_barrier_wait(&barrier);
}

static void stuck_pipe(void)
{
    int fd[2];
    char c;

    assert(pipe(fd) == 0);
    if (!wrong)
        assert(write(fd[1], "x", 1) == 1);
    assert(read(fd[0], &c, 1) == 1);
}

static void stuck_channel(void)
{
    struct hd_chan *c = hd_chan_make(0, 1);

    if (!wrong)
        hd_chan_send(c, NULL);
    hd_chan_recv(c, NULL);
    hd_chan_unref(c);
}

static void stuck_waitgroup(void)
{
    static struct hd_wg wg;

    hd_wg_add(&wg, 1);
    if (!wrong)
        hd_wg_done(&wg);
    hd_wg_wait(&wg);
}

static const struct variant stucks[] = {
    VARIANT(stuck, relock), VARIANT(stuck, upgrade), VARIANT(stuck, hd_relock),
    VARIANT(stuck, once),   VARIANT(stuck, order),   VARIANT(stuck, join),
    VARIANT(stuck, cond),   VARIANT(stuck, sem),     VARIANT(stuck, barrier),
    VARIANT(stuck, pipe),   VARIANT(stuck, channel), VARIANT(stuck, waitgroup),
};

int main(int argc, char **argv)
{
    bool endless, idle;
    pthread_t beating = 0;

    arguments(argc, argv, 3);
    nap_ms = 20;
    endless = strcmp(argv[2], "endless") == 0;
    idle = strcmp(argv[2], "idle") == 0;
    if (!endless && !idle && strcmp(argv[2], "joined") != 0)
        return 2;
    naps_begin();
    beat = idle ? PICK(idles, argv[1]) : PICK(naps, argv[1]);
    if (idle)
        beat->run();
    else
        beating = start(heartbeat, NULL);
    if (endless)
        pthread_detach(beating);
    finish(start(run, PICK(stucks, argv[3])));
    quit = !endless;
    if (idle)
        beat->run();
    else if (!endless)
        finish(beating);
    return 0;
}
