/* real.h - the functions that we stand in front of.
 *
 * Looked up with dlsym(RTLD_NEXT, ...) at start, before the program's own constructors; until then
 * (and in processes that are not under control) the interposed functions call them directly.
 */
#ifndef HEDDLE_REAL_H
#define HEDDLE_REAL_H

#include <aio.h>
#include <dirent.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* What libc has is looked up; what it lacks must not be: dlsym() would allocate, which another allocator
 * than libc's may not be ready for. */
#if __GLIBC_PREREQ(2, 38)
#define HDI_REAL_OF_C23(X) X(int, __isoc23_vfscanf, (FILE *restrict, const char *restrict, va_list))
#else
#define HDI_REAL_OF_C23(X)
#endif

#define HDI_REAL_MAP(X)                                                                            \
    X(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))       \
    X(int, pthread_join, (pthread_t, void **))                                                     \
    X(int, pthread_detach, (pthread_t))                                                            \
    X(void, pthread_exit, (void *))                                                                \
    X(int, pthread_key_create, (pthread_key_t *, void (*)(void *)))                                \
    X(void, thrd_exit, (int))                                                                      \
    X(int, tss_create, (tss_t *, tss_dtor_t))                                                      \
    X(int, __cxa_thread_atexit_impl, (void (*)(void *), void *, void *))                           \
    X(int, pthread_cancel, (pthread_t))                                                            \
    X(int, pthread_setcancelstate, (int, int *))                                                   \
    X(int, pthread_setcanceltype, (int, int *))                                                    \
    X(void, pthread_testcancel, (void))                                                            \
    X(int, pthread_kill, (pthread_t, int))                                                         \
    X(int, pthread_setname_np, (pthread_t, const char *))                                          \
    X(int, pthread_getname_np, (pthread_t, char *, size_t))                                        \
    X(int, chdir, (const char *))                                                                  \
    X(int, fchdir, (int))                                                                          \
    X(char *, getcwd, (char *, size_t))                                                            \
    X(int, madvise, (void *, size_t, int))                                                         \
    X(int, pthread_mutex_init, (pthread_mutex_t *, const pthread_mutexattr_t *))                   \
    X(int, pthread_mutex_destroy, (pthread_mutex_t *))                                             \
    X(int, pthread_mutex_lock, (pthread_mutex_t *))                                                \
    X(int, pthread_mutex_trylock, (pthread_mutex_t *))                                             \
    X(int, pthread_mutex_timedlock, (pthread_mutex_t *, const struct timespec *))                  \
    X(int, pthread_mutex_clocklock, (pthread_mutex_t *, clockid_t, const struct timespec *))       \
    X(int, pthread_mutex_unlock, (pthread_mutex_t *))                                              \
    X(int, pthread_mutex_consistent, (pthread_mutex_t *))                                          \
    X(int, pthread_cond_init, (pthread_cond_t *, const pthread_condattr_t *))                      \
    X(int, pthread_cond_destroy, (pthread_cond_t *))                                               \
    X(int, pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))                               \
    X(int, pthread_cond_timedwait, (pthread_cond_t *, pthread_mutex_t *, const struct timespec *)) \
    X(int, pthread_cond_clockwait,                                                                 \
      (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))                   \
    X(int, pthread_cond_signal, (pthread_cond_t *))                                                \
    X(int, pthread_cond_broadcast, (pthread_cond_t *))                                             \
    X(int, pthread_rwlock_init, (pthread_rwlock_t *, const pthread_rwlockattr_t *))                \
    X(int, pthread_rwlock_destroy, (pthread_rwlock_t *))                                           \
    X(int, pthread_rwlock_rdlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_rwlock_wrlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t *))                                         \
    X(int, pthread_rwlock_trywrlock, (pthread_rwlock_t *))                                         \
    X(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t *, const struct timespec *))              \
    X(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t *, const struct timespec *))              \
    X(int, pthread_rwlock_clockrdlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))   \
    X(int, pthread_rwlock_clockwrlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))   \
    X(int, pthread_rwlock_unlock, (pthread_rwlock_t *))                                            \
    X(int, pthread_spin_init, (pthread_spinlock_t *, int))                                         \
    X(int, pthread_spin_destroy, (pthread_spinlock_t *))                                           \
    X(int, pthread_spin_lock, (pthread_spinlock_t *))                                              \
    X(int, pthread_spin_trylock, (pthread_spinlock_t *))                                           \
    X(int, pthread_spin_unlock, (pthread_spinlock_t *))                                            \
    X(int, pthread_barrier_init, (pthread_barrier_t *, const pthread_barrierattr_t *, unsigned))   \
    X(int, pthread_barrier_destroy, (pthread_barrier_t *))                                         \
    X(int, pthread_barrier_wait, (pthread_barrier_t *))                                            \
    X(int, pthread_once, (pthread_once_t *, void (*)(void)))                                       \
    X(int, sem_init, (sem_t *, int, unsigned))                                                     \
    X(int, sem_destroy, (sem_t *))                                                                 \
    X(int, sem_wait, (sem_t *))                                                                    \
    X(int, sem_trywait, (sem_t *))                                                                 \
    X(int, sem_timedwait, (sem_t *, const struct timespec *))                                      \
    X(int, sem_clockwait, (sem_t *, clockid_t, const struct timespec *))                           \
    X(int, sem_post, (sem_t *))                                                                    \
    X(int, sem_getvalue, (sem_t *, int *))                                                         \
    X(int, thrd_join, (thrd_t, int *))                                                             \
    X(int, sched_yield, (void))                                                                    \
    X(int, nanosleep, (const struct timespec *, struct timespec *))                                \
    X(int, clock_nanosleep, (clockid_t, int, const struct timespec *, struct timespec *))          \
    X(int, usleep, (useconds_t))                                                                   \
    X(unsigned, sleep, (unsigned))                                                                 \
    X(int, clock_gettime, (clockid_t, struct timespec *))                                          \
    X(int, gettimeofday, (struct timeval *restrict, void *restrict))                               \
    X(time_t, time, (time_t *))                                                                    \
    X(ssize_t, read, (int, void *, size_t))                                                        \
    X(ssize_t, __read_chk, (int, void *, size_t, size_t))                                          \
    X(ssize_t, write, (int, const void *, size_t))                                                 \
    X(ssize_t, readv, (int, const struct iovec *, int))                                            \
    X(int, fflush, (FILE *))                                                                       \
    X(int, fclose, (FILE *))                                                                       \
    X(int, fputs, (const char *restrict, FILE *restrict))                                          \
    X(int, fputs_unlocked, (const char *restrict, FILE *restrict))                                 \
    X(int, fputc, (int, FILE *))                                                                   \
    X(int, fputc_unlocked, (int, FILE *))                                                          \
    X(int, putc, (int, FILE *))                                                                    \
    X(int, putc_unlocked, (int, FILE *))                                                           \
    X(int, __overflow, (FILE *, int))                                                              \
    X(size_t, fwrite, (const void *restrict, size_t, size_t, FILE *restrict))                      \
    X(size_t, fwrite_unlocked, (const void *restrict, size_t, size_t, FILE *restrict))             \
    X(int, vfprintf, (FILE *restrict, const char *restrict, va_list))                              \
    X(int, __vfprintf_chk, (FILE *restrict, int, const char *restrict, va_list))                   \
    X(char *, fgets, (char *restrict, int, FILE *restrict))                                        \
    X(char *, fgets_unlocked, (char *restrict, int, FILE *restrict))                               \
    X(char *, __fgets_chk, (char *restrict, size_t, int, FILE *restrict))                          \
    X(char *, __fgets_unlocked_chk, (char *restrict, size_t, int, FILE *restrict))                 \
    X(int, fgetc, (FILE *))                                                                        \
    X(int, getc, (FILE *))                                                                         \
    X(int, fgetc_unlocked, (FILE *))                                                               \
    X(int, getc_unlocked, (FILE *))                                                                \
    X(int, __uflow, (FILE *))                                                                      \
    X(size_t, fread, (void *restrict, size_t, size_t, FILE *restrict))                             \
    X(size_t, fread_unlocked, (void *restrict, size_t, size_t, FILE *restrict))                    \
    X(size_t, __fread_chk, (void *restrict, size_t, size_t, size_t, FILE *restrict))               \
    X(size_t, __fread_unlocked_chk, (void *restrict, size_t, size_t, size_t, FILE *restrict))      \
    X(ssize_t, getdelim, (char **restrict, size_t *restrict, int, FILE *restrict))                 \
    X(ssize_t, __getdelim, (char **restrict, size_t *restrict, int, FILE *restrict))               \
    X(ssize_t, getline, (char **restrict, size_t *restrict, FILE *restrict))                       \
    X(int, vfscanf, (FILE *restrict, const char *restrict, va_list))                               \
    X(int, __isoc99_vfscanf, (FILE *restrict, const char *restrict, va_list))                      \
    HDI_REAL_OF_C23(X)                                                                             \
    X(int, close, (int))                                                                           \
    X(int, dup, (int))                                                                             \
    X(int, socket, (int, int, int))                                                                \
    X(int, memfd_create, (const char *, unsigned))                                                 \
    X(int, eventfd, (unsigned, int))                                                               \
    X(int, epoll_create, (int))                                                                    \
    X(int, epoll_create1, (int))                                                                   \
    X(int, pipe, (int *))                                                                          \
    X(int, pipe2, (int *, int))                                                                    \
    X(int, shutdown, (int, int))                                                                   \
    X(ssize_t, sendfile, (int, int, off_t *, size_t))                                              \
    X(ssize_t, splice, (int, off64_t *, int, off64_t *, size_t, unsigned))                         \
    X(ssize_t, writev, (int, const struct iovec *, int))                                           \
    X(int, poll, (struct pollfd *, nfds_t, int))                                                   \
    X(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))            \
    X(int, select,                                                                                 \
      (int, fd_set *restrict, fd_set *restrict, fd_set *restrict, struct timeval *restrict))       \
    X(int, pselect,                                                                                \
      (int, fd_set *restrict, fd_set *restrict, fd_set *restrict, const struct timespec *restrict, \
       const sigset_t *restrict))                                                                  \
    X(int, epoll_wait, (int, struct epoll_event *, int, int))                                      \
    X(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))                   \
    X(int, epoll_pwait2,                                                                           \
      (int, struct epoll_event *, int, const struct timespec *, const sigset_t *))                 \
    X(int, dup2, (int, int))                                                                       \
    X(int, dup3, (int, int, int))                                                                  \
    X(int, ioctl, (int, unsigned long, ...))                                                       \
    X(ssize_t, vmsplice, (int, const struct iovec *, size_t, unsigned))                            \
    X(ssize_t, tee, (int, int, size_t, unsigned))                                                  \
    X(int, vdprintf, (int, const char *restrict, va_list))                                         \
    X(int, __vdprintf_chk, (int, int, const char *restrict, va_list))                              \
    X(int, access, (const char *, int))                                                            \
    X(int, faccessat, (int, const char *, int, int))                                               \
    X(int, stat, (const char *restrict, struct stat *restrict))                                    \
    X(int, lstat, (const char *restrict, struct stat *restrict))                                   \
    X(ssize_t, readlink, (const char *restrict, char *restrict, size_t))                           \
    X(DIR *, opendir, (const char *))                                                              \
    X(int, openat, (int, const char *, int, ...))                                                  \
    X(FILE *, fopen, (const char *restrict, const char *restrict))                                 \
    X(FILE *, fopen64, (const char *restrict, const char *restrict))                               \
    X(int, mkstemp, (char *))                                                                      \
    X(int, mkstemp64, (char *))                                                                    \
    X(int, mkostemp, (char *, int))                                                                \
    X(int, mkostemp64, (char *, int))                                                              \
    X(int, mkstemps, (char *, int))                                                                \
    X(int, mkostemps, (char *, int, int))                                                          \
    X(char *, mkdtemp, (char *))                                                                   \
    X(int, mkdir, (const char *, mode_t))                                                          \
    X(int, mkdirat, (int, const char *, mode_t))                                                   \
    X(int, mkfifo, (const char *, mode_t))                                                         \
    X(int, link, (const char *, const char *))                                                     \
    X(int, symlink, (const char *, const char *))                                                  \
    X(int, rename, (const char *, const char *))                                                   \
    X(int, renameat, (int, const char *, int, const char *))                                       \
    X(int, bind, (int, const struct sockaddr *, socklen_t))                                        \
    X(int, inotify_init1, (int))                                                                   \
    X(int, timerfd_create, (int, int))                                                             \
    X(int, timerfd_settime, (int, int, const struct itimerspec *, struct itimerspec *))            \
    X(int, timerfd_gettime, (int, struct itimerspec *))                                            \
    X(int, signalfd, (int, const sigset_t *, int))                                                 \
    X(int, recvmmsg, (int, struct mmsghdr *, unsigned, int, struct timespec *))                    \
    X(int, sendmmsg, (int, struct mmsghdr *, unsigned, int))                                       \
    X(int, accept, (int, struct sockaddr *restrict, socklen_t *restrict))                          \
    X(int, accept4, (int, struct sockaddr *restrict, socklen_t *restrict, int))                    \
    X(int, connect, (int, const struct sockaddr *, socklen_t))                                     \
    X(ssize_t, recv, (int, void *, size_t, int))                                                   \
    X(ssize_t, __recv_chk, (int, void *, size_t, size_t, int))                                     \
    X(ssize_t, __recvfrom_chk,                                                                     \
      (int, void *restrict, size_t, size_t, int, struct sockaddr *restrict, socklen_t *restrict))  \
    X(ssize_t, recvfrom,                                                                           \
      (int, void *restrict, size_t, int, struct sockaddr *restrict, socklen_t *restrict))          \
    X(ssize_t, recvmsg, (int, struct msghdr *, int))                                               \
    X(ssize_t, send, (int, const void *, size_t, int))                                             \
    X(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t))       \
    X(ssize_t, sendmsg, (int, const struct msghdr *, int))                                         \
    X(pid_t, wait, (int *))                                                                        \
    X(pid_t, waitpid, (pid_t, int *, int))                                                         \
    X(pid_t, wait4, (pid_t, int *, int, struct rusage *))                                          \
    X(int, waitid, (idtype_t, id_t, siginfo_t *, int))                                             \
    X(int, sigwait, (const sigset_t *restrict, int *restrict))                                     \
    X(int, sigwaitinfo, (const sigset_t *restrict, siginfo_t *restrict))                           \
    X(int, sigtimedwait,                                                                           \
      (const sigset_t *restrict, siginfo_t *restrict, const struct timespec *restrict))            \
    X(int, sigsuspend, (const sigset_t *))                                                         \
    X(int, pause, (void))                                                                          \
    X(int, flock, (int, int))                                                                      \
    X(int, lockf, (int, int, off_t))                                                               \
    X(int, system, (const char *))                                                                 \
    X(int, pclose, (FILE *))                                                                       \
    X(int, timer_create, (clockid_t, struct sigevent *restrict, timer_t *restrict))                \
    X(int, timer_settime,                                                                          \
      (timer_t, int, const struct itimerspec *restrict, struct itimerspec *restrict))              \
    X(int, timer_gettime, (timer_t, struct itimerspec *))                                          \
    X(int, timer_getoverrun, (timer_t))                                                            \
    X(int, timer_delete, (timer_t))                                                                \
    X(int, setitimer,                                                                              \
      (__itimer_which_t, const struct itimerval *restrict, struct itimerval *restrict))            \
    X(int, getitimer, (__itimer_which_t, struct itimerval *))                                      \
    X(unsigned, alarm, (unsigned))                                                                 \
    X(pid_t, getpid, (void))                                                                       \
    X(pid_t, getppid, (void))                                                                      \
    X(ssize_t, mq_receive, (mqd_t, char *, size_t, unsigned *))                                    \
    X(ssize_t, mq_timedreceive,                                                                    \
      (mqd_t, char *restrict, size_t, unsigned *restrict, const struct timespec *restrict))        \
    X(int, mq_send, (mqd_t, const char *, size_t, unsigned))                                       \
    X(int, mq_timedsend, (mqd_t, const char *, size_t, unsigned, const struct timespec *))         \
    X(int, mq_notify, (mqd_t, const struct sigevent *))                                            \
    X(ssize_t, msgrcv, (int, void *, size_t, long, int))                                           \
    X(int, msgsnd, (int, const void *, size_t, int))                                               \
    X(int, semop, (int, struct sembuf *, size_t))                                                  \
    X(int, semtimedop, (int, struct sembuf *, size_t, const struct timespec *))                    \
    X(int, raise, (int))                                                                           \
    X(int, sigaltstack, (const stack_t *restrict, stack_t *restrict))                              \
    X(int, sigaction, (int, const struct sigaction *restrict, struct sigaction *restrict))         \
    X(int, kill, (pid_t, int))                                                                     \
    X(int, sigqueue, (pid_t, int, const union sigval))                                             \
    X(int, pthread_tryjoin_np, (pthread_t, void **))                                               \
    X(int, pthread_timedjoin_np, (pthread_t, void **, const struct timespec *))                    \
    X(int, pthread_clockjoin_np, (pthread_t, void **, clockid_t, const struct timespec *))         \
    X(int, pthread_sigqueue, (pthread_t, int, const union sigval))                                 \
    X(int, thrd_create, (thrd_t *, thrd_start_t, void *))                                          \
    X(int, clock_settime, (clockid_t, const struct timespec *))                                    \
    X(int, clock_getcpuclockid, (pid_t, clockid_t *))                                              \
    X(int, sched_getscheduler, (pid_t))                                                            \
    X(int, sched_setscheduler, (pid_t, int, const struct sched_param *))                           \
    X(int, sched_getparam, (pid_t, struct sched_param *))                                          \
    X(int, sched_setparam, (pid_t, const struct sched_param *))                                    \
    X(int, sched_rr_get_interval, (pid_t, struct timespec *))                                      \
    X(int, sched_getaffinity, (pid_t, size_t, cpu_set_t *))                                        \
    X(int, sched_setaffinity, (pid_t, size_t, const cpu_set_t *))                                  \
    X(int, pthread_setschedparam, (pthread_t, int, const struct sched_param *))                    \
    X(int, pthread_getschedparam, (pthread_t, int *restrict, struct sched_param *restrict))        \
    X(int, pthread_setschedprio, (pthread_t, int))                                                 \
    X(int, pthread_getattr_np, (pthread_t, pthread_attr_t *))                                      \
    X(int, pthread_setaffinity_np, (pthread_t, size_t, const cpu_set_t *))                         \
    X(int, pthread_getaffinity_np, (pthread_t, size_t, cpu_set_t *))                               \
    X(int, sched_getcpu, (void))                                                                   \
    X(int, nice, (int))                                                                            \
    X(int, setpriority, (__priority_which_t, id_t, int))                                           \
    X(int, getpriority, (__priority_which_t, id_t))                                                \
    X(int, clone, (int (*)(void *), void *, int, void *, ...))                                     \
    X(int, daemon, (int, int))                                                                     \
    X(int, prctl, (int, ...))                                                                      \
    X(long, ptrace, (enum __ptrace_request, ...))                                                  \
    X(int, prlimit, (pid_t, enum __rlimit_resource, const struct rlimit *, struct rlimit *))       \
    X(int, getsockopt, (int, int, int, void *restrict, socklen_t *restrict))                       \
    X(int, fcntl, (int, int, ...))                                                                 \
    X(pid_t, gettid, (void))                                                                       \
    X(pid_t, getpgid, (pid_t))                                                                     \
    X(int, setpgid, (pid_t, pid_t))                                                                \
    X(pid_t, getsid, (pid_t))                                                                      \
    X(int, socketpair, (int, int, int, int[2]))                                                    \
    X(int, listen, (int, int))                                                                     \
    X(int, epoll_ctl, (int, int, int, struct epoll_event *))                                       \
    X(sem_t *, sem_open, (const char *, int, ...))                                                 \
    X(int, sem_unlink, (const char *))                                                             \
    X(int, shm_open, (const char *, int, mode_t))                                                  \
    X(int, shm_unlink, (const char *))                                                             \
    X(mqd_t, mq_open, (const char *, int, ...))                                                    \
    X(int, mq_unlink, (const char *))                                                              \
    X(int, msgget, (key_t, int))                                                                   \
    X(int, semget, (key_t, int, int))                                                              \
    X(int, shmget, (key_t, size_t, int))                                                           \
    X(int, aio_read, (struct aiocb *))                                                             \
    X(int, aio_write, (struct aiocb *))                                                            \
    X(int, aio_fsync, (int, struct aiocb *))                                                       \
    X(int, aio_suspend, (const struct aiocb *const[], int, const struct timespec *))               \
    X(int, aio_cancel, (int, struct aiocb *))                                                      \
    X(int, lio_listio, (int, struct aiocb *const[restrict], int, struct sigevent *restrict))       \
    X(FILE *, popen, (const char *, const char *))                                                 \
    X(int, posix_spawn,                                                                            \
      (pid_t *restrict, const char *restrict, const posix_spawn_file_actions_t *,                  \
       const posix_spawnattr_t *restrict, char *const[restrict], char *const[restrict]))           \
    X(int, posix_spawnp,                                                                           \
      (pid_t *restrict, const char *restrict, const posix_spawn_file_actions_t *,                  \
       const posix_spawnattr_t *restrict, char *const[restrict], char *const[restrict]))           \
    X(pid_t, fork, (void))                                                                         \
    X(void, __chk_fail, (void))                                                                    \
    X(void, __assert_fail, (const char *, const char *, unsigned, const char *))                   \
    X(void, exit, (int))                                                                           \
    X(void, quick_exit, (int))                                                                     \
    X(void, _exit, (int))

struct hdi_real {
#define HDI_REAL_FIELD(type, name, args) type(*name) args;
    HDI_REAL_MAP(HDI_REAL_FIELD)
#undef HDI_REAL_FIELD
    long (*syscall)(long, ...);
};

extern struct hdi_real hdi_real;

/* Fill the table; cheap when done. An entry that is called before does it itself. */
void hdi_real_start(void);

/* What an interposed function calls first: true when the call is to be modelled, and then the
 * caller has the turn. */
bool hdi_enter(void);

#define HDI_EXPORT __attribute__((visibility("default")))

/* The function of this name that the call at `caller` would reach without us, of a library that
 * need not be among those that the program was started with. */
void *hdi_real_of(const char *name, uint64_t caller);

/* Declares `real`, the same, which is looked up once. */
#define HDI_REAL_OF(type, name, params, caller)                                                    \
    static type(*real) params;                                                                     \
    if (__builtin_expect(!real, 0))                                                                \
        *(void **)&real = hdi_real_of(name, caller);

#endif /* HEDDLE_REAL_H */
