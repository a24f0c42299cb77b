/* The last one is to wake main, and who is last is looked up again after the lock was let go: two
 * may see zero, and the second finds the latch reused. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int left = 2, finished;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    left--;
#if RIGHT
    bool last = left == 0;
    pthread_mutex_unlock(&lock);
#else
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    bool last = left == 0;
    pthread_mutex_unlock(&lock);
#endif
    if (last) {
        pthread_mutex_lock(&lock);
        finished++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    both(worker, worker);
    assert(finished == 1);
    return 0;
}
