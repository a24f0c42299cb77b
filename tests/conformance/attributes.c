/* attributes.c - thread attributes: what they answer, and that the thread gets them. */
#include "check.h"

#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static void detach_state(void)
{
    pthread_attr_t a;
    int state = -1;

    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_getdetachstate(&a, &state));
    CHECK(state == PTHREAD_CREATE_JOINABLE);
    ANSWERS(0, pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED));
    ANSWERS(0, pthread_attr_getdetachstate(&a, &state));
    CHECK(state == PTHREAD_CREATE_DETACHED);
    ANSWERS(EINVAL, pthread_attr_setdetachstate(&a, 17));
    ANSWERS(0, pthread_attr_destroy(&a));
}

static void sizes(void)
{
    pthread_attr_t a;
    size_t n = 0;

    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_setstacksize(&a, 128 << 10));
    ANSWERS(0, pthread_attr_getstacksize(&a, &n));
    CHECK(n == 128 << 10);
    ANSWERS(EINVAL, pthread_attr_setstacksize(&a, (size_t)PTHREAD_STACK_MIN - 1));
    ANSWERS(0, pthread_attr_getguardsize(&a, &n));
    CHECK(n >= 1);
    ANSWERS(0, pthread_attr_setguardsize(&a, 16384));
    ANSWERS(0, pthread_attr_getguardsize(&a, &n));
    CHECK(n == 16384);
    ANSWERS(0, pthread_attr_destroy(&a));
}

static void scheduling(void)
{
    pthread_attr_t a;
    struct sched_param p = {.sched_priority = -1};
    int value = -1;

    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_getinheritsched(&a, &value));
    CHECK(value == PTHREAD_INHERIT_SCHED);
    ANSWERS(0, pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED));
    ANSWERS(0, pthread_attr_getinheritsched(&a, &value));
    CHECK(value == PTHREAD_EXPLICIT_SCHED);
    ANSWERS(EINVAL, pthread_attr_setinheritsched(&a, 99));
    ANSWERS(0, pthread_attr_getschedpolicy(&a, &value));
    CHECK(value == SCHED_OTHER);
    ANSWERS(0, pthread_attr_setschedpolicy(&a, SCHED_FIFO));
    ANSWERS(0, pthread_attr_getschedpolicy(&a, &value));
    CHECK(value == SCHED_FIFO);
    ANSWERS(EINVAL, pthread_attr_setschedpolicy(&a, 99));
    p.sched_priority = sched_get_priority_min(SCHED_FIFO);
    ANSWERS(0, pthread_attr_setschedparam(&a, &p));
    p.sched_priority = -1;
    ANSWERS(0, pthread_attr_getschedparam(&a, &p));
    CHECK(p.sched_priority == sched_get_priority_min(SCHED_FIFO));
    ANSWERS(0, pthread_attr_getscope(&a, &value));
    CHECK(value == PTHREAD_SCOPE_SYSTEM);
    ANSWERS(0, pthread_attr_setscope(&a, PTHREAD_SCOPE_SYSTEM));
    ANSWERS(ENOTSUP, pthread_attr_setscope(&a, PTHREAD_SCOPE_PROCESS));
    ANSWERS(EINVAL, pthread_attr_setscope(&a, 99));
    ANSWERS(0, pthread_attr_destroy(&a));
}

struct stack {
    unsigned char *low;
    size_t bytes;
};

static void *on_stack(void *arg)
{
    const struct stack *s = arg;
    unsigned char here, *p = &here;
    pthread_attr_t a;
    void *low;
    size_t bytes;

    CHECK(p >= s->low && p < s->low + s->bytes);
    ANSWERS(0, pthread_getattr_np(pthread_self(), &a));
    ANSWERS(0, pthread_attr_getstack(&a, &low, &bytes));
    CHECK(low == s->low && bytes == s->bytes);
    ANSWERS(0, pthread_attr_destroy(&a));
    return NULL;
}

static void own_stack(void)
{
    struct stack s = {.bytes = 256 << 10};
    pthread_attr_t a;
    pthread_t t;
    void *low;
    size_t bytes;

    s.low = mmap(NULL, s.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(s.low != MAP_FAILED);
    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_setstack(&a, s.low, s.bytes));
    ANSWERS(0, pthread_attr_getstack(&a, &low, &bytes));
    CHECK(low == s.low && bytes == s.bytes);
    ANSWERS(EINVAL, pthread_attr_setstack(&a, s.low, (size_t)PTHREAD_STACK_MIN - 1));
    ANSWERS(0, pthread_create(&t, &a, on_stack, &s));
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_attr_destroy(&a));
    munmap(s.low, s.bytes);
}

