/* Locks of atomics, for which threads try again and again: spins HOW TWIN. Two of them are taken in opposite orders by
 * the wrong one; the right one is not to take many steps. Built with heddle-cc. */
#include "case.h"
#include <sched.h>
#include <stdatomic.h>

static atomic_int a, b;

static void take_exchange(atomic_int *l)
{
    while (atomic_exchange(l, 1))
        sched_yield();
}

static void take_cas(atomic_int *l)
{
    int none = 0;

    while (!atomic_compare_exchange_weak(l, &none, 1)) {
        none = 0;
        sched_yield();
    }
}

static void take_or(atomic_int *l)
{
    while (atomic_fetch_or(l, 1) & 1)
        sched_yield();
}

static void take_bare(atomic_int *l)
{
    while (atomic_exchange(l, 1))
        ;
}

static const struct {
    const char *name;
    void (*take)(atomic_int *l);
} hows[] = {{"exchange", take_exchange}, {"cas", take_cas}, {"or", take_or}, {"bare", take_bare}};
static void (*take)(atomic_int *l);

static void *both(void *swapped)
{
    atomic_int *first = wrong && swapped ? &b : &a, *second = wrong && swapped ? &a : &b;

    for (int i = 0; i < 3; i++) {
        take(first);
        take(second);
        atomic_store(second, 0);
        atomic_store(first, 0);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t[4];

    arguments(argc, argv, 1);
    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++)
        if (strcmp(hows[i].name, argv[1]) == 0)
            take = hows[i].take;
    if (!take)
        return 2;
    for (int i = 0; i < 4; i++)
        t[i] = start(both, i % 2 ? &a : NULL);
    for (int i = 0; i < 4; i++)
        finish(t[i]);
    return 0;
}
