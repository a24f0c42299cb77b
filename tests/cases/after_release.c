/* What a thread does after a release, and before its next call, is seen by others too late:
 * after_release WHAT TWIN. Plain builds: a switch after the release is needed. */
#include "case.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static atomic_bool stop;
static int n;

static void *waits(void *arg)
{
    pthread_mutex_lock(&m);
    n++;
    while (!stop)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
    return arg;
}

/* The flag is set outside the lock: between the test and the wait of the other. */
static void after_unlock(void)
{
    pthread_t t = start(waits, NULL);

    pthread_mutex_lock(&m);
    n++;
    if (!wrong)
        stop = true;
    pthread_mutex_unlock(&m);
    stop = true;
    pthread_cond_broadcast(&c);
    finish(t);
}

static const struct variant afters[] = {VARIANT(after, unlock)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(afters, argv[1])->run();
    return 0;
}
