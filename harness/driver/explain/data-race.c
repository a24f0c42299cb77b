/* data-race - two threads access memory at once, and one of them writes
 *
 * Means:  Nothing orders the two accesses, and they are not both atomic: in C the behaviour is
 *         undefined.
 * Found:  In programs built with heddle-cc, from the order that locks, threads, atomics and
 *         other calls make (happens-before).
 * Limits: Memory that is accessed from parts without hooks, or in inline assembly, is not
 *         watched.
 * Build:  heddle-cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *count(void *arg)
{
#ifdef RIGHT
    pthread_mutex_lock(&lock);
#endif
    counter++;
#ifdef RIGHT
    pthread_mutex_unlock(&lock);
#else
    (void)lock;
#endif
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, count, NULL);
    pthread_create(&b, NULL, count, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
