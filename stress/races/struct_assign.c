/* A struct of 24 bytes is copied while a field of it changes. */
#include "pattern.h"

static struct {
    long x, y, z;
} point;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *mover(void *arg)
{
    pthread_mutex_lock(&lock);
    point.z = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *copier(void *arg)
{
    CHOOSE((void)0, pthread_mutex_lock(&lock));
    __typeof__(point) copy = point;
    CHOOSE((void)0, pthread_mutex_unlock(&lock));
    return copy.x + copy.y + copy.z ? arg : NULL;
}

int main(void)
{
    run2(mover, copier, NULL);
    return 0;
}
