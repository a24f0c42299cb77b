/* naps.h - all the ways in which a thread lets a while pass.
 *
 * naps: a table of variants, each of which takes nap_ms milliseconds at least (`sleep` a second). One
 * thread at a time; naps_begin() comes before the first thread.
 */
#ifndef HEDDLE_CASES_NAPS_H
#define HEDDLE_CASES_NAPS_H

#include "case.h"
#include <fcntl.h>
#include <heddle/heddle.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <threads.h>

static long nap_ms = 5;

static struct timespec nap_time(void)
{
    return (struct timespec){nap_ms / 1000, nap_ms % 1000 * 1000000};
}

static void on_alarm(int sig)
{
    (void)sig;
}

/* SIGALRM is for who waits for it. */
static void naps_begin(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    sigset_t set;

    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void nap_sleep(void)
{
    assert(sleep(1) == 0);
}

static void nap_usleep(void)
{
    assert(usleep((useconds_t)nap_ms * 1000) == 0);
}

static void nap_nanosleep(void)
{
    struct timespec t = nap_time();

    assert(nanosleep(&t, NULL) == 0);
}

static void nap_clock_nanosleep(void)
{
    struct timespec t = nap_time();

    assert(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL) == 0);
}

static void nap_until(void)
{
    struct timespec t = in_ms(CLOCK_MONOTONIC, nap_ms);

    assert(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
}

static void nap_thrd_sleep(void)
{
    struct timespec t = nap_time();

    assert(thrd_sleep(&t, NULL) == 0);
}

static void nap_poll(void)
{
    assert(poll(NULL, 0, (int)nap_ms) == 0);
}

static void nap_ppoll(void)
{
    struct timespec t = nap_time();

    assert(ppoll(NULL, 0, &t, NULL) == 0);
}

static void nap_select(void)
{
    struct timeval t = {nap_ms / 1000, nap_ms % 1000 * 1000};

    assert(select(0, NULL, NULL, NULL, &t) == 0);
}

static void nap_pselect(void)
{
    struct timespec t = nap_time();

    assert(pselect(0, NULL, NULL, NULL, &t, NULL) == 0);
}

static void nap_epoll(void)
{
    int set = epoll_create1(0);
    struct epoll_event event;

    assert(epoll_wait(set, &event, 1, (int)nap_ms) == 0);
    close(set);
}

static void nap_cond_timedwait(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec t = in_ms(CLOCK_REALTIME, nap_ms);

    pthread_mutex_lock(&m);
    while (pthread_cond_timedwait(&c, &m, &t) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&m);
}

static void nap_cond_clockwait(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    struct timespec t = in_ms(CLOCK_MONOTONIC, nap_ms);

    pthread_mutex_lock(&m);
    while (pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &t) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&m);
}

static void nap_cnd_timedwait(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, nap_ms);
    mtx_t m;
    cnd_t c;

    mtx_init(&m, mtx_plain);
    cnd_init(&c);
    mtx_lock(&m);
    while (cnd_timedwait(&c, &m, &t) != thrd_timedout)
        ;
    mtx_unlock(&m);
    cnd_destroy(&c);
    mtx_destroy(&m);
}

static void nap_sem_timedwait(void)
{
    struct timespec t = in_ms(CLOCK_REALTIME, nap_ms);
    sem_t s;

    sem_init(&s, 0, 0);
    assert(sem_timedwait(&s, &t) == -1 && errno == ETIMEDOUT);
    sem_destroy(&s);
}

static void nap_semtimedop(void)
{
    struct timespec t = nap_time();
    struct sembuf take = {.sem_op = -1};
    int set = semget(IPC_PRIVATE, 1, 0600);

    assert(set != -1);
    assert(semtimedop(set, &take, 1, &t) == -1 && errno == EAGAIN);
    semctl(set, 0, IPC_RMID);
}

struct holder {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    sem_t held, over;
};

static void *hold_both(void *arg)
{
    struct holder *h = arg;

    pthread_mutex_lock(&h->mutex);
    pthread_rwlock_wrlock(&h->rwlock);
    sem_post(&h->held);
    sem_wait(&h->over);
    pthread_rwlock_unlock(&h->rwlock);
    pthread_mutex_unlock(&h->mutex);
    return NULL;
}

