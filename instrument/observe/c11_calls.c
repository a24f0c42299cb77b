/* c11_calls.c - C11 <threads.h> of a program that is followed. glibc's own versions call pthread
 * functions inside libc, past us; their types are those of pthreads. */
#include "observe.h"

#include <errno.h>
#include <stdlib.h>
#include <threads.h>

#define EXPORT __attribute__((visibility("default")))
#define MUTEX(m) ((pthread_mutex_t *)(void *)(m))
#define COND(c) ((pthread_cond_t *)(void *)(c))

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex fits in mtx_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition variable fits in cnd_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "a once control is a once_flag");

static int answer(int rc)
{
    switch (rc) {
    case 0:
        return thrd_success;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

struct start {
    thrd_start_t routine;
    void *arg;
};

static void *run(void *data)
{
    struct start s = *(struct start *)data;
    free(data);
    return (void *)(intptr_t)s.routine(s.arg);
}

EXPORT int thrd_create(thrd_t *out, thrd_start_t routine, void *arg)
{
    struct start *s = malloc(sizeof *s);
    if (!s)
        return thrd_nomem;
    *s = (struct start){routine, arg};
    int rc = observe_create(out, NULL, run, s, FOLLOW_SITE());
    if (rc)
        free(s);
    return rc == EAGAIN ? thrd_nomem : answer(rc);
}

EXPORT int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int rc = observe_join(thread, &value, FOLLOW_SITE());
    if (rc == 0 && result)
        *result = (int)(intptr_t)value;
    return answer(rc);
}

EXPORT int thrd_detach(thrd_t thread)
{
    return answer(pthread_detach(thread));
}

EXPORT int mtx_lock(mtx_t *m)
{
    return answer(observe_mutex_lock(MUTEX(m), FOLLOW_SITE()));
}

EXPORT int mtx_trylock(mtx_t *m)
{
    return answer(observe_mutex_trylock(MUTEX(m), FOLLOW_SITE()));
}

EXPORT int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
    return answer(observe_mutex_timedlock(MUTEX(m), until, FOLLOW_SITE()));
}

EXPORT int mtx_unlock(mtx_t *m)
{
    return answer(pthread_mutex_unlock(MUTEX(m)));
}

EXPORT int mtx_init(mtx_t *m, int type)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    int rc = observe_mutex_init(MUTEX(m), &attr, FOLLOW_SITE());
    pthread_mutexattr_destroy(&attr);
    return answer(rc);
}

EXPORT void mtx_destroy(mtx_t *m)
{
    pthread_mutex_destroy(MUTEX(m));
}

EXPORT int cnd_wait(cnd_t *c, mtx_t *m)
{
    return answer(observe_cond_wait(COND(c), MUTEX(m), FOLLOW_SITE()));
}

EXPORT int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
                         const struct timespec *restrict until)
{
    return answer(observe_cond_timedwait(COND(c), MUTEX(m), until, FOLLOW_SITE()));
}

EXPORT int cnd_signal(cnd_t *c)
{
    return answer(observe_cond_signal(COND(c), false, FOLLOW_SITE()));
}

EXPORT int cnd_broadcast(cnd_t *c)
{
    return answer(observe_cond_signal(COND(c), true, FOLLOW_SITE()));
}

EXPORT void call_once(once_flag *flag, void (*routine)(void))
{
    observe_once((pthread_once_t *)(void *)flag, routine, FOLLOW_SITE());
}
