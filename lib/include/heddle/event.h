/* event.h - the visible operations: what a thread may be about to do, or wait in.
 *
 * One table names every kind once: its constant, the text of a schedule file ("mutex_lock"), what a
 * person reads when a thread waits there ("locking"), and what kind of object it is about, as far
 * as the event tells. The order is part of nothing: files carry the text. Layer: lowest; used by
 * lib/, instrument/ and harness/ alike.
 */
#ifndef HEDDLE_EVENT_H
#define HEDDLE_EVENT_H

#define HD_EVENT_MAP(X)                                                                            \
    X(NONE, "none", "running", NONE)                                                               \
    /* threads */                                                                                  \
    X(THREAD_START, "thread_start", "starting", THREAD)                                            \
    X(THREAD_CREATE, "thread_create", "creating a thread", THREAD)                                 \
    X(THREAD_EXIT, "thread_exit", "exiting", THREAD)                                               \
    X(THREAD_JOIN, "thread_join", "joining", THREAD)                                               \
    X(THREAD_DETACH, "thread_detach", "detaching", THREAD)                                         \
    X(THREAD_CANCEL, "thread_cancel", "cancelling", THREAD)                                        \
    X(THREAD_KILL, "thread_kill", "signalling", THREAD)                                            \
    X(YIELD, "yield", "yielding", NONE)                                                            \
    X(SLEEP, "sleep", "sleeping", NONE)                                                            \
    X(PREEMPT, "preempt", "preempted", NONE)                                                       \
    X(RELEASED, "released", "going on after a release", NONE)                                      \
    X(EXIT, "exit", "ending the program", NONE)                                                    \
    /* pthread objects */                                                                          \
    X(MUTEX_INIT, "mutex_init", "initialising", MUTEX)                                             \
    X(MUTEX_DESTROY, "mutex_destroy", "destroying", MUTEX)                                         \
    X(MUTEX_LOCK, "mutex_lock", "locking", MUTEX)                                                  \
    X(MUTEX_TRYLOCK, "mutex_trylock", "trying to lock", MUTEX)                                     \
    X(MUTEX_UNLOCK, "mutex_unlock", "unlocking", MUTEX)                                            \
    X(COND_WAIT, "cond_wait", "waiting for a signal", COND)                                        \
    X(COND_RELOCK, "cond_relock", "locking again after a wait", MUTEX)                             \
    X(COND_SIGNAL, "cond_signal", "signalling", COND)                                              \
    X(COND_BROADCAST, "cond_broadcast", "broadcasting", COND)                                      \
    X(COND_DESTROY, "cond_destroy", "destroying", COND)                                            \
    X(RWLOCK_RDLOCK, "rwlock_rdlock", "locking for reading", RWLOCK)                               \
    X(RWLOCK_WRLOCK, "rwlock_wrlock", "locking for writing", RWLOCK)                               \
    X(RWLOCK_TRYLOCK, "rwlock_trylock", "trying to lock", RWLOCK)                                  \
    X(RWLOCK_UNLOCK, "rwlock_unlock", "unlocking", RWLOCK)                                         \
    X(RWLOCK_DESTROY, "rwlock_destroy", "destroying", RWLOCK)                                      \
    X(SPIN_LOCK, "spin_lock", "locking", SPIN)                                                     \
    X(SPIN_TRYLOCK, "spin_trylock", "trying to lock", SPIN)                                        \
    X(SPIN_UNLOCK, "spin_unlock", "unlocking", SPIN)                                               \
    X(SPIN_DESTROY, "spin_destroy", "destroying", SPIN)                                            \
    X(BARRIER_WAIT, "barrier_wait", "waiting at a barrier", BARRIER)                               \
    X(BARRIER_DESTROY, "barrier_destroy", "destroying", BARRIER)                                   \
    X(ONCE, "once", "waiting for an initialiser", ONCE)                                            \
    X(SEM_WAIT, "sem_wait", "waiting for a post", SEM)                                             \
    X(SEM_TRYWAIT, "sem_trywait", "trying to take", SEM)                                           \
    X(SEM_POST, "sem_post", "posting", SEM)                                                        \
    X(SEM_DESTROY, "sem_destroy", "destroying", SEM)                                               \
    X(FUTEX_WAIT, "futex_wait", "waiting on a futex", FUTEX)                                       \
    X(FUTEX_WAKE, "futex_wake", "waking a futex", FUTEX)                                           \
    X(FD_WAIT, "fd_wait", "waiting for a file descriptor", FD)                                     \
    X(FD_OPEN, "fd_open", "opening a file descriptor", FD)                                         \
    X(FD_USE, "fd_use", "using a file descriptor", FD)                                             \
    X(FD_CLOSE, "fd_close", "closing a file descriptor", FD)                                       \
    X(SIGNAL_WAIT, "signal_wait", "waiting for a process signal", NONE)                            \
    X(TIMER_SET, "timer_set", "setting a timer", NONE)                                             \
    X(CHILD_WAIT, "child_wait", "waiting for a child process", NONE)                               \
    X(EXTERNAL, "external", "in a system call", NONE)                                              \
    X(LIBRARY, "library", "calling the C library", NONE)                                           \
    /* memory, from compiler hooks */                                                              \
    X(READ, "read", "reading memory", MEMORY)                                                      \
    X(WRITE, "write", "writing memory", MEMORY)                                                    \
    X(ATOMIC_LOAD, "atomic_load", "loading", MEMORY)                                               \
    X(ATOMIC_STORE, "atomic_store", "storing", MEMORY)                                             \
    X(ATOMIC_RMW, "atomic_rmw", "updating", MEMORY)                                                \
    X(FENCE, "fence", "at a fence", NONE)                                                          \
    X(FREE, "free", "freeing memory", MEMORY)                                                      \
    /* lib/ */                                                                                     \
    X(CHAN_SEND, "chan_send", "chan send", CHAN)                                                   \
    X(CHAN_RECV, "chan_recv", "chan receive", CHAN)                                                \
    X(CHAN_CLOSE, "chan_close", "chan close", CHAN)                                                \
    X(SELECT, "select", "select", CHAN)                                                            \
    X(HD_MUTEX_LOCK, "hd_mutex_lock", "hd_mutex lock", HD_MUTEX)                                   \
    X(HD_MUTEX_TRYLOCK, "hd_mutex_trylock", "trying an hd_mutex lock", HD_MUTEX)                   \
    X(HD_MUTEX_UNLOCK, "hd_mutex_unlock", "hd_mutex unlock", HD_MUTEX)                             \
    X(HD_RWMUTEX_RLOCK, "hd_rwmutex_rlock", "hd_rwmutex rlock", HD_RWMUTEX)                        \
    X(HD_RWMUTEX_LOCK, "hd_rwmutex_lock", "hd_rwmutex lock", HD_RWMUTEX)                           \
    X(HD_RWMUTEX_TRYLOCK, "hd_rwmutex_trylock", "trying an hd_rwmutex lock", HD_RWMUTEX)           \
    X(HD_RWMUTEX_UNLOCK, "hd_rwmutex_unlock", "hd_rwmutex unlock", HD_RWMUTEX)                     \
    X(HD_WAITGROUP_WAIT, "hd_wg_wait", "waitgroup wait", WAITGROUP)                                \
    X(HD_WAITGROUP_ADD, "hd_wg_add", "waitgroup add", WAITGROUP)                                   \
    X(HD_COND_WAIT, "hd_cond_wait", "hd_cond wait", HD_COND)                                       \
    X(HD_COND_SIGNAL, "hd_cond_signal", "hd_cond signal", HD_COND)                                 \
    X(HD_ONCE, "hd_once", "once", HD_ONCE)                                                         \
    X(HD_ATOMIC, "hd_atomic", "atomic", NONE)                                                      \
    X(HD_SEMAPHORE, "hd_semaphore", "semaphore acquire", WEIGHTED)                                 \
    X(HD_CONTEXT, "hd_context", "context", CONTEXT)                                                \
    X(HD_TIMER, "hd_timer", "timer", TIMER)                                                        \
    X(HD_INNER, "hd_inner", "inside an operation", NONE)                                           \
    X(OPERATION, "operation", "beginning an operation", NONE)                                      \
    X(LEAK_CHECK, "leak_check", "looking for leaks", NONE)                                         \
    X(HD_OTHER, "hd_other", "waiting", NONE)

