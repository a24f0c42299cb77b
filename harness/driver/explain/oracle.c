/* oracle - a command of yours rejected what the program printed
 *
 * Means:  The order of threads made a result that is wrong by your own measure.
 * Found:  With --oracle=COMMAND: it gets the output of each schedule, and says no by its exit
 *         code.
 * Limits: As good as the command.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run --oracle='head -n 1 | grep -q one' -- ./program
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
