/* sync-misuse - a synchronisation object is not in a state that allows the call
 *
 * Means:  Initialised while it is held or waited for, a barrier for no thread, a group that is
 *         added to beside its wait.
 * Found:  At the call.
 * Limits: What a call refuses with an error is a finding only where nobody looks at the error.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *holder(void *arg)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *starter(void *arg)
{
#ifndef RIGHT
    pthread_mutex_init(&lock, NULL);
#endif
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, holder, NULL);
    pthread_create(&b, NULL, starter, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