/* Wait for what a thread of its own holds meanwhile. */
static void nap_held(int (*wait)(struct holder *h, pthread_t t))
{
    struct holder h = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER, .held = {{0}}};
    pthread_t t;

    sem_init(&h.held, 0, 0);
    sem_init(&h.over, 0, 0);
    t = start(hold_both, &h);
    sem_wait(&h.held);
    assert(wait(&h, t) == ETIMEDOUT);
    sem_post(&h.over);
    finish(t);
}

static int wait_timedlock(struct holder *h, pthread_t t)
{
    struct timespec until = in_ms(CLOCK_REALTIME, nap_ms);

    (void)t;
    return pthread_mutex_timedlock(&h->mutex, &until);
}

static void nap_timedlock(void)
{
    nap_held(wait_timedlock);
}

static int wait_timedrdlock(struct holder *h, pthread_t t)
{
    struct timespec until = in_ms(CLOCK_REALTIME, nap_ms);

    (void)t;
    return pthread_rwlock_timedrdlock(&h->rwlock, &until);
}

static void nap_timedrdlock(void)
{
    nap_held(wait_timedrdlock);
}

static int wait_timedjoin(struct holder *h, pthread_t t)
{
    struct timespec until = in_ms(CLOCK_REALTIME, nap_ms);

    (void)h;
    return pthread_timedjoin_np(t, NULL, &until);
}

static void nap_timedjoin(void)
{
    nap_held(wait_timedjoin);
}

static void nap_sigtimedwait(void)
{
    struct timespec t = nap_time();
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    assert(sigtimedwait(&set, NULL, &t) == -1 && errno == EAGAIN);
}

static void alarm_in_nap(void)
{
    struct itimerval t = {.it_value = {nap_ms / 1000, nap_ms % 1000 * 1000}};

    assert(setitimer(ITIMER_REAL, &t, NULL) == 0);
}

static void nap_itimer_sigwait(void)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    alarm_in_nap();
    assert(sigwait(&set, &sig) == 0 && sig == SIGALRM);
}

static void nap_itimer_sigsuspend(void)
{
    sigset_t set;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    sigdelset(&set, SIGALRM);
    alarm_in_nap();
    assert(sigsuspend(&set) == -1 && errno == EINTR);
}

static void post(union sigval value)
{
    sem_post(value.sival_ptr);
}

static void nap_timer(struct sigevent *event, sem_t *s)
{
    struct itimerspec t = {.it_value = nap_time()};
    timer_t timer;

    assert(timer_create(CLOCK_MONOTONIC, event, &timer) == 0);
    assert(timer_settime(timer, 0, &t, NULL) == 0);
    if (s)
        assert(sem_wait(s) == 0);
    else {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        assert(sigwaitinfo(&set, NULL) == SIGALRM);
    }
    timer_delete(timer);
}

static void nap_timer_thread(void)
{
    static sem_t s;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_ptr = &s};

    event.sigev_notify_function = post;
    sem_init(&s, 0, 0);
    nap_timer(&event, &s);
}

static void nap_timer_signal(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

    nap_timer(&event, NULL);
}

static void nap_timerfd(void)
{
    struct itimerspec t = {.it_value = nap_time()};
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    uint64_t times;

    assert(timerfd_settime(fd, 0, &t, NULL) == 0);
    assert(read(fd, &times, sizeof times) == sizeof times && times == 1);
    close(fd);
}

/* One that goes off again and again, made by whoever naps first. */
static void nap_timerfd_each(void)
{
    static _Thread_local int fd;
    struct itimerspec t = {.it_value = nap_time(), .it_interval = nap_time()};
    struct epoll_event event = {.events = EPOLLIN}, ready;
    static _Thread_local int set;
    uint64_t times;

    if (!fd) {
        fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        set = epoll_create1(0);
        assert(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
        assert(timerfd_settime(fd, 0, &t, NULL) == 0);
    }
    assert(epoll_wait(set, &ready, 1, -1) == 1);
    assert(read(fd, &times, sizeof times) == sizeof times && times >= 1);
}

static void nap_timerfd_poll(void)
{
    struct itimerspec t = {.it_value = nap_time()};
    struct pollfd ready = {timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), POLLIN, 0};
    uint64_t times;

    assert(timerfd_settime(ready.fd, 0, &t, NULL) == 0);
    assert(poll(&ready, 1, -1) == 1);
    assert(read(ready.fd, &times, sizeof times) == sizeof times && times == 1);
    close(ready.fd);
}

