/* So many races that a schedule's table is full, and one assertion, which has room: many_races
 * TWIN. Built with heddle-cc. */
#include "case.h"

static volatile int v[64];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void touch_all(void)
{
#define ONE(i) v[i] = v[i] + 1;
#define FOUR(i) ONE(i) ONE((i) + 1) ONE((i) + 2) ONE((i) + 3)
#define SIXTEEN(i) FOUR(i) FOUR((i) + 4) FOUR((i) + 8) FOUR((i) + 12)
    if (!wrong)
        pthread_mutex_lock(&m);
    SIXTEEN(0) SIXTEEN(16) SIXTEEN(32) if (!wrong) pthread_mutex_unlock(&m);
}

static void *touch(void *arg)
{
    touch_all();
    return arg;
}

static void *fail(void *arg)
{
    touch_all();
    assert(!wrong);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 0);
    t = start(touch, NULL);
    u = start(fail, NULL);
    finish(t);
    finish(u);
    return 0;
}
