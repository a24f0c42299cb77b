/* The signal may come before the wait, or (with an argument) there is none. */
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int signals;

static void *produce(void *arg)
{
    pthread_mutex_lock(&lock);
    if (signals)
        pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;
    (void)argv;
    signals = argc == 1;
    pthread_create(&t, NULL, produce, NULL);
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
    return 0;
}
