/* The unlocked access stands in a branch that few schedules enter. */
#include "pattern.h"

static int waiting, log_size;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *visit(void *arg)
{
    int crowd;

    pthread_mutex_lock(&lock);
    crowd = ++waiting;
    pthread_mutex_unlock(&lock);
    if (crowd > 1) {
        GUARD(pthread_mutex_lock(&lock));
        log_size++;
        GUARD(pthread_mutex_unlock(&lock));
    }
    pthread_mutex_lock(&lock);
    waiting--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, visit, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    return 0;
}
