/* A home-made read-write lock that lets readers overtake a waiting writer without end. */
#include "classic.h"

enum { READS = 4, PATIENCE = 3 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int readers, overtaken;
static bool writer_waits, writer_inside;

static void read_lock(void)
{
    pthread_mutex_lock(&lock);
#if RIGHT
    while (writer_inside || writer_waits)
#else
    while (writer_inside)
#endif
        pthread_cond_wait(&changed, &lock);
    readers++;
    if (writer_waits)
        overtaken++;
    pthread_mutex_unlock(&lock);
}

static void read_unlock(void)
{
    pthread_mutex_lock(&lock);
    readers--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *reader(void *arg)
{
    for (int i = 0; i < READS; i++) {
        read_lock();
        sched_yield();
        read_unlock();
    }
    return arg;
}

static void *writer(void *arg)
{
    pthread_mutex_lock(&lock);
    writer_waits = true;
    while (readers > 0)
        pthread_cond_wait(&changed, &lock);
    assert(overtaken < PATIENCE);
    writer_waits = false;
    writer_inside = true;
    pthread_mutex_unlock(&lock);
    sched_yield();
    pthread_mutex_lock(&lock);
    writer_inside = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t = start(reader, NULL), u = start(reader, NULL), v = start(writer, NULL);

    finish(t);
    finish(u);
    finish(v);
    return 0;
}
