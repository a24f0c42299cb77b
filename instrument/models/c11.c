/* c11.c - C11 <threads.h>. glibc's own versions call pthread functions inside libc, past us; their
 * types are those of pthreads, so the models serve them as well. */
#include <errno.h>
#include <stdint.h>

#include "clock.h"
#include "mutex.h"
#include "core/real.h"

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex fits in mtx_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition variable fits in cnd_t");
_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "a once control is a once_flag");

#define MUTEX(m) ((pthread_mutex_t *)(void *)(m))
#define COND(c) ((pthread_cond_t *)(void *)(c))

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
    struct start *s = data;
    return (void *)(intptr_t)s->routine(s->arg);
}

HDI_EXPORT int thrd_create(thrd_t *out, thrd_start_t routine, void *arg)
{
    struct start *s;
    int rc;

    if (!hdi_enter())
        return hdi_real.thrd_create(out, routine, arg);
    if (hdi_spawn_fails(HDI_SITE()))
        return thrd_nomem;
    s = hdi_alloc(sizeof *s);
    *s = (struct start){routine, arg};
    rc = hdi_spawn(out, NULL, run, s, (const void *)(uintptr_t)routine, HDI_SITE());
    if (rc == 0)
        hdi_released(NULL, HDI_SITE());
    return rc == EAGAIN ? thrd_nomem : answer(rc);
}

HDI_EXPORT int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int rc;

    if (!hdi_enter())
        return hdi_real.thrd_join(thread, result);
    rc = hdi_join(thread, &value, 0, HDI_SITE());
    if (rc == 0 && result)
        *result = (int)(intptr_t)value;
    return answer(rc);
}

HDI_EXPORT int thrd_detach(thrd_t thread)
{
    return answer(pthread_detach(thread));
}

HDI_EXPORT void thrd_yield(void)
{
    if (hdi_enter())
        HDI_YIELD(HDI_SITE());
    else
        hdi_real.sched_yield();
}

HDI_EXPORT int thrd_sleep(const struct timespec *duration, struct timespec *left)
{
    int rc = nanosleep(duration, left);
    return rc == 0 ? 0 : errno == EINTR ? -1 : -2;
}

HDI_EXPORT int mtx_init(mtx_t *m, int type)
{
    pthread_mutexattr_t attr;
    int rc;

    pthread_mutexattr_init(&attr);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    rc = pthread_mutex_init(MUTEX(m), &attr);
    pthread_mutexattr_destroy(&attr);
    return answer(rc);
}

HDI_EXPORT void mtx_destroy(mtx_t *m)
{
    pthread_mutex_destroy(MUTEX(m));
}

HDI_EXPORT int mtx_lock(mtx_t *m)
{
    return answer(hdi_enter() ? hdi_mutex_lock(MUTEX(m), 0, HDI_SITE())
                              : hdi_real.pthread_mutex_lock(MUTEX(m)));
}

HDI_EXPORT int mtx_trylock(mtx_t *m)
{
    return answer(hdi_enter() ? hdi_mutex_trylock(MUTEX(m), HDI_SITE())
                              : hdi_real.pthread_mutex_trylock(MUTEX(m)));
}

HDI_EXPORT int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict abs)
{
    if (!hdi_enter())
        return answer(hdi_real.pthread_mutex_timedlock(MUTEX(m), abs));
    if (!hdi_timespec_valid(abs))
        return thrd_error;
    return answer(hdi_mutex_lock(MUTEX(m), hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE()));
}

HDI_EXPORT int mtx_unlock(mtx_t *m)
{
    return answer(hdi_enter() ? hdi_mutex_unlock(MUTEX(m), HDI_SITE())
                              : hdi_real.pthread_mutex_unlock(MUTEX(m)));
}

HDI_EXPORT int cnd_init(cnd_t *c)
{
    return answer(pthread_cond_init(COND(c), NULL));
}

HDI_EXPORT void cnd_destroy(cnd_t *c)
{
    pthread_cond_destroy(COND(c));
}

HDI_EXPORT int cnd_signal(cnd_t *c)
{
    if (!hdi_enter())
        return answer(hdi_real.pthread_cond_signal(COND(c)));
    hdi_cond_signal(COND(c), HDI_SITE());
    return thrd_success;
}

HDI_EXPORT int cnd_broadcast(cnd_t *c)
{
    if (!hdi_enter())
        return answer(hdi_real.pthread_cond_broadcast(COND(c)));
    hdi_cond_broadcast(COND(c), HDI_SITE());
    return thrd_success;
}

HDI_EXPORT int cnd_wait(cnd_t *c, mtx_t *m)
{
    return answer(hdi_enter() ? hdi_cond_wait(COND(c), MUTEX(m), 0, HDI_SITE())
                              : hdi_real.pthread_cond_wait(COND(c), MUTEX(m)));
}

HDI_EXPORT int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
                             const struct timespec *restrict abs)
{
    if (!hdi_enter() || !hdi_timespec_valid(abs))
        return answer(hdi_real.pthread_cond_timedwait(COND(c), MUTEX(m), abs));
    return answer(hdi_cond_wait(COND(c), MUTEX(m), hdi_deadline(CLOCK_REALTIME, abs), HDI_SITE()));
}

HDI_EXPORT void call_once(once_flag *flag, void (*routine)(void))
{
    pthread_once((pthread_once_t *)(void *)flag, routine);
}
