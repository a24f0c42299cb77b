/* cond-two-mutexes - threads wait on one condition variable with two mutexes
 *
 * Means:  Which of them guards what is waited for? POSIX leaves it undefined.
 * Found:  At the second wait, while the first one lasts.
 * Limits: One after the other is allowed.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int go;

static void wait_with(pthread_mutex_t *lock)
{
    pthread_mutex_lock(lock);
    while (!__atomic_load_n(&go, __ATOMIC_SEQ_CST))
        pthread_cond_wait(&changed, lock);
    pthread_mutex_unlock(lock);
}

static void *one(void *arg)
{
    wait_with(&first);
    return arg;
}

static void *other(void *arg)
{
#ifdef RIGHT
    wait_with(&first);
#else
    wait_with(&second);
#endif
    return arg;
}

int main(void)
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, other, NULL);
    pthread_mutex_lock(&first);
    pthread_mutex_lock(&second);
    __atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&second);
    pthread_mutex_unlock(&first);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
