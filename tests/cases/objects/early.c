/* A library that calls what Heddle models before main, and before Heddle's runtime has begun: what,
 * the program's first argument says. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

long early_result = -1;
pthread_t early_thread;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static mtx_t mtx;
static sem_t sem;
static int ran;

static void runs(void)
{
    ran++;
}

static void on_signal(int number)
{
    (void)number;
    ran++;
}

static bool locks(void)
{
    struct timespec past = {0, 0};

    return pthread_mutex_lock(&mutex) == 0 && pthread_mutex_trylock(&mutex) == EBUSY &&
           pthread_cond_signal(&cond) == 0 && pthread_cond_broadcast(&cond) == 0 &&
           pthread_cond_timedwait(&cond, &mutex, &past) == ETIMEDOUT &&
           pthread_mutex_unlock(&mutex) == 0 && pthread_rwlock_rdlock(&rwlock) == 0 &&
           pthread_rwlock_unlock(&rwlock) == 0 && pthread_rwlock_wrlock(&rwlock) == 0 &&
           pthread_rwlock_unlock(&rwlock) == 0 && pthread_once(&once, runs) == 0 &&
           pthread_spin_init(&spin, 0) == 0 && pthread_spin_lock(&spin) == 0 &&
           pthread_spin_unlock(&spin) == 0 && pthread_barrier_init(&barrier, NULL, 1) == 0 &&
           pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD &&
           mtx_init(&mtx, mtx_plain) == thrd_success && mtx_lock(&mtx) == thrd_success &&
           mtx_unlock(&mtx) == thrd_success && sem_init(&sem, 0, 1) == 0 && sem_wait(&sem) == 0 &&
           sem_trywait(&sem) == -1 && sem_post(&sem) == 0;
}

static bool clocks(void)
{
    struct timespec t, nothing = {0, 1};
    struct timeval v;
    struct itimerval timer;

    return clock_gettime(CLOCK_MONOTONIC, &t) == 0 && gettimeofday(&v, NULL) == 0 &&
           time(NULL) > 0 && nanosleep(&nothing, NULL) == 0 && usleep(1) == 0 && sleep(0) == 0 &&
           clock_nanosleep(CLOCK_MONOTONIC, 0, &nothing, NULL) == 0 && sched_yield() == 0 &&
           getitimer(ITIMER_REAL, &timer) == 0 && alarm(0) == 0;
}

static bool calls(void)
{
    int s[2], p[2];
    char c;
    struct pollfd ready = {.events = POLLIN};

    if (pipe(p) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0)
        return false;
    ready.fd = p[0];
    return write(p[1], "x", 1) == 1 && poll(&ready, 1, -1) == 1 && read(p[0], &c, 1) == 1 &&
           send(s[0], "y", 1, 0) == 1 && recv(s[1], &c, 1, 0) == 1 && c == 'y' && getpid() > 0 &&
           getppid() > 0 && kill(getpid(), 0) == 0 && signal(SIGUSR1, on_signal) != SIG_ERR &&
           raise(SIGUSR1) == 0 && shm_unlink("/heddle-not-there") == -1;
}

static void *work(void *arg)
{
    pthread_mutex_lock(&mutex);
    ran++;
    pthread_mutex_unlock(&mutex);
    return arg;
}

__attribute__((constructor)) static void early(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "syscall") == 0)
        early_result = syscall(SYS_gettid);
    else if (strcmp(what, "calls") == 0)
        early_result = locks() && clocks() && calls() && ran == 2 ? 0 : -1;
    else if (strcmp(what, "thread") == 0)
        early_result = pthread_create(&early_thread, NULL, work, NULL) == 0 ? 0 : -1;
}
