/* Two lock orders that cannot meet, because something orders the two threads: ordered BY TWIN. In a
 * wrong one nothing does. */
#include "case.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static bool done;

static void tell_cond(void)
{
    pthread_mutex_lock(&m);
    done = true;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

static void wait_cond(void)
{
    pthread_mutex_lock(&m);
    while (!done)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static const struct variant tells[] = {VARIANT(tell, cond)}, waits[] = {VARIANT(wait, cond)};
static const struct variant *tell, *await;

static void *ab(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    tell->run();
    return arg;
}

static void *ba(void *arg)
{
    if (!wrong)
        await->run();
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 1);
    tell = PICK(tells, argv[1]);
    await = PICK(waits, argv[1]);
    t = start(ab, NULL);
    u = start(ba, NULL);
    finish(t);
    finish(u);
    return 0;
}
