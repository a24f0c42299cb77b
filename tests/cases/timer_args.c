/* Times that are none are refused, as POSIX says: timer_args CALL WHICH TWIN. A wrong one expects them to be
 * taken. */
#include "naps.h"

static const struct {
    const char *name;
    struct timespec value;
} times[] = {
    {"second_too_many", {1, 1000000000}}, {"negative_ns", {0, -1}}, {"negative_seconds", {-1, 0}}};
static struct timespec bad;

static void *work(void *arg)
{
    return arg;
}

/* Each gives the error. */
static int of(int answer)
{
    return answer == 0 ? 0 : errno;
}

static timer_t timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    timer_t id;

    assert(timer_create(CLOCK_MONOTONIC, &event, &id) == 0);
    return id;
}

static int call_settime(void)
{
    return of(timer_settime(timer(), 0, &(struct itimerspec){.it_value = bad}, NULL));
}

static int call_settime_interval(void)
{
    struct itimerspec t = {.it_value = {1, 0}, .it_interval = bad};

    return of(timer_settime(timer(), 0, &t, NULL));
}

static int call_settime_absolute(void)
{
    return of(timer_settime(timer(), TIMER_ABSTIME, &(struct itimerspec){.it_value = bad}, NULL));
}

static int call_timerfd(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);

    return of(timerfd_settime(fd, 0, &(struct itimerspec){.it_value = bad}, NULL));
}

static int call_setitimer(void)
{
    struct itimerval t = {
        .it_value = {bad.tv_sec, bad.tv_nsec / 1000 ? bad.tv_nsec / 1000 : bad.tv_nsec}};

    return of(setitimer(ITIMER_REAL, &t, NULL));
}

static int call_nanosleep(void)
{
    return of(nanosleep(&bad, NULL));
}

static int call_clock_nanosleep(void)
{
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL);
}

static int call_cond_timedwait(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    int error;

    pthread_mutex_lock(&m);
    error = pthread_cond_timedwait(&c, &m, &bad);
    pthread_mutex_unlock(&m);
    return error;
}

static int call_sem_timedwait(void)
{
    sem_t s;

    sem_init(&s, 0, 0);
    return of(sem_timedwait(&s, &bad));
}

static int bad_timedlock(struct holder *h, pthread_t t)
{
    (void)t;
    return pthread_mutex_timedlock(&h->mutex, &bad) == EINVAL ? ETIMEDOUT : 0;
}

static int call_timedlock(void)
{
    nap_held(bad_timedlock);
    return EINVAL;
}

static int call_sigtimedwait(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    return of(sigtimedwait(&set, NULL, &bad) == -1 ? -1 : 0);
}

static int call_ppoll(void)
{
    return of(ppoll(NULL, 0, &bad, NULL));
}

static int call_pselect(void)
{
    return of(pselect(0, NULL, NULL, NULL, &bad, NULL));
}

static int call_futex(void)
{
    static int word;

    return of((int)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0));
}

static int call_deleted(void)
{
    timer_t id = timer();

    timer_delete(id);
    return of(timer_settime(id, 0, &(struct itimerspec){.it_value = {1, 0}}, NULL));
}

static int call_clock(void)
{
    timer_t id;

    return of(timer_create((clockid_t)99, NULL, &id));
}

static const struct {
    const char *name;
    int (*call)(void);
} calls[] = {
    {"settime", call_settime},
    {"settime_interval", call_settime_interval},
    {"settime_absolute", call_settime_absolute},
    {"timerfd", call_timerfd},
    {"setitimer", call_setitimer},
    {"nanosleep", call_nanosleep},
    {"clock_nanosleep", call_clock_nanosleep},
    {"cond_timedwait", call_cond_timedwait},
    {"sem_timedwait", call_sem_timedwait},
    {"timedlock", call_timedlock},
    {"sigtimedwait", call_sigtimedwait},
    {"ppoll", call_ppoll},
    {"pselect", call_pselect},
    {"futex", call_futex},
    {"deleted", call_deleted},
    {"clock", call_clock},
};

int main(int argc, char **argv)
{
    int error = -1;

    arguments(argc, argv, 2);
    naps_begin();
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(times[i].name, argv[2]) == 0)
            bad = times[i].value;
    if (!bad.tv_sec && !bad.tv_nsec)
        return 2;
    finish(start(work, NULL));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, argv[1]) == 0)
            error = calls[i].call();
    if (error == -1)
        return 2;
    assert(wrong ? error == 0 : error == EINVAL);
    return 0;
}
