/* Both lock, but not the same mutex. */
#include "pattern.h"

static int total;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *arg)
{
    pthread_mutex_t *lock = RIGHT || !arg ? &first : &second;

    pthread_mutex_lock(lock);
    total += 2;
    pthread_mutex_unlock(lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, add, NULL);
    pthread_create(&b, NULL, add, &total);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    pthread_mutex_destroy(&second);
    return total == 0;
}
