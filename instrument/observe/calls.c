/* calls.c - the calls in which a thread waits, takes and releases.
 *
 * A lock that is free costs a trylock and one entry in the thread's list of held locks. Only one
 * that is not free is timed.
 */
#include "watch_observers.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROBUST 16 /* of __kind */
#define EXPORT __attribute__((visibility("default")))

struct observe_real observe_real;

#define FUNCTIONS(X)                                                                               \
    X(int, pthread_mutex_trylock, (pthread_mutex_t *))                                             \
    X(int, pthread_mutex_timedlock, (pthread_mutex_t *, const struct timespec *))                  \
    X(int, pthread_mutex_clocklock, (pthread_mutex_t *, clockid_t, const struct timespec *))       \
    X(int, pthread_mutex_destroy, (pthread_mutex_t *))                                             \
    X(int, pthread_mutex_init, (pthread_mutex_t *, const pthread_mutexattr_t *))                   \
    X(int, pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))                               \
    X(int, pthread_cond_timedwait, (pthread_cond_t *, pthread_mutex_t *, const struct timespec *)) \
    X(int, pthread_cond_clockwait,                                                                 \
      (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))                   \
    X(int, pthread_cond_signal, (pthread_cond_t *))                                                \
    X(int, pthread_cond_broadcast, (pthread_cond_t *))                                             \
    X(int, pthread_once, (pthread_once_t *, void (*)(void)))                                       \
    X(int, pthread_rwlock_init, (pthread_rwlock_t *, const pthread_rwlockattr_t *))                \
    X(int, pthread_rwlock_rdlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_rwlock_wrlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t *))                                         \
    X(int, pthread_rwlock_trywrlock, (pthread_rwlock_t *))                                         \
    X(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t *, const struct timespec *))              \
    X(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t *, const struct timespec *))              \
    X(int, pthread_rwlock_clockrdlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))   \
    X(int, pthread_rwlock_clockwrlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))   \
    X(int, pthread_rwlock_unlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_rwlock_destroy, (pthread_rwlock_t *))                                           \
    X(int, pthread_spin_init, (pthread_spinlock_t *, int))                                         \
    X(int, pthread_spin_lock, (pthread_spinlock_t *))                                              \
    X(int, pthread_spin_trylock, (pthread_spinlock_t *))                                           \
    X(int, pthread_spin_unlock, (pthread_spinlock_t *))                                            \
    X(int, pthread_spin_destroy, (pthread_spinlock_t *))                                           \
    X(int, pthread_barrier_wait, (pthread_barrier_t *))                                            \
    X(int, sem_init, (sem_t *, int, unsigned))                                                     \
    X(int, sem_wait, (sem_t *))                                                                    \
    X(int, sem_trywait, (sem_t *))                                                                 \
    X(int, sem_timedwait, (sem_t *, const struct timespec *))                                      \
    X(int, sem_clockwait, (sem_t *, clockid_t, const struct timespec *))                           \
    X(int, sem_post, (sem_t *))                                                                    \
    X(int, sem_destroy, (sem_t *))

#define DECLARE(type, name, arguments) static type(*real_##name) arguments;
FUNCTIONS(DECLARE)
#undef DECLARE

void *observe_find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* Before any constructor that may lock: ours has the highest priority, but for those of libraries
 * that we need, which do not. */
__attribute__((constructor(101))) static void find_all(void)
{
    *(void **)&observe_real.create = observe_find("pthread_create");
    *(void **)&observe_real.join = observe_find("pthread_join");
    *(void **)&observe_real.mask_signals = observe_find("pthread_sigmask");
    *(void **)&observe_real.lock = observe_find("pthread_mutex_lock");
    *(void **)&observe_real.unlock = observe_find("pthread_mutex_unlock");
#define FIND(type, name, arguments) *(void **)&real_##name = observe_find(#name);
    FUNCTIONS(FIND)
#undef FIND
}

/* A call that comes before our constructor. */
#define READY()                                                                                    \
    do {                                                                                           \
        if (__builtin_expect(!observe_real.lock, 0))                                               \
            find_all();                                                                            \
    } while (0)

