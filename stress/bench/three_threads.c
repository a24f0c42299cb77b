/* three_threads.c - what bench_schedules explores: three threads that share a lock.
 *
 *   three_threads [PAIRS]   each thread locks and unlocks PAIRS times (5: 30 operations in all)
 */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long pairs = 5, sum;

static void *work(void *arg)
{
    for (long i = 0; i < pairs; i++) {
        pthread_mutex_lock(&lock);
        sum++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[3];
    if (argc > 1)
        pairs = atol(argv[1]);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, work, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    return sum == 3 * pairs ? 0 : 1;
}
