/* What one thread makes, the other uses, in the hope that it is there. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int *volatile settings;
static int seen;

static void *load(void *arg)
{
    int *made = calloc(4, sizeof *made);
    pthread_mutex_lock(&lock);
    settings = made;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *use(void *arg)
{
    pthread_mutex_lock(&lock);
#ifdef FIXED
    seen += settings ? settings[1] : 0;
#else
    seen += settings[1];
#endif
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t one, two;
    pthread_create(&one, NULL, load, NULL);
    pthread_create(&two, NULL, use, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", seen);
    return 0;
}
