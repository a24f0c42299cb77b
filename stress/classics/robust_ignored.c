/* A robust mutex whose owner died is unlocked without being made consistent: it is lost to all. */
#include "classic.h"

static pthread_mutex_t lock;
static int users;

static void *dies(void *arg)
{
    pthread_mutex_lock(&lock);
    return arg;
}

static void *user(void *arg)
{
    int error = pthread_mutex_lock(&lock);

#if RIGHT
    if (error == EOWNERDEAD) {
        pthread_mutex_consistent(&lock);
        error = 0;
    }
#endif
    assert(error == 0 || error == EOWNERDEAD);
    users++;
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&lock, &attr);
    pthread_mutexattr_destroy(&attr);
    pthread_t t = start(dies, NULL), u = start(user, NULL), v = start(user, NULL);
    finish(t);
    finish(u);
    finish(v);
    user(NULL);
    assert(users == 3);
    return 0;
}
