/* panic - a panic of lib/ that nobody recovered
 *
 * Means:  As in Go: a send on a closed channel, an unlock too many, a counter below zero.
 * Found:  Where it happens; of a closed channel with who closed it.
 * Limits: A panic that is recovered is no finding.
 * Build:  cc -g -O1 -pthread, with pkg-config --cflags --libs heddle
 * Run:    heddle run -- ./program
 */
#include <heddle/heddle.h>

static struct hd_chan *jobs;

static void produce(void *unused)
{
    (void)unused;
    hd_chan_send(jobs, NULL);
#ifdef RIGHT
    hd_chan_close(jobs);
#endif
}

int main(void)
{
    jobs = hd_chan_make_named("jobs", 0, 1);
    if (hd_go(produce, NULL))
        return 1;
#ifndef RIGHT
    hd_chan_close(jobs);
#endif
    hd_sleep(HD_SECOND);
    return 0;
}
