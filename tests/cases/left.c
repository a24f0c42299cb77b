/* What a check at its end finds left: left WHAT TWIN. */
#include "case.h"
#include <heddle/heddle.h>
#include <heddle/leak.h>

static struct hd_mutex m;
static bool stop; /* under m */

static bool stopped(void)
{
    bool now;

    hd_mutex_lock(&m);
    now = stop;
    hd_mutex_unlock(&m);
    return now;
}

static void polls(void *arg)
{
    (void)arg;
    while (!stopped())
        ;
}

static void sets(void *arg)
{
    (void)arg;
    if (wrong)
        hd_chan_recv(NULL, NULL); /* for ever */
    hd_mutex_lock(&m);
    stop = true;
    hd_mutex_unlock(&m);
}

/* One that runs until another says so: both can go on, and neither is left. */
static void left_poller(void)
{
    char text[2000];

    hd_leak_check_begin("both end");
    if (hd_go(polls, NULL) || hd_go(sets, NULL))
        exit(2);
    if (hd_leak_check_end(text, sizeof text))
        exit(wrong);
}

/* A timer that is due after the end of time; stopping and freeing it is all that can be asked. */
static void left_timer(void)
{
    struct hd_timer *t = hd_timer_make(INT64_MAX);

    if (!wrong) {
        hd_timer_stop(t);
        hd_timer_free(t);
    }
}

static const struct variant lefts[] = {VARIANT(left, poller), VARIANT(left, timer)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(lefts, argv[1])->run();
    return 0;
}
