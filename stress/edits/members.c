/* Transfers between elements of an array lock both, in the order in which they are named. */
#include <pthread.h>
#include <stdio.h>

struct account {
    long number;
    pthread_mutex_t lock;
    int money;
};

static struct account bank[4] = {{1, PTHREAD_MUTEX_INITIALIZER, 5},
                                 {2, PTHREAD_MUTEX_INITIALIZER, 5},
                                 {3, PTHREAD_MUTEX_INITIALIZER, 5},
                                 {4, PTHREAD_MUTEX_INITIALIZER, 5}};

static void transfer(int from, int to)
{
#ifdef FIXED
    int first = from < to ? from : to, second = from < to ? to : from;
#else
    int first = from, second = to;
#endif
    pthread_mutex_lock(&bank[first].lock);
    pthread_mutex_lock(&bank[second].lock);
    bank[from].money--;
    bank[to].money++;
    pthread_mutex_unlock(&bank[second].lock);
    pthread_mutex_unlock(&bank[first].lock);
}

static void *forth(void *arg)
{
    transfer(0, 1);
    transfer(2, 3);
    return arg;
}

static void *back(void *arg)
{
    transfer(1, 2);
    transfer(3, 2);
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, forth, NULL);
    pthread_create(&two, NULL, back, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", bank[0].money);
    return 0;
}
