/* wait_names.c - functions of libc that wait, by name. */
#include <string.h>

#include "waits.h"

const char *wait_bare_name(const char *name)
{
    name += strspn(name, "_");
    if (strncmp(name, "GI_", 3) == 0)
        name += 3;
    return name + strspn(name, "_");
}

enum hd_event wait_function(const char *function)
{
    static const struct {
        const char *name;
        enum hd_event kind;
    } table[] = {
        {"pthread_mutex_cond_lock", HD_EV_COND_RELOCK},
        {"pthread_mutex_lock", HD_EV_MUTEX_LOCK},
        {"pthread_mutex_timedlock", HD_EV_MUTEX_LOCK},
        {"pthread_mutex_clocklock", HD_EV_MUTEX_LOCK},
        {"mtx_lock", HD_EV_MUTEX_LOCK},
        {"mtx_timedlock", HD_EV_MUTEX_LOCK},
        {"pthread_cond_wait", HD_EV_COND_WAIT},
        {"pthread_cond_timedwait", HD_EV_COND_WAIT},
        {"pthread_cond_clockwait", HD_EV_COND_WAIT},
        {"cnd_wait", HD_EV_COND_WAIT},
        {"cnd_timedwait", HD_EV_COND_WAIT},
        {"pthread_rwlock_rdlock", HD_EV_RWLOCK_RDLOCK},
        {"pthread_rwlock_timedrdlock", HD_EV_RWLOCK_RDLOCK},
        {"pthread_rwlock_clockrdlock", HD_EV_RWLOCK_RDLOCK},
        {"pthread_rwlock_wrlock", HD_EV_RWLOCK_WRLOCK},
        {"pthread_rwlock_timedwrlock", HD_EV_RWLOCK_WRLOCK},
        {"pthread_rwlock_clockwrlock", HD_EV_RWLOCK_WRLOCK},
        {"pthread_barrier_wait", HD_EV_BARRIER_WAIT},
        {"pthread_once", HD_EV_ONCE},
        {"call_once", HD_EV_ONCE},
        {"cxa_guard_acquire", HD_EV_ONCE},
        {"pthread_join", HD_EV_THREAD_JOIN},
        {"pthread_timedjoin", HD_EV_THREAD_JOIN},
        {"pthread_clockjoin", HD_EV_THREAD_JOIN},
        {"thrd_join", HD_EV_THREAD_JOIN},
        {"sem_wait", HD_EV_SEM_WAIT},
        {"sem_timedwait", HD_EV_SEM_WAIT},
        {"sem_clockwait", HD_EV_SEM_WAIT},
        {"new_sem_", HD_EV_SEM_WAIT},
    };
    const char *name = wait_bare_name(function);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strncmp(name, table[i].name, strlen(table[i].name)) == 0)
            return table[i].kind;
    return HD_EV_NONE;
}