static void nap_receive_timeout(void)
{
    struct timeval t = {nap_ms / 1000, nap_ms % 1000 * 1000};
    int fd[2];
    char c;

    assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    assert(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0);
    assert(recv(fd[0], &c, 1, 0) == -1 && (errno == EAGAIN || errno == EWOULDBLOCK));
    close(fd[0]);
    close(fd[1]);
}

static void nap_mq_timedreceive(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    struct timespec t = in_ms(CLOCK_REALTIME, nap_ms);
    char name[64], message[8];
    mqd_t queue;

    snprintf(name, sizeof name, "/heddle-case-%d", (int)getpid());
    queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
    assert(queue != (mqd_t)-1);
    mq_unlink(name);
    assert(mq_timedreceive(queue, message, sizeof message, NULL, &t) == -1 && errno == ETIMEDOUT);
    mq_close(queue);
}

static void nap_futex(void)
{
    static int word;
    struct timespec t = nap_time();

    assert(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0) == -1 &&
           errno == ETIMEDOUT);
}

static void nap_hd_sleep(void)
{
    hd_sleep(nap_ms * HD_MILLISECOND);
}

static void nap_hd_after(void)
{
    struct hd_chan *after = hd_after(nap_ms * HD_MILLISECOND);

    hd_chan_recv(after, NULL);
    hd_chan_unref(after);
}

static void nap_hd_timer(void)
{
    struct hd_timer *timer = hd_timer_make(nap_ms * HD_MILLISECOND);

    hd_chan_recv(hd_timer_chan(timer), NULL);
    hd_timer_free(timer);
}

static void nap_hd_ticker(void)
{
    struct hd_ticker *ticker = hd_ticker_make(nap_ms * HD_MILLISECOND);

    hd_chan_recv(hd_ticker_chan(ticker), NULL);
    hd_ticker_free(ticker);
}

static void close_channel(void *channel)
{
    hd_chan_close(channel);
}

static void nap_hd_after_func(void)
{
    struct hd_chan *over = hd_chan_make(0, 0);
    struct hd_timer *timer = hd_after_func(nap_ms * HD_MILLISECOND, close_channel, over);

    hd_chan_recv(over, NULL);
    hd_timer_free(timer);
    hd_chan_unref(over);
}

static void nap_hd_select(void)
{
    assert(HD_SELECT_TIMEOUT(nap_ms * HD_MILLISECOND, HD_RECV(NULL, NULL)) == HD_TIMED_OUT);
}

static void nap_hd_context(void)
{
    struct hd_context *c =
        hd_context_with_timeout(hd_context_background(), nap_ms * HD_MILLISECOND);

    hd_chan_recv(hd_context_done(c), NULL);
    hd_context_end(c);
}

static const struct variant naps[] = {
    VARIANT(nap, sleep),
    VARIANT(nap, usleep),
    VARIANT(nap, nanosleep),
    VARIANT(nap, clock_nanosleep),
    VARIANT(nap, until),
    VARIANT(nap, thrd_sleep),
    VARIANT(nap, poll),
    VARIANT(nap, ppoll),
    VARIANT(nap, select),
    VARIANT(nap, pselect),
    VARIANT(nap, epoll),
    VARIANT(nap, cond_timedwait),
    VARIANT(nap, cond_clockwait),
    VARIANT(nap, cnd_timedwait),
    VARIANT(nap, sem_timedwait),
    VARIANT(nap, semtimedop),
    VARIANT(nap, timedlock),
    VARIANT(nap, timedrdlock),
    VARIANT(nap, timedjoin),
    VARIANT(nap, sigtimedwait),
    VARIANT(nap, itimer_sigwait),
    VARIANT(nap, itimer_sigsuspend),
    VARIANT(nap, timer_thread),
    VARIANT(nap, timer_signal),
    VARIANT(nap, timerfd),
    VARIANT(nap, timerfd_each),
    VARIANT(nap, timerfd_poll),
    VARIANT(nap, receive_timeout),
    VARIANT(nap, mq_timedreceive),
    VARIANT(nap, futex),
    VARIANT(nap, hd_sleep),
    VARIANT(nap, hd_after),
    VARIANT(nap, hd_timer),
    VARIANT(nap, hd_ticker),
    VARIANT(nap, hd_after_func),
    VARIANT(nap, hd_select),
    VARIANT(nap, hd_context),
};

#endif /* HEDDLE_CASES_NAPS_H */
