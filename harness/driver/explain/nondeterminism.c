/* nondeterminism - something that the schedule does not decide makes a difference
 *
 * Means:  Run twice with the same decisions, the program does something else: real time, random
 *         numbers, addresses, other processes.
 * Found:  With --check-determinism: each schedule is run twice.
 * Limits: Only differences in what threads do are seen, not in what they compute.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --check-determinism -- ./program
 */
#include <pthread.h>
#include <sys/random.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
    unsigned char n = 3;

#ifndef RIGHT
    if (getrandom(&n, 1, 0) != 1)
        return arg;
#endif
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, work, NULL);
    pthread_join(a, NULL);
    return 0;
}
