/* A cycle through three locks: no two threads alone can close it. */
#include "classic.h"

static pthread_mutex_t cpu = PTHREAD_MUTEX_INITIALIZER, disk = PTHREAD_MUTEX_INITIALIZER,
                       net = PTHREAD_MUTEX_INITIALIZER;

static void *pair(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    return NULL;
}

static void *read_page(void *arg)
{
    (void)arg;
    return pair(&cpu, &disk);
}

static void *send_page(void *arg)
{
    (void)arg;
    return pair(&disk, &net);
}

static void *take_packet(void *arg)
{
    (void)arg;
#if RIGHT
    return pair(&cpu, &net);
#else
    return pair(&net, &cpu);
#endif
}

int main(void)
{
    pthread_t t = start(read_page, NULL), u = start(send_page, NULL), v = start(take_packet, NULL);

    finish(t);
    finish(u);
    finish(v);
    return 0;
}
