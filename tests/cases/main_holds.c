/* A lock is still held at the end of its owner, and another thread wants it: main_holds LOCK END TWIN. A right
 * one gives it back. */
#include "company.h"

#define LOCK(name, init, lock_it, want, unlock_it)                                                 \
    static init;                                                                                   \
    static void lock_##name(void)                                                                  \
    {                                                                                              \
        lock_it(&name);                                                                            \
    }                                                                                              \
    static void want_##name(void)                                                                  \
    {                                                                                              \
        want(&name);                                                                               \
    }                                                                                              \
    static void unlock_##name(void)                                                                \
    {                                                                                              \
        unlock_it(&name);                                                                          \
    }

LOCK(mutex, pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, pthread_mutex_lock,
     pthread_mutex_lock, pthread_mutex_unlock)
LOCK(written, pthread_rwlock_t written = PTHREAD_RWLOCK_INITIALIZER, pthread_rwlock_wrlock,
     pthread_rwlock_rdlock, pthread_rwlock_unlock)
LOCK(read_lock, pthread_rwlock_t read_lock = PTHREAD_RWLOCK_INITIALIZER, pthread_rwlock_rdlock,
     pthread_rwlock_wrlock, pthread_rwlock_unlock)
LOCK(spin, pthread_spinlock_t spin, pthread_spin_lock, pthread_spin_lock, pthread_spin_unlock)
LOCK(c11, mtx_t c11, mtx_lock, mtx_lock, mtx_unlock)
LOCK(sem, sem_t sem, sem_wait, sem_wait, sem_post)
LOCK(hd_mutex, struct hd_mutex hd_mutex, hd_mutex_lock, hd_mutex_lock, hd_mutex_unlock)
LOCK(hd_rwmutex, struct hd_rwmutex hd_rwmutex, hd_rwmutex_lock, hd_rwmutex_lock, hd_rwmutex_unlock)

static const struct lock {
    const char *name;
    void (*lock)(void), (*want)(void), (*unlock)(void);
} locks[] = {{"mutex", lock_mutex, want_mutex, unlock_mutex},
             {"written", lock_written, want_written, unlock_written},
             {"read", lock_read_lock, want_read_lock, unlock_read_lock},
             {"spin", lock_spin, want_spin, unlock_spin},
             {"c11", lock_c11, want_c11, unlock_c11},
             {"sem", lock_sem, want_sem, unlock_sem},
             {"hd_mutex", lock_hd_mutex, want_hd_mutex, unlock_hd_mutex},
             {"hd_rwmutex", lock_hd_rwmutex, want_hd_rwmutex, unlock_hd_rwmutex}};
static const struct lock *lock;

static void *wants(void *arg)
{
    lock->want();
    lock->unlock();
    return arg;
}

static void *takes(void *arg)
{
    lock->lock();
    if (!wrong)
        lock->unlock();
    return arg;
}

static void hold(void)
{
    lock->lock();
    start_detached(wants, NULL);
    nap_usleep();
    if (!wrong)
        lock->unlock();
}

static void end_return(void)
{
    hold();
}

static void end_exit(void)
{
    hold();
    exit(0);
}

static void end_at_once(void)
{
    hold();
    _exit(0);
}

static void end_pthread_exit(void)
{
    hold();
    pthread_exit(NULL);
}

/* Not main: a thread that is gone, and was waited for. */
static void end_thread(void)
{
    finish(start(takes, NULL));
    start_detached(wants, NULL);
    nap_usleep();
}

static void goes(void *arg)
{
    wants(arg);
}

static void end_goroutine(void)
{
    lock->lock();
    if (hd_go(goes, NULL))
        exit(2);
    hd_sleep(nap_ms * HD_MILLISECOND);
    if (!wrong)
        lock->unlock();
}

static const struct variant ends[] = {VARIANT(end, return ), VARIANT(end, exit),
                                      VARIANT(end, at_once), VARIANT(end, pthread_exit),
                                      VARIANT(end, thread),  VARIANT(end, goroutine)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 2);
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        if (strcmp(locks[i].name, argv[1]) == 0)
            lock = &locks[i];
    if (!lock)
        return 2;
    naps_begin();
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    mtx_init(&c11, mtx_plain);
    sem_init(&sem, 0, 1);
    PICK(ends, argv[2])->run();
    return 0;
}
