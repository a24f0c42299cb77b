/* handler-call - a signal handler calls what is not async-signal-safe
 *
 * Means:  The handler came into one function that is not async-signal-safe (POSIX, System Interfaces 2.4.3), such as
 *         malloc, printf or pthread_mutex_lock, and calls another: what then happens is undefined. That may be a
 *         deadlock, a broken heap, or nothing in this version of the C library.
 * Found:  When such a handler makes the call. What it came into is named, too.
 * Limits: Not of a signal that a thread sends to itself by raise or kill. Only of calls that Heddle models, of malloc
 *         and its kind and of streams that the program itself calls; sleeps and sched_yield are left out.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t came;
#ifndef RIGHT
static void *volatile block;
#endif

static void on_signal(int number)
{
    (void)number;
#ifdef RIGHT
    sem_post(&came);
#else
    block = malloc(16);
    free(block);
#endif
}

static void *worker(void *arg)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    pthread_t a;

    sem_init(&came, 0, 0);
    sigaction(SIGUSR1, &sa, NULL);
    pthread_create(&a, NULL, worker, NULL);
    pthread_kill(a, SIGUSR1);
    pthread_join(a, NULL);
    return 0;
}
