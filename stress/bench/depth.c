/* depth.c - bugs that need several things to happen in one order, among any number of threads.
 *
 *   depth order N       N threads write two variables one after the other; one more looks at both
 *   depth late N        N workers use what main sets after it has started them
 *   depth atomicity N   N threads read, let go of the lock, and write back what they read
 *   depth twostage N    N writers update two fields under two locks, N readers compare them
 *   depth stack N       a lock-free stack without tags, N threads: A popped, B popped, A back (ABA)
 *   depth chain D       two threads and D handshakes that must interleave exactly
 * Ends by an assertion when the bug is hit. To be built with heddle-cc.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX 256
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static atomic_int a, b;
static int balance, first, second;

static void *set_both(void *arg)
{
    atomic_store(&a, 1);
    atomic_store(&b, -1);
    return arg;
}

static void *look(void *arg)
{
    int x = atomic_load(&a), y = atomic_load(&b);
    assert((x == 0 && y == 0) || (x == 1 && y == -1) || x == 0);
    return arg;
}

static void *use(void *arg)
{
    assert(atomic_load(&a) == 1);
    return arg;
}

static void *deposit(void *arg)
{
    pthread_mutex_lock(&lock);
    int seen = balance;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    balance = seen + 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *write_stages(void *arg)
{
    pthread_mutex_lock(&lock);
    first = 1;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&other);
    second = 2;
    pthread_mutex_unlock(&other);
    return arg;
}

static void *read_stages(void *arg)
{
    pthread_mutex_lock(&lock);
    int x = first;
    pthread_mutex_unlock(&lock);
    if (x) {
        pthread_mutex_lock(&other);
        int y = second;
        pthread_mutex_unlock(&other);
        assert(y == x + 1);
    }
    return arg;
}

static atomic_int head = 1, next[4] = {0, 2, 3, 0}, taken[4];

static int pop(void)
{
    int old = atomic_load(&head);
    while (old && !atomic_compare_exchange_strong(&head, &old, atomic_load(&next[old])))
        ;
    if (old)
        assert(atomic_fetch_add(&taken[old], 1) == 0);
    return old;
}

static void push(int n)
{
    atomic_fetch_sub(&taken[n], 1);
    int old = atomic_load(&head);
    do
        atomic_store(&next[n], old);
    while (!atomic_compare_exchange_strong(&head, &old, n));
}

static void *juggle(void *arg)
{
    int x = pop(), y = pop();
    if (x)
        push(x);
    (void)y;
    return arg;
}

static atomic_int handshake, rounds;

static void *ping(void *arg)
{
    for (int i = 0; i < rounds; i++)
        if (atomic_load(&handshake) == 2 * i)
            atomic_store(&handshake, 2 * i + 1);
    return arg;
}

static void *pong(void *arg)
{
    for (int i = 0; i < rounds; i++)
        if (atomic_load(&handshake) == 2 * i + 1)
            atomic_store(&handshake, 2 * i + 2);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[2 * MAX + 1];
    int n = argc > 2 ? atoi(argv[2]) : 3, made = 0;
    const char *what = argc > 1 ? argv[1] : "order";
    if (n < 1 || n > MAX)
        return 2;
    if (!strcmp(what, "order")) {
        for (int i = 0; i < n; i++)
            pthread_create(&t[made++], NULL, set_both, NULL);
        pthread_create(&t[made++], NULL, look, NULL);
    } else if (!strcmp(what, "late")) {
        for (int i = 0; i < n; i++)
            pthread_create(&t[made++], NULL, i == n - 1 ? use : set_both, NULL);
        atomic_store(&a, 1);
    } else if (!strcmp(what, "atomicity")) {
        for (int i = 0; i < n; i++)
            pthread_create(&t[made++], NULL, deposit, NULL);
    } else if (!strcmp(what, "twostage")) {
        for (int i = 0; i < n; i++) {
            pthread_create(&t[made++], NULL, write_stages, NULL);
            pthread_create(&t[made++], NULL, read_stages, NULL);
        }
    } else if (!strcmp(what, "stack")) {
        for (int i = 0; i < n; i++)
            pthread_create(&t[made++], NULL, juggle, NULL);
    } else if (!strcmp(what, "chain")) {
        atomic_store(&rounds, n);
        pthread_create(&t[made++], NULL, ping, NULL);
        pthread_create(&t[made++], NULL, pong, NULL);
    } else {
        return 2;
    }
    for (int i = 0; i < made; i++)
        pthread_join(t[i], NULL);
    if (!strcmp(what, "atomicity"))
        assert(balance == n);
    if (!strcmp(what, "chain"))
        assert(atomic_load(&handshake) < 2 * n);
    return 0;
}
