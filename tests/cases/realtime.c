/* Threads that ask for a real-time policy, which they get, or do not, as the system says: realtime HOW TWIN. A
 * wrong one locks its lock twice. */
#include "case.h"
#include <sys/resource.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, m = PTHREAD_MUTEX_INITIALIZER;
static atomic_int state;

static void self(int policy, int priority)
{
    struct sched_param p = {.sched_priority = priority};
    int error = pthread_setschedparam(pthread_self(), policy, &p);

    assert(error == 0 || error == EPERM);
}

static void ask_fifo(void)
{
    self(SCHED_FIFO, 3);
}

static void ask_rr(void)
{
    self(SCHED_RR, 3);
}

static void ask_process(void)
{
    struct sched_param p = {.sched_priority = 3};

    assert(sched_setscheduler(0, SCHED_FIFO, &p) == 0 || errno == EPERM);
}

static void ask_nice(void)
{
    assert(setpriority(PRIO_PROCESS, 0, -10) == 0 || errno == EACCES || errno == EPERM);
}

static void ask_batch(void)
{
    self(SCHED_BATCH, 0);
}

static const struct variant asks[] = {VARIANT(ask, fifo), VARIANT(ask, rr), VARIANT(ask, process),
                                      VARIANT(ask, nice), VARIANT(ask, batch)};

static void *wants(void *ask)
{
    run(ask);
    state = 1;
    pthread_mutex_lock(&lock);
    state = 2;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&m);
    if (wrong)
        pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    return NULL;
}

int main(int argc, char **argv)
{
    const struct variant *ask;
    pthread_t t;

    arguments(argc, argv, 1);
    ask = PICK(asks, argv[1]);
    ask->run();
    pthread_mutex_lock(&lock);
    t = start(wants, ask);
    while (state != 1)
        usleep(1000);
    assert(state == 1);
    pthread_mutex_unlock(&lock);
    finish(t);
    assert(state == 2);
    return 0;
}
