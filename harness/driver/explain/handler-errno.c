/* handler-errno - a signal handler comes back with another errno than it found
 *
 * Means:  A handler can come between a call that fails and the look at errno: the interrupted code then
 *         sees the handler's error.
 * Found:  At the end of the handler, if errno is not what it was, whatever it came into.
 * Limits: Not of a signal that a thread sends to itself, nor in a call that ends with EINTR or is restarted.
 *         Whether the code looks at errno is not known; handlers whose calls never fail are not told of.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number)
{
#ifdef RIGHT
    int kept = errno;
#endif

    (void)number;
    (void)!write(-1, "x", 1); /* fails: EBADF */
#ifdef RIGHT
    errno = kept;
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

    sigaction(SIGUSR1, &sa, NULL);
    pthread_create(&a, NULL, worker, NULL);
    pthread_kill(a, SIGUSR1);
    pthread_join(a, NULL);
    return 0;
}
