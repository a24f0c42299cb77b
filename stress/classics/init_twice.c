/* Whoever comes first initialises the lock, and both may think that they do: the second initialises
 * a lock that is held. Right: pthread_once. */
#include "classic.h"
#include <stdatomic.h>

static pthread_mutex_t lock;
static int uses;
#if RIGHT
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    pthread_mutex_init(&lock, NULL);
}
#else
static atomic_bool made;
#endif

static void *use(void *arg)
{
#if RIGHT
    pthread_once(&once, set_up);
#else
    if (!made) {
        pthread_mutex_init(&lock, NULL);
        made = true;
    }
#endif
    pthread_mutex_lock(&lock);
    uses++;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(use, use);
    assert(uses == 2);
    return 0;
}
