/* output - what the program prints depends on the schedule
 *
 * Means:  Two schedules printed differently.
 * Found:  With --check-output: each schedule is compared with the first one.
 * Limits: Lines whose order is meant to be free are better sorted by an oracle.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --check-output -- ./program
 */
#include <pthread.h>
#include <stdio.h>

static void *one(void *arg)
{
    puts("one");
    fflush(stdout);
    return arg;
}

static void *two(void *arg)
{
    puts("two");
    fflush(stdout);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
#ifdef RIGHT
    pthread_join(a, NULL);
#endif
    pthread_create(&b, NULL, two, NULL);
#ifndef RIGHT
    pthread_join(a, NULL);
#endif
    pthread_join(b, NULL);
    return 0;
}
