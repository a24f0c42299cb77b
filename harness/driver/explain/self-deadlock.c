/* self-deadlock - a thread waits for what it holds itself
 *
 * Means:  A lock is taken twice by one thread, a read lock turned into a write lock, a once
 *         entered from its own initialiser.
 * Found:  At once, when the thread begins to wait.
 * Limits: A recursive mutex is no self-deadlock, and an error-checking one returns EDEADLK.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void add(int n)
{
#ifndef RIGHT
    pthread_mutex_lock(&lock);
#endif
    total += n;
#ifndef RIGHT
    pthread_mutex_unlock(&lock);
#endif
}

static void *work(void *arg)
{
    pthread_mutex_lock(&lock);
    add(1);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, work, NULL);
    pthread_join(a, NULL);
    return 0;
}
