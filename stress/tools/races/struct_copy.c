/* A structure is copied while another thread changes it. */
#include "pattern.h"

struct config {
    int field[8];
};

static struct config current;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *change(void *arg)
{
    pthread_mutex_lock(&lock);
    current.field[6] = 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *snapshot(void *arg)
{
    struct config copy;

    GUARD(pthread_mutex_lock(&lock));
    memcpy(&copy, &current, sizeof(copy));
    GUARD(pthread_mutex_unlock(&lock));
    return copy.field[6] == 6 ? NULL : arg;
}

int main(void)
{
    run2(change, snapshot, NULL);
    return 0;
}
