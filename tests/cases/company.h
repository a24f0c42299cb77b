/* company.h - two threads, and who else lives.
 *
 * PICK(companies, name)->run() runs first_body and second_body in threads of their own, in company.
 */
#ifndef HEDDLE_CASES_COMPANY_H
#define HEDDLE_CASES_COMPANY_H

#include "naps.h"

static void *(*first_body)(void *);
static void *(*second_body)(void *);

static void join_both(void)
{
    pthread_t t = start(first_body, NULL), u = start(second_body, NULL);

    finish(t);
    finish(u);
}

static void detach_both(void)
{
    start_detached(first_body, NULL);
    start_detached(second_body, NULL);
}

static void first_goroutine(void *arg)
{
    first_body(arg);
}

static void second_goroutine(void *arg)
{
    second_body(arg);
}

static void company_joined(void)
{
    join_both();
}

/* Main is busy with something else, and then at its end. */
static void company_detached(void)
{
    detach_both();
    nap_usleep();
}

static void company_returns(void)
{
    detach_both();
}

static void company_exits(void)
{
    detach_both();
    pthread_exit(NULL);
}

/* Main returns, and they are joined after that. */
static pthread_t joined_at_exit[2];

static void join_at_exit(void)
{
    finish(joined_at_exit[0]);
    finish(joined_at_exit[1]);
}

static void company_atexit(void)
{
    joined_at_exit[0] = start(first_body, NULL);
    joined_at_exit[1] = start(second_body, NULL);
    atexit(join_at_exit);
}

static void *make_both(void *arg)
{
    detach_both();
    return arg;
}

/* Who made them is gone. */
static void company_orphans(void)
{
    finish(start(make_both, NULL));
    nap_usleep();
}

static int c11_first(void *arg)
{
    first_body(arg);
    return 0;
}

static int c11_second(void *arg)
{
    second_body(arg);
    return 0;
}

static void company_c11(void)
{
    thrd_t t, u;

    thrd_create(&t, c11_first, NULL);
    thrd_create(&u, c11_second, NULL);
    thrd_detach(t);
    thrd_detach(u);
    nap_thrd_sleep();
}

static atomic_bool company_over;

static void *beats(void *arg)
{
    while (!company_over)
        nap_cond_timedwait();
    return arg;
}

static void *polls(void *arg)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    while (!company_over) {
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
    }
    return arg;
}

static void beside(void *(*body)(void *))
{
    pthread_t t = start(body, NULL);

    join_both();
    company_over = true;
    finish(t);
}

static void company_heartbeat(void)
{
    beside(beats);
}

static void company_poller(void)
{
    beside(polls);
}

/* One that is never told to end, nor waited for. */
static void company_service(void)
{
    start_detached(beats, NULL);
    join_both();
}

static void company_waitgroup(void)
{
    static struct hd_wg wg;

    if (hd_wg_go(&wg, first_goroutine, NULL) || hd_wg_go(&wg, second_goroutine, NULL))
        exit(2);
    hd_wg_wait(&wg);
}

static void company_goroutines(void)
{
    if (hd_go(first_goroutine, NULL) || hd_go(second_goroutine, NULL))
        exit(2);
    hd_sleep(nap_ms * HD_MILLISECOND);
}

static void company_go_returns(void)
{
    if (hd_go(first_goroutine, NULL) || hd_go(second_goroutine, NULL))
        exit(2);
}

static void company_ticker(void)
{
    struct hd_ticker *ticker = hd_ticker_make(nap_ms * HD_MILLISECOND);

    company_waitgroup();
    hd_ticker_free(ticker);
}

/* Threads that wait for the world outside, as servers have them; nobody tells them to end. */
static void *listens(void *arg)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);

    assert(listen(s, 1) == 0); /* at any port */
    accept(s, NULL, NULL);
    return arg;
}

static void *takes_signals(void *arg)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigwait(&set, &sig);
    return arg;
}

static void company_listener(void)
{
    start_detached(listens, NULL);
    join_both();
}

static void company_signals(void)
{
    start_detached(takes_signals, NULL);
    join_both();
}

static const struct variant companies[] = {
    VARIANT(company, listener),  VARIANT(company, signals),    VARIANT(company, joined),
    VARIANT(company, detached),  VARIANT(company, returns),    VARIANT(company, exits),
    VARIANT(company, atexit),    VARIANT(company, orphans),    VARIANT(company, c11),
    VARIANT(company, heartbeat), VARIANT(company, poller),     VARIANT(company, service),
    VARIANT(company, waitgroup), VARIANT(company, goroutines), VARIANT(company, go_returns),
    VARIANT(company, ticker),
};

#endif /* HEDDLE_CASES_COMPANY_H */
