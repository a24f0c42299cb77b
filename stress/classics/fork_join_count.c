/* Workers count themselves in: the wait for "none left" may come before the first of them. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t none_left = PTHREAD_COND_INITIALIZER;
static int running, done;

static void add(void)
{
    pthread_mutex_lock(&lock);
    running++;
    pthread_mutex_unlock(&lock);
}

static void *worker(void *arg)
{
#if !RIGHT
    add();
#endif
    pthread_mutex_lock(&lock);
    done++;
    if (--running == 0)
        pthread_cond_signal(&none_left);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++) {
#if RIGHT
        add();
#endif
        t[i] = start(worker, NULL);
    }
    pthread_mutex_lock(&lock);
    while (running > 0)
        pthread_cond_wait(&none_left, &lock);
    assert(done == 3);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    return 0;
}