static inline struct follower *self(void)
{
    return __builtin_expect(observe_self_ != NULL, 1) ? observe_self_ : observe_self();
}

static inline void acquired(struct follower *f, enum hd_object kind, const void *lock,
                            uint32_t mode, uint64_t site)
{
    observe_tell(ACQUIRED, .follower = f, .address = lock, .kind = kind, .mode = mode,
                 .site = site);
}

static inline void released(struct follower *f, const void *lock)
{
    observe_tell(RELEASED, .follower = f, .address = lock);
}

static void done(struct follower *f, enum hd_event event, const void *object, uint32_t mode,
                 uint64_t site)
{
    observe_tell(DONE, .follower = f, .address = object, .event = event, .mode = mode,
                 .site = site);
}

/* rc = call, a wait, in the open. */
#define WAIT_AT(rc, f, operation, object, timed, at, call)                                         \
    do {                                                                                           \
        observe_tell(WAITS, .follower = f, .address = object, .event = operation,                  \
                     .mode = (timed) ? 0 : HDI_COULD_WAIT, .site = at);                            \
        rc = (call);                                                                               \
        observe_tell(WOKE, .follower = f);                                                         \
    } while (0)
#define WAIT(rc, f, operation, object, timed, call)                                                \
    WAIT_AT(rc, f, operation, object, timed, FOLLOW_SITE(), call)

/* ---- mutexes ---- */

/* Lock and unlock of plain mutexes as glibc's own do it for PTHREAD_MUTEX_TIMED_NP, without the
 * call: that is half of what they cost. The layout is part of its ABI. True: it is not free, or not
 * plain. */
