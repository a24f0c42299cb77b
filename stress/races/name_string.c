/* A string is replaced while another thread measures it. */
#include "pattern.h"

static char name[16] = "old";
static const char *volatile source = "new name";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *rename_it(void *arg)
{
    pthread_mutex_lock(&lock);
    strcpy(name, source);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *measure(void *arg)
{
    CHOOSE((void)0, pthread_mutex_lock(&lock));
    size_t n = strlen(name);
    CHOOSE((void)0, pthread_mutex_unlock(&lock));
    return n > 3 ? arg : NULL;
}

int main(void)
{
    run2(rename_it, measure, NULL);
    return 0;
}
