/* perturb.c - libheddle-perturb.so: the operating system schedules, we push it around a little.
 *
 * For programs too big to control (heddle run --schedule=native --perturb). Loaded before libc, it
 * stands at the calls where threads meet, and there now and then yields, sleeps some microseconds,
 * moves the thread to another CPU or changes its weight for the scheduler. Nothing is modelled, no
 * call changes its meaning. The seed decides what is done at the n-th call of the k-th thread;
 * which schedule comes of it, the kernel decides.
 *
 * source: the idea of ClickHouse's ThreadFuzzer (perturbation from inside at lock operations).
 *
 * System calls are made directly: a sanitizer's wrapper of nanosleep would see a blocking call.
 * Each function stands below ThreadSanitizer's interceptors, like the runtime library.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wire/hash.h"

#define EXPORT __attribute__((visibility("default")))
/* One call in so many does something. */
#define RARITY 3
#define MAX_CPUS 256

static _Bool on;
static uint64_t seed;
static _Atomic uint32_t threads;
static uint64_t cpus[MAX_CPUS / 64];
static int cpu_bytes;

static __thread uint64_t state __attribute__((tls_model("initial-exec")));
static __thread _Bool inside __attribute__((tls_model("initial-exec")));

static uint64_t next(void)
{
    uint64_t random = hash_next(state);

    state += 0x9e3779b97f4a7c15ull;
    return random;
}

static void move_to_other_cpu(uint64_t random)
{
    uint64_t mask[MAX_CPUS / 64] = {0};
    unsigned count = 0, nth;

    for (unsigned i = 0; i < MAX_CPUS; i++)
        count += (unsigned)(cpus[i / 64] >> (i % 64) & 1);
    if (count < 2)
        return;
    nth = (unsigned)(random % (count + 1));
    if (nth == count) { /* anywhere again */
        syscall(SYS_sched_setaffinity, 0, cpu_bytes, cpus);
        return;
    }
    for (unsigned i = 0; i < MAX_CPUS; i++)
        if ((cpus[i / 64] >> (i % 64) & 1) && nth-- == 0)
            mask[i / 64] |= 1ull << (i % 64);
    syscall(SYS_sched_setaffinity, 0, cpu_bytes, mask);
}

static void change_weight(uint64_t random)
{
    struct sched_param none = {0};
    static const int policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_OTHER};

    syscall(SYS_sched_setscheduler, 0, policies[random % 4], &none);
    if (random >> 8 & 1) /* refused to go down again without the right to: then it stays */
        syscall(SYS_setpriority, PRIO_PROCESS, 0, (int)(random >> 16 & 7));
}

static void sleep_for(uint64_t ns)
{
    struct timespec t = {.tv_nsec = (long)ns};

    syscall(SYS_nanosleep, &t, NULL);
}

static void push(void)
{
    int error = errno;

    if (!on || inside)
        return;
    inside = 1;
    if (!state) {
        uint64_t nth = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed);
        state = seed ^ (nth * 0xd1342543de82ef95ull + 1);
        change_weight(next());
    }
    uint64_t r = next();
    if (r % RARITY == 0) {
        r = next();
        unsigned what = r & 15;
        if (what == 0)
            move_to_other_cpu(r >> 4);
        else if (what == 1)
            change_weight(r >> 4);
        else if (what < 10) /* 1 us to 2 ms, short ones as often as long ones */
            sleep_for(1000ull << (r >> 4) % 12);
        else
            syscall(SYS_sched_yield);
    }
    inside = 0;
    errno = error;
}

/* The function behind us. Condition variables have an old and a new kind in glibc. */
static void *real(const char *name)
{
    void *f = NULL;

    if (strncmp(name, "pthread_cond_", 13) == 0)
        f = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (!f)
        f = dlsym(RTLD_NEXT, name);
    if (!f)
        abort();
    return f;
}

/* Pushed before and after: before lets another come first, after lets it come in between. */
#define PUSHED(name, parameters, arguments)                                                        \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        static int(*_Atomic f) parameters;                                                         \
        int(*g) parameters = atomic_load_explicit(&f, memory_order_relaxed);                       \
        if (!g) {                                                                                  \
            g = (int(*) parameters)(uintptr_t)real(#name);                                         \
            atomic_store_explicit(&f, g, memory_order_relaxed);                                    \
        }                                                                                          \
        push();                                                                                    \
        int result = g arguments;                                                                  \
        push();                                                                                    \
        return result;                                                                             \
    }

PUSHED(pthread_create, (pthread_t * t, const pthread_attr_t *a, void *(*start)(void *), void *arg),
       (t, a, start, arg))
PUSHED(pthread_join, (pthread_t t, void **result_of), (t, result_of))
PUSHED(pthread_mutex_lock, (pthread_mutex_t * m), (m))
PUSHED(pthread_mutex_trylock, (pthread_mutex_t * m), (m))
PUSHED(pthread_mutex_unlock, (pthread_mutex_t * m), (m))
PUSHED(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
PUSHED(pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t *m, const struct timespec *t),
       (c, m, t))
PUSHED(pthread_cond_signal, (pthread_cond_t * c), (c))
PUSHED(pthread_cond_broadcast, (pthread_cond_t * c), (c))
PUSHED(pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
PUSHED(pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
PUSHED(pthread_rwlock_unlock, (pthread_rwlock_t * l), (l))
PUSHED(pthread_spin_lock, (pthread_spinlock_t * l), (l))
PUSHED(pthread_spin_unlock, (pthread_spinlock_t * l), (l))
PUSHED(pthread_barrier_wait, (pthread_barrier_t * b), (b))
PUSHED(sem_wait, (sem_t * s), (s))
PUSHED(sem_trywait, (sem_t * s), (s))
PUSHED(sem_post, (sem_t * s), (s))
PUSHED(sched_yield, (void), ())

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("HEDDLE_PERTURB");

    if (!text)
        return;
    seed = strtoull(text, NULL, 10);
    unsetenv("HEDDLE_PERTURB");
    cpu_bytes = (int)syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
    if (cpu_bytes <= 0) {
        memset(cpus, 0, sizeof cpus);
        cpu_bytes = sizeof cpus;
    }
    on = 1;
}
