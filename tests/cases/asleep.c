/* All goroutines wait, and nobody has missed anything: what Go says then. asleep HOW TWIN */
#include "case.h"
#include <heddle/heddle.h>

static struct hd_chan *c;
static struct hd_wg wg;

static void ends(void *arg)
{
    (void)arg;
}

static void asleep_receive(void)
{
    if (!wrong)
        hd_chan_send(c, NULL);
    hd_chan_recv(c, NULL);
}

static void asleep_send(void)
{
    hd_chan_send(c, NULL);
    if (wrong)
        hd_chan_send(c, NULL);
}

static void asleep_waitgroup(void)
{
    hd_wg_add(&wg, 1);
    if (!wrong)
        hd_wg_done(&wg);
    hd_wg_wait(&wg);
}

static void asleep_select(void)
{
    if (!wrong)
        hd_chan_close(c);
    HD_SELECT(HD_RECV(c, NULL), HD_RECV(NULL, NULL));
}

static void asleep_nil(void)
{
    hd_chan_recv(wrong ? NULL : c, NULL);
}

static void asleep_range(void)
{
    hd_chan_send(c, NULL);
    if (!wrong)
        hd_chan_close(c);
    while (hd_chan_recv(c, NULL))
        ;
}

static const struct variant all[] = {VARIANT(asleep, receive),   VARIANT(asleep, send),
                                     VARIANT(asleep, waitgroup), VARIANT(asleep, select),
                                     VARIANT(asleep, nil),       VARIANT(asleep, range)};

int main(int argc, char **argv)
{
    struct hd_wg other = HD_WG_INIT;

    arguments(argc, argv, 1);
    c = hd_chan_make(0, 1);
    if (strcmp(argv[1], "nil") == 0)
        hd_chan_send(c, NULL);
    if (hd_wg_go(&other, ends, NULL))
        return 2;
    hd_wg_wait(&other);
    PICK(all, argv[1])->run();
    return 0;
}
