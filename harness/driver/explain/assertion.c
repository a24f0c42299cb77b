/* assertion - assert() failed
 *
 * Means:  What the code relies on does not hold in this order of events.
 * Found:  Where it fails.
 * Limits: Not with -DNDEBUG.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <assert.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int balance = 10;

static void *withdraw(void *arg)
{
    pthread_mutex_lock(&lock);
    int enough = balance >= 10;
#ifndef RIGHT
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
#endif
    if (enough)
        balance -= 10;
    assert(balance >= 0);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, withdraw, NULL);
    pthread_create(&b, NULL, withdraw, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
