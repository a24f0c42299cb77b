/* A read lock is taken where something is written: two of them count at once. */
#include "classic.h"
#include <stdatomic.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int tickets = 1, sold;

static void *sell(void *arg)
{
#if RIGHT
    pthread_rwlock_wrlock(&lock);
#else
    pthread_rwlock_rdlock(&lock);
#endif
    if (tickets > 0) {
        sched_yield(); /* prints the ticket */
        tickets--;
        sold++;
    }
    pthread_rwlock_unlock(&lock);
    return arg;
}

int main(void)
{
    both(sell, sell);
    assert(sold == 1 && tickets == 0);
    return 0;
}
