/* The failing schedule has a thread that stands before a memory access when it ends: access TWIN.
 * Built with heddle-cc. */
#include "case.h"

static volatile int a, b;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *set(void *arg)
{
    if (!wrong)
        pthread_mutex_lock(&m);
    a = 1;
    b = -1;
    if (!wrong)
        pthread_mutex_unlock(&m);
    return arg;
}

static void *check(void *arg)
{
    if (!wrong)
        pthread_mutex_lock(&m);
    if (!((a == 0 && b == 0) || (a == 1 && b == -1)))
        assert(false && "half of it");
    if (!wrong)
        pthread_mutex_unlock(&m);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[3];

    arguments(argc, argv, 0);
    t[0] = start(set, NULL);
    t[1] = start(set, NULL);
    t[2] = start(check, NULL);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    return 0;
}
