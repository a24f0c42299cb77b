/* Two threads enter two things in opposite orders, whoever else lives: cycle FIRST SECOND COMPANY
 * TWIN. A right one enters them in one order. */
#include "company.h"

typedef void then(void);

static void nothing(void)
{
}

/* Each enters thing i, does `next` inside, and leaves it. */
#define LOCKED(name, type, lock, unlock)                                                           \
    static type name[2];                                                                           \
    static void in_##name(int i, then *next)                                                       \
    {                                                                                              \
        lock(&name[i]);                                                                            \
        next();                                                                                    \
        unlock(&name[i]);                                                                          \
    }

LOCKED(mutex, pthread_mutex_t, pthread_mutex_lock, pthread_mutex_unlock)
LOCKED(recursive, pthread_mutex_t, pthread_mutex_lock, pthread_mutex_unlock)
LOCKED(errorcheck, pthread_mutex_t, pthread_mutex_lock, pthread_mutex_unlock)
LOCKED(rwlock, pthread_rwlock_t, pthread_rwlock_wrlock, pthread_rwlock_unlock)
LOCKED(spin, pthread_spinlock_t, pthread_spin_lock, pthread_spin_unlock)
LOCKED(sem, sem_t, sem_wait, sem_post)
LOCKED(c11, mtx_t, mtx_lock, mtx_unlock)
LOCKED(hd_mutex, struct hd_mutex, hd_mutex_lock, hd_mutex_unlock)
LOCKED(hd_rwmutex, struct hd_rwmutex, hd_rwmutex_lock, hd_rwmutex_unlock)

/* Read what is entered first, write what is entered inside that. */
static void in_rwlock_read(int i, then *next)
{
    if (next == nothing)
        pthread_rwlock_wrlock(&rwlock[i]);
    else
        pthread_rwlock_rdlock(&rwlock[i]);
    next();
    pthread_rwlock_unlock(&rwlock[i]);
}

/* A channel of one is a lock: who could send is in. */
static struct hd_chan *channel[2];

static void in_channel(int i, then *next)
{
    hd_chan_send(channel[i], NULL);
    next();
    hd_chan_recv(channel[i], NULL);
}

static struct hd_semaphore hd_semaphore[2];

static void in_hd_semaphore(int i, then *next)
{
    if (hd_semaphore_acquire(&hd_semaphore[i], hd_context_background(), 1))
        exit(2);
    next();
    hd_semaphore_release(&hd_semaphore[i], 1);
}

/* Things done once have an owner while they are being done. */
static pthread_once_t once[2] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};
static once_flag c11_once[2] = {ONCE_FLAG_INIT, ONCE_FLAG_INIT};
static struct hd_once hd_once[2];
static _Thread_local then *in_once;

static void call(void)
{
    in_once();
}

static void in_pthread_once(int i, then *next)
{
    in_once = next;
    pthread_once(&once[i], call);
}

static void in_call_once(int i, then *next)
{
    in_once = next;
    call_once(&c11_once[i], call);
}

static void call_arg(void *next)
{
    (*(then **)next)();
}

static void in_hd_once(int i, then *next)
{
    hd_once_do(&hd_once[i], call_arg, &next);
}

static const struct thing {
    const char *name;
    void (*in)(int i, then *next);
} things[] = {
    {"mutex", in_mutex},
    {"recursive", in_recursive},
    {"errorcheck", in_errorcheck},
    {"rwlock", in_rwlock},
    {"rwlock_read", in_rwlock_read},
    {"spin", in_spin},
    {"sem", in_sem},
    {"c11", in_c11},
    {"hd_mutex", in_hd_mutex},
    {"hd_rwmutex", in_hd_rwmutex},
    {"channel", in_channel},
    {"hd_semaphore", in_hd_semaphore},
    {"pthread_once", in_pthread_once},
    {"call_once", in_call_once},
    {"hd_once", in_hd_once},
};
static const struct thing *first, *second;

static const struct thing *thing(const char *name)
{
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        if (strcmp(things[i].name, name) == 0)
            return &things[i];
    exit(2);
}

static void make_things(void)
{
    pthread_mutexattr_t attr;

    for (int i = 0; i < 2; i++) {
        pthread_mutex_init(&mutex[i], NULL);
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(&recursive[i], &attr);
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
        pthread_mutex_init(&errorcheck[i], &attr);
        pthread_rwlock_init(&rwlock[i], NULL);
        pthread_spin_init(&spin[i], PTHREAD_PROCESS_PRIVATE);
        sem_init(&sem[i], 0, 1);
        mtx_init(&c11[i], mtx_plain);
        channel[i] = hd_chan_make(0, 1);
        hd_semaphore_init(&hd_semaphore[i], 1, NULL);
    }
}

static void in_first(void)
{
    first->in(0, nothing);
}

static void in_second(void)
{
    second->in(1, nothing);
}

static void *one(void *arg)
{
    first->in(0, in_second);
    return arg;
}

static void *two(void *arg)
{
    if (wrong)
        second->in(1, in_first);
    else
        first->in(0, in_second);
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 3);
    first = thing(argv[1]);
    second = thing(argv[2]);
    naps_begin();
    nap_ms = 50;
    make_things();
    first_body = one;
    second_body = two;
    PICK(companies, argv[3])->run();
    return 0;
}
