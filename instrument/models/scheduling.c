/* scheduling.c - see scheduling.h */
#include "scheduling.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "core/real.h"

#define RESET_ON_FORK 0x40000000 /* SCHED_RESET_ON_FORK */
#define RR_INTERVAL_NS 100000000

typedef struct hdi_thread_scheduling scheduling;

static bool modelled;
static cpu_set_t pinned;         /* where all threads really run */
static bool forked;              /* this is a child of the program: it runs where it likes */
static scheduling child_process; /* of its thread, which the scheduler does not know */

static scheduling *own(void)
{
    struct hdi_thread *self = hdi_self();

    return self ? &self->scheduling : &child_process;
}

/* By number, as the kernel or the program knows it; NULL: not one of ours. */
static scheduling *of_id(int id)
{
    struct hdi_thread **live;
    uint32_t n;

    hdi_start();
    if (!modelled)
        return NULL;
    if (id == 0 || id == hdi_real.syscall(SYS_gettid))
        return own();
    live = hdi_live(&n);
    for (uint32_t i = 0; i < n; i++)
        if (live[i]->tid == id || (!live[i]->creator && hdi_process(id) == live[i]->tid))
            return &live[i]->scheduling;
    return NULL;
}

static scheduling *of_handle(pthread_t handle)
{
    struct hdi_thread *t;

    hdi_start();
    t = modelled && hdi_self() ? hdi_thread_of(handle) : NULL;
    if (!t && modelled && !hdi_self() && pthread_equal(handle, pthread_self()))
        return &child_process;
    return t && !t->life.ended ? &t->scheduling : NULL;
}

/* The handle is of no thread any more: then *rc is the answer, for the C library would look into memory that is
 * none. */
static bool is_missing(pthread_t handle, uint64_t site, int *rc)
{
    bool missing = modelled && hdi_self() && hdi_enter() && hdi_thread_is_gone(handle);

    if (missing)
        *rc = hdi_thread_missing(handle, HDI_ASKED_OF_GONE, HD_EV_NONE, site);
    return missing;
}

static int fail(int error)
{
    if (error)
        errno = error;
    return error ? -1 : 0;
}

/* ---- policies and priorities ---- */

static bool is_real_time(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* May raise its priority: CAP_SYS_NICE. */
static bool is_privileged(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    return hdi_real.syscall(SYS_capget, &header, data) == 0 &&
           (data[0].effective & 1u << CAP_SYS_NICE);
}

static int limit(int which)
{
    struct rlimit l = {0, 0};

    getrlimit((__rlimit_resource_t)which, &l);
    return l.rlim_cur > 99 ? 99 : (int)l.rlim_cur;
}

/* 0, or why the kernel would not do it. */
static int may_be(const scheduling *s, int policy, int priority)
{
    if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE &&
        !is_real_time(policy))
        return EINVAL;
    if (is_real_time(policy) ? priority < 1 || priority > 99 : priority != 0)
        return EINVAL;
    if (is_real_time(policy) && !is_privileged()) {
        if (policy != s->policy && !limit(RLIMIT_RTPRIO))
            return EPERM;
        if (priority > s->priority && priority > limit(RLIMIT_RTPRIO))
            return EPERM;
    }
    return 0;
}

static int set_policy(scheduling *s, int policy, int priority, uint64_t site)
{
    int plain = policy & ~RESET_ON_FORK, error = may_be(s, plain, priority);

    if (error)
        return error;
    if (s->reset_on_fork && !(policy & RESET_ON_FORK) && !is_privileged())
        return EPERM;
    s->policy = plain;
    s->priority = priority;
    s->reset_on_fork = (policy & RESET_ON_FORK) != 0;
    if (is_real_time(plain))
        hdi_unmodelled("priorities of SCHED_FIFO", site);
    return 0;
}

HDI_EXPORT int sched_setscheduler(pid_t pid, int policy, const struct sched_param *p)
{
    scheduling *s = of_id(pid);

    if (!s || !p || policy < 0)
        return hdi_real.sched_setscheduler(hdi_process(pid), policy, p);
    return fail(set_policy(s, policy, p->sched_priority, HDI_SITE()));
}

HDI_EXPORT int sched_getscheduler(pid_t pid)
{
    const scheduling *s = of_id(pid);

    return s ? s->policy | (s->reset_on_fork ? RESET_ON_FORK : 0)
             : hdi_real.sched_getscheduler(hdi_process(pid));
}

