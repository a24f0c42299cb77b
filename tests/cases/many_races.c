/* So many races that a schedule's table is full, and one failure, which has room: many_races FAILURE TWIN. Built
 * with heddle-cc. */
#include "case.h"
#include <signal.h>

static volatile int v[64];
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;

static void touch_all(void)
{
#define ONE(i) v[i] = v[i] + 1;
#define FOUR(i) ONE(i) ONE((i) + 1) ONE((i) + 2) ONE((i) + 3)
#define SIXTEEN(i) FOUR(i) FOUR((i) + 4) FOUR((i) + 8) FOUR((i) + 12)
    if (!wrong)
        pthread_mutex_lock(&m);
    SIXTEEN(0) SIXTEEN(16) SIXTEEN(32) if (!wrong) pthread_mutex_unlock(&m);
}

static void fail_assert(void)
{
    assert(!wrong);
}

static void fail_abort(void)
{
    if (wrong)
        abort();
}

static void fail_segv(void)
{
    if (wrong)
        raise(SIGSEGV);
}

static void fail_exit(void)
{
    if (wrong)
        exit(7);
}

static void fail_relock(void)
{
    pthread_mutex_lock(&other);
    if (wrong)
        pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
}

static void fail_wait(void)
{
    pthread_mutex_lock(&other);
    while (wrong)
        pthread_cond_wait(&c, &other);
    pthread_mutex_unlock(&other);
}

static void fail_unlock(void)
{
    if (wrong)
        pthread_mutex_unlock(&other);
}

static const struct variant failures[] = {
    VARIANT(fail, assert), VARIANT(fail, abort), VARIANT(fail, segv),  VARIANT(fail, exit),
    VARIANT(fail, relock), VARIANT(fail, wait),  VARIANT(fail, unlock)};

static void *touch(void *arg)
{
    touch_all();
    return arg;
}

static void *fail(void *failure)
{
    touch_all();
    run(failure);
    return failure;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 1);
    t = start(touch, NULL);
    u = start(fail, PICK(failures, argv[1]));
    finish(t);
    finish(u);
    return 0;
}
