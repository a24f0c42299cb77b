/* double-free - memory is freed twice
 *
 * Means:  Two threads each took themselves for the last user.
 * Found:  In programs built with heddle-cc, at the second free.
 * Limits: Without heddle-cc glibc aborts, most of the time: a crash.
 * Build:  heddle-cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *block;
static int references = 2;

static void *leave(void *arg)
{
    pthread_mutex_lock(&lock);
#ifdef RIGHT
    int last = --references == 0;
    pthread_mutex_unlock(&lock);
#else
    references--;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    int last = references == 0;
    pthread_mutex_unlock(&lock);
#endif
    if (last)
        free(block);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    block = malloc(sizeof *block);
    pthread_create(&a, NULL, leave, NULL);
    pthread_create(&b, NULL, leave, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
