/* Two locks taken in opposite orders. */
#include "classic.h"

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static int balance, entries;

static void *deposit(void *arg)
{
    pthread_mutex_lock(&accounts);
    balance += 10;
    pthread_mutex_lock(&journal);
    entries++;
    pthread_mutex_unlock(&journal);
    pthread_mutex_unlock(&accounts);
    return arg;
}

static void *audit(void *arg)
{
#if RIGHT
    pthread_mutex_lock(&accounts);
    pthread_mutex_lock(&journal);
#else
    pthread_mutex_lock(&journal);
    pthread_mutex_lock(&accounts);
#endif
    assert(balance == 10 * entries);
    pthread_mutex_unlock(&accounts);
    pthread_mutex_unlock(&journal);
    return arg;
}

int main(void)
{
    both(deposit, audit);
    return 0;
}
