/* processes.c - fork from threads, atfork, and objects that processes share. */
#include "check.h"

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t mutex, robust;
    pthread_cond_t cond;
    pthread_rwlock_t rwlock;
    pthread_barrier_t barrier;
    pthread_spinlock_t spin;
    sem_t sem, back;
    int step, count;
};

static struct shared *s;

static void make_shared(void)
{
    pthread_mutexattr_t ma;
    pthread_condattr_t ca;
    pthread_rwlockattr_t ra;
    pthread_barrierattr_t ba;

    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(s != MAP_FAILED);
    ANSWERS(0, pthread_mutexattr_init(&ma));
    ANSWERS(0, pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_mutex_init(&s->mutex, &ma));
    ANSWERS(0, pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST));
    ANSWERS(0, pthread_mutex_init(&s->robust, &ma));
    ANSWERS(0, pthread_condattr_init(&ca));
    ANSWERS(0, pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_cond_init(&s->cond, &ca));
    ANSWERS(0, pthread_rwlockattr_init(&ra));
    ANSWERS(0, pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_rwlock_init(&s->rwlock, &ra));
    ANSWERS(0, pthread_barrierattr_init(&ba));
    ANSWERS(0, pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_barrier_init(&s->barrier, &ba, 2));
    ANSWERS(0, pthread_spin_init(&s->spin, PTHREAD_PROCESS_SHARED));
    CHECK(sem_init(&s->sem, 1, 0) == 0 && sem_init(&s->back, 1, 0) == 0);
}

/* f in a child process; its checks count here. */
static void in_child(void (*f)(void), void (*meanwhile)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        failures = 0;
        f();
        _exit(failures != 0);
    }
    CHECK(pid > 0);
    if (pid <= 0)
        return;
    if (meanwhile)
        meanwhile();
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *nothing(void *arg)
{
    return arg;
}

static void thread_of_child(void)
{
    pthread_t t;
    int x;
    void *result;

    ANSWERS(0, pthread_create(&t, NULL, nothing, &x));
    ANSWERS(0, pthread_join(t, &result));
    CHECK(result == &x);
}

static pid_t parent;

static void knows_parent(void)
{
    CHECK(getppid() == parent);
    CHECK(getpid() != parent);
    thread_of_child();
}

