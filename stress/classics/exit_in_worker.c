/* A worker calls exit for the whole program, with 0, before the other has found its fault. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int faults, looked;

static void look(int found)
{
    pthread_mutex_lock(&lock);
    faults += found;
    looked++;
#if !RIGHT
    if (looked == 1)
        exit(faults ? 3 : 0);
#endif
    pthread_mutex_unlock(&lock);
}

static void *clean(void *arg)
{
    look(0);
    return arg;
}

static void *faulty(void *arg)
{
    look(1);
    return arg;
}

int main(void)
{
    both(clean, faulty);
    return faults ? 3 : 0;
}
