/* Two locks in opposite orders. */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t journal = PTHREAD_MUTEX_INITIALIZER;
static int booked;

static void *deposit(void *arg)
{
    pthread_mutex_lock(&accounts);
    pthread_mutex_lock(&journal);
    booked++;
    pthread_mutex_unlock(&journal);
    pthread_mutex_unlock(&accounts);
    return arg;
}

static void *audit(void *arg)
{
#ifdef FIXED
    pthread_mutex_lock(&accounts);
    pthread_mutex_lock(&journal);
#else
    pthread_mutex_lock(&journal);
    pthread_mutex_lock(&accounts);
#endif
    booked--;
    pthread_mutex_unlock(&accounts);
    pthread_mutex_unlock(&journal);
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, deposit, NULL);
    pthread_create(&two, NULL, audit, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", booked);
    return 0;
}
