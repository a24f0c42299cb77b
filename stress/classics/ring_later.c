/* A cycle through three locks whose last thread comes to its two only when another has been through. */
#include "classic.h"

enum { ROUNDS = 2 };
static pthread_mutex_t cpu = PTHREAD_MUTEX_INITIALIZER, disk = PTHREAD_MUTEX_INITIALIZER,
                       net = PTHREAD_MUTEX_INITIALIZER, lock = PTHREAD_MUTEX_INITIALIZER;
static int packets;

static int packets_after(int more)
{
    pthread_mutex_lock(&lock);
    int now = packets += more;
    pthread_mutex_unlock(&lock);
    return now;
}

static void pair(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    packets_after(1);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *read_page(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        pair(&cpu, &disk);
    return arg;
}

static void *send_page(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        pair(&disk, &net);
    return arg;
}

static void *take_packet(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (!packets_after(0))
            continue;
#if RIGHT
        pair(&cpu, &net);
#else
        pair(&net, &cpu);
#endif
    }
    return arg;
}

int main(void)
{
    pthread_t t = start(read_page, NULL), u = start(send_page, NULL), v = start(take_packet, NULL);

    finish(t);
    finish(u);
    finish(v);
    return 0;
}
