/* A helper takes the lock that its caller holds, but only when the list is empty. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int list;

static void refill_locked(void)
{
    list += 2;
}

#if !RIGHT
static void refill(void)
{
    pthread_mutex_lock(&lock);
    refill_locked();
    pthread_mutex_unlock(&lock);
}
#else
#define refill refill_locked
#endif

static void *take(void *arg)
{
    pthread_mutex_lock(&lock);
    if (list == 0)
        refill();
    list--;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *add(void *arg)
{
    pthread_mutex_lock(&lock);
    list++;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(take, add);
    return 0;
}
