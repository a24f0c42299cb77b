/* A program that is built with heddle-cc, and uses a library that is not. */
#include <pthread.h>

int plain_part(int n);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void *count(void *arg)
{
    pthread_mutex_lock(&lock);
    total = plain_part(total);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t one, two;

    pthread_create(&one, NULL, count, NULL);
    pthread_create(&two, NULL, count, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    return total == 2 ? 0 : 1;
}
