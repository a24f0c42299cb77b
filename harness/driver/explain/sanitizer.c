/* sanitizer - a sanitizer in the program reported something
 *
 * Means:  The program was built with -fsanitize=address or undefined, and that one saw it in
 *         this schedule.
 * Found:  By the sanitizer; heddle brings the schedule, and replays it.
 * Limits: See the sanitizer's own report, which stands beside the schedule.
 * Build:  cc -g -O1 -pthread -fsanitize=address
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *block;

static void *user(void *arg)
{
    pthread_mutex_lock(&lock);
    if (block)
        *block = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *owner(void *arg)
{
    pthread_mutex_lock(&lock);
    free(block);
#ifdef RIGHT
    block = NULL;
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
    return 0;
}