static inline __attribute__((always_inline)) bool try_mutex_plain(const struct follower *f,
                                                                  pthread_mutex_t *m)
{
    int free = 0;
    if (m->__data.__kind != PTHREAD_MUTEX_TIMED_NP ||
        !__atomic_compare_exchange_n(&m->__data.__lock, &free, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        return true;
    m->__data.__owner = atomic_load_explicit(&f->tid, memory_order_relaxed);
    m->__data.__nusers++;
    return false;
}

static int try_mutex(const struct follower *f, pthread_mutex_t *m)
{
    if (m->__data.__kind & ROBUST) /* glibc's trylock keeps one that cannot be recovered */
        return EBUSY;
    if (m->__data.__kind != PTHREAD_MUTEX_TIMED_NP)
        return real_pthread_mutex_trylock(m);
    return try_mutex_plain(f, m) ? EBUSY : 0;
}

static __attribute__((noinline)) int lock_slowly(pthread_mutex_t *m, uint64_t site)
{
    READY();
    struct follower *f = self();
    if (!f)
        return observe_real.lock(m);
    int rc = try_mutex(f, m);
    if (rc == EBUSY)
        WAIT_AT(rc, f, HD_EV_MUTEX_LOCK, m, false, site, observe_real.lock(m));
    if (rc == 0 || rc == EOWNERDEAD)
        acquired(f, HD_OB_MUTEX, m, 0, site);
    return rc;
}

int observe_mutex_lock(pthread_mutex_t *m, uint64_t site)
{
    return lock_slowly(m, site);
}

static __attribute__((noinline)) int unlock_slowly(pthread_mutex_t *m)
{
    READY();
    released(self(), m); /* before: behind it the mutex may be gone */
    return observe_real.unlock(m);
}

static __attribute__((noinline)) int wake_one(pthread_mutex_t *m)
{
    int saved = errno;
    syscall(SYS_futex, &m->__data.__lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
    return 0;
}

/* A plain mutex that is free, in a thread that is known: no call, no frame. */
EXPORT int pthread_mutex_lock(pthread_mutex_t *m)
{
    struct follower *f = observe_self_;
    if (__builtin_expect(!f || try_mutex_plain(f, m), 0))
        return lock_slowly(m, FOLLOW_SITE());
    acquired(f, HD_OB_MUTEX, m, 0, FOLLOW_SITE());
    return 0;
}

/* One that the thread took last: as glibc's pthread_mutex_unlock does it. */
EXPORT int pthread_mutex_unlock(pthread_mutex_t *m)
{
    struct follower *f = observe_self_;
    if (__builtin_expect(!f || !f->locks || m->__data.__kind != PTHREAD_MUTEX_TIMED_NP ||
                             !lg_released_last(f->locks, m),
                         0))
        return unlock_slowly(m);
    m->__data.__owner = 0;
    m->__data.__nusers--;
    if (__builtin_expect(__atomic_exchange_n(&m->__data.__lock, 0, __ATOMIC_RELEASE) > 1, 0))
        return wake_one(m);
    return 0;
}

int observe_mutex_trylock(pthread_mutex_t *m, uint64_t site)
{
    READY();
    struct follower *f = self();
    int rc = real_pthread_mutex_trylock(m);
    if (rc == 0 || rc == EOWNERDEAD)
        acquired(f, HD_OB_MUTEX, m, HDI_TRIED, site);
    return rc;
}

EXPORT int pthread_mutex_trylock(pthread_mutex_t *m)
{
    return observe_mutex_trylock(m, FOLLOW_SITE());
}

int observe_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until, uint64_t site)
{
    READY();
    struct follower *f = self();
    int rc;
    WAIT_AT(rc, f, HD_EV_MUTEX_LOCK, m, true, site, real_pthread_mutex_timedlock(m, until));
    if (rc == 0 || rc == EOWNERDEAD)
        acquired(f, HD_OB_MUTEX, m, HDI_TRIED, site);
    return rc;
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
    return observe_mutex_timedlock(m, until, FOLLOW_SITE());
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
                                   const struct timespec *until)
{
    READY();
    struct follower *f = self();
    int rc;
    WAIT(rc, f, HD_EV_MUTEX_LOCK, m, true, real_pthread_mutex_clocklock(m, clock, until));
    if (rc == 0 || rc == EOWNERDEAD)
        acquired(f, HD_OB_MUTEX, m, HDI_TRIED, FOLLOW_SITE());
    return rc;
}

int observe_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr, uint64_t site)
{
    READY();
    observe_tell(MADE, .address = m, .site = site);
    return real_pthread_mutex_init(m, attr);
}

EXPORT int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    return observe_mutex_init(m, attr, FOLLOW_SITE());
}

EXPORT int pthread_mutex_destroy(pthread_mutex_t *m)
{
    READY();
    int rc = real_pthread_mutex_destroy(m);
    if (rc == 0)
        observe_tell(DESTROYED, .address = m);
    return rc;
}

/* ---- condition variables ---- */

/* The wait lets go of the mutex and takes it again: while others are held, that is an order too. */
#define COND(call, timed, site)                                                                    \
    READY();                                                                                       \
    struct follower *f = self();                                                                   \
    released(f, m);                                                                                \
    int rc;                                                                                        \
    WAIT_AT(rc, f, HD_EV_COND_WAIT, c, timed, site, call);                                         \
    acquired(f, HD_OB_MUTEX, m, 0, site);                                                          \
    return rc

int observe_cond_wait(pthread_cond_t *c, pthread_mutex_t *m, uint64_t site)
{
    COND(real_pthread_cond_wait(c, m), false, site);
}

int observe_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until,
                           uint64_t site)
{
    COND(real_pthread_cond_timedwait(c, m, until), true, site);
}

EXPORT int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return observe_cond_wait(c, m, FOLLOW_SITE());
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
                                  const struct timespec *until)
{
    return observe_cond_timedwait(c, m, until, FOLLOW_SITE());
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                                  const struct timespec *until)
{
    COND(real_pthread_cond_clockwait(c, m, clock, until), true, FOLLOW_SITE());
}

int observe_cond_signal(pthread_cond_t *c, bool all, uint64_t site)
{
    READY();
    struct follower *f = self();
    done(f, all ? HD_EV_COND_BROADCAST : HD_EV_COND_SIGNAL, c, 0, site);
    return all ? real_pthread_cond_broadcast(c) : real_pthread_cond_signal(c);
}

