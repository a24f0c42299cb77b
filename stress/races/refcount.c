/* The last one out frees: its decrement must take what the others did before theirs. */
#include "pattern.h"

struct shared {
    atomic_int count;
    int notes[2];
};

static void release(struct shared *s)
{
    if (atomic_fetch_sub_explicit(&s->count, 1,
                                  CHOOSE(memory_order_relaxed, memory_order_acq_rel)) == 1)
        free(s);
}

static void *left(void *arg)
{
    struct shared *s = arg;
    s->notes[0] = 1;
    release(s);
    return NULL;
}

static void *right(void *arg)
{
    struct shared *s = arg;
    s->notes[1] = 1;
    release(s);
    return NULL;
}

int main(void)
{
    struct shared *s = calloc(1, sizeof *s);
    atomic_init(&s->count, 2);
    run2(left, right, s);
    return 0;
}
