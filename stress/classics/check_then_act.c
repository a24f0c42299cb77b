/* The last seat is checked in one critical section and sold in another. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int seats = 1;

static void *book(void *arg)
{
    pthread_mutex_lock(&lock);
    bool free_seat = seats > 0;
#if !RIGHT
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
#endif
    if (free_seat)
        seats--;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(book, book);
    assert(seats == 0);
    return 0;
}
