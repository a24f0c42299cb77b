/* Threads get a pointer to the loop variable. */
#include "pattern.h"

static void *work(void *arg)
{
    int mine = *(int *)arg;

    return mine == 77 ? arg : NULL;
}

int main(void)
{
    pthread_t t[3];
    int id[3];
    int i;

    for (i = 0; i < 3; i++) {
        id[i] = i;
        pthread_create(&t[i], NULL, work, RIGHT ? &id[i] : &i);
    }
    for (int k = 0; k < 3; k++)
        pthread_join(t[k], NULL);
    return 0;
}
