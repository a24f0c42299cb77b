/* C11 threads: a queue is closed with cnd_signal, and only one of two consumers hears of it. */
#include "classic.h"
#include <threads.h>

static mtx_t lock;
static cnd_t changed;
static int items;
static bool closed;

static int consumer(void *arg)
{
    (void)arg;
    mtx_lock(&lock);
    for (;;) {
        while (items == 0 && !closed)
            cnd_wait(&changed, &lock);
        if (items == 0)
            break;
        items--;
    }
    mtx_unlock(&lock);
    return 0;
}

int main(void)
{
    thrd_t t[2];

    mtx_init(&lock, mtx_plain);
    cnd_init(&changed);
    for (int i = 0; i < 2; i++)
        if (thrd_create(&t[i], consumer, NULL) != thrd_success)
            return 1;
    mtx_lock(&lock);
    items++;
    cnd_signal(&changed);
    mtx_unlock(&lock);
    mtx_lock(&lock);
    closed = true;
#if RIGHT
    cnd_broadcast(&changed);
#else
    cnd_signal(&changed);
#endif
    mtx_unlock(&lock);
    for (int i = 0; i < 2; i++)
        thrd_join(t[i], NULL);
    cnd_destroy(&changed);
    mtx_destroy(&lock);
    return 0;
}
