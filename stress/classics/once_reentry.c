/* The initialiser asks for what it initialises. */
#include "classic.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int level;

static void set_up(void);

static int log_level(void)
{
    pthread_once(&once, set_up);
    return level;
}

static void set_up(void)
{
    level = 1;
#if !RIGHT
    level = log_level() + 1;
#else
    level++;
#endif
}

static void *use(void *arg)
{
    assert(log_level() == 2);
    return arg;
}

int main(void)
{
    both(use, use);
    return 0;
}
