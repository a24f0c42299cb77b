/* livelock - threads run, but none gets anywhere
 *
 * Means:  Each tries, fails and gives way, again and again.
 * Found:  When the step bound is reached and nearly all that was done were failed tries.
 * Limits: Threads that a fair scheduler would let get on are given the chance to; --max-steps
 *         says how long.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --max-steps=5000 -- ./program
 */
#include <pthread.h>
#include <sched.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int said;

static void *waits(void *arg)
{
#ifdef RIGHT
    while (!said)
        sched_yield();
    pthread_mutex_lock(&lock);
#else
    pthread_mutex_lock(&lock);
    while (!said)
        sched_yield();
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *says(void *arg)
{
    pthread_mutex_lock(&lock);
    said = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, waits, NULL);
    pthread_create(&b, NULL, says, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
