/* event.h - the visible operations: what a thread may be about to do, or wait in.
 *
 * One table names every kind once: its constant, the text of a schedule file ("mutex_lock"), and
 * what a person reads when a thread waits there ("locking"). The order is part of nothing: files
 * carry the text. Layer: lowest; used by lib/, instrument/ and harness/ alike.
 */
#ifndef HEDDLE_EVENT_H
#define HEDDLE_EVENT_H

#define HD_EVENT_MAP(X)                                                                            \
    X(NONE, "none", "running")                                                                     \
    /* threads */                                                                                  \
    X(THREAD_START, "thread_start", "starting")                                                    \
    X(THREAD_CREATE, "thread_create", "creating a thread")                                         \
    X(THREAD_EXIT, "thread_exit", "exiting")                                                       \
    X(THREAD_JOIN, "thread_join", "joining")                                                       \
    X(THREAD_DETACH, "thread_detach", "detaching")                                                 \
    X(THREAD_CANCEL, "thread_cancel", "cancelling")                                                \
    X(THREAD_KILL, "thread_kill", "signalling")                                                    \
    X(YIELD, "yield", "yielding")                                                                  \
    X(SLEEP, "sleep", "sleeping")                                                                  \
    X(PREEMPT, "preempt", "preempted")                                                             \
    X(EXIT, "exit", "ending the program")                                                          \
    /* pthread objects */                                                                          \
    X(MUTEX_INIT, "mutex_init", "initialising")                                                    \
    X(MUTEX_DESTROY, "mutex_destroy", "destroying")                                                \
    X(MUTEX_LOCK, "mutex_lock", "locking")                                                         \
    X(MUTEX_TRYLOCK, "mutex_trylock", "trying to lock")                                            \
    X(MUTEX_UNLOCK, "mutex_unlock", "unlocking")                                                   \
    X(COND_WAIT, "cond_wait", "waiting for a signal")                                              \
    X(COND_RELOCK, "cond_relock", "locking again after a wait")                                    \
    X(COND_SIGNAL, "cond_signal", "signalling")                                                    \
    X(COND_BROADCAST, "cond_broadcast", "broadcasting")                                            \
    X(COND_DESTROY, "cond_destroy", "destroying")                                                  \
    X(RWLOCK_RDLOCK, "rwlock_rdlock", "locking for reading")                                       \
    X(RWLOCK_WRLOCK, "rwlock_wrlock", "locking for writing")                                       \
    X(RWLOCK_TRYLOCK, "rwlock_trylock", "trying to lock")                                          \
    X(RWLOCK_UNLOCK, "rwlock_unlock", "unlocking")                                                 \
    X(RWLOCK_DESTROY, "rwlock_destroy", "destroying")                                              \
    X(SPIN_LOCK, "spin_lock", "locking")                                                           \
    X(SPIN_TRYLOCK, "spin_trylock", "trying to lock")                                              \
    X(SPIN_UNLOCK, "spin_unlock", "unlocking")                                                     \
    X(SPIN_DESTROY, "spin_destroy", "destroying")                                                  \
    X(BARRIER_WAIT, "barrier_wait", "waiting at a barrier")                                        \
    X(BARRIER_DESTROY, "barrier_destroy", "destroying")                                            \
    X(ONCE, "once", "waiting for an initialiser")                                                  \
    X(SEM_WAIT, "sem_wait", "waiting for a post")                                                  \
    X(SEM_TRYWAIT, "sem_trywait", "trying to take")                                                \
    X(SEM_POST, "sem_post", "posting")                                                             \
    X(SEM_DESTROY, "sem_destroy", "destroying")                                                    \
    X(FUTEX_WAIT, "futex_wait", "waiting on a futex")                                              \
    X(FUTEX_WAKE, "futex_wake", "waking a futex")                                                  \
    X(FD_WAIT, "fd_wait", "waiting for a file descriptor")                                         \
    X(SIGNAL_WAIT, "signal_wait", "waiting for a process signal")                                  \
    X(TIMER_SET, "timer_set", "setting a timer")                                                   \
    X(CHILD_WAIT, "child_wait", "waiting for a child process")                                     \
    X(EXTERNAL, "external", "in a system call")                                                    \
    /* memory, from compiler hooks */                                                              \
    X(READ, "read", "reading memory")                                                              \
    X(WRITE, "write", "writing memory")                                                            \
    X(ATOMIC_LOAD, "atomic_load", "loading")                                                       \
    X(ATOMIC_STORE, "atomic_store", "storing")                                                     \
    X(ATOMIC_RMW, "atomic_rmw", "updating")                                                        \
    X(FENCE, "fence", "at a fence")                                                                \
    X(FREE, "free", "freeing memory")                                                              \
    /* lib/ */                                                                                     \
    X(CHAN_SEND, "chan_send", "chan send")                                                         \
    X(CHAN_RECV, "chan_recv", "chan receive")                                                      \
    X(CHAN_CLOSE, "chan_close", "chan close")                                                      \
    X(SELECT, "select", "select")                                                                  \
    X(HD_MUTEX_LOCK, "hd_mutex_lock", "hd_mutex lock")                                             \
    X(HD_MUTEX_TRYLOCK, "hd_mutex_trylock", "trying an hd_mutex lock")                             \
    X(HD_MUTEX_UNLOCK, "hd_mutex_unlock", "hd_mutex unlock")                                       \
    X(HD_RWMUTEX_RLOCK, "hd_rwmutex_rlock", "hd_rwmutex rlock")                                    \
    X(HD_RWMUTEX_LOCK, "hd_rwmutex_lock", "hd_rwmutex lock")                                       \
    X(HD_RWMUTEX_TRYLOCK, "hd_rwmutex_trylock", "trying an hd_rwmutex lock")                       \
    X(HD_RWMUTEX_UNLOCK, "hd_rwmutex_unlock", "hd_rwmutex unlock")                                 \
    X(HD_WAITGROUP_WAIT, "hd_wg_wait", "waitgroup wait")                                           \
    X(HD_WAITGROUP_ADD, "hd_wg_add", "waitgroup add")                                              \
    X(HD_COND_WAIT, "hd_cond_wait", "hd_cond wait")                                                \
    X(HD_COND_SIGNAL, "hd_cond_signal", "hd_cond signal")                                          \
    X(HD_ONCE, "hd_once", "once")                                                                  \
    X(HD_ATOMIC, "hd_atomic", "atomic")                                                            \
    X(HD_SEMAPHORE, "hd_semaphore", "semaphore acquire")                                           \
    X(HD_CONTEXT, "hd_context", "context")                                                         \
    X(HD_TIMER, "hd_timer", "timer")                                                               \
    X(LEAK_CHECK, "leak_check", "looking for leaks")                                               \
    X(HD_OTHER, "hd_other", "waiting")

enum hd_event {
#define HD_EVENT_ENUM(name, text, doing) HD_EV_##name,
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
