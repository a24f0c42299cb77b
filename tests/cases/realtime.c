/* Threads that ask for a real-time policy: realtime POLICY TWIN. The one that holds the lock
 * sleeps; a wrong one expects the other to have got the lock meanwhile. */
#include "case.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int state;

static void ask(int policy, int priority)
{
    struct sched_param p = {.sched_priority = priority};
    int error = pthread_setschedparam(pthread_self(), policy, &p);

    assert(error == 0 || error == EPERM);
}

static int policy;

static void *wants(void *arg)
{
    ask(policy, 3);
    state = 1;
    pthread_rwlock_wrlock(&lock);
    state = 2;
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 1);
    policy = strcmp(argv[1], "fifo") == 0 ? SCHED_FIFO : SCHED_RR;
    ask(policy, 4);
    pthread_rwlock_wrlock(&lock);
    t = start(wants, NULL);
    while (state != 1)
        usleep(1000);
    usleep(1000);
    assert(state == (wrong ? 2 : 1));
    pthread_rwlock_unlock(&lock);
    finish(t);
    assert(state == 2);
    return 0;
}
