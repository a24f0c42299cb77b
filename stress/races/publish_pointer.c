/* An object is published through a pointer. */
#include "pattern.h"

struct config {
    int port, limit;
};
static struct config *CHOOSE(, _Atomic) current;

static void *writer(void *arg)
{
    struct config *c = malloc(sizeof *c);
    c->port = 80;
    c->limit = 10;
    CHOOSE(current = c, atomic_store_explicit(&current, c, memory_order_release));
    return arg;
}

static void *reader(void *arg)
{
    struct config *c = CHOOSE(current, atomic_load_explicit(&current, memory_order_acquire));
    if (c && c->port + c->limit != 90)
        abort();
    return arg;
}

int main(void)
{
    run2(writer, reader, NULL);
    free(current);
    return 0;
}
