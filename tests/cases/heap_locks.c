/* A lock of one's own in memory from the heap, made while the thread before already runs:
 * heap_locks TWIN. In a wrong one a reader that reads twice waits behind the writer. */
#include "case.h"

struct thread {
    pthread_t id;
    pthread_mutex_t lock;
    void (*body)(void);
};

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t readers = PTHREAD_COND_INITIALIZER, writers = PTHREAD_COND_INITIALIZER;
static int held, waiting;

static void read_lock(void)
{
    pthread_mutex_lock(&m);
    while (held < 0 || waiting > 0)
        pthread_cond_wait(&readers, &m);
    held++;
    pthread_mutex_unlock(&m);
}

static void unlock(void)
{
    pthread_mutex_lock(&m);
    held = held > 0 ? held - 1 : 0;
    if (held == 0)
        pthread_cond_broadcast(&writers);
    pthread_cond_broadcast(&readers);
    pthread_mutex_unlock(&m);
}

static void reader(void)
{
    read_lock();
    if (wrong) {
        read_lock();
        unlock();
    }
    unlock();
}

static void writer(void)
{
    pthread_mutex_lock(&m);
    while (held != 0) {
        waiting++;
        pthread_cond_wait(&writers, &m);
        waiting--;
    }
    held = -1;
    pthread_mutex_unlock(&m);
    unlock();
}

static void *root(void *arg)
{
    struct thread *self = arg;

    pthread_mutex_lock(&self->lock);
    pthread_mutex_unlock(&self->lock);
    self->body();
    return NULL;
}

static struct thread *launch(void (*body)(void))
{
    struct thread *t = calloc(1, sizeof *t);

    assert(t);
    pthread_mutex_init(&t->lock, NULL);
    t->body = body;
    t->id = start(root, t);
    return t;
}

int main(int argc, char **argv)
{
    struct thread *t, *u;

    arguments(argc, argv, 0);
    t = launch(writer);
    u = launch(reader);
    finish(t->id);
    finish(u->id);
    free(t);
    free(u);
    return 0;
}
