/* mended.c - a counter that two threads raise, by a read and a write that another thread can come between.
 *
 * -DMOVED: mended in name only: what comes between now stands one step later. -DFIXED: the lock is held.
 * An argument that it was recorded with must come again.
 */
#include <assert.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, log_lock = PTHREAD_MUTEX_INITIALIZER;
static int count, written;

static void note(void)
{
    pthread_mutex_lock(&log_lock);
    written++;
    pthread_mutex_unlock(&log_lock);
}

static void *raise_count(void *arg)
{
    int seen;

    note();
#if defined MOVED || defined FIXED
    note();
#endif
    pthread_mutex_lock(&lock);
    seen = count;
#ifdef FIXED
    count = seen + 1;
#endif
    pthread_mutex_unlock(&lock);
#ifdef MOVED
    note();
#endif
#ifndef FIXED
    pthread_mutex_lock(&lock);
    count = seen + 1;
    pthread_mutex_unlock(&lock);
#endif
    note();
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[2];

    if (argc != 2 || strcmp(argv[1], "twice") != 0)
        return 2;
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, raise_count, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert(count == 2);
    return 0;
}
