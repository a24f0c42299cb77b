/* The owner frees a block that a thread still writes. */
#include "pattern.h"

static void *work(void *arg)
{
    ((char *)arg)[3] = 'x';
    return NULL;
}

int main(void)
{
    char *block = malloc(16);
    pthread_t t;

    pthread_create(&t, NULL, work, block);
#if RIGHT
    pthread_join(t, NULL);
    free(block);
#else
    free(block);
    pthread_join(t, NULL);
#endif
    return 0;
}
