/* Read in one critical section, written back in another: a transfer in between is undone. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int account[2] = {100, 100};

static int balance(int who)
{
    pthread_mutex_lock(&lock);
    int b = account[who];
    pthread_mutex_unlock(&lock);
    return b;
}

#if !RIGHT
static void set_balance(int who, int b)
{
    pthread_mutex_lock(&lock);
    account[who] = b;
    pthread_mutex_unlock(&lock);
}
#endif

static void transfer(int from, int to, int amount)
{
#if RIGHT
    pthread_mutex_lock(&lock);
    account[from] -= amount;
    account[to] += amount;
    pthread_mutex_unlock(&lock);
#else
    set_balance(from, balance(from) - amount);
    set_balance(to, balance(to) + amount);
#endif
}

static void *there(void *arg)
{
    transfer(0, 1, 30);
    return arg;
}

static void *back(void *arg)
{
    transfer(1, 0, 20);
    return arg;
}

int main(void)
{
    both(there, back);
    assert(balance(0) + balance(1) == 200);
    return 0;
}
