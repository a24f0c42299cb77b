/* watched_threads.c - the threads of a program that is followed, from creation to end. */
#include "watch_observers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <heddle/watch.h>

#include "wire/label.h"

#define EXPORT __attribute__((visibility("default")))
#define SLAB_BYTES (256u << 10)

static struct follower *_Atomic first;
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER; /* guards the four below; a leaf */
static struct follower *slab;
static uint32_t slab_left, made;
static struct follower *free_ones;
static pthread_key_t end_key;

int64_t observe_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

struct follower *observe_first(void)
{
    return atomic_load_explicit(&first, memory_order_acquire);
}

/* A free one, or a new one; NULL when out of memory. */
static struct follower *make(struct follower *creator, uint64_t site)
{
    struct follower *f;
    observe_real.lock(&making);
    f = free_ones;
    if (f) {
        free_ones = f->next_free;
    } else {
        if (!slab_left) {
            void *p =
                mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            slab = p == MAP_FAILED ? NULL : p;
            slab_left = slab ? SLAB_BYTES / sizeof *slab : 0;
        }
        if (slab_left) {
            f = slab++;
            slab_left--;
            f->next = observe_first();
            atomic_store_explicit(&first, f, memory_order_release);
        }
    }
    if (f) {
        f->number = made++;
        f->creator = creator ? creator->number : 0;
        f->created_site = site;
        f->tid = 0;
        f->handle = (pthread_t){0};
        f->locks = NULL;
        f->kind = HD_EV_NONE;
        f->joined = f->detached = f->told = false;
        f->frames = 0;
        f->leak_expected = f->idle = f->serves = false;
        f->goroutine = 0;
        f->label[0] = '\0';
        f->debt = NULL;
        f->deeds = 0;
        f->alive = true;
        f->used = true;
    }
    observe_real.unlock(&making);
    if (f)
        observe_tell(THREAD_MADE, .follower = f, .site = site);
    return f;
}

static void release(struct follower *f)
{
    if (f->alive || !(f->joined || f->detached) || !atomic_exchange(&f->used, false))
        return;
    if (f->debt)
        observe_library->settled(f->debt);
    observe_real.lock(&making);
    f->next_free = free_ones;
    free_ones = f;
    observe_real.unlock(&making);
}

static void ends(void *arg)
{
    struct follower *f = arg;
    static __thread int rounds;
    if (++rounds < 4) { /* behind the destructors of the program's own keys */
        pthread_setspecific(end_key, f);
        return;
    }
    observe_tell(THREAD_ENDS, .follower = f);
    observe_self_ = NULL;
    f->alive = false;
    release(f);
}

static void begins(struct follower *f)
{
    observe_self_ = f;
    f->handle = pthread_self();
    f->tid = (int)syscall(SYS_gettid);
    pthread_setspecific(end_key, f);
}

struct follower *observe_self(void)
{
    if (__builtin_expect(observe_self_ != NULL, 1))
        return observe_self_;
    if (!observe_on)
        return NULL;
    struct follower *f = make(NULL, 0);
    if (f) {
        f->detached = true;
        begins(f);
    }
    return f;
}

/* Something that is worth telling when it hangs. */
static void did(struct follower *f, enum hd_event event, uintptr_t object, uint64_t site)
{
    struct observe_deed *d = &f->deed[f->deeds++ % FOLLOW_DEEDS];
    d->kind = (uint16_t)event;
    d->object = object;
    d->site = site;
}

void observe_thread_observes(enum hdi_what what, const struct hdi_happened *e)
{
    struct follower *f = e->follower;
    if (!f)
        return;
    switch (what) {
    case HDI_WAITS:
        f->object = (uintptr_t)e->address;
        f->site = e->site;
        f->timed = !(e->mode & HDI_COULD_WAIT);
        f->since_ns = observe_now();
        f->kind = (uint16_t)e->event;
        break;
    case HDI_WOKE:
        did(f, (enum hd_event)f->kind, f->object, f->site);
        f->kind = HD_EV_NONE;
        break;
    case HDI_DONE:
        if (e->event != HD_EV_SEM_WAIT) /* it may have waited, and that was told */
            did(f, e->event, (uintptr_t)e->address, e->site);
        break;
    default:
        break;
    }
}

static void *trampoline(void *arg)
{
    struct follower *f = arg;
    begins(f);
    if (f->debt)
        observe_library->begins(f->debt);
    return f->routine(f->arg);
}

int observe_create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *), void *arg,
                   uint64_t site)
{
    struct follower *me = observe_self(), *f = me ? make(me, site) : NULL;
    int state = PTHREAD_CREATE_JOINABLE, rc;
    if (!f)
        return observe_real.create(out, attr, start, arg);
    if (attr)
        pthread_attr_getdetachstate(attr, &state);
    f->detached = state == PTHREAD_CREATE_DETACHED;
    f->routine = start;
    f->arg = arg;
    if (observe_library)
        f->debt = observe_library->made(f, f->number, (const void *)(uintptr_t)f->created_site);
    rc = observe_real.create(out, attr, trampoline, f);
    if (rc) {
        observe_tell(THREAD_FAILED, .follower = f);
        f->alive = false;
        f->joined = true;
        release(f);
    } else {
        f->handle = *out;
    }
    return rc;
}

