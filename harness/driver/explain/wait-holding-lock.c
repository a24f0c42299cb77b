/* wait-holding-lock - a thread waits with a lock that its waker needs
 *
 * Means:  The waker came first by chance. Next time it stands at the lock, and the wait never
 *         ends.
 * Found:  From a schedule that went well: who ended the wait had taken that lock before; then
 *         brought about.
 * Limits: Not confirmed: no try came there.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <semaphore.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static sem_t filled;

static void *reader(void *arg)
{
#ifdef RIGHT
    sem_wait(&filled);
#endif
    pthread_mutex_lock(&table);
#ifndef RIGHT
    sem_wait(&filled);
#endif
    pthread_mutex_unlock(&table);
    return arg;
}

static void *writer(void *arg)
{
    pthread_mutex_lock(&table);
    pthread_mutex_unlock(&table);
    sem_post(&filled);
    return arg;
}

int main(void)
{
    pthread_t a, b;

    sem_init(&filled, 0, 0);
    pthread_create(&a, NULL, reader, NULL);
    pthread_create(&b, NULL, writer, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    return 0;
}
