/* advice.c - what usually fixes a finding, one paragraph a kind. */
#include "finding.h"

const char *finding_advice(enum hd_finding_kind kind)
{
    switch (kind) {
    case HD_FK_DEADLOCK:
        return "Take these locks in one order everywhere, or hold only one of them at a time.";
    case HD_FK_LOST_WAKEUP:
        return "Change the condition and signal it under the same mutex, wait in a loop that tests "
               "the condition before the first wait, and broadcast when more than one waiter can "
               "go on.";
    case HD_FK_SELF_DEADLOCK:
        return "Split the function into one that locks and one that expects the lock to be held, "
               "or "
               "make the mutex recursive.";
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
        return "Release the lock before waiting: the thread that would wake this one needs it.";
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
