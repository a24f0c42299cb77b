/* mended.c - a counter that two threads raise twice each, by a read and a write that another thread can
 * come between.
 *
 * -DMENDED=N: so many of the two times the lock is held from the read to the write, the first times; with -DLAST the
 * last ones. 2: it is mended; 1: the failure has only moved. An argument that it was recorded with must
 * come again.
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

#ifdef LAST
#define HELD(i) ((i) >= 2 - MENDED)
#else
#define HELD(i) ((i) < MENDED)
#endif

static void *raise_count(void *arg)
{
    for (int i = 0; i < 2; i++) {
        int seen;

        note();
        pthread_mutex_lock(&lock);
        seen = count;
        if (HELD(i))
            count = seen + 1;
        pthread_mutex_unlock(&lock);
        if (HELD(i))
            continue;
        note();
        pthread_mutex_lock(&lock);
        count = seen + 1;
        pthread_mutex_unlock(&lock);
    }
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
    assert(count == 4);
    return 0;
}
