/* Main takes a lock that another thread wants, and is at its end: main_holds LOCK TWIN. */
#include "case.h"
#include <heddle/heddle.h>

struct lock {
    const char *name;
    void (*lock)(void), (*unlock)(void);
};

static struct hd_mutex go_lock;

static void lock_hd_mutex(void)
{
    hd_mutex_lock(&go_lock);
}

static void unlock_hd_mutex(void)
{
    hd_mutex_unlock(&go_lock);
}

static pthread_mutex_t posix_lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_mutex(void)
{
    pthread_mutex_lock(&posix_lock);
}

static void unlock_mutex(void)
{
    pthread_mutex_unlock(&posix_lock);
}

static const struct lock locks[] = {{"hd_mutex", lock_hd_mutex, unlock_hd_mutex},
                                    {"mutex", lock_mutex, unlock_mutex}};
static const struct lock *lock;

static void *wants(void *arg)
{
    lock->lock();
    lock->unlock();
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        if (strcmp(locks[i].name, argv[1]) == 0)
            lock = &locks[i];
    assert(lock);
    lock->lock();
    start_detached(wants, NULL);
    usleep(10000);
    if (!wrong)
        lock->unlock();
    return 0;
}