HDI_EXPORT int sched_setparam(pid_t pid, const struct sched_param *p)
{
    scheduling *s = of_id(pid);

    if (!s || !p)
        return hdi_real.sched_setparam(hdi_process(pid), p);
    return fail(set_policy(s, s->policy | (s->reset_on_fork ? RESET_ON_FORK : 0), p->sched_priority,
                           HDI_SITE()));
}

HDI_EXPORT int sched_getparam(pid_t pid, struct sched_param *p)
{
    const scheduling *s = of_id(pid);

    if (!s || !p)
        return hdi_real.sched_getparam(hdi_process(pid), p);
    p->sched_priority = s->priority;
    return 0;
}

HDI_EXPORT int sched_rr_get_interval(pid_t pid, struct timespec *t)
{
    const scheduling *s = of_id(pid);

    if (!s || !t || !is_real_time(s->policy))
        return hdi_real.sched_rr_get_interval(hdi_process(pid), t);
    *t = (struct timespec){0, s->policy == SCHED_RR ? RR_INTERVAL_NS : 0};
    return 0;
}

HDI_EXPORT int pthread_setschedparam(pthread_t handle, int policy, const struct sched_param *p)
{
    scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    return s ? set_policy(s, policy, p->sched_priority, HDI_SITE())
             : hdi_real.pthread_setschedparam(handle, policy, p);
}

HDI_EXPORT int pthread_getschedparam(pthread_t handle, int *restrict policy,
                                     struct sched_param *restrict p)
{
    const scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    if (!s)
        return hdi_real.pthread_getschedparam(handle, policy, p);
    *policy = s->policy;
    p->sched_priority = s->priority;
    return 0;
}

HDI_EXPORT int pthread_setschedprio(pthread_t handle, int priority)
{
    scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    return s ? set_policy(s, s->policy, priority, HDI_SITE())
             : hdi_real.pthread_setschedprio(handle, priority);
}

HDI_EXPORT int pthread_getattr_np(pthread_t handle, pthread_attr_t *attr)
{
    const scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    rc = hdi_real.pthread_getattr_np(handle, attr);
    if (rc == 0 && s) {
        struct sched_param p = {.sched_priority = s->priority};
        pthread_attr_setschedpolicy(attr, s->policy);
        pthread_attr_setschedparam(attr, &p);
    }
    return rc;
}

static int set_nice(scheduling *s, int value)
{
    value = value < -20 ? -20 : value > 19 ? 19 : value;
    if (value < s->nice && !is_privileged() && 20 - value > limit(RLIMIT_NICE))
        return EPERM;
    s->nice = value;
    return 0;
}

HDI_EXPORT int nice(int by)
{
    scheduling *s = of_id(0);

    if (!s)
        return hdi_real.nice(by);
    by = by < -40 ? -40 : by > 40 ? 40 : by;
    return set_nice(s, s->nice + by) ? fail(EPERM) : s->nice;
}

HDI_EXPORT int setpriority(__priority_which_t which, id_t who, int value)
{
    scheduling *s = which == PRIO_PROCESS ? of_id((int)who) : NULL;

    if (!s)
        return hdi_real.setpriority(which, (id_t)hdi_process((int)who), value);
    return fail(set_nice(s, value) ? EACCES : 0);
}

HDI_EXPORT int getpriority(__priority_which_t which, id_t who)
{
    const scheduling *s = which == PRIO_PROCESS ? of_id((int)who) : NULL;

    return s ? s->nice : hdi_real.getpriority(which, (id_t)hdi_process((int)who));
}

/* ---- CPUs ---- */

void hdi_scheduling_release_cpu(void)
{
    if (modelled)
        hdi_real.sched_setaffinity(0, sizeof pinned, &own()->cpus);
}

void hdi_scheduling_pin(void)
{
    int saved = errno;

    if (modelled && !forked)
        hdi_real.sched_setaffinity(0, sizeof pinned, &pinned);
    errno = saved;
}

/* The kernel says which CPUs of the set there are: for the moment this thread has them. */
static int set_cpus(scheduling *s, size_t bytes, const cpu_set_t *set)
{
    int error = hdi_real.sched_setaffinity(0, bytes, set) == 0 ? 0 : errno;

    if (!error)
        hdi_real.sched_getaffinity(0, sizeof s->cpus, &s->cpus);
    hdi_scheduling_pin();
    return error;
}

static int get_cpus(const scheduling *s, size_t bytes, cpu_set_t *set)
{
    if (hdi_real.sched_getaffinity(0, bytes, set) != 0)
        return errno;
    memset(set, 0, bytes);
    memcpy(set, &s->cpus, bytes < sizeof s->cpus ? bytes : sizeof s->cpus);
    return 0;
}

