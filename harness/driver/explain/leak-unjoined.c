/* leak-unjoined - a thread that has ended, and was neither joined nor detached
 *
 * Means:  Its stack and its result are kept for a pthread_join that does not come.
 * Found:  When the program ends.
 * Limits: Threads that still run then are not told: the end of the program ends them.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static void *helper(void *arg)
{
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, helper, NULL);
    pthread_create(&b, NULL, helper, NULL);
    pthread_join(a, NULL);
#ifdef RIGHT
    pthread_join(b, NULL);
#endif
    return 0;
}
