/* A test and what follows from it, each under the lock, but not together. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int seats = 1;

static void *book(void *arg)
{
    pthread_mutex_lock(&lock);
    int free_seats = seats;
#ifndef FIXED
    pthread_mutex_unlock(&lock);
    if (free_seats > 0) {
        pthread_mutex_lock(&lock);
        seats--;
        assert(seats >= 0);
        pthread_mutex_unlock(&lock);
    }
#else
    if (free_seats > 0) {
        seats--;
        assert(seats >= 0);
    }
    pthread_mutex_unlock(&lock);
#endif
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, book, NULL);
    pthread_create(&two, NULL, book, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", seats);
    return 0;
}
