/* Two writers, two readers: without one order of all, the readers may disagree. */
#include "races/pattern.h"

#define STORE CHOOSE(memory_order_release, memory_order_seq_cst)
#define LOAD CHOOSE(memory_order_acquire, memory_order_seq_cst)
static atomic_int x, y, disagree;

static void *write_x(void *arg)
{
    atomic_store_explicit(&x, 1, STORE);
    return arg;
}

static void *write_y(void *arg)
{
    atomic_store_explicit(&y, 1, STORE);
    return arg;
}

static void *read_xy(void *arg)
{
    int a = atomic_load_explicit(&x, LOAD), b = atomic_load_explicit(&y, LOAD);
    if (a && !b)
        atomic_fetch_add(&disagree, 1);
    return arg;
}

static void *read_yx(void *arg)
{
    int b = atomic_load_explicit(&y, LOAD), a = atomic_load_explicit(&x, LOAD);
    if (b && !a)
        atomic_fetch_add(&disagree, 1);
    return arg;
}

int main(void)
{
    void *(*const all[])(void *) = {write_x, write_y, read_xy, read_yx};
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, all[i], NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert(atomic_load(&disagree) < 2);
    return 0;
}
