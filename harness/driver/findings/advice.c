/* advice.c - what usually fixes a finding, one paragraph a kind, or what is waited for. */
#include "finding.h"

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

static const char *lost_wakeup(const struct finding *f)
{
    if (is_wait_under_lock(f))
        return "A thread waits while it holds a lock that another one waits for, perhaps the one "
               "that "
               "should wake it: release the lock before waiting.";
    switch (awaited(f)) {
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
    case HD_EV_SELECT:
        return "See to it that each send has its receiver and each receive its sender or a close, "
               "on "
               "every path, errors and early returns too; who may have to give up waits in a "
               "select "
               "with a context or a time-out.";
    case HD_EV_HD_WAITGROUP_WAIT:
        return "Add before the goroutine is started, say done exactly once for each, on every "
               "path, "
               "and never wait for a group in one of its members.";
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
    case HD_EV_MUTEX_LOCK:
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_HD_MUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_RLOCK:
        return "Whoever had the lock is gone, or waits itself: unlock on every path, also before a "
               "wait, and when the thread ends or is cancelled.";
    default:
        return "Change the condition and signal it under the same mutex, wait in a loop that tests "
               "the condition before the first wait, and broadcast when more than one waiter can "
               "go on.";
    }
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

const char *finding_advice(const struct finding *f)
{
    switch (f->kind) {
    case HD_FK_DEADLOCK:
        return "Take these locks in one order everywhere, or hold only one of them at a time.";
    case HD_FK_LOST_WAKEUP:
        return lost_wakeup(f);
    case HD_FK_SELF_DEADLOCK:
        return self_deadlock(f);
    case HD_FK_LEAK_BLOCKED:
        return "Make sure that what it waits for happens on every path (errors and early returns "
               "too), then join it before the program ends.";
    case HD_FK_LEAK_UNJOINED:
        return "Call pthread_join on it before the program ends, or pthread_detach it if nobody "
               "needs its end.";
    case HD_FK_UNLOCK_NOT_HELD:
        return "Look for a second unlock on the same path, or for an unlock after a failed lock or "
               "try-lock.";
    case HD_FK_UNLOCK_NOT_OWNER:
        return "A mutex is unlocked by the thread that locked it; to hand over to another thread "
               "use "
               "a semaphore or a condition variable.";
    case HD_FK_DESTROY_IN_USE:
        return "Join all users first, and destroy after that.";
    case HD_FK_USE_AFTER_DESTROY:
        return "Join all users before destroying, or let the last user (a reference count) "
               "destroy.";
    case HD_FK_COND_TWO_MUTEXES:
        return "Use one mutex with a condition variable: the one that guards what is waited for.";
    case HD_FK_COND_NOT_LOCKED:
        return "Lock the mutex before testing the condition and waiting.";
    case HD_FK_LOCK_AT_EXIT:
        return "Unlock on every path out of the thread, also on pthread_exit and cancellation "
               "(pthread_cleanup_push).";
    case HD_FK_JOIN_MISUSE:
        return "Each thread is joined or detached exactly once, by one owner.";
    case HD_FK_SYNC_MISUSE:
        return "See the manual page of the call: the object was not in a state that allows it.";
    case HD_FK_CRASH:
        return "Look at the interleaving: which thread changed or freed what this one was using?";
    case HD_FK_ASSERTION:
        return "Look at the interleaving: between the last write and the test another thread came "
               "in. Make test and use one critical section.";
    case HD_FK_PANIC:
        return "The message names the rule that was broken, the interleaving who broke it.";
    case HD_FK_EXIT_CODE:
        return "Something that the exit code depends on is decided by the order of threads: "
               "compare "
               "the program's output in this schedule with that of an ordinary run.";
    case HD_FK_OUTPUT:
        return "If the order of lines is not meant to be fixed, drop --check-output or sort in "
               "--oracle.";
    case HD_FK_ORACLE:
        return "The program's output in this schedule is kept beside the schedule file.";
    case HD_FK_LIVELOCK:
        return "Threads keep running without getting anywhere: back off, or wait on a condition "
               "variable instead of retrying.";
    case HD_FK_HANG:
        return "If the program is only slow, raise --timeout. Else look where its threads are.";
    case HD_FK_NONDETERMINISM:
        return "Something that differs from run to run (time, random numbers, addresses, other "
               "processes) decides what the program does; pin it to make its schedules replay.";
    case HD_FK_DATA_RACE:
    case HD_FK_PREDICTED_RACE:
        return "Guard both accesses by the same lock, or make the variable _Atomic if a single "
               "access is all that matters.";
    case HD_FK_USE_AFTER_FREE:
    case HD_FK_DOUBLE_FREE:
        return "Give the block one owner, who frees it after all users are joined, or count "
               "references.";
    case HD_FK_LOCK_ORDER:
        return "Take these locks in one order everywhere: the deadlock needs only the right "
               "moment.";
    case HD_FK_WAIT_HOLDING_LOCK:
        return "Release the lock before waiting: whoever would end the wait needs it first.";
    case HD_FK_LEAK_OBJECT:
        return "Close, stop or cancel it on every path; a scope guard (HD_DEFER) does it for you.";
    case HD_FK_SANITIZER:
    case HD_FK_TOOL:
        return "See the tool's own report.";
    case HD_FK_COUNT:
        break;
    }
    return "";
}
