/* Workers print as they finish. Right: main prints in order of the work. */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int square[3];

static void *worker(void *arg)
{
    int n = *(int *)arg;

    pthread_mutex_lock(&lock);
    square[n] = n * n;
#if !RIGHT
    printf("%d squared is %d\n", n, square[n]);
#endif
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    int number[3] = {0, 1, 2};
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        t[i] = start(worker, &number[i]);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
#if RIGHT
    for (int i = 0; i < 3; i++)
        printf("%d squared is %d\n", i, square[i]);
#endif
    return 0;
}