static void child_processes(void)
{
    pid_t pid;
    int status;

    parent = getpid();
    in_child(knows_parent, NULL);
    pid = fork();
    if (pid == 0)
        _exit(7);
    CHECK(pid > 0);
    thread_of_child();
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    FAILS(ECHILD, waitpid(pid, &status, 0));
    FAILS(ECHILD, wait(&status));
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    CHECK(pid > 0);
    if (pid <= 0) /* never to be signalled: -1 is everybody */
        return;
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    CHECK(kill(pid, SIGTERM) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* ---- shared objects ---- */

static void adds(void)
{
    for (int i = 0; i < 50; i++) {
        ANSWERS(0, pthread_mutex_lock(&s->mutex));
        s->count++;
        ANSWERS(0, pthread_mutex_unlock(&s->mutex));
        ANSWERS(0, pthread_spin_lock(&s->spin));
        s->step++;
        ANSWERS(0, pthread_spin_unlock(&s->spin));
    }
}

static void exclusion(void)
{
    s->count = s->step = 0;
    in_child(adds, adds);
    CHECK(s->count == 100 && s->step == 100);
}

static void answers_posts(void)
{
    for (int i = 0; i < 5; i++) {
        CHECK(sem_wait(&s->sem) == 0);
        CHECK(sem_post(&s->back) == 0);
    }
}

static void posts(void)
{
    for (int i = 0; i < 5; i++) {
        CHECK(sem_post(&s->sem) == 0);
        CHECK(sem_wait(&s->back) == 0);
    }
}

static void semaphores(void)
{
    in_child(answers_posts, posts);
}

static void meets(void)
{
    int rc = pthread_barrier_wait(&s->barrier);

    CHECK(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
    if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
        __atomic_add_fetch(&s->count, 1, __ATOMIC_SEQ_CST);
}

static void barriers(void)
{
    s->count = 0;
    in_child(meets, meets);
    CHECK(s->count == 1);
}

static void takes_turn(void)
{
    ANSWERS(0, pthread_mutex_lock(&s->mutex));
    while (s->step == 0)
        ANSWERS(0, pthread_cond_wait(&s->cond, &s->mutex));
    s->step = 2;
    ANSWERS(0, pthread_cond_broadcast(&s->cond));
    ANSWERS(0, pthread_mutex_unlock(&s->mutex));
}

static void gives_turn(void)
{
    ANSWERS(0, pthread_mutex_lock(&s->mutex));
    s->step = 1;
    ANSWERS(0, pthread_cond_broadcast(&s->cond));
    while (s->step != 2)
        ANSWERS(0, pthread_cond_wait(&s->cond, &s->mutex));
    ANSWERS(0, pthread_mutex_unlock(&s->mutex));
}

static void conditions(void)
{
    s->step = 0;
    in_child(takes_turn, gives_turn);
    s->step = 0;
    in_child(gives_turn, takes_turn);
}

static void holds_while_parent_tries(void)
{
    ANSWERS(0, pthread_rwlock_wrlock(&s->rwlock));
    ANSWERS(0, pthread_mutex_lock(&s->mutex));
    ANSWERS(0, pthread_spin_lock(&s->spin));
    CHECK(sem_post(&s->sem) == 0);
    CHECK(sem_wait(&s->back) == 0);
    ANSWERS(0, pthread_spin_unlock(&s->spin));
    ANSWERS(0, pthread_mutex_unlock(&s->mutex));
    ANSWERS(0, pthread_rwlock_unlock(&s->rwlock));
}

static void tries(void)
{
    struct timespec until;

    CHECK(sem_wait(&s->sem) == 0);
    ANSWERS(EBUSY, pthread_rwlock_tryrdlock(&s->rwlock));
    ANSWERS(EBUSY, pthread_rwlock_trywrlock(&s->rwlock));
    ANSWERS(EBUSY, pthread_mutex_trylock(&s->mutex));
    ANSWERS(EBUSY, pthread_spin_trylock(&s->spin));
    until = in_ns(CLOCK_REALTIME, 5 * MS);
    ANSWERS(ETIMEDOUT, pthread_mutex_timedlock(&s->mutex, &until));
    until = in_ns(CLOCK_REALTIME, 5 * MS);
    ANSWERS(ETIMEDOUT, pthread_rwlock_timedrdlock(&s->rwlock, &until));
    CHECK(sem_post(&s->back) == 0);
    ANSWERS(0, pthread_rwlock_rdlock(&s->rwlock));
    ANSWERS(0, pthread_rwlock_unlock(&s->rwlock));
    ANSWERS(0, pthread_spin_lock(&s->spin));
    ANSWERS(0, pthread_spin_unlock(&s->spin));
    ANSWERS(0, pthread_mutex_lock(&s->mutex));
    ANSWERS(0, pthread_mutex_unlock(&s->mutex));
}

static void held_elsewhere(void)
{
    in_child(holds_while_parent_tries, tries);
}

static void dies_holding(void)
{
    ANSWERS(0, pthread_mutex_lock(&s->robust));
}

static void robust(void)
{
    in_child(dies_holding, NULL);
    ANSWERS(EOWNERDEAD, pthread_mutex_lock(&s->robust));
    ANSWERS(0, pthread_mutex_consistent(&s->robust));
    ANSWERS(0, pthread_mutex_unlock(&s->robust));
    ANSWERS(0, pthread_mutex_lock(&s->robust));
    ANSWERS(0, pthread_mutex_unlock(&s->robust));
}

static void named_memory(void)
{
    char name[64];
    int fd, *a, *b;

    snprintf(name, sizeof name, "/heddle-shm-%ld", (long)getpid());
    fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(fd >= 0);
    CHECK(ftruncate(fd, 4096) == 0);
    a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    b = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(a != MAP_FAILED && b != MAP_FAILED && a != b);
    *a = 42;
    CHECK(*b == 42);
    munmap(a, 4096);
    munmap(b, 4096);
    close(fd);
    CHECK(shm_unlink(name) == 0);
    FAILS(ENOENT, shm_open(name, O_RDWR, 0));
}

/* ---- fork among threads ---- */

static bool noting;
static char order[16];
static size_t order_length;

#define NOTES(name, letter)                                                                        \
    static void name(void)                                                                         \
    {                                                                                              \
        if (!noting)                                                                               \
            return;                                                                                \
        order[order_length++] = (letter);                                                          \
        order[order_length] = 0;                                                                   \
    }
NOTES(prepare_1, 'a')
NOTES(prepare_2, 'b')
NOTES(parent_1, 'c')
NOTES(parent_2, 'd')
NOTES(child_1, 'e')
NOTES(child_2, 'f')

static void child_sees_order(void)
{
    CHECK(strcmp(order, "baef") == 0);
}

static void at_fork(void)
{
    ANSWERS(0, pthread_atfork(prepare_1, parent_1, child_1));
    ANSWERS(0, pthread_atfork(prepare_2, parent_2, child_2));
    noting = true;
    in_child(child_sees_order, NULL);
    noting = false;
    CHECK(strcmp(order, "bacd") == 0);
}

static sem_t hold;

static void *waits(void *arg)
{
    CHECK(sem_wait(&hold) == 0);
    return arg;
}

static void alone_in_child(void)
{
    struct timespec d = {0, MS};

    nanosleep(&d, NULL);
    CHECK(sem_trywait(&hold) == -1 && errno == EAGAIN);
    thread_of_child();
}

static void *forks(void *arg)
{
    in_child(alone_in_child, NULL);
    return arg;
}

static void from_a_thread(void)
{
    pthread_t t[3];

    CHECK(sem_init(&hold, 0, 0) == 0);
    ANSWERS(0, pthread_create(&t[0], NULL, waits, NULL));
    ANSWERS(0, pthread_create(&t[1], NULL, forks, NULL));
    ANSWERS(0, pthread_create(&t[2], NULL, forks, NULL));
    ANSWERS(0, pthread_join(t[1], NULL));
    ANSWERS(0, pthread_join(t[2], NULL));
    CHECK(sem_post(&hold) == 0);
    ANSWERS(0, pthread_join(t[0], NULL));
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void unlocks_copy(void)
{
    ANSWERS(0, pthread_mutex_unlock(&held)); /* held by the thread that forked */
    ANSWERS(0, pthread_mutex_lock(&held));
    ANSWERS(0, pthread_mutex_unlock(&held));
}

static void held_over_fork(void)
{
    ANSWERS(0, pthread_mutex_lock(&held));
    in_child(unlocks_copy, NULL);
    ANSWERS(0, pthread_mutex_unlock(&held));
}

/* A child takes real time; so a sleep beside it does. */
static void takes_a_while(void)
{
    nap(30 * MS);
    s->count = 1;
}

static void sleeps_longer(void)
{
    nap(150 * MS);
    CHECK(s->count == 1);
}

static void sleep_beside_child(void)
{
    s->count = 0;
    in_child(takes_a_while, sleeps_longer);
}

static volatile sig_atomic_t children_ended;

static void on_child(int number)
{
    (void)number;
    children_ended++;
}

static void child_signal(void)
{
    struct sigaction sa = {.sa_handler = on_child, .sa_flags = SA_RESTART};

    CHECK(sigaction(SIGCHLD, &sa, NULL) == 0);
    in_child(dies_holding, NULL);
    CHECK(children_ended == 1);
    signal(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
    make_shared();
    RUN(child_processes);
    RUN(exclusion);
    RUN(semaphores);
    RUN(barriers);
    RUN(conditions);
    RUN(held_elsewhere);
    RUN(robust);
    RUN(named_memory);
    RUN(at_fork);
    RUN(from_a_thread);
    RUN(held_over_fork);
    RUN(sleep_beside_child);
    RUN(child_signal);
    return conclude();
}
