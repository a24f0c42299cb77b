/* crowd.c - many goroutines in hd_explore(): crowd COUNT STRATEGY. Two schedules of it are to end well,
 * the second one in the memory that the first one left. */
#include <stdio.h>
#include <stdlib.h>

#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/test.h>

static long count;

static void work(void *chan)
{
    hd_chan_send(chan, NULL);
}

static void crowd(void *unused)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    (void)unused;
    for (long i = 0; i < count; i++)
        if (hd_go(work, chan))
            abort();
    for (long i = 0; i < count; i++)
        hd_chan_recv(chan, NULL);
    hd_chan_unref(chan);
}

int main(int argc, char **argv)
{
    struct hd_explore_options options = {.schedules = 2, .max_steps = 1000000};
    struct hd_explore_result result;

    if (argc != 3)
        return 2;
    count = strtol(argv[1], NULL, 10);
    options.strategy = argv[2];
    if (hd_explore(crowd, NULL, &options, &result) != 0 || result.schedules != 2 || result.cut) {
        fprintf(stderr, "%.2000s\n", result.report);
        return 1;
    }
    return 0;
}