static void *small_stack(void *arg)
{
    return arg;
}

static void smallest_stack(void)
{
    pthread_attr_t a;
    pthread_t t;

    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_setstacksize(&a, (size_t)PTHREAD_STACK_MIN));
    ANSWERS(0, pthread_create(&t, &a, small_stack, NULL));
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_attr_destroy(&a));
}

static void *tells_policy(void *arg)
{
    struct sched_param p;
    int policy = -1;

    ANSWERS(0, pthread_getschedparam(pthread_self(), &policy, &p));
    *(int *)arg = policy;
    return NULL;
}

static void inherits_policy(void)
{
    struct sched_param p;
    pthread_t t;
    int policy = -1, mine = -2;

    ANSWERS(0, pthread_getschedparam(pthread_self(), &mine, &p));
    ANSWERS(0, pthread_create(&t, NULL, tells_policy, &policy));
    ANSWERS(0, pthread_join(t, NULL));
    CHECK(policy == mine);
}

/* Without the right to real-time scheduling the thread is refused, with it the thread has it. */
static void explicit_policy(void)
{
    struct sched_param p = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    pthread_attr_t a;
    pthread_t t;
    int policy = -1, rc;

    ANSWERS(0, pthread_attr_init(&a));
    ANSWERS(0, pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED));
    ANSWERS(0, pthread_attr_setschedpolicy(&a, SCHED_FIFO));
    ANSWERS(0, pthread_attr_setschedparam(&a, &p));
    rc = pthread_create(&t, &a, tells_policy, &policy);
    CHECK(rc == 0 || rc == EPERM);
    if (rc == 0) {
        ANSWERS(0, pthread_join(t, NULL));
        CHECK(policy == SCHED_FIFO);
    }
    ANSWERS(0, pthread_attr_destroy(&a));
}

static void *waits(void *arg)
{
    pthread_mutex_lock(arg);
    pthread_mutex_unlock(arg);
    return NULL;
}

static void parameters_of_another(void)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct sched_param p = {.sched_priority = 0};
    pthread_t t;
    clockid_t clock;
    struct timespec ts;
    int policy;

    pthread_mutex_lock(&gate);
    ANSWERS(0, pthread_create(&t, NULL, waits, &gate));
    ANSWERS(0, pthread_getschedparam(t, &policy, &p));
    CHECK(policy == SCHED_OTHER);
    ANSWERS(0, pthread_setschedparam(t, SCHED_OTHER, &p));
    ANSWERS(EINVAL, pthread_setschedparam(t, 99, &p));
    ANSWERS(0, pthread_setschedprio(t, 0));
    ANSWERS(EINVAL, pthread_setschedprio(t, 1000));
    ANSWERS(0, pthread_getcpuclockid(t, &clock));
    CHECK(clock_gettime(clock, &ts) == 0);
    pthread_mutex_unlock(&gate);
    ANSWERS(0, pthread_join(t, NULL));
}

static void policies(void)
{
    struct sched_param p = {.sched_priority = 0};
    cpu_set_t set;

    CHECK(sched_get_priority_max(SCHED_FIFO) - sched_get_priority_min(SCHED_FIFO) >= 31);
    CHECK(sched_get_priority_max(SCHED_RR) >= sched_get_priority_min(SCHED_RR));
    FAILS(EINVAL, sched_get_priority_max(-1));
    FAILS(EINVAL, sched_get_priority_min(-1));
    CHECK(sched_getscheduler(0) == SCHED_OTHER);
    CHECK(sched_getscheduler(getpid()) == SCHED_OTHER);
    CHECK(sched_getparam(getpid(), &p) == 0 && p.sched_priority == 0);
    FAILS(EINVAL, sched_setscheduler(0, -1, &p));
    CHECK(sched_yield() == 0);
    CPU_ZERO(&set);
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 1);
    ANSWERS(0, pthread_getaffinity_np(pthread_self(), sizeof set, &set));
    ANSWERS(0, pthread_setaffinity_np(pthread_self(), sizeof set, &set));
}

int main(int argc, char **argv)
{
    RUN(detach_state);
    RUN(sizes);
    RUN(scheduling);
    RUN(own_stack);
    RUN(smallest_stack);
    RUN(inherits_policy);
    RUN(explicit_policy);
    RUN(parameters_of_another);
    RUN(policies);
    return conclude();
}
