/* A spinlock covers the test but not the change. */
#include "pattern.h"

static int tickets = 2;
static pthread_spinlock_t lock;

static void *buy(void *arg)
{
    pthread_spin_lock(&lock);
    int left = tickets;
#if !RIGHT
    pthread_spin_unlock(&lock);
#endif
    if (left > 0)
        tickets = left - 1;
#if RIGHT
    pthread_spin_unlock(&lock);
#endif
    return arg;
}

int main(void)
{
    pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
    run2(buy, buy, NULL);
    pthread_spin_destroy(&lock);
    return 0;
}