EXPORT int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg)
{
    return observe_create(out, attr, start, arg, FOLLOW_SITE());
}

static struct follower *of_handle(pthread_t handle)
{
    struct follower *f = observe_first();
    while (f && !(f->used && !f->joined && !f->detached && pthread_equal(f->handle, handle)))
        f = f->next;
    return f;
}

int observe_join(pthread_t handle, void **result, uint64_t site)
{
    struct follower *me = observe_self(), *f = me ? of_handle(handle) : NULL;
    if (!f)
        return observe_real.join(handle, result);
    observe_tell(WAITS, .follower = me, .address = f, .event = HD_EV_THREAD_JOIN,
                 .mode = HDI_COULD_WAIT, .site = site);
    int rc = observe_real.join(handle, result);
    observe_tell(WOKE, .follower = me);
    if (rc == 0) {
        observe_tell(THREAD_JOINED, .follower = f, .site = site);
        f->joined = true;
        release(f);
    }
    return rc;
}

EXPORT int pthread_join(pthread_t handle, void **result)
{
    return observe_join(handle, result, FOLLOW_SITE());
}

EXPORT int pthread_setname_np(pthread_t handle, const char *name)
{
    static int (*real)(pthread_t, const char *);
    if (!real)
        *(void **)&real = observe_find("pthread_setname_np");
    struct follower *me = observe_self();
    struct follower *f = !me                                     ? NULL
                         : pthread_equal(handle, pthread_self()) ? me
                                                                 : of_handle(handle);
    if (f)
        label_copy(f->label, sizeof f->label, name);
    return real(handle, name);
}

EXPORT int pthread_detach(pthread_t handle)
{
    static int (*real)(pthread_t);
    if (!real)
        *(void **)&real = observe_find("pthread_detach");
    struct follower *f = observe_self() ? of_handle(handle) : NULL;
    int rc = real(handle);
    if (f && rc == 0) {
        f->detached = true;
        release(f);
    }
    return rc;
}

/* ---- what the program says (heddle/annotate.h) ---- */

EXPORT void heddle_rt_lock_order_ok(const void *lock);
EXPORT void heddle_rt_lock_order_ok(const void *lock)
{
    if (observe_on && observe_graph)
        hdi_lock_traits(observe_graph, lock, HDI_LOCK_FINE);
}

EXPORT void heddle_rt_expect_leak(void);
EXPORT void heddle_rt_expect_leak(void)
{
    struct follower *f = observe_self();
    if (f)
        f->leak_expected = true;
}

/* ---- start ---- */

static bool has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ',') && (p[n] == '\0' || p[n] == ','))
            return true;
    return false;
}

bool observe_wanted(void)
{
    const char *wanted = getenv("HEDDLE");
    return wanted && *wanted;
}

/* What the program starts itself is not followed: our entry goes out of its environment. */
static void leave_environment(void)
{
    char *list = getenv("LD_PRELOAD"), *ours = list ? strstr(list, "libheddle-watch.so") : NULL;
    unsetenv("HEDDLE");
    if (!ours)
        return;
    char *begin = ours, *end = ours + strcspn(ours, ": ");
    while (begin > list && begin[-1] != ':' && begin[-1] != ' ')
        begin--;
    if (*end)
        end++;
    memmove(begin, end, strlen(end) + 1);
    if (!*list)
        unsetenv("LD_PRELOAD");
}

static void before_fork(void)
{
    if (observe_graph)
        hdi_lockgraph_fork(observe_graph, true);
    observe_real.lock(&making);
}

static void after_fork(void)
{
    observe_real.unlock(&making);
    if (observe_graph)
        hdi_lockgraph_fork(observe_graph, false);
}

/* The child has one thread and no helper: its locks are followed on, silently. */
static void in_child(void)
{
    after_fork();
    for (struct follower *f = observe_first(); f; f = f->next)
        if (f != observe_self_)
            f->alive = f->used = false;
    if (observe_self_)
        observe_self_->tid = (int)syscall(SYS_gettid);
    observe_report_in_child();
    observe_signals_in_child();
    observe_on = observe_sends = false;
}

__attribute__((constructor(101))) static void start(void)
{
    const char *wanted = getenv("HEDDLE");
    if (!observe_wanted())
        return;
    observe_leaks = has(wanted, "leaks");
    observe_orders = has(wanted, "lockorder");
    observe_dumps = has(wanted, "dump");
    follow_usr1 = has(wanted, "usr1");
    observe_report_start();
    observe_sends = observe_sends && observe_orders && has(wanted, "graph");
    leave_environment();
    pthread_key_create(&end_key, ends);
    if (observe_orders) {
        struct hdi_lock_calls calls = {.found = observe_ring};
        observe_graph = hdi_lockgraph_new(&calls);
    }
    observe_on = true;
    struct follower *me = observe_self();
    if (me)
        me->detached = true; /* nobody joins main */
    pthread_atfork(before_fork, after_fork, in_child);
    observe_helper_start();
}

__attribute__((destructor(101))) static void end(void)
{
    if (!observe_on)
        return;
    observe_finish_dumps();
    observe_tell(ENDS, .follower = observe_self_);
    observe_note_forgotten();
    if (observe_sends)
        observe_send_graph();
    if (observe_leaks)
        observe_leaks_at_exit();
    observe_on = false;
}
