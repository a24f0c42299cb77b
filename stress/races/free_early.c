/* Main frees what a thread still reads. */
#include "pattern.h"

static void *reader(void *arg)
{
    int *p = arg;
    return p[1] ? arg : NULL;
}

int main(void)
{
    int *p = calloc(4, sizeof *p);
    pthread_t t;
    pthread_create(&t, NULL, reader, p);
    CHOOSE(free(p), (void)0);
    pthread_join(t, NULL);
    CHOOSE((void)0, free(p));
    return 0;
}
