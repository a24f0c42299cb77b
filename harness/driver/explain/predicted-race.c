/* predicted-race - a race that another order of the same events would show
 *
 * Means:  In the schedule that ran a lock happened to order the two accesses; without that
 *         chance nothing does.
 * Found:  From the events of one schedule (sync-preserving order), then brought about: the
 *         report says whether that worked.
 * Limits: What could not be brought about is in doubt: the program may not be able to run so.
 * Build:  heddle-cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int config, ended, begun, flag;

static void *first(void *arg)
{
#ifdef RIGHT
    pthread_mutex_lock(&lock);
    config = 1;
#else
    config = 1;
    pthread_mutex_lock(&lock);
#endif
    ended++;
    pthread_mutex_unlock(&lock);
    /* an order that no tool sees, and that is none in C */
    __asm__ volatile("movl $1, %0" : "=m"(flag));
    return arg;
}

static void *second(void *arg)
{
    int seen = 0;

    while (!seen) {
        usleep(1000);
        __asm__ volatile("movl %1, %0" : "=r"(seen) : "m"(flag));
    }
    pthread_mutex_lock(&lock);
    begun++;
#ifdef RIGHT
    config = 2;
#endif
    pthread_mutex_unlock(&lock);
#ifndef RIGHT
    config = 2;
#endif
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return config + ended + begun > 4;
}
