/* in_process.c - schedules a second of one scenario: in one process, and forked for each schedule.
 *
 *   stress/bench: build/stress/bench/in_process [HEDDLE]   HEDDLE: the command
 * (../../harness/driver/heddle)
 *
 * Three goroutines, some twenty operations on a channel and a mutex. With the argument "once" the
 * program runs the scenario once: that is what `heddle run` is given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/mutex.h>
#include <heddle/test.h>
#include <heddle/waitgroup.h>

#define IN_PROCESS 100000
#define FORKED 2000

struct work {
    struct hd_chan *items;
    struct hd_mutex lock;
    struct hd_wg done;
    int sum;
};

static void produce(void *p)
{
    struct work *w = p;

    for (int i = 1; i <= 3; i++)
        hd_chan_send(w->items, &i);
    hd_wg_done(&w->done);
}

static void consume(void *p)
{
    struct work *w = p;
    int v;

    for (int i = 0; i < 3; i++) {
        hd_chan_recv(w->items, &v);
        hd_mutex_lock(&w->lock);
        w->sum += v;
        hd_mutex_unlock(&w->lock);
    }
    hd_wg_done(&w->done);
}

static void scenario(void *unused)
{
    struct work w = {.items = hd_chan_make(sizeof(int), 1)};

    (void)unused;
    if (!w.items)
        abort();
    hd_mutex_init(&w.lock, NULL);
    hd_wg_init(&w.done, NULL);
    hd_wg_add(&w.done, 2);
    if (hd_go(produce, &w) || hd_go(consume, &w))
        abort();
    hd_wg_wait(&w.done);
    if (w.sum != 6)
        abort();
    hd_chan_unref(w.items);
}

static double seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct hd_explore_options options = {.schedules = IN_PROCESS};
    struct hd_explore_result r;
    char command[1024];
    double start, inside, forked;

    if (argc > 1 && strcmp(argv[1], "once") == 0) {
        scenario(NULL);
        return 0;
    }
    start = seconds();
    if (hd_explore(scenario, NULL, &options, &r) != 0) {
        fputs(r.report, stderr);
        return 1;
    }
    inside = (double)r.schedules / (seconds() - start);
    snprintf(command, sizeof command,
             "'%s' run -q -j1 -n %d -o /tmp/heddle-bench -- '%s' once >/dev/null",
             argc > 1 ? argv[1] : "build/harness/driver/heddle", FORKED, argv[0]);
    start = seconds();
    if (system(command) != 0) {
        fputs("in_process: heddle run did not end with 0\n", stderr);
        return 1;
    }
    forked = FORKED / (seconds() - start);
    printf("%.1f decisions a schedule, one core\n", (double)r.steps / (double)r.schedules);
    printf("in process  %9.0f schedules/s\n", inside);
    printf("forked      %9.0f schedules/s\n", forked);
    printf("ratio       %9.1f\n", inside / forked);
    return 0;
}