EXPORT int pthread_cond_signal(pthread_cond_t *c)
{
    return observe_cond_signal(c, false, FOLLOW_SITE());
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *c)
{
    return observe_cond_signal(c, true, FOLLOW_SITE());
}

/* ---- read-write locks ---- */

static uint32_t rwlock_mode(const pthread_rwlock_t *l, uint32_t mode)
{
    return l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP
               ? mode | HDI_WRITER_FIRST
               : mode;
}

EXPORT int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
    READY();
    observe_tell(MADE, .address = l, .site = FOLLOW_SITE());
    return real_pthread_rwlock_init(l, attr);
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    READY();
    struct follower *f = self();
    int rc = real_pthread_rwlock_tryrdlock(l);
    if (rc == EBUSY)
        WAIT(rc, f, HD_EV_RWLOCK_RDLOCK, l, false, real_pthread_rwlock_rdlock(l));
    if (rc == 0)
        acquired(f, HD_OB_RWLOCK, l, rwlock_mode(l, HDI_SHARED), FOLLOW_SITE());
    return rc;
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    READY();
    struct follower *f = self();
    int rc = real_pthread_rwlock_trywrlock(l);
    if (rc == EBUSY)
        WAIT(rc, f, HD_EV_RWLOCK_WRLOCK, l, false, real_pthread_rwlock_wrlock(l));
    if (rc == 0)
        acquired(f, HD_OB_RWLOCK, l, rwlock_mode(l, 0), FOLLOW_SITE());
    return rc;
}

#define RWLOCK_TRY(call, mode)                                                                     \
    READY();                                                                                       \
    struct follower *f = self();                                                                   \
    int rc = call;                                                                                 \
    if (rc == 0)                                                                                   \
        acquired(f, HD_OB_RWLOCK, l, HDI_TRIED | (mode), FOLLOW_SITE());                           \
    return rc

#define RWLOCK_TIMED(kind, call, mode)                                                             \
    READY();                                                                                       \
    struct follower *f = self();                                                                   \
    int rc;                                                                                        \
    WAIT(rc, f, kind, l, true, call);                                                              \
    if (rc == 0)                                                                                   \
        acquired(f, HD_OB_RWLOCK, l, HDI_TRIED | (mode), FOLLOW_SITE());                           \
    return rc

EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    RWLOCK_TRY(real_pthread_rwlock_tryrdlock(l), HDI_SHARED);
}

EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    RWLOCK_TRY(real_pthread_rwlock_trywrlock(l), 0);
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
    RWLOCK_TIMED(HD_EV_RWLOCK_RDLOCK, real_pthread_rwlock_timedrdlock(l, until), HDI_SHARED);
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
    RWLOCK_TIMED(HD_EV_RWLOCK_WRLOCK, real_pthread_rwlock_timedwrlock(l, until), 0);
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock,
                                      const struct timespec *until)
{
    RWLOCK_TIMED(HD_EV_RWLOCK_RDLOCK, real_pthread_rwlock_clockrdlock(l, clock, until), HDI_SHARED);
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock,
                                      const struct timespec *until)
{
    RWLOCK_TIMED(HD_EV_RWLOCK_WRLOCK, real_pthread_rwlock_clockwrlock(l, clock, until), 0);
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    READY();
    released(self(), l);
    return real_pthread_rwlock_unlock(l);
}

EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    READY();
    int rc = real_pthread_rwlock_destroy(l);
    if (rc == 0)
        observe_tell(DESTROYED, .address = l);
    return rc;
}

/* ---- spinlocks ---- */

EXPORT int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
    READY();
    observe_tell(MADE, .address = (const void *)l, .site = FOLLOW_SITE());
    return real_pthread_spin_init(l, shared);
}

