/* The path of an error unlocks twice. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int free_slots = 1;

static void *reserve(void *arg)
{
    pthread_mutex_lock(&lock);
    if (free_slots == 0) {
        pthread_mutex_unlock(&lock);
        goto full;
    }
    free_slots--;
    pthread_mutex_unlock(&lock);
    return arg;
full:
#if !RIGHT
    pthread_mutex_unlock(&lock);
#endif
    return NULL;
}

int main(void)
{
    both(reserve, reserve);
    return 0;
}
