/* frees.c - what one goroutine gives back at its end has nothing to do with another's: as many schedules as without
 * heddle-cc. Prints what came of it. */
#include <heddle/go.h>
#include <heddle/test.h>
#include <heddle/waitgroup.h>
#include <stdio.h>

static struct hd_wg busy = HD_WG_INIT;

static void is_done(void *unused)
{
    (void)unused;
    hd_wg_done(&busy);
}

static void two(void *unused)
{
    (void)unused;
    hd_wg_add(&busy, 2);
    for (int i = 0; i < 2; i++)
        if (hd_go(is_done, NULL))
            hd_wg_done(&busy);
    hd_wg_wait(&busy);
}

int main(void)
{
    const struct hd_explore_options options = {.exhaustive = 1};
    static struct hd_explore_result r;
    int failed = hd_explore(two, NULL, &options, &r);

    fputs(r.report, stdout);
    return failed ? 1 : 0;
}
