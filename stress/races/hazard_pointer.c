/* A hazard pointer protects only if the source is read again after it was announced. */
#include "pattern.h"

struct object {
    int value;
};
static _Atomic(struct object *) current, hazard;

static void *reader(void *arg)
{
    struct object *o = atomic_load(&current);
    for (;;) {
        atomic_store(&hazard, o);
        struct object *again = CHOOSE(o, atomic_load(&current));
        if (again == o)
            break;
        o = again;
    }
    int value = o->value;
    atomic_store(&hazard, NULL);
    return value > 2 ? arg : NULL;
}

static void *updater(void *arg)
{
    struct object *fresh = malloc(sizeof *fresh);
    fresh->value = 2;
    struct object *old = atomic_exchange(&current, fresh);
    while (atomic_load(&hazard) == old)
        ;
    free(old);
    return arg;
}

int main(void)
{
    struct object *o = malloc(sizeof *o);
    o->value = 1;
    atomic_store(&current, o);
    run2(reader, updater, NULL);
    free(atomic_load(&current));
    return 0;
}
