/* Two owners of a thread: whoever comes second joins a thread that is gone. */
#include "classic.h"

static pthread_t helper;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool joined;

static void *help(void *arg)
{
    return arg;
}

static void stop_helper(void)
{
    pthread_mutex_lock(&lock);
    bool mine = !joined;
#if RIGHT
    joined = true;
    pthread_mutex_unlock(&lock);
    if (mine)
        pthread_join(helper, NULL);
#else
    pthread_mutex_unlock(&lock);
    if (mine)
        pthread_join(helper, NULL);
    pthread_mutex_lock(&lock);
    joined = true;
    pthread_mutex_unlock(&lock);
#endif
}

static void *closer(void *arg)
{
    stop_helper();
    return arg;
}

int main(void)
{
    helper = start(help, NULL);
    both(closer, closer);
    return 0;
}
