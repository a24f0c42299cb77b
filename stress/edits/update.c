/* built with heddle-cc
 * An update that is two steps: a read, and a write of what was read before. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int balance;

static void *pay_in(void *arg)
{
#ifdef FIXED
    atomic_fetch_add(&balance, 10);
#else
    int before = atomic_load(&balance);
    atomic_store(&balance, before + 10);
#endif
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, pay_in, NULL);
    pthread_create(&two, NULL, pay_in, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    assert(balance == 20);
    printf("%d\n", balance);
    return 0;
}
