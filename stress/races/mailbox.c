/* A mailbox of one message, passed by exchange. */
#include "pattern.h"

struct message {
    int body;
};
static _Atomic(struct message *) box;

static void *sender(void *arg)
{
    struct message *m = malloc(sizeof *m);
    m->body = 5;
    free(atomic_exchange_explicit(&box, m, CHOOSE(memory_order_relaxed, memory_order_acq_rel)));
    return arg;
}

static void *receiver(void *arg)
{
    struct message *m = atomic_exchange_explicit(&box, NULL, memory_order_acq_rel);
    if (m && m->body != 5)
        abort();
    free(m);
    return arg;
}

int main(void)
{
    run2(sender, receiver, NULL);
    free(atomic_load(&box));
    return 0;
}
