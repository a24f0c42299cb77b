/* Code that is not instrumented takes part: what it does itself is not seen, what others do is. */
#include "pattern.h"

static int shared;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((no_sanitize("thread"), noinline, unused)) static void foreign_lock(int take)
{
    if (take)
        pthread_mutex_lock(&lock);
    else
        pthread_mutex_unlock(&lock);
}

__attribute__((no_sanitize("thread"), noinline)) static int foreign_peek(void)
{
    return shared;
}

static void *add(void *arg)
{
    CHOOSE((void)0, foreign_lock(1));
    shared++;
    CHOOSE((void)0, foreign_lock(0));
    return arg;
}

int main(void)
{
    run2(add, add, NULL);
    return foreign_peek() > 2;
}
