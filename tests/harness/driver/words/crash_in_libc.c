/* A null pointer goes to libc, in a thread whose name has two lines. */
#include <pthread.h>
#include <string.h>

static char *volatile where;

static void *worker(void *unused)
{
    pthread_setname_np(pthread_self(), "two\nlines");
    memset(where, 1, 100000);
    return unused;
}

int main(void)
{
    pthread_t t;

    pthread_create(&t, NULL, worker, NULL);
    return pthread_join(t, NULL);
}
