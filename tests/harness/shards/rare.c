/* rare.c - eighty exit codes, each of one order of the threads' steps in about twenty thousand, and one that is
 * frequent. Where they are met decides which shard meets them. */
#include <pthread.h>

#define STEPS 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long order;

static void *step(void *arg)
{
    for (int i = 0; i < STEPS; i++) {
        pthread_mutex_lock(&lock);
        order = order * 2 + (arg != NULL);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, step, NULL);
    pthread_create(&b, NULL, step, &order);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    unsigned long long mixed = order * 0x9e3779b97f4a7c15ull >> 40;
    if (mixed % 20011 < 80)
        return (int)(10 + mixed % 20011);
    return mixed % 7 == 3;
}