EXPORT int pthread_spin_lock(pthread_spinlock_t *l)
{
    READY();
    struct follower *f = self();
    int rc = real_pthread_spin_trylock(l);
    if (rc == EBUSY)
        WAIT(rc, f, HD_EV_SPIN_LOCK, (const void *)l, false, real_pthread_spin_lock(l));
    if (rc == 0)
        acquired(f, HD_OB_SPIN, (const void *)l, 0, FOLLOW_SITE());
    return rc;
}

EXPORT int pthread_spin_trylock(pthread_spinlock_t *l)
{
    READY();
    struct follower *f = self();
    int rc = real_pthread_spin_trylock(l);
    if (rc == 0)
        acquired(f, HD_OB_SPIN, (const void *)l, HDI_TRIED, FOLLOW_SITE());
    return rc;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *l)
{
    READY();
    released(self(), (const void *)l);
    return real_pthread_spin_unlock(l);
}

EXPORT int pthread_spin_destroy(pthread_spinlock_t *l)
{
    READY();
    observe_tell(DESTROYED, .address = (const void *)l);
    return real_pthread_spin_destroy(l);
}

/* ---- barriers, semaphores ---- */

EXPORT int pthread_barrier_wait(pthread_barrier_t *b)
{
    READY();
    struct follower *f = self();
    int rc;
    WAIT(rc, f, HD_EV_BARRIER_WAIT, b, false, real_pthread_barrier_wait(b));
    return rc;
}

EXPORT int sem_init(sem_t *s, int shared, unsigned value)
{
    READY();
    int rc = real_sem_init(s, shared, value);
    observe_tell(MADE, .address = s, .site = FOLLOW_SITE());
    if (rc == 0 && !shared)
        observe_tell(UNITS, .address = s, .n = value);
    return rc;
}

EXPORT int sem_wait(sem_t *s)
{
    READY();
    struct follower *f = self();
    int rc = real_sem_trywait(s);
    if (rc)
        WAIT(rc, f, HD_EV_SEM_WAIT, s, false, real_sem_wait(s));
    if (rc == 0)
        done(f, HD_EV_SEM_WAIT, s, HDI_COULD_WAIT, FOLLOW_SITE());
    return rc;
}

EXPORT int sem_trywait(sem_t *s)
{
    READY();
    struct follower *f = self();
    int rc = real_sem_trywait(s);
    if (rc == 0)
        done(f, HD_EV_SEM_WAIT, s, 0, FOLLOW_SITE());
    return rc;
}

#define SEM_TIMED(call)                                                                            \
    READY();                                                                                       \
    struct follower *f = self();                                                                   \
    int rc;                                                                                        \
    WAIT(rc, f, HD_EV_SEM_WAIT, s, true, call);                                                    \
    if (rc == 0)                                                                                   \
        done(f, HD_EV_SEM_WAIT, s, 0, FOLLOW_SITE());                                              \
    return rc

EXPORT int sem_timedwait(sem_t *s, const struct timespec *until)
{
    SEM_TIMED(real_sem_timedwait(s, until));
}

EXPORT int sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
    SEM_TIMED(real_sem_clockwait(s, clock, until));
}

EXPORT int sem_post(sem_t *s)
{
    READY();
    struct follower *f = self();
    done(f, HD_EV_SEM_POST, s, 0, FOLLOW_SITE());
    return real_sem_post(s);
}

EXPORT int sem_destroy(sem_t *s)
{
    READY();
    int rc = real_sem_destroy(s);
    if (rc == 0)
        observe_tell(DESTROYED, .address = s);
    return rc;
}

/* ---- once ---- */

/* glibc's: bit 1 set when it is done, bit 0 while the initialiser runs. Whoever runs it does not
 * wait. */
int observe_once(pthread_once_t *control, void (*routine)(void), uint64_t site)
{
    READY();
    struct follower *f = self();
    int state = __atomic_load_n(control, __ATOMIC_ACQUIRE), rc;
    if (!f || (state & 2) || !(state & 1))
        return real_pthread_once(control, routine);
    WAIT_AT(rc, f, HD_EV_ONCE, control, false, site, real_pthread_once(control, routine));
    return rc;
}

EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void))
{
    return observe_once(control, routine, FOLLOW_SITE());
}
