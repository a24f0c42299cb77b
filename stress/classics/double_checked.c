/* Double-checked initialisation: the flag says "made" before the object is filled. */
#include "classic.h"
#include <stdatomic.h>

struct config {
    int port;
    char host[16];
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, heap = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct config *) shared;

static void fill(struct config *c)
{
    pthread_mutex_lock(&heap); /* as an allocator or a logger would */
    c->port = 8080;
    pthread_mutex_unlock(&heap);
}

static struct config *get(void)
{
    struct config *c = shared;

    if (c)
        return c;
    pthread_mutex_lock(&lock);
    c = shared;
    if (!c) {
        c = calloc(1, sizeof *c);
#if RIGHT
        fill(c);
        shared = c;
#else
        shared = c;
        fill(c);
#endif
    }
    pthread_mutex_unlock(&lock);
    return c;
}

static void *use(void *arg)
{
    assert(get()->port == 8080);
    return arg;
}

int main(void)
{
    both(use, use);
    free(shared);
    return 0;
}
