/* The access lies in the middle of code without a lock, in the third round of a loop. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int cell[4], mine, yours;

static void *quick(void *arg)
{
    for (int i = 0; i < 4; i++)
        CHOOSE(cell[i] = i, pass(&lock, &cell[i]));
    pass(&lock, &mine);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pass(&lock, &yours);
    CHOOSE(cell[2]++, pass(&lock, &cell[2]));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return cell[2] + mine + yours > 100;
}
