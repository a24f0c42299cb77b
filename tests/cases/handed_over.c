/* A goroutine takes a lock and ends; whoever is told so gives it back, as Go's locks allow:
 * handed_over LOCK TWIN. A wrong one never gives it back. */
#include "case.h"
#include <heddle/heddle.h>

static struct hd_mutex mutex;

static void take_mutex(void)
{
    hd_mutex_lock(&mutex);
}

static void give_mutex(void)
{
    hd_mutex_unlock(&mutex);
}

static const struct variant takes[] = {VARIANT(take, mutex)}, gives[] = {VARIANT(give, mutex)};
static const struct variant *take;
static struct hd_chan *taken;

static void taker(void *arg)
{
    (void)arg;
    take->run();
    hd_chan_close(taken);
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    take = PICK(takes, argv[1]);
    taken = hd_chan_make(0, 0);
    if (hd_go(taker, NULL))
        return 2;
    hd_chan_recv(taken, NULL);
    if (!wrong)
        PICK(gives, argv[1])->run();
    hd_sleep(10 * HD_MILLISECOND);
    hd_chan_unref(taken);
    return 0;
}
