/* The owner of a request destroys its mutex as soon as it sees the flag, while the worker that set
 * the flag still holds it. */
#include "classic.h"

struct request {
    pthread_mutex_t lock;
    sem_t done;
};

static void *worker(void *arg)
{
    struct request *r = arg;

    pthread_mutex_lock(&r->lock);
#if RIGHT
    pthread_mutex_unlock(&r->lock);
    sem_post(&r->done);
#else
    sem_post(&r->done);
    pthread_mutex_unlock(&r->lock);
#endif
    return NULL;
}

int main(void)
{
    static struct request r;

    pthread_mutex_init(&r.lock, NULL);
    sem_init(&r.done, 0, 0);
    pthread_t t = start(worker, &r);
    sem_wait(&r.done);
    pthread_mutex_destroy(&r.lock);
    finish(t);
    sem_destroy(&r.done);
    return 0;
}
