/* A client that has waited long enough drops the reply; its writer waits for a reader for ever. The
 * daemon ends by _exit, where nobody counts its threads. */
#include "classic.h"

struct reply {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool full, dropped;
};

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int logged;

/* Put the answer in, and wait until it was taken. */
static void *write_reply(void *arg)
{
    struct reply *r = arg;

    pthread_mutex_lock(&r->lock);
    r->full = true;
    while (r->full && !r->dropped)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
    return NULL;
}

static __attribute__((noinline)) void ask(void)
{
    struct reply *r = calloc(1, sizeof *r);

    assert(r);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    pthread_detach(start(write_reply, r));
#if RIGHT
    pthread_mutex_lock(&r->lock);
    r->dropped = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
#endif
}

/* Requests that have nothing to do with it; their frames lie where that of ask() was. */
static __attribute__((noinline)) void serve(int request)
{
    volatile char line[4096];

    memset((char *)line, request, sizeof line);
    pthread_mutex_lock(&log_lock);
    logged += line[0];
    pthread_mutex_unlock(&log_lock);
}

int main(void)
{
    ask();
    for (int request = 0; request < 40; request++)
        serve(request);
    _exit(0);
}
