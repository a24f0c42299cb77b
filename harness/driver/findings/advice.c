/* advice.c - what usually fixes a finding; for standstills, by what is waited for. */
#include "finding.h"

#include <stdio.h>
#include <string.h>

/* What the threads of a standstill wait for, joins apart: they wait for the others. */
static enum hd_event awaited(const struct finding *f)
{
    enum hd_event kind = HD_EV_NONE;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        bool group = n->kind == HD_EV_THREAD_JOIN || n->kind == HD_EV_HD_WAITGROUP_WAIT;
        if (n->role == HD_ROLE_WAITS && (kind == HD_EV_NONE || !group))
            kind = n->kind;
        if (kind != HD_EV_NONE && kind != HD_EV_THREAD_JOIN && kind != HD_EV_HD_WAITGROUP_WAIT)
            break;
    }
    return kind;
}

/* Does somebody wait for a lock whose holder waits for something else? */
static bool is_wait_under_lock(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++)
        for (size_t k = 0; f->note[i].role == HD_ROLE_HOLDS && k < f->notes; k++)
            if (f->note[k].role == HD_ROLE_WAITS && f->note[k].thread_id == f->note[i].thread_id)
                return true;
    return false;
}

static bool is_lock(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_MUTEX_LOCK:
    case HD_EV_COND_RELOCK:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_HD_MUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_RLOCK:
        return true;
    default:
        return false;
    }
}

static const char *lost_wakeup(const struct finding *f)
{
    if (is_wait_under_lock(f))
        return "A thread waits while it holds a lock that another one waits for, perhaps the one "
               "that should wake it: release the lock before waiting.";
    if (is_lock(awaited(f)))
        return "Whoever had the lock is gone, or waits itself: unlock on every path, also before "
               "a wait, and when the thread ends or is cancelled.";
    switch (awaited(f)) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
    case HD_EV_SELECT:
        return "See to it that each send has its receiver and each receive its sender or a close, "
               "on every path, errors and early returns too; who may have to give up waits in a "
               "select with a context or a time-out.";
    case HD_EV_HD_WAITGROUP_WAIT:
        return "Add before the goroutine is started, say done exactly once for each, on every "
               "path, and never wait for a group in one of its members.";
    case HD_EV_THREAD_JOIN:
        return "See to it that the thread that is joined can end.";
    case HD_EV_SEM_WAIT:
    case HD_EV_HD_SEMAPHORE:
        return "Post once for each wait, on every path: look for a post that is left out, goes to "
               "another semaphore, or comes only after what it should set free.";
    case HD_EV_BARRIER_WAIT:
        return "The barrier's count must be the number of threads that come to it, in each round.";
    case HD_EV_FUTEX_WAIT:
        return "Change the word before waking, and remember in it that somebody waits.";
    case HD_EV_FD_WAIT:
        return "Write, or close the other end, on every path, errors too: who reads waits for one "
               "of "
               "these. An end that a thread or child does not use is closed there.";
    case HD_EV_COND_WAIT:
    case HD_EV_HD_COND_WAIT:
        return "Change the condition and signal it under the same mutex, wait in a loop that "
               "tests the condition before the first wait, and broadcast when more than one "
               "waiter can go on.";
    default:
        return "";
    }
}

/* Main may wait for the end of those in a cycle without being in it: it holds nothing. */
static const char *deadlock(const struct finding *f)
{
    size_t locks = 0, others = 0;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_WAITS)
            continue;
        locks += is_lock(n->kind);
        others += !is_lock(n->kind) && n->kind != HD_EV_THREAD_JOIN && n->kind != HD_EV_SLEEP;
    }
    if (!locks && !others)
        return "Of two threads only one may wait for the end of the other.";
    if (locks > 1)
        return "Take these locks in one order everywhere, or hold only one of them at a time.";
    if (locks)
        return "Do not wait with a lock held that whoever would end the wait needs first: release "
               "it "
               "before.";
    return lost_wakeup(f);
}

static const char *self_deadlock(const struct finding *f)
{
    switch (awaited(f)) {
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_HD_RWMUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_RLOCK:
        return "A read lock cannot be turned into a write lock, nor be taken again while a writer "
               "waits: unlock first and look again, or take the write lock from the start.";
    case HD_EV_ONCE:
    case HD_EV_HD_ONCE:
        return "An initialiser must not call what runs it: give it what it needs.";
    case HD_EV_MUTEX_LOCK:
        return "Split the function into one that locks and one that expects the lock to be held, "
               "or make the mutex recursive.";
    default:
        return "Split the function into one that locks and one that expects the lock to be held.";
    }
}

