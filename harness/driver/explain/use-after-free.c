/* use-after-free - memory is used after it was freed
 *
 * Means:  Whoever freed it did not wait for the last user.
 * Found:  In programs built with heddle-cc, at the access; and in any program for locks that lie
 *         in freed memory.
 * Limits: A block that was given out again in between is not told from the new one.
 * Build:  heddle-cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *block;
static int references = 2;

static void *user(void *arg)
{
    pthread_mutex_lock(&lock);
    *block = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *owner(void *arg)
{
    pthread_mutex_lock(&lock);
    references--;
#ifndef RIGHT
    free(block);
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    block = malloc(sizeof *block);
    pthread_create(&a, NULL, user, NULL);
    pthread_create(&b, NULL, owner, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
#ifdef RIGHT
    free(block);
#endif
    return 0;
}
