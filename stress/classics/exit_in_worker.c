/* A worker calls exit for the whole program, with 3, before the other has found what is looked for. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int finds, looked;

static void look(int found)
{
    pthread_mutex_lock(&lock);
    finds += found;
    looked++;
#if !RIGHT
    if (looked == 1)
        exit(finds ? 0 : 3);
#endif
    pthread_mutex_unlock(&lock);
}

static void *clean(void *arg)
{
    look(0);
    return arg;
}

static void *finder(void *arg)
{
    look(1);
    return arg;
}

int main(void)
{
    both(clean, finder);
    return finds ? 0 : 3;
}
