/* One of two functions forgets the lock. */
#include "pattern.h"

static int balance = 10;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *deposit(void *arg)
{
    pthread_mutex_lock(&lock);
    balance += 5;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *fee(void *arg)
{
    GUARD(pthread_mutex_lock(&lock));
    balance -= 1;
    GUARD(pthread_mutex_unlock(&lock));
    return arg;
}

int main(void)
{
    run2(deposit, fee, NULL);
    return balance == 0;
}
