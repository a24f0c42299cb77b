/* Threads that wait by trying again, and let others go on meanwhile: any scheduler that is fair brings them to
 * their end, where a wrong one fails. polite HOW TWIN */
#include "case.h"

static atomic_long turn, count;
static long sum[2];

static void *adds(void *arg)
{
    long *mine = arg;

    for (int i = 0; i < 30000; i++) {
        *mine += i;
        sched_yield();
    }
    return NULL;
}

static void polite_work(void)
{
    pthread_t t = start(adds, &sum[0]), u = start(adds, &sum[1]);

    finish(t);
    finish(u);
    assert(sum[0] == sum[1]);
}

static void polite_both(void *(*body)(void *))
{
    static long number[2] = {0, 1};
    pthread_t t = start(body, &number[0]), u = start(body, &number[1]);

    finish(t);
    finish(u);
}

static void *takes_turns(void *arg)
{
    long mine = *(long *)arg;

    for (int i = 0; i < 200; i++) {
        while (turn % 2 != mine)
            sched_yield();
        turn++;
    }
    return NULL;
}

static void polite_turns(void)
{
    polite_both(takes_turns);
    assert(turn == 400);
}

static atomic_bool held;

static void *exchanges(void *arg)
{
    for (int i = 0; i < 100; i++) {
        while (atomic_exchange(&held, true))
            sched_yield();
        count++;
        atomic_store(&held, false);
    }
    return arg;
}

static void polite_exchange(void)
{
    polite_both(exchanges);
    assert(count == 200);
}

static atomic_long next_ticket, served;

static void *takes_tickets(void *arg)
{
    for (int i = 0; i < 100; i++) {
        long mine = atomic_fetch_add(&next_ticket, 1);

        while (served != mine)
            sched_yield();
        count++;
        served++;
    }
    return arg;
}

static void polite_tickets(void)
{
    polite_both(takes_tickets);
    assert(count == 200);
}

static atomic_int arrived, round_number;

static void *meets(void *arg)
{
    for (int i = 0; i < 50; i++) {
        int now = round_number;

        if (atomic_fetch_add(&arrived, 1) == 1) {
            arrived = 0;
            round_number++;
        } else {
            while (round_number == now)
                sched_yield();
        }
    }
    return arg;
}

static void polite_barrier(void)
{
    polite_both(meets);
    assert(round_number == 50);
}

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int queued, taken;
static bool closed;

static void *thief(void *arg)
{
    for (bool over = false; !over;) {
        pthread_mutex_lock(&m);
        if (queued > 0) {
            queued--;
            taken++;
        } else {
            over = closed;
        }
        pthread_mutex_unlock(&m);
        sched_yield();
    }
    return arg;
}

static void polite_thieves(void)
{
    pthread_t t = start(thief, NULL), u = start(thief, NULL);

    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&m);
        queued++;
        pthread_mutex_unlock(&m);
    }
    pthread_mutex_lock(&m);
    closed = true;
    pthread_mutex_unlock(&m);
    finish(t);
    finish(u);
    assert(taken == 50);
}

static int ready; /* under `held` */

static void lock(void)
{
    while (atomic_exchange(&held, true))
        usleep(100);
}

static void unlock(void)
{
    atomic_store(&held, false);
}

static void *makes_ready(void *arg)
{
    lock();
    ready = 1;
    unlock();
    return arg;
}

/* In step they would take turns for ever. */
static void polite_lockstep(void)
{
    pthread_t t = start(makes_ready, NULL);

    lock();
    while (!ready) {
        unlock();
        usleep(100);
        lock();
    }
    unlock();
    finish(t);
}

static const struct variant all[] = {VARIANT(polite, work),     VARIANT(polite, turns),
                                     VARIANT(polite, exchange), VARIANT(polite, tickets),
                                     VARIANT(polite, barrier),  VARIANT(polite, thieves),
                                     VARIANT(polite, lockstep)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    if (wrong)
        abort();
    return 0;
}
