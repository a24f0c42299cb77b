/* The updater frees the old version; readers may still be in it. */
#include "pattern.h"

struct version {
    int value;
};
static _Atomic(struct version *) current;
static atomic_int readers;

static void *reader(void *arg)
{
    atomic_fetch_add(&readers, 1);
    struct version *v = atomic_load(&current);
    int value = v->value;
    atomic_fetch_sub(&readers, 1);
    return value > 2 ? arg : NULL;
}

static void *updater(void *arg)
{
    struct version *v = malloc(sizeof *v);
    v->value = 2;
    struct version *old = atomic_exchange(&current, v);
    while (CHOOSE(0, atomic_load(&readers) != 0))
        ;
    free(old);
    return arg;
}

int main(void)
{
    struct version *v = malloc(sizeof *v);
    v->value = 1;
    atomic_store(&current, v);
    run2(reader, updater, NULL);
    free(atomic_load(&current));
    return 0;
}
