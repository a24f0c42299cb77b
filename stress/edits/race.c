/* built with heddle-cc
 * A counter that one of its users forgets to guard. */
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int hits, misses;

static void *look_up(void *arg)
{
    pthread_mutex_lock(&lock);
    misses++;
    pthread_mutex_unlock(&lock);
#ifdef FIXED
    pthread_mutex_lock(&lock);
    hits++;
    pthread_mutex_unlock(&lock);
#else
    hits++;
#endif
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, look_up, NULL);
    pthread_create(&two, NULL, look_up, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", hits + misses);
    return 0;
}
