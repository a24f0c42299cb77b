/* A program that is meant to run for ever: nothing is wrong with it. */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long served;

static void *serves(void *unused)
{
    for (;;) {
        usleep(1000);
        pthread_mutex_lock(&lock);
        served++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

int main(void)
{
    pthread_t t;

    pthread_create(&t, NULL, serves, NULL);
    for (;;)
        usleep(500);
}
