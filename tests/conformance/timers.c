/* timers.c - clocks, sleeps, alarms, interval timers, POSIX timers by signal and by thread. */
#include "check.h"

#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t handled, last_value, last_code;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void on_info(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    handled++;
    last_value = info->si_value.sival_int;
    last_code = info->si_code;
}

static void handle(int number)
{
    struct sigaction sa = {.sa_handler = on_signal};

    handled = 0;
    CHECK(sigaction(number, &sa, NULL) == 0);
}

static void *nothing(void *arg)
{
    return arg;
}

static void start_a_thread(void)
{
    pthread_t t;

    ANSWERS(0, pthread_create(&t, NULL, nothing, NULL));
    ANSWERS(0, pthread_join(t, NULL));
}

static void clocks(void)
{
    static const clockid_t all[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                    CLOCK_THREAD_CPUTIME_ID};
    struct timespec a, b, r;
    struct timeval tv;
    time_t t;
    clockid_t clock;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK(clock_getres(all[i], &r) == 0 && (r.tv_sec > 0 || r.tv_nsec > 0));
        CHECK(clock_gettime(all[i], &a) == 0 && clock_gettime(all[i], &b) == 0);
        CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
    }
    FAILS(EINVAL, clock_gettime((clockid_t)1000, &a));
    FAILS(EINVAL, clock_getres((clockid_t)1000, &a));
    FAILS(EINVAL, clock_settime(CLOCK_MONOTONIC, &b));
    t = time(NULL);
    a = now(CLOCK_REALTIME);
    CHECK(gettimeofday(&tv, NULL) == 0);
    CHECK(a.tv_sec - t <= 1 && tv.tv_sec - a.tv_sec <= 1);
    CHECK(clock_getcpuclockid(0, &clock) == 0 && clock_gettime(clock, &a) == 0);
    ANSWERS(0, pthread_getcpuclockid(pthread_self(), &clock));
    CHECK(clock_gettime(clock, &a) == 0);
}

static void sleeps(void)
{
    struct timespec start = now(CLOCK_MONOTONIC), d = {0, 10 * MS}, bad = {0, SECOND},
                    negative = {-1, 0}, until;

    CHECK(nanosleep(&d, NULL) == 0);
    CHECK(ns_since(CLOCK_MONOTONIC, &start) >= 10 * MS);
    FAILS(EINVAL, nanosleep(&bad, NULL));
    FAILS(EINVAL, nanosleep(&negative, NULL));
    until = in_ns(CLOCK_MONOTONIC, 5 * MS);
    ANSWERS(0, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    CHECK(ns_since(CLOCK_MONOTONIC, &until) >= 0);
    until = in_ns(CLOCK_REALTIME, 5 * MS);
    ANSWERS(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
    CHECK(ns_since(CLOCK_REALTIME, &until) >= 0);
    until = (struct timespec){1, 0};
    ANSWERS(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
    ANSWERS(EINVAL, clock_nanosleep(CLOCK_REALTIME, 0, &bad, NULL));
    ANSWERS(EINVAL, clock_nanosleep((clockid_t)1000, 0, &d, NULL));
    ANSWERS(EINVAL, clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &d, NULL));
    CHECK(usleep(1000) == 0);
    CHECK(sleep(0) == 0);
}

static void *sleeps_for(void *arg)
{
    nap(*(long *)arg);
    return arg;
}

static void alarms(void)
{
    struct timespec start = now(CLOCK_MONOTONIC);
    struct itimerval it = {.it_value = {0, 20000}}, old;

    handle(SIGALRM);
    CHECK(alarm(1) == 0);
    FAILS(EINTR, pause());
    CHECK(handled == 1);
    CHECK(ns_since(CLOCK_MONOTONIC, &start) >= 900 * MS);
    CHECK(alarm(100) == 0);
    CHECK(alarm(0) >= 98);
    CHECK(alarm(0) == 0);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_usec <= 20000);
    while (handled < 2)
        usleep(5000);
    CHECK(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec == 0 &&
          old.it_value.tv_usec == 0);
    it = (struct itimerval){.it_value = {0, 5000}, .it_interval = {0, 5000}};
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    while (handled < 5)
        pause();
    it = (struct itimerval){.it_value = {0, 0}};
    CHECK(setitimer(ITIMER_REAL, &it, &old) == 0 && old.it_interval.tv_usec == 5000);
}

/* A sleep that is longer than the alarm is cut short by it, wherever the thread is. */
static void alarm_in_sleep(void)
{
    struct itimerval it = {.it_value = {0, 50000}};
    struct timespec d = {3, 0}, left = {0, 0};

    handle(SIGALRM);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    FAILS(EINTR, nanosleep(&d, &left));
    CHECK(handled == 1);
    CHECK(left.tv_sec == 2 || left.tv_sec == 1); /* some of it is gone, not much */
}

static void *joined_under_alarm(void *arg)
{
    long *ns = arg;
    nap(*ns);
    return arg;
}

static void alarm_while_joining(void)
{
    pthread_t t;
    struct itimerval it = {.it_value = {0, 50000}};
    long longer = 150 * MS;

    handle(SIGALRM);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    ANSWERS(0, pthread_create(&t, NULL, joined_under_alarm, &longer));
    ANSWERS(0, pthread_join(t, NULL)); /* goes on waiting after the handler, or is done when that
                                          runs in the other thread */
    CHECK(handled == 1);
}

static void posix_timer(void)
{
    struct sigaction sa = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 5}};
    struct itimerspec it = {.it_value = {0, 10 * MS}}, left;
    timer_t timer;

    handled = 0;
    CHECK(sigaction(SIGRTMIN, &sa, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
    CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 &&
          left.it_value.tv_nsec == 0);
    CHECK(timer_settime(timer, 0, &it, NULL) == 0);
    CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_nsec <= 10 * MS);
    while (!handled)
        nap(2 * MS);
    CHECK(handled == 1 && last_value == 5 && last_code == SI_TIMER);
    CHECK(timer_getoverrun(timer) == 0);
    it.it_interval.tv_nsec = 5 * MS;
    CHECK(timer_settime(timer, 0, &it, NULL) == 0);
    while (handled < 4)
        nap(MS);
    it = (struct itimerspec){.it_value = {0, 0}};
    CHECK(timer_settime(timer, 0, &it, &left) == 0 && left.it_interval.tv_nsec == 5 * MS);
    handled = 0;
    nap(20 * MS);
    CHECK(handled == 0);
    it.it_value = in_ns(CLOCK_MONOTONIC, 5 * MS);
    CHECK(timer_settime(timer, TIMER_ABSTIME, &it, NULL) == 0);
    nap(20 * MS);
    CHECK(handled == 1);
    it.it_value = (struct timespec){1, 0}; /* past: at once */
    CHECK(timer_settime(timer, TIMER_ABSTIME, &it, NULL) == 0);
    while (handled < 2)
        nap(MS);
    it.it_value.tv_nsec = SECOND;
    FAILS(EINVAL, timer_settime(timer, 0, &it, NULL));
    CHECK(timer_delete(timer) == 0);
    FAILS(EINVAL, timer_create((clockid_t)1000, &ev, &timer));
}

