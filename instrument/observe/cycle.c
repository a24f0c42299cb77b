/* cycle.c - threads that can never go on: that wait for each other in a circle, behind one, for a
 * thread that has ended, or all together for nobody, while the program runs on or hangs.
 *
 * A look takes what each thread waits for; who owns a mutex or a write lock its own memory says,
 * and a thread that waits cannot take or release anything meanwhile. What two looks in a row see
 * unchanged is true: each wait began before the first and goes on after the second.
 */
#include "observe.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BEHIND_MOST 8u
#define ROBUST_OR_SHARED                                                                           \
    (16 | 128) /* of a mutex's kind: its end tells, or another process has it */

static uint64_t looks;

static struct follower *by_tid(int tid)
{
    for (struct follower *f = observe_first(); f; f = f->next)
        if (f->used && f->alive && f->tid == tid)
            return f;
    return NULL;
}

/* The thread that f waits for; NULL: nobody in particular, or not known. */
static struct follower *awaited(const struct follower *f)
{
    uintptr_t object = f->object;
    switch ((enum hd_event)f->kind) {
    case HD_EV_MUTEX_LOCK:
        return by_tid(((const pthread_mutex_t *)object)->__data.__owner);
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
        return by_tid(((const pthread_rwlock_t *)object)->__data.__cur_writer);
    case HD_EV_THREAD_JOIN:
        return (struct follower *)object;
    default:
        return NULL;
    }
}

static bool stuck(const struct follower *f)
{
    if (!f->used || !f->alive || !f->tid || f->kind == HD_EV_NONE || f->timed)
        return false;
    /* a join returns a little after the thread is over */
    return f->kind != HD_EV_THREAD_JOIN || ((const struct follower *)f->object)->alive;
}

/* In the same wait as at the last look, when there was one. */
static bool settled(const struct follower *f)
{
    return stuck(f) && f->looked_at == looks - 1 && f->looked_since == f->since_ns;
}

static void write_wait(struct observe_text *t, const struct follower *f,
                       const struct follower *owner)
{
    uint64_t site;
    uint32_t mode;
    const void *held;
    observe_add(t, "  T%u", f->number);
    if (f->label[0])
        observe_add(t, " \"%s\"", f->label);
    observe_add(t, " waits, ");
    observe_add_waits_for(t, (enum hd_event)f->kind, f->object);
    if (owner && f->kind != HD_EV_THREAD_JOIN)
        observe_add(t, " held by T%u", owner->number);
    observe_add(t, ", at ");
    observe_add_code(t, f->site);
    observe_add(t, "\n");
    for (uint32_t i = 0; f->locks && (held = hdi_lock_held_at(f->locks, i, &site, &mode)); i++) {
        observe_add(t, "    holds ");
        observe_add_object(t, HD_EV_NONE, (uintptr_t)held);
        observe_add(t, ", taken at ");
        observe_add_code(t, site);
        observe_add(t, "\n");
    }
}

/* Can doing this let one go on that waits so? */
static bool wakes(enum hd_event deed, enum hd_event wait)
{
    switch (wait) {
    case HD_EV_COND_WAIT:
        return deed == HD_EV_COND_SIGNAL || deed == HD_EV_COND_BROADCAST;
    case HD_EV_SEM_WAIT:
        return deed == HD_EV_SEM_POST;
    case HD_EV_BARRIER_WAIT:
        return deed == HD_EV_BARRIER_WAIT;
    default:
        return false;
    }
}

/* Who woke others at that object before: of the last deeds of each thread. */
static void write_wakers(struct observe_text *t, const struct follower *f)
{
    uint32_t told = 0;
    if (f->kind != HD_EV_COND_WAIT && f->kind != HD_EV_SEM_WAIT && f->kind != HD_EV_BARRIER_WAIT)
        return;
    for (const struct follower *g = observe_first(); g && told < 3; g = g->next)
        for (uint32_t i = 0; i < FOLLOW_DEEDS && i < g->deeds && g != f; i++) {
            const struct observe_deed *d = &g->deed[(g->deeds - 1 - i) % FOLLOW_DEEDS];
            if (d->object != f->object || !wakes((enum hd_event)d->kind, (enum hd_event)f->kind))
                continue;
            observe_add(t, "    could be woken by T%u, which %s %s it at ", g->number,
                        g->alive ? "was" : "has ended and was",
                        observe_doing((enum hd_event)d->kind));
            observe_add_code(t, d->site);
            observe_add(t, "\n");
            told++;
            break;
        }
    if (!told)
        observe_add(t, "    nobody is known who could wake it\n");
}

static void write_deeds(struct observe_text *t, const struct follower *f)
{
    for (uint32_t i = 0; i < FOLLOW_DEEDS && i < f->deeds; i++) {
        const struct observe_deed *d = &f->deed[(f->deeds - 1 - i) % FOLLOW_DEEDS];
        enum hd_event kind = (enum hd_event)d->kind;
        observe_add(t, i ? "    before: %s " : "    last: %s ", observe_doing(kind));
        if (kind == HD_EV_THREAD_JOIN)
            observe_add(t, "a thread"); /* which has another number by now */
        else
            observe_add_object(t, kind, d->object);
        observe_add(t, " at ");
        observe_add_code(t, d->site);
        observe_add(t, "\n");
    }
}