enum hd_event {
#define HD_EVENT_ENUM(name, text, doing, object) HD_EV_##name,
    HD_EVENT_MAP(HD_EVENT_ENUM)
#undef HD_EVENT_ENUM
        HD_EV_COUNT
};

/* What an object is: its prefix in a name ("M1") and the word that a person reads. */
#define HD_OBJECT_MAP(X)                                                                           \
    X(NONE, "O", "object")                                                                         \
    X(THREAD, "T", "thread")                                                                       \
    X(MUTEX, "M", "mutex")                                                                         \
    X(COND, "C", "condition variable")                                                             \
    X(RWLOCK, "RW", "rwlock")                                                                      \
    X(SPIN, "SP", "spinlock")                                                                      \
    X(BARRIER, "B", "barrier")                                                                     \
    X(ONCE, "ON", "once control")                                                                  \
    X(SEM, "S", "semaphore")                                                                       \
    X(FUTEX, "F", "futex")                                                                         \
    X(FD, "FD", "file descriptor")                                                                 \
    X(MEMORY, "MEM", "memory")                                                                     \
    X(CHAN, "CH", "channel")                                                                       \
    X(HD_MUTEX, "HM", "hd_mutex")                                                                  \
    X(HD_RWMUTEX, "HRW", "hd_rwmutex")                                                             \
    X(WAITGROUP, "WG", "waitgroup")                                                                \
    X(HD_COND, "HC", "hd_cond")                                                                    \
    X(HD_ONCE, "HON", "hd_once")                                                                   \
    X(CONTEXT, "CTX", "context")                                                                   \
    X(TIMER, "TM", "timer")                                                                        \
    X(TICKER, "TK", "ticker")                                                                      \
    X(POOL, "P", "pool")                                                                           \
    X(WEIGHTED, "WS", "weighted semaphore")

enum hd_object {
#define HD_OBJECT_ENUM(name, prefix, word) HD_OB_##name,
    HD_OBJECT_MAP(HD_OBJECT_ENUM)
#undef HD_OBJECT_ENUM
        HD_OB_COUNT
};

#endif /* HEDDLE_EVENT_H */
