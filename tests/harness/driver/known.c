/* known.c - threads whose interleavings can be counted: N threads each take one lock K times, which is
 * (N K)! / (K!)^N orders of the sections.
 *   known N K */
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int times;

static void *take(void *arg)
{
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread[8];
    int threads = argc > 2 ? atoi(argv[1]) : 2;

    times = argc > 2 ? atoi(argv[2]) : 2;
    for (int i = 0; i < threads && i < 8; i++)
        pthread_create(&thread[i], NULL, take, NULL);
    for (int i = 0; i < threads && i < 8; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
