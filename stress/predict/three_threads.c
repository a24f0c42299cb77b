/* The order comes about over a third thread, which takes first one lock and then the other. */
#include "pattern.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int result, first, second[2], third;

static void *quick(void *arg)
{
    CHOOSE(result = 1, pass(&b, &result));
    pass(&a, &first);
    return arg;
}

static void *between(void *arg)
{
    be_late();
    pass(&a, &second[0]);
    pass(&b, &second[1]);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    be_late();
    pass(&b, &third);
    CHOOSE(result = 2, pass(&b, &result));
    return arg;
}

int main(void)
{
    run3(quick, between, slow);
    return result > 10;
}
