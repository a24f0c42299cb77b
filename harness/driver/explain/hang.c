/* hang - the schedule did not end in its time
 *
 * Means:  A thread computes without end, or waits for something that is not under control.
 * Found:  By --timeout, with the stacks of all threads.
 * Limits: A program that is only slow looks the same: raise --timeout.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --timeout=1s -n 1 -- ./program
 */
#include <pthread.h>

static volatile int turns = 1;

static void *spin(void *arg)
{
#ifndef RIGHT
    while (turns)
        ;
#endif
    return arg;
}

int main(void)
{
    pthread_t a;

    pthread_create(&a, NULL, spin, NULL);
    pthread_join(a, NULL);
    return 0;
}
