/* An array grows by realloc while another thread uses its old place. */
#include "pattern.h"

static int *items;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *grow(void *arg)
{
    pthread_mutex_lock(&lock);
    items = realloc(items, 64 * sizeof *items);
    items[63] = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *look(void *arg)
{
    pthread_mutex_lock(&lock);
    int *p = items;
    CHOOSE(pthread_mutex_unlock(&lock), (void)0);
    int first = p[0];
    CHOOSE((void)0, pthread_mutex_unlock(&lock));
    return first ? arg : NULL;
}

int main(void)
{
    items = calloc(4, sizeof *items);
    run2(grow, look, NULL);
    free(items);
    return 0;
}
