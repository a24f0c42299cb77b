/* Two threads look again and again until the third has passed a lock: whoever keeps that one back
 * makes them spin, and that is no livelock. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int told;

static void *looks(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    while (!told)
        sched_yield();
    return unused;
}

int main(void)
{
    pthread_t a, b;

    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    pthread_create(&a, NULL, looks, NULL);
    pthread_create(&b, NULL, looks, NULL);
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&lock);
        told += i == 2;
        pthread_mutex_unlock(&lock);
    }
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
