/* What the making and the end of processes orders, what a library's constructors come after, and what
 * is shared with a child. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "twin.h"

#ifdef LIBRARY

/* The same file, as the library that the program loads. */
int loaded;

__attribute__((constructor)) static void begins(void)
{
    loaded++;
}

int next_number(void)
{
    return ++loaded;
}

int see_and_set(int *x)
{
    return (*x)++;
}

#else

extern char **environ;
int x, sink; /* not static: what nobody reads is not there */
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static sem_t told;
static char library[4096];

static void pair(void *(*one)(void *), void *(*other)(void *))
{
    pthread_t a, b;

    sem_init(&told, 0, 0);
    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, other, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static void before(void)
{
    if (!wrong)
        x = 1;
}

static void after(void)
{
    if (wrong)
        x = 1;
}

/* ---- children: one thread makes it, another sees its end ---- */

static void *forks(void *arg)
{
    before();
    if (fork() == 0)
        _exit(0);
    sem_post(&told);
    after();
    return arg;
}

static void *spawns(void *arg)
{
    char *args[] = {"true", NULL};
    pid_t child;

    before();
    if (posix_spawnp(&child, "true", NULL, NULL, args, environ) != 0)
        abort();
    sem_post(&told);
    after();
    return arg;
}

static void *waits(void *arg)
{
    while (wait(NULL) < 0)
        sched_yield(); /* it is not made yet */
    sink = x;
    return arg;
}

static void forked_and_waited_for(void)
{
    pair(forks, waits);
}

static void spawned_and_waited_for(void)
{
    pair(spawns, waits);
}

/* What the child writes into shared memory the parent reads once it has ended. */
static int *shared;

static void *child_writes(void *arg)
{
    pid_t child = fork();

    if (child == 0) {
        *shared = 7;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    sink = *shared;
    return arg;
}

static void *reads_shared(void *arg)
{
    if (wrong)
        *shared = 1;
    return arg;
}

static void child_wrote(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pair(child_writes, reads_shared);
}

/* A lock and a semaphore that the child uses, too. */
static struct {
    pthread_mutex_t lock;
    sem_t sem;
    int value;
} * common;

static void *adds_in_common(void *arg)
{
    pthread_mutex_lock(&common->lock);
    common->value++;
    pthread_mutex_unlock(&common->lock);
    if (wrong)
        common->value++;
    return arg;
}

static void *adds_in_child(void *arg)
{
    pid_t child = fork();

    if (child == 0) {
        pthread_mutex_lock(&common->lock);
        common->value++;
        pthread_mutex_unlock(&common->lock);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return adds_in_common(arg);
}

static void lock_in_common(void)
{
    pthread_mutexattr_t attr;

    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&common->lock, &attr);
    pair(adds_in_common, adds_in_child);
}

/* One thread wakes the child, the child the other. */
static sem_t *to_child, *from_child;

static void *wakes_child(void *arg)
{
    before();
    sem_post(to_child);
    after();
    return arg;
}

static void *woken_by_child(void *arg)
{
    sem_wait(from_child);
    sink = x;
    return arg;
}

static void through_a_child(void)
{
    pid_t child;

    to_child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    from_child = to_child + 1;
    sem_init(to_child, 1, 0);
    sem_init(from_child, 1, 0);
    child = fork();
    if (child == 0) {
        sem_wait(to_child);
        sem_post(from_child);
        _exit(0);
    }
    pair(wakes_child, woken_by_child);
    waitpid(child, NULL, 0);
}

/* A byte that goes through the child. */
static int there[2], back[2];

static void *writes_to_child(void *arg)
{
    before();
    if (write(there[1], "x", 1) != 1)
        abort();
    after();
    return arg;
}

static void *reads_from_child(void *arg)
{
    char c;

    if (read(back[0], &c, 1) != 1)
        abort();
    sink = x;
    return arg;
}

static void echoed_by_a_child(void)
{
    pid_t child;

    if (pipe(there) != 0 || pipe(back) != 0)
        abort();
    child = fork();
    if (child == 0) {
        char c;
        if (read(there[0], &c, 1) != 1 || write(back[1], &c, 1) != 1)
            _exit(1);
        _exit(0);
    }
    pair(writes_to_child, reads_from_child);
    waitpid(child, NULL, 0);
}

/* What the parent does around a fork, it does in the thread that forks. */
static void prepare(void)
{
    pthread_mutex_lock(&guard);
    x++;
}

static void parent(void)
{
    x++;
    pthread_mutex_unlock(&guard);
}

static void *forks_locked(void *arg)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return arg;
}

static void *counts_locked(void *arg)
{
    if (!wrong)
        pthread_mutex_lock(&guard);
    x++;
    if (!wrong)
        pthread_mutex_unlock(&guard);
    return arg;
}

static void fork_handlers(void)
{
    pthread_atfork(prepare, parent, parent);
    pair(forks_locked, counts_locked);
}

/* ---- libraries ---- */

static void *load(void)
{
    void *handle = dlopen(library, RTLD_NOW);

    if (!handle)
        abort();
    return handle;
}

/* Loaded by whoever comes first; the constructor has run when either goes on. */
static void *loads(void *arg)
{
    void *handle = load();
    int *loaded = dlsym(handle, "loaded");

    if (*loaded != 1 && !wrong)
        abort();
    if (wrong)
        *loaded = 1;
    return arg;
}

static void constructor(void)
{
    pair(loads, loads);
}

/* A function of it, with the lock or beside it. */
static void *numbers(void *arg)
{
    int (*next_number)(void) = dlsym(load(), "next_number");

    if (!wrong)
        pthread_mutex_lock(&guard);
    next_number();
    if (!wrong)
        pthread_mutex_unlock(&guard);
    return arg;
}

static void function_of_library(void)
{
    pair(numbers, numbers);
}

/* Unloaded and loaded again, perhaps at the same place. */
static void *loads_and_unloads(void *arg)
{
    for (int i = 0; i < 3; i++) {
        void *handle;
        pthread_mutex_lock(&guard);
        handle = load();
        ((int (*)(void))dlsym(handle, "next_number"))();
        dlclose(handle);
        pthread_mutex_unlock(&guard);
    }
    if (wrong)
        ((int (*)(int *))dlsym(load(), "see_and_set"))(&x);
    return arg;
}

static void library_unloaded(void)
{
    pair(loads_and_unloads, loads_and_unloads);
}

/* ---- the end of the program ---- */

static void at_end(void)
{
    sink = x;
}

/* Registered by a thread, run by main. */
static void *registers(void *arg)
{
    before();
    atexit(at_end);
    after();
    sem_post(&told);
    return arg;
}

static void exit_handler(void)
{
    pthread_t t;

    sem_init(&told, 0, 0);
    pthread_create(&t, NULL, registers, NULL);
    if (wrong)
        pthread_detach(t);
    else
        pthread_join(t, NULL);
    if (wrong)
        while (!__atomic_load_n(&x, __ATOMIC_RELAXED))
            sched_yield();
}

/* Main ends before the others do, and the last of them ends the program. */
static void *outlives(void *arg)
{
    sem_wait(&told);
    x++;
    return arg;
}

static void main_ends_first(void)
{
    pthread_t t;

    sem_init(&told, 0, 0);
    pthread_create(&t, NULL, outlives, NULL);
    pthread_detach(t);
    if (!wrong)
        x++;
    sem_post(&told);
    if (wrong)
        x++;
    pthread_exit(NULL);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(forked_and_waited_for), VARIANT(spawned_and_waited_for),
        VARIANT(child_wrote),           VARIANT(lock_in_common),
        VARIANT(through_a_child),       VARIANT(echoed_by_a_child),
        VARIANT(fork_handlers),         VARIANT(constructor),
        VARIANT(function_of_library),   VARIANT(library_unloaded),
        VARIANT(exit_handler),          VARIANT(main_ends_first),
    };

    snprintf(library, sizeof library, "%s.so", argv[0]);
    return RUN_VARIANT(table, argc, argv);
}

#endif
