/* An early return keeps the lock. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int credit = 1;

static void *spend(void *arg)
{
    pthread_mutex_lock(&lock);
    if (credit == 0) {
#if RIGHT
        pthread_mutex_unlock(&lock);
#endif
        return NULL;
    }
    credit--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(spend, spend);
    return 0;
}
