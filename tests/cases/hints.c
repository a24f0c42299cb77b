/* What is allowed and seldom meant: hints WHICH TWIN. Told with --hints alone, and of the wrong twin. */
#include "case.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;

static void *waits(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void signals(int (*signal)(pthread_cond_t *))
{
    pthread_t t;

    pthread_create(&t, NULL, waits, NULL);
    pthread_mutex_lock(&lock);
    ready = 1;
    if (!wrong)
        signal(&changed);
    pthread_mutex_unlock(&lock);
    if (wrong)
        signal(&changed);
    pthread_join(t, NULL);
}

static void hint_signal(void)
{
    signals(pthread_cond_signal);
}

static void hint_broadcast(void)
{
    signals(pthread_cond_broadcast);
}

int main(int argc, char **argv)
{
    static const struct variant which[] = {VARIANT(hint, signal), VARIANT(hint, broadcast)};

    arguments(argc, argv, 1);
    PICK(which, argv[1])->run();
    return 0;
}
