/* A lock within a lock: the outer one of the late thread is taken inside the early one's, too. */
#include "pattern.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int entries, mine, yours;

static void *quick(void *arg)
{
    CHOOSE(entries++, pass(&b, &entries));
    pthread_mutex_lock(&a);
    pass(&b, &mine);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *slow(void *arg)
{
    be_late();
    pthread_mutex_lock(&a);
    yours++;
    pthread_mutex_unlock(&a);
    pthread_mutex_lock(CHOOSE(&a, &b));
    entries++;
    pthread_mutex_unlock(CHOOSE(&a, &b));
    return arg;
}

int main(void)
{
    run2(quick, slow, NULL);
    return entries + mine + yours > 100;
}
