/* leak-blocked - a thread that waits for ever while the program goes on, or ends
 *
 * Means:  The thread waits for what nobody will do any more: a channel that was given up, a
 *         signal of a thread that has ended.
 * Found:  When main ends: the others run on until they block or end. While the program runs:
 *         when nobody can reach any more what it waits for.
 * Limits: Threads of libraries are often kept on purpose: --suppressions, --no-leaks,
 *         --reach=off.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int stop;

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    while (!stop)
        pthread_cond_wait(&work, &lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, worker, NULL);
#ifdef RIGHT
    pthread_mutex_lock(&lock);
    stop = 1;
    pthread_cond_signal(&work);
    pthread_mutex_unlock(&lock);
    pthread_join(a, NULL);
#endif
    return 0;
}
