/* policies.c - policies CASE: what some schedule must show, and what none may.
 *
 * In a shows_* case an assertion fails if a schedule goes the way that its name says; in a never_*
 * case the same assertion must hold in all of them.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int came, told, first;

static void run_beside(void *(*fn)(void *), pthread_t *t)
{
    int rc = pthread_create(t, NULL, fn, NULL);
    assert(rc == 0);
}

/* ---- whom a signal wakes ---- */

static void *waits_in_line(void *unused)
{
    pthread_mutex_lock(&lock);
    int mine = ++came;
    while (!told)
        pthread_cond_wait(&changed, &lock);
    if (!first)
        first = mine;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void signal_one_of_three(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        run_beside(waits_in_line, &t[i]);
    for (bool all = false; !all; sched_yield()) {
        pthread_mutex_lock(&lock);
        all = came == 3;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    for (bool woken = false; !woken; sched_yield()) {
        pthread_mutex_lock(&lock);
        woken = first != 0;
        pthread_mutex_unlock(&lock);
    }
    pthread_cond_broadcast(&changed);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void shows_the_oldest_woken(void)
{
    signal_one_of_three();
    assert(first != 1);
}

static void shows_one_in_the_middle_woken(void)
{
    signal_one_of_three();
    assert(first != 2);
}

static void shows_the_youngest_woken(void)
{
    signal_one_of_three();
    assert(first != 3);
}

/* ---- time-outs while others can run ---- */

static void *tells_late(void *unused)
{
    for (int i = 0; i < 20; i++) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return unused;
}

static int wait_for(long ns)
{
    struct timespec until;
    pthread_t t;
    int rc = 0;

    run_beside(tells_late, &t);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec + ns) / 1000000000;
    until.tv_nsec = (until.tv_nsec + ns) % 1000000000;
    pthread_mutex_lock(&lock);
    while (!told && rc == 0)
        rc = pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
    return rc;
}

static void shows_a_short_wait_timed_out(void)
{
    assert(wait_for(1000000) == 0);
}

static void never_an_hour_timed_out(void)
{
    assert(wait_for(3600000000000) == 0);
}

/* ---- who only tries again lets the others go on ---- */

static void *tries_a_lock(void *unused)
{
    while (pthread_mutex_trylock(&lock) != 0)
        ;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *yields(void *unused)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&lock);
        over = told;
        pthread_mutex_unlock(&lock);
        if (!over)
            sched_yield();
    }
    return unused;
}

static void never_a_try_for_ever(void)
{
    pthread_t t;

    pthread_mutex_lock(&lock);
    run_beside(tries_a_lock, &t);
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

static void never_a_yield_for_ever(void)
{
    pthread_t t;

    run_beside(yields, &t);
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

/* ---- wake-ups for no reason ---- */

static void wakes_for_no_reason(void)
{
    pthread_t t;

    run_beside(tells_late, &t);
    pthread_mutex_lock(&lock);
    if (!told)
        pthread_cond_wait(&changed, &lock);
    assert(told);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

/* ---- who holds the units of a semaphore ---- */

static sem_t left, right, nobody_posts;

static void *takes_right_then_left(void *unused)
{
    sem_wait(&right);
    sem_wait(&left);
    return unused;
}

static void *takes_left_then_right(void *unused)
{
    sem_wait(&left);
    sem_wait(&right);
    return unused;
}

static void *waits_for_nobody(void *unused)
{
    sem_wait(&nobody_posts);
    return unused;
}

static void cross_over(bool used_as_locks)
{
    pthread_t t[3];

    sem_init(&left, 0, 1);
    sem_init(&right, 0, 1);
    sem_init(&nobody_posts, 0, 0);
    if (used_as_locks) {
        sem_wait(&left);
        sem_post(&left);
        sem_wait(&right);
        sem_post(&right);
    }
    run_beside(waits_for_nobody, &t[0]);
    run_beside(takes_left_then_right, &t[1]);
    run_beside(takes_right_then_left, &t[2]);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

/* Nobody ever gave back what he took: the third thread might have been the one that posts. */
static void units_of_nobody(void)
{
    cross_over(false);
}

static void units_of_takers(void)
{
    cross_over(true);
}

/* ---- exit codes ---- */

static int code;

static void *sets_code(void *unused)
{
    pthread_mutex_lock(&lock);
    code = code ? code : 4;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void always_exits_with_3(void)
{
    pthread_t t;

    code = 3;
    run_beside(sets_code, &t);
    pthread_join(t, NULL);
}

static void exits_with_3_or_4(void)
{
    pthread_t t;

    run_beside(sets_code, &t);
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
    pthread_mutex_lock(&lock);
    code = code ? code : 3;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

/* ---- which interleavings are the same ---- */

static void *takes_lock(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *takes_other(void *unused)
{
    pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
    return unused;
}

static void two_beside(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t t[2];

    run_beside(a, &t[0]);
    run_beside(b, &t[1]);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
}

static void orders_of_one_lock(void)
{
    two_beside(takes_lock, takes_lock);
}

static void orders_of_two_locks(void)
{
    two_beside(takes_lock, takes_other);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(shows_the_oldest_woken),   CASE(shows_one_in_the_middle_woken),
    CASE(shows_the_youngest_woken), CASE(shows_a_short_wait_timed_out),
    CASE(never_an_hour_timed_out),  CASE(never_a_try_for_ever),
    CASE(never_a_yield_for_ever),   CASE(wakes_for_no_reason),
    CASE(units_of_nobody),          CASE(units_of_takers),
    CASE(always_exits_with_3),      CASE(exits_with_3_or_4),
    CASE(orders_of_one_lock),       CASE(orders_of_two_locks),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return code;
        }
    fprintf(stderr, "usage: policies CASE\n");
    return 2;
}
