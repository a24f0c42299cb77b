/* join-misuse - join or detach of a thread that cannot be joined
 *
 * Means:  It was joined before, is detached, or two threads join it at once: its handle may be
 *         another thread by then.
 * Found:  At the call.
 * Limits: Only threads that were made under control are known.
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
    pthread_t a;

    pthread_create(&a, NULL, helper, NULL);
#ifndef RIGHT
    pthread_detach(a);
#endif
    pthread_join(a, NULL);
    return 0;
}
