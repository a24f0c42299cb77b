/* A lock that guards something else lies between the two writes. */
#include "pattern.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int config, early, late;

static void *quick(void *arg)
{
    CHOOSE(config = 1, pass(&lock, &config));
    pass(&lock, &early);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pass(&lock, &late);
    CHOOSE(config = 2, pass(&lock, &config));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return config + early + late > 100;
}
