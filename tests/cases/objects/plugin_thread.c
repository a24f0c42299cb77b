/* A plugin that makes a thread as it is loaded, and joins it as it is taken out. */
#include <pthread.h>

static pthread_t t;
int plugin_ran;

static void *work(void *arg)
{
    plugin_ran++;
    return arg;
}

__attribute__((constructor)) static void loaded(void)
{
    pthread_create(&t, NULL, work, NULL);
}

__attribute__((destructor)) static void unloaded(void)
{
    pthread_join(t, NULL);
}
