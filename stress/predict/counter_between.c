/* Both count under the lock: what the later one reads, the earlier one has written. No reordering
 * of these very events shows the race, only another order of the sections. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int value, count;

static void *quick(void *arg)
{
    CHOOSE(value = 1, pass(&lock, &value));
    pass(&lock, &count);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pass(&lock, &count);
    CHOOSE(value = 2, pass(&lock, &value));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return value + count > 100;
}