HDI_EXPORT int sched_setaffinity(pid_t pid, size_t bytes, const cpu_set_t *set)
{
    scheduling *s = of_id(pid);

    return s ? fail(set_cpus(s, bytes, set))
             : hdi_real.sched_setaffinity(hdi_process(pid), bytes, set);
}

HDI_EXPORT int sched_getaffinity(pid_t pid, size_t bytes, cpu_set_t *set)
{
    const scheduling *s = of_id(pid);

    return s ? fail(get_cpus(s, bytes, set))
             : hdi_real.sched_getaffinity(hdi_process(pid), bytes, set);
}

HDI_EXPORT int pthread_setaffinity_np(pthread_t handle, size_t bytes, const cpu_set_t *set)
{
    scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    return s ? set_cpus(s, bytes, set) : hdi_real.pthread_setaffinity_np(handle, bytes, set);
}

HDI_EXPORT int pthread_getaffinity_np(pthread_t handle, size_t bytes, cpu_set_t *set)
{
    const scheduling *s = of_handle(handle);
    int rc;

    if (is_missing(handle, HDI_SITE(), &rc))
        return rc;
    return s ? get_cpus(s, bytes, set) : hdi_real.pthread_getaffinity_np(handle, bytes, set);
}

/* One that it may run on. */
HDI_EXPORT int sched_getcpu(void)
{
    const scheduling *s = of_id(0);
    int real = hdi_real.sched_getcpu();
    size_t cpu = (size_t)real;

    if (!s || real < 0 || CPU_ISSET(cpu, &s->cpus))
        return real;
    for (cpu = 0; cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &s->cpus); cpu++)
        ;
    return (int)cpu;
}

/* ---- a thread begins ---- */

void hdi_scheduling_start(const cpu_set_t *cpus)
{
    scheduling *s = own();

    if (CPU_COUNT(cpus) == 0 || hdi_real.sched_getaffinity(0, sizeof pinned, &pinned) != 0)
        return;
    s->cpus = *cpus;
    s->policy = hdi_real.sched_getscheduler(0);
    s->reset_on_fork = (s->policy & RESET_ON_FORK) != 0;
    s->policy &= ~RESET_ON_FORK;
    s->nice = hdi_real.getpriority(PRIO_PROCESS, 0);
    modelled = true;
}

/* CPUs of attr, if it names any. */
static bool names_cpus(const pthread_attr_t *attr, cpu_set_t *cpus)
{
    cpu_set_t all;

    memset(&all, 0xff, sizeof all);
    return attr && pthread_attr_getaffinity_np(attr, sizeof *cpus, cpus) == 0 &&
           !CPU_EQUAL(cpus, &all);
}

int hdi_scheduling_inherit(struct hdi_thread *t, const struct hdi_thread *self,
                           const pthread_attr_t *attr)
{
    scheduling *s = &t->scheduling;
    struct sched_param p = {0};
    int how = PTHREAD_INHERIT_SCHED, policy;

    *s = self->scheduling;
    s->own_cpus = names_cpus(attr, &s->cpus);
    if (s->reset_on_fork) {
        if (is_real_time(s->policy))
            s->policy = SCHED_OTHER, s->priority = 0;
        s->nice = s->nice < 0 ? 0 : s->nice;
        s->reset_on_fork = false;
    }
    if (!modelled || !attr || pthread_attr_getinheritsched(attr, &how) != 0 ||
        how != PTHREAD_EXPLICIT_SCHED)
        return 0;
    pthread_attr_getschedpolicy(attr, &policy);
    pthread_attr_getschedparam(attr, &p);
    return set_policy(s, policy, p.sched_priority, t->created_site);
}

const pthread_attr_t *hdi_scheduling_attr(const pthread_attr_t *attr, pthread_attr_t *copy)
{
    int how = PTHREAD_INHERIT_SCHED;

    if (!modelled || !attr || pthread_attr_getinheritsched(attr, &how) != 0 ||
        how != PTHREAD_EXPLICIT_SCHED)
        return attr;
    *copy = *attr; /* what it points to stays attr's */
    pthread_attr_setinheritsched(copy, PTHREAD_INHERIT_SCHED);
    return copy;
}

void hdi_scheduling_begin(void)
{
    scheduling *s = own();

    if (!modelled || !s->own_cpus)
        return;
    hdi_real.sched_getaffinity(0, sizeof s->cpus, &s->cpus);
    hdi_scheduling_pin();
}

void hdi_scheduling_forked(void)
{
    hdi_scheduling_release_cpu();
    child_process = *own();
    forked = true;
}
