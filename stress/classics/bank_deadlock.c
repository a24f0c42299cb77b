/* A transfer locks payer, then payee. Right: the account with the lower number first. */
#include "classic.h"

static struct account {
    pthread_mutex_t lock;
    int balance;
} account[3];

static void transfer(int from, int to, int amount)
{
    int first = from, second = to;

#if RIGHT
    if (second < first) {
        first = to;
        second = from;
    }
#endif
    pthread_mutex_lock(&account[first].lock);
    pthread_mutex_lock(&account[second].lock);
    account[from].balance -= amount;
    account[to].balance += amount;
    pthread_mutex_unlock(&account[second].lock);
    pthread_mutex_unlock(&account[first].lock);
}

static void *clerk(void *arg)
{
    int from = *(int *)arg;

    transfer(from, (from + 1) % 3, 5);
    transfer(from, (from + 2) % 3, 7);
    return NULL;
}

int main(void)
{
    pthread_t t[3];
    int from[3], total = 0;

    for (int i = 0; i < 3; i++) {
        pthread_mutex_init(&account[i].lock, NULL);
        account[i].balance = 50;
    }
    for (int i = 0; i < 3; i++) {
        from[i] = i;
        t[i] = start(clerk, &from[i]);
    }
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    for (int i = 0; i < 3; i++)
        total += account[i].balance;
    assert(total == 150);
    return 0;
}
