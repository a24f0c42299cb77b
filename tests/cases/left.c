/* What a leak check at its end finds left: left WHAT TWIN. Those that could go on are not left, nor is a timer
 * that is due after the end of time. */
#include "case.h"
#include <heddle/heddle.h>
#include <heddle/leak.h>

static struct hd_mutex m;
static struct hd_rwmutex rw;
static bool stop; /* under m or rw */
static atomic_bool over;
static struct hd_chan *told;

static bool poll_mutex(void)
{
    bool now;

    hd_mutex_lock(&m);
    now = stop;
    hd_mutex_unlock(&m);
    return now;
}

static void stop_mutex(void)
{
    hd_mutex_lock(&m);
    stop = true;
    hd_mutex_unlock(&m);
}

static bool poll_rwmutex(void)
{
    bool now;

    hd_rwmutex_rlock(&rw);
    now = stop;
    hd_rwmutex_runlock(&rw);
    return now;
}

static void stop_rwmutex(void)
{
    hd_rwmutex_lock(&rw);
    stop = true;
    hd_rwmutex_unlock(&rw);
}

static bool poll_yield(void)
{
    hd_go_yield();
    return over;
}

static void stop_yield(void)
{
    over = true;
}

static bool poll_channel(void)
{
    bool sent;

    return hd_chan_try_recv(told, NULL, &sent);
}

static void stop_channel(void)
{
    hd_chan_close(told);
}

static const struct poller {
    const char *name;
    bool (*poll)(void);
    void (*stop)(void);
} pollers[] = {{"poll_mutex", poll_mutex, stop_mutex},
               {"poll_rwmutex", poll_rwmutex, stop_rwmutex},
               {"poll_yield", poll_yield, stop_yield},
               {"poll_channel", poll_channel, stop_channel}};
static const struct poller *poller;

static void polls(void *arg)
{
    (void)arg;
    while (!poller->poll())
        ;
}

static void stops(void *arg)
{
    (void)arg;
    poller->stop();
}

/* In a wrong one a third is there that nobody serves. */
static void blocked(void *arg)
{
    hd_chan_recv(arg, NULL);
}

static void both_end(void)
{
    if (hd_go(polls, NULL) || hd_go(stops, NULL))
        exit(2);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void left_timer(void)
{
    struct hd_timer *t = hd_timer_make(INT64_MAX);

    hd_timer_stop(t);
    hd_timer_free(t);
}

static void left_timer_reset(void)
{
    struct hd_timer *t = hd_timer_make(HD_HOUR);

    hd_timer_reset(t, INT64_MAX - 1);
    hd_timer_stop(t);
    hd_timer_free(t);
}

static void left_after_func(void)
{
    struct hd_timer *t = hd_after_func(INT64_MAX, nothing, NULL);

    hd_timer_stop(t);
    hd_timer_free(t);
}

static void left_context(void)
{
    struct hd_context *c = hd_context_with_timeout(hd_context_background(), INT64_MAX);

    hd_context_end(c);
}

static void left_hour(void)
{
    struct hd_timer *t = hd_timer_make(HD_HOUR);

    hd_timer_stop(t);
    hd_timer_free(t);
}

static const struct variant lefts[] = {VARIANT(left, timer), VARIANT(left, timer_reset),
                                       VARIANT(left, after_func), VARIANT(left, context),
                                       VARIANT(left, hour)};

int main(int argc, char **argv)
{
    bool checked;
    char text[2000];
    size_t left = 0;

    arguments(argc, argv, 2);
    checked = strcmp(argv[2], "checked") == 0; /* or at the end of the program alone */
    if (!checked && strcmp(argv[2], "unchecked") != 0)
        return 2;
    told = hd_chan_make(0, 0);
    if (checked)
        hd_leak_check_begin("all end");
    for (size_t i = 0; i < sizeof pollers / sizeof *pollers; i++)
        if (strcmp(pollers[i].name, argv[1]) == 0)
            poller = &pollers[i];
    if (poller)
        both_end();
    else
        PICK(lefts, argv[1])->run();
    if (wrong && hd_go(blocked, hd_chan_make(0, 0)))
        return 2;
    if (checked)
        left = hd_leak_check_end(text, sizeof text);
    return !wrong && left > 0;
}
