/* A signal handler takes a lock that the thread it interrupts may hold. */
#include "classic.h"

#include <signal.h>
#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int asked;
static int done;

static void on_signal(int number)
{
    (void)number;
#if RIGHT
    asked = 1; /* the thread itself will see */
#else
    pthread_mutex_lock(&lock);
    done++;
    pthread_mutex_unlock(&lock);
#endif
}

static void *worker(void *arg)
{
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&lock);
        done += 1 + asked;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    pthread_create(&t, NULL, worker, NULL);
    pthread_kill(t, SIGUSR1);
    pthread_join(t, NULL);
    return 0;
}