static void overrun(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec it = {.it_value = {0, 5 * MS}, .it_interval = {0, 5 * MS}};
    sigset_t s;
    siginfo_t info;
    timer_t timer;
    int n;

    sigemptyset(&s);
    sigaddset(&s, SIGRTMIN);
    ANSWERS(0, pthread_sigmask(SIG_BLOCK, &s, NULL));
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
    CHECK(timer_settime(timer, 0, &it, NULL) == 0);
    nap(52 * MS);
    CHECK(sigwaitinfo(&s, &info) == SIGRTMIN);
    n = timer_getoverrun(timer);
    CHECK(n >= 8 && n <= 100);
    CHECK(timer_delete(timer) == 0);
    while (sigtimedwait(&s, NULL, &(struct timespec){0, 0}) > 0)
        ;
    ANSWERS(0, pthread_sigmask(SIG_UNBLOCK, &s, NULL));
}

static sem_t expired;
static pthread_t notified_in;

static void notify(union sigval value)
{
    CHECK(value.sival_int == 11);
    __atomic_store_n(&notified_in, pthread_self(), __ATOMIC_SEQ_CST);
    CHECK(sem_post(&expired) == 0);
}

static void timer_by_thread(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD,
                          .sigev_notify_function = notify,
                          .sigev_value = {.sival_int = 11}};
    struct itimerspec it = {.it_value = {0, 5 * MS}, .it_interval = {0, 5 * MS}};
    timer_t timer;

    CHECK(sem_init(&expired, 0, 0) == 0);
    CHECK(timer_create(CLOCK_REALTIME, &ev, &timer) == 0);
    CHECK(timer_settime(timer, 0, &it, NULL) == 0);
    for (int i = 0; i < 3; i++)
        while (sem_wait(&expired) != 0)
            CHECK(errno == EINTR);
    CHECK(!pthread_equal(__atomic_load_n(&notified_in, __ATOMIC_SEQ_CST), pthread_self()));
    CHECK(timer_delete(timer) == 0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int ticks;

static void tick(union sigval value)
{
    (void)value;
    ANSWERS(0, pthread_mutex_lock(&lock));
    ticks++;
    ANSWERS(0, pthread_cond_signal(&cond));
    ANSWERS(0, pthread_mutex_unlock(&lock));
}

static void timer_thread_synchronises(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick};
    struct itimerspec it = {.it_value = {0, 5 * MS}};
    timer_t timer;

    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &timer) == 0);
    CHECK(timer_settime(timer, 0, &it, NULL) == 0);
    ANSWERS(0, pthread_mutex_lock(&lock));
    while (!ticks)
        ANSWERS(0, pthread_cond_wait(&cond, &lock));
    ANSWERS(0, pthread_mutex_unlock(&lock));
    CHECK(timer_delete(timer) == 0);
}

/* A loop that looks at a flag that only the alarm sets. */
static void alarm_in_a_loop(void)
{
    struct itimerval it = {.it_value = {0, 30000}};

    handle(SIGALRM);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    while (!handled)
        ;
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    while (handled < 2)
        sched_yield();
}

static void sleepers_in_order(void)
{
    static long ns[3] = {15 * MS, 5 * MS, 10 * MS};
    struct timespec start = now(CLOCK_MONOTONIC);
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, sleeps_for, &ns[i]));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(ns_since(CLOCK_MONOTONIC, &start) >= 15 * MS);
    CHECK(ns_since(CLOCK_MONOTONIC, &start) < SECOND);
}

int main(int argc, char **argv)
{
    RUN(start_a_thread);
    RUN(clocks);
    RUN(sleeps);
    RUN(alarms);
    RUN(alarm_in_sleep);
    RUN(alarm_while_joining);
    RUN(posix_timer);
    RUN(overrun);
    RUN(timer_by_thread);
    RUN(timer_thread_synchronises);
    RUN(alarm_in_a_loop);
    RUN(sleepers_in_order);
    return conclude();
}
