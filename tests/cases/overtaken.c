/* Main sleeps and takes it that its thread has done its work: overtaken HOW_MUCH TWIN. A right one joins it
 * before it looks. Sleeps do not end early for little work, nor when main has slept before; against much, they do. */
#include "naps.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long done, all;

static void *work(void *arg)
{
    for (long i = 0; i < all; i++) {
        pthread_mutex_lock(&m);
        done++;
        pthread_mutex_unlock(&m);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 1);
    naps_begin();
    if (strcmp(argv[1], "little") == 0)
        all = 10, nap_ms = 50;
    else if (strcmp(argv[1], "rested") == 0) {
        all = 10, nap_ms = 50;
        for (int i = 0; i < 10; i++)
            nap_usleep();
    } else if (strcmp(argv[1], "much") == 0)
        all = 40000, nap_ms = 0;
    else
        return 2;
    t = start(work, NULL);
    nap_usleep();
    if (!wrong)
        finish(t);
    pthread_mutex_lock(&m);
    assert(done == all);
    pthread_mutex_unlock(&m);
    if (wrong)
        finish(t);
    return 0;
}
