/* Two locks lie between the accesses: both must change hands the other way round. */
#include "pattern.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int total, mine[2], yours[2];

static void *quick(void *arg)
{
    CHOOSE(total++, pass(&a, &total));
    pass(&a, &mine[0]);
    pass(&b, &mine[1]);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pass(&b, &yours[0]);
    pass(&a, &yours[1]);
    CHOOSE(total++, pass(&a, &total));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return total > 2;
}
