/* After a time-out the caller takes its request to be unanswered, and asks again; but the answer
 * may have come while it waited for the mutex. Right: it looks at the predicate, not at the result.
 */
#include "classic.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static int answers, resent;

static void *server(void *arg)
{
    const struct timespec work = {0, 10 * 1000 * 1000};

    nanosleep(&work, NULL);
    pthread_mutex_lock(&lock);
    answers++;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *client(void *arg)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 10 * 1000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    while (answers == 0 && error == 0)
        error = pthread_cond_timedwait(&answered, &lock, &until);
#if RIGHT
    if (answers == 0)
#else
    if (error == ETIMEDOUT)
#endif
        resent = answers + 1;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    both(server, client);
    assert(resent <= 1); /* sent twice after it was answered */
    return 0;
}
