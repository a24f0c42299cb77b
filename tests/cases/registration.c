/* A worker takes a lock when it starts and when it stops, after it has said so; main waits for its
 * word, and in a wrong one holds that lock meanwhile: registration TWIN. */
#include "case.h"

static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER, lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER, go = PTHREAD_COND_INITIALIZER;
static int registered;
static bool stop;

static void say_registered(void)
{
    pthread_mutex_lock(&state);
    registered++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&state);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static void *worker(void *arg)
{
    say_registered();
    pthread_mutex_lock(&state);
    while (!stop)
        pthread_cond_wait(&go, &state);
    pthread_mutex_unlock(&state);
    say_registered();
    return arg;
}

static void wait_for(int n)
{
    pthread_mutex_lock(&state);
    while (registered < n)
        pthread_cond_wait(&changed, &state);
    pthread_mutex_unlock(&state);
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 0);
    t = start(worker, NULL);
    wait_for(1);
    if (wrong)
        pthread_mutex_lock(&lock);
    pthread_mutex_lock(&state);
    stop = true;
    pthread_cond_signal(&go);
    pthread_mutex_unlock(&state);
    wait_for(2);
    if (wrong)
        pthread_mutex_unlock(&lock);
    finish(t);
    return 0;
}
