/* exit-code - the program ends with a code that says it failed
 *
 * Means:  With a code other than 0 it says so itself; where other schedules end with 0, the
 *         order of threads decides.
 * Found:  At its end. --exit-code=LIST: codes that are no failure.
 * Limits: Why it failed, the program knows: look at what it printed.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int first;

static void claim(int who)
{
    pthread_mutex_lock(&lock);
    if (!first)
        first = who;
    pthread_mutex_unlock(&lock);
}

static void *one(void *arg)
{
    claim(1);
    return arg;
}

static void *two(void *arg)
{
    claim(2);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, two, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
#ifdef RIGHT
    return 0;
#else
    return first == 1 ? 0 : 1;
#endif
}
