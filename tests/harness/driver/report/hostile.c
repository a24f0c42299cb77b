/* Names, messages, arguments and lines of source that are markup: none of it may become part of a page. With any
 * argument it is the same without the mistake. */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static int turns;

/* The file of that name lies in the folder of the test, and has these lines again. */
#line 1 "</script><img src=x onerror=owned=1>.c"
static void *one(void *arg)
{
    pthread_setname_np(pthread_self(), "</script><img>"); /* </script><img src=x onerror=owned=1> */
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&other);
    turns++;
    pthread_mutex_unlock(&other);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *two(void *arg)
{
    pthread_setname_np(pthread_self(), "\xe2\x80\xae<!--<script>");
    pthread_mutex_lock(&other);
    if (turns == 0)
        assert(!"</script><img src=x onerror=owned=1><!--\xe2\x80\xae\\");
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&other);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, two, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
