/* A buffer is cleared while another thread looks at its end. */
#include "pattern.h"

static char secret[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *wipe(void *arg)
{
    pthread_mutex_lock(&lock);
    memset(secret, 0, sizeof secret);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *look(void *arg)
{
    CHOOSE((void)0, pthread_mutex_lock(&lock));
    char last = secret[sizeof secret - 1];
    CHOOSE((void)0, pthread_mutex_unlock(&lock));
    return last ? arg : NULL;
}

int main(void)
{
    run2(wipe, look, NULL);
    return 0;
}
