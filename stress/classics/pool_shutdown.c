/* The pool is told to stop without its lock: a worker between its look and its sleep never hears.
 */
#include "classic.h"
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool stop;
static int jobs = 2, idle;

static void note_idle(void)
{
    pthread_mutex_lock(&log_lock);
    idle++;
    pthread_mutex_unlock(&log_lock);
}

static void *worker(void *arg)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        if (jobs > 0) {
            jobs--;
        } else if (stop) {
            break;
        } else {
            note_idle();
            pthread_cond_wait(&work, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t = start(worker, NULL), u = start(worker, NULL);

#if RIGHT
    pthread_mutex_lock(&lock);
#endif
    stop = true;
    pthread_cond_broadcast(&work);
#if RIGHT
    pthread_mutex_unlock(&lock);
#endif
    finish(t);
    finish(u);
    assert(jobs == 0);
    return 0;
}
