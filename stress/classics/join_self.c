/* Whoever cleans up last joins the helper: when that is the helper itself, it joins itself. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t clean;
static pthread_t helper;
static int left = 2;

static void clean_up(void)
{
    pthread_mutex_lock(&lock);
    bool last = --left == 0;
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
#if RIGHT
    if (pthread_equal(pthread_self(), helper))
        pthread_detach(helper);
    else
#endif
        pthread_join(helper, NULL);
    sem_post(&clean);
}

static void *help(void *arg)
{
    clean_up();
    return arg;
}

int main(void)
{
    sem_init(&clean, 0, 0);
    pthread_mutex_lock(&lock);
    helper = start(help, NULL);
    pthread_mutex_unlock(&lock);
    clean_up();
    sem_wait(&clean);
    return 0;
}
