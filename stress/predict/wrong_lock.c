/* Both hold a lock, each another one; a third lies between. */
#include "pattern.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
                       c = PTHREAD_MUTEX_INITIALIZER;
static int sum, left, right;

static void *quick(void *arg)
{
    pass(&a, &sum);
    pass(&c, &left);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pass(&c, &right);
    pass(CHOOSE(&b, &a), &sum);
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    pass(&b, &left);
    return sum > 2;
}
