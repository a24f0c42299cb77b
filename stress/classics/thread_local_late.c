/* The destructor of thread-specific data, which runs when the thread ends, uses what main destroyed
 * when the thread said that it was done. Right: main joins first. */
#include "classic.h"

static pthread_mutex_t stats = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static sem_t done;
static int total;

static void flush(void *count)
{
    pthread_mutex_lock(&stats);
    total += *(int *)count;
    pthread_mutex_unlock(&stats);
}

static void *worker(void *arg)
{
    pthread_setspecific(key, arg);
    sem_post(&done);
    return NULL;
}

int main(void)
{
    static int count = 3;

    sem_init(&done, 0, 0);
    pthread_key_create(&key, flush);
    pthread_t t = start(worker, &count);
    sem_wait(&done);
#if RIGHT
    finish(t);
    pthread_mutex_destroy(&stats);
#else
    pthread_mutex_destroy(&stats);
    finish(t);
#endif
    pthread_key_delete(key);
    return 0;
}
