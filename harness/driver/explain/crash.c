/* crash - the program was killed by a signal of its own making
 *
 * Means:  A wild or null pointer, a division, abort().
 * Found:  Where it happens, with the address and what the access was.
 * Limits: Which thread made the pointer what it is, is told with heddle-cc alone. A stack that
 *         is full leaves no room to say where.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static int *settings;

static void *user(void *arg)
{
#ifdef RIGHT
    if (settings)
#endif
        *settings = 1;
    return arg;
}

static void *maker(void *arg)
{
    static int made;

    settings = &made;
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, user, NULL);
    pthread_create(&b, NULL, maker, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
