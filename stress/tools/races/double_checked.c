/* Double-checked initialisation with a plain pointer. */
#include "pattern.h"

static int value;
static int *instance;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int *get(void)
{
    int *p = NULL;

#if !RIGHT
    p = instance;
#endif
    if (!p) {
        pthread_mutex_lock(&lock);
        if (!instance) {
            value = 3;
            instance = &value;
        }
        p = instance;
        pthread_mutex_unlock(&lock);
    }
    return p;
}

static void *use(void *arg)
{
    return *get() == 3 ? arg : NULL;
}

int main(void)
{
    run2(use, use, NULL);
    return 0;
}
