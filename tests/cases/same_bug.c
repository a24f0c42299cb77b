/* One bug, which some schedules show beside other waiters and some without: same_bug BUG TWIN. */
#include "case.h"
#include <heddle/heddle.h>

static struct hd_mutex m;

static void once(void *arg)
{
    (void)arg;
    hd_mutex_lock(&m);
    hd_mutex_unlock(&m);
}

static void bug_relock(void)
{
    if (hd_go(once, NULL))
        exit(2);
    hd_mutex_lock(&m);
    if (wrong)
        hd_mutex_lock(&m);
    hd_mutex_unlock(&m);
}

static const struct variant bugs[] = {VARIANT(bug, relock)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(bugs, argv[1])->run();
    return 0;
}
