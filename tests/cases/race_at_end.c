/* Two threads race after main's end: race_at_end END TWIN. Built with heddle-cc. */
#include "case.h"
#include <heddle/heddle.h>

static int x;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *up(void *arg)
{
    for (int i = 0; i < 100; i++) {
        if (!wrong)
            pthread_mutex_lock(&m);
        x++;
        if (!wrong)
            pthread_mutex_unlock(&m);
    }
    return arg;
}

static void two(void)
{
    start_detached(up, NULL);
    start_detached(up, NULL);
}

static void end_return(void)
{
    two();
}

static void end_exit(void)
{
    two();
    exit(0);
}

static void end_pthread_exit(void)
{
    two();
    pthread_exit(NULL);
}

static pthread_t joined[2];

static void join(void)
{
    finish(joined[0]);
    finish(joined[1]);
}

static void end_atexit(void)
{
    joined[0] = start(up, NULL);
    joined[1] = start(up, NULL);
    atexit(join);
}

static void goes(void *arg)
{
    up(arg);
}

static void end_goroutines(void)
{
    if (hd_go(goes, NULL) || hd_go(goes, NULL))
        exit(2);
}

/* Races with a handler of main's end. */
static void reads(void)
{
    if (!wrong)
        pthread_mutex_lock(&m);
    x++;
    if (!wrong)
        pthread_mutex_unlock(&m);
}

static void end_handler(void)
{
    atexit(reads);
    start_detached(up, NULL);
}

static const struct variant ends[] = {VARIANT(end, return ),      VARIANT(end, exit),
                                      VARIANT(end, pthread_exit), VARIANT(end, atexit),
                                      VARIANT(end, goroutines),   VARIANT(end, handler)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(ends, argv[1])->run();
    return 0;
}