/* Which only says what came of it. */
static bool is_outcome(enum hd_finding_kind kind)
{
    return kind == HD_FK_CRASH || kind == HD_FK_ASSERTION || kind == HD_FK_PANIC ||
           kind == HD_FK_EXIT_CODE || kind == HD_FK_OUTPUT || kind == HD_FK_ORACLE ||
           kind == HD_FK_LIVELOCK || kind == HD_FK_HANG || kind == HD_FK_LOST_WAKEUP;
}

/* A lock that is read twice, with a writer between, needs no other lock. */
static const char *lock_order(const struct finding *f)
{
    const struct note *first = NULL;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_EDGE_HELD && n->role != HD_ROLE_EDGE_TOOK)
            continue;
        if (first && n->object_id != first->object_id)
            return "Take these locks in one order everywhere: the deadlock needs only the right "
                   "moment.";
        first = first ? first : n;
    }
    return "Do not read-lock again what the thread reads already: a writer that comes between "
           "waits "
           "for the first, and keeps the second out. Give what is called a form that expects the "
           "lock to be held.";
}

static const char *panic(const struct finding *f)
{
    if (strstr(f->text, "closed channel"))
        return "Who sends closes, once, behind the last value; where several send, somebody waits "
               "for "
               "all of them (a waitgroup) and closes then.";
    if (strstr(f->text, "negative"))
        return "Add before the goroutine is started, and say done exactly once for each, on every "
               "path.";
    return "";
}

static const char *crash(const struct finding *f)
{
    if (strstr(f->text, "stack overflow"))
        return "Recursion that does not end, or local variables too large for the thread's stack: "
               "put "
               "them on the heap, or give the thread a larger stack (pthread_attr_setstacksize).";
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_HERE && f->note[i].text &&
            strstr(f->note[i].text, "null pointer"))
            return "Look at the interleaving: set the pointer before the thread that uses it is "
                   "made, or "
                   "wait until it is set; if another thread clears it, test and use it under one "
                   "lock.";
    return "Look at the interleaving: which thread changed or freed what this one was using?";
}

static const char *livelock(const struct finding *f)
{
    if (is_wait_under_lock(f))
        return "A thread tries again and again while it holds a lock that another one waits for: "
               "release "
               "it between the tries, or wait on a condition variable.";
    return "Threads keep running without getting anywhere: back off, or wait on a condition "
           "variable "
           "instead of retrying.";
}

/* A flag or number of the program's own, which one side reads and the other writes. */
static bool is_plain_variable(const struct finding *f)
{
    bool named = false;
    unsigned writes = 0;

    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_ACCESS && n->role != HD_ROLE_PREVIOUS_ACCESS)
            continue;
        writes += (n->extra & HD_ACCESS_WRITE) != 0;
        named |= n->object && n->name_at && !strpbrk(n->object + n->name_at, "[.+");
    }
    return named && writes == 1;
}

static const char *race(const struct finding *f)
{
    if (!is_plain_variable(f))
        return "Guard both accesses by the same lock, and with them what belongs together: a test "
               "and "
               "what relies on it. What is one thread's alone, such as the argument of a thread "
               "that a loop "
               "makes, is better copied.";
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        unsigned bytes = 0;
        const char *of = n->text ? strstr(n->text, " of ") : NULL;
        if ((n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS) && of &&
            sscanf(of, " of %u bytes", &bytes) == 1 && bytes > 8)
            return "Guard both accesses by the same lock.";
    }
    return "Guard both accesses by the same lock, or make the variable _Atomic if a single "
           "access is all that matters.";
}

/* The program failed while it ran alone. */
static bool is_before_threads(const struct finding *f)
{
    return !f->first && !f->replays &&
           (f->kind == HD_FK_CRASH || f->kind == HD_FK_ASSERTION || f->kind == HD_FK_PANIC);
}

const char *finding_advice(const struct finding *f)
{
    static const struct {
        const char *text;
        const char *(*choose)(const struct finding *);
    } kinds[HD_FK_COUNT] = {
#define ADVICE(text)                                                                               \
    {                                                                                              \
        text, NULL                                                                                 \
    }
#define ADVICE_BY(function)                                                                        \
    {                                                                                              \
        NULL, function                                                                             \
    }
#define FINDING(NAME, word, title, advice, plant) [HD_FK_##NAME] = advice,
#include "wire/finding_kinds.inc"
    };
    if (f->weak && is_outcome(f->kind))
        return "A thread did not see the last store, or stores changed places, as processors and "
               "compilers may do it: use release and acquire, seq_cst or fences there.";
    if (f->fault && !f->faultless && is_outcome(f->kind))
        return "The call above may fail so in any program: look at what it returned before that is "
               "used, and leave everything as it should be where it fails.";
    if (is_before_threads(f))
        return ""; /* no other thread can have come between */
    return kinds[f->kind].choose ? kinds[f->kind].choose(f) : kinds[f->kind].text;
}