/* Does who waits for whom lead from f, which is no part of it, into the circle through `member`? */
static bool is_behind(struct follower *f, const struct follower *member, uint32_t limit)
{
    struct follower *at = f;
    for (uint32_t i = 0; i < limit; i++) {
        at = settled(at) ? awaited(at) : NULL;
        if (!at || at == member)
            return at != NULL;
    }
    return false;
}

/* The others that cannot go on because of it. */
static void add_behind(struct observe_text *t, const struct follower *member, uint32_t limit)
{
    uint32_t n = 0;
    for (struct follower *f = observe_first(); f; f = f->next) {
        if (!settled(f) || f->told || !is_behind(f, member, limit))
            continue;
        f->told = true;
        if (++n == 1)
            observe_add(t, "  and behind them:\n");
        if (n <= BEHIND_MOST && t->used < 3500)
            write_wait(t, f, awaited(f));
    }
    if (n > BEHIND_MOST)
        observe_add(t, "  and %u more\n", n - BEHIND_MOST);
}

static void tell_circle(struct follower *f, uint32_t limit)
{
    struct observe_text t = {0};
    uint32_t n = 0;
    struct follower *at = f;
    observe_begin();
    do {
        n++;
        at->told = true;
        at = awaited(at);
    } while (at && at != f);
    observe_add(&t,
                n == 1 ? "heddle: %s: a thread waits for itself\n"
                       : "heddle: %s: %u threads wait for each other\n",
                observe_word(n == 1 ? HD_FK_SELF_DEADLOCK : HD_FK_DEADLOCK), n);
    at = f;
    for (uint32_t i = 0; i < n && at && t.used < 3500; i++, at = awaited(at))
        write_wait(&t, at, awaited(at));
    add_behind(&t, f, limit);
    observe_write(&t);
    observe_end();
}

/* Does following who waits for whom from f lead back to f? At most `limit` threads. */
static bool in_circle(struct follower *f, uint32_t limit)
{
    struct follower *at = f;
    for (uint32_t i = 0; i < limit; i++) {
        at = settled(at) ? awaited(at) : NULL;
        if (!at)
            return false;
        if (at == f)
            return true;
    }
    return false;
}

/* The number of the thread that ended with the mutex that f waits for; 0: it is not so. */
static int gone(const struct follower *f)
{
    const pthread_mutex_t *m = (const pthread_mutex_t *)f->object;
    if (!settled(f) || f->kind != HD_EV_MUTEX_LOCK || m->__data.__kind & ROBUST_OR_SHARED)
        return 0;
    int owner = m->__data.__owner;
    bool is_thread = owner <= 0 || by_tid(owner) || syscall(SYS_tgkill, getpid(), owner, 0) == 0 ||
                     errno != ESRCH;
    return is_thread ? 0 : owner;
}

static void tell_gone(struct follower *f, int owner)
{
    struct observe_text t = {0};
    observe_begin();
    f->told = true;
    observe_add(&t,
                "heddle: %s: a thread waits for a mutex whose owner (thread %d) ended without "
                "unlocking it\n",
                observe_word(HD_FK_LOCK_AT_EXIT), owner);
    write_wait(&t, f, NULL);
    observe_write(&t);
    observe_end();
}

/* Nobody runs, nobody's wait ends by itself: who could wake the others? */
static void tell_hang(void)
{
    struct observe_text t = {0};
    observe_begin();
    observe_add(&t, "heddle: %s: every thread waits, and nobody is left to wake one\n",
                observe_word(HD_FK_HANG));
    for (struct follower *f = observe_first(); f; f = f->next) {
        if (!stuck(f))
            continue;
        f->told = true;
        write_wait(&t, f, awaited(f));
        write_wakers(&t, f);
        write_deeds(&t, f);
        if (t.used > 2000)
            observe_write(&t);
    }
    observe_write(&t);
    observe_end();
}

void observe_look_for_circles(void)
{
    uint32_t alive = 0, still = 0, told = 0;
    looks++;
    for (struct follower *f = observe_first(); f; f = f->next) {
        if (!f->used || !f->alive || f->idle)
            continue;
        alive++; /* also one that has not begun to run */
        if (!stuck(f))
            f->told = false;
        still += settled(f);
    }
    for (struct follower *f = observe_first(); f && still; f = f->next)
        if (settled(f) && !f->told && in_circle(f, still))
            tell_circle(f, still);
    for (struct follower *f = observe_first(); f && still; f = f->next) {
        int owner = f->told ? 0 : gone(f);
        if (owner)
            tell_gone(f, owner);
    }
    for (struct follower *f = observe_first(); f; f = f->next)
        told += f->used && f->alive && f->told;
    if (still == alive && alive && !told)
        tell_hang();
    for (struct follower *f = observe_first(); f; f = f->next) {
        f->looked_at = looks;
        f->looked_since = stuck(f) ? f->since_ns : 0;
    }
}
