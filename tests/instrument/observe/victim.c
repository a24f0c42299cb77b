/* victim.c - programs for test_watch.sh, by name: what heddle watch must say about them, or not. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER, of_child = PTHREAD_MUTEX_INITIALIZER;
static sem_t never;

static void pair(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *a_then_b(void *gated)
{
    if (gated)
        pthread_mutex_lock(&gate);
    pair(&a, &b);
    if (gated)
        pthread_mutex_unlock(&gate);
    return NULL;
}

static void *b_then_a(void *gated)
{
    if (gated)
        pthread_mutex_lock(&gate);
    pair(&b, &a);
    if (gated)
        pthread_mutex_unlock(&gate);
    return NULL;
}

static void two(void *(*x)(void *), void *(*y)(void *), void *arg)
{
    pthread_t s, t;
    pthread_create(&s, NULL, x, arg);
    usleep(50000);
    pthread_create(&t, NULL, y, arg);
    pthread_join(s, NULL);
    pthread_join(t, NULL);
}

static void *blocked(void *arg)
{
    (void)arg;
    sem_wait(&never);
    return NULL;
}

static void *sleeps(void *arg)
{
    for (;;)
        sleep(10);
    return arg;
}

static void *reads(void *arg)
{
    int ends[2];
    char byte;
    return pipe(ends) == 0 && read(ends[0], &byte, 1) == 0 ? arg : NULL;
}

static void *computes(void *arg)
{
    for (volatile long turns = 0;; turns++)
        ;
    return arg;
}

static void *takes_a(void *arg)
{
    pthread_barrier_t *both = arg;
    pthread_mutex_lock(&a);
    pthread_barrier_wait(both);
    pthread_mutex_lock(&b);
    return NULL;
}

static void *takes_b(void *arg)
{
    pthread_barrier_t *both = arg;
    pthread_mutex_lock(&b);
    pthread_barrier_wait(both);
    pthread_mutex_lock(&a);
    return NULL;
}

static void *abandons(void *keeps)
{
    pthread_mutex_lock(&a);
    if (!keeps)
        pthread_mutex_unlock(&a);
    return NULL;
}

static void *waits_for_a(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    return arg;
}

/* A thread ends, with the mutex or without, and another takes it while main sleeps. */
static int left_behind(bool keeps)
{
    pthread_t s, t;
    pthread_create(&s, NULL, abandons, keeps ? &a : NULL);
    pthread_join(s, NULL);
    pthread_create(&t, NULL, waits_for_a, NULL);
    sleep(2);
    return 0;
}

/* What follows the program loses its descriptors, whose numbers mean a file then. */
static int closes(bool all)
{
    FILE *file = tmpfile();
    int ours = dup(fileno(file));
    if (all) {
        for (int fd = 3; fd < 64; fd++)
            if (fd != ours)
                close(fd);
        for (int fd = 3; fd < 64; fd++)
            dup2(ours, fd);
    }
    two(a_then_b, b_then_a, NULL);
    sleep(1);
    puts(lseek(ours, 0, SEEK_END) == 0 ? "file is empty" : "file was written to");
    return 0;
}

static void *busy(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
        pair(&a, &b);
    return NULL;
}

/* Dumps are asked for while threads lock, come and go, and the program forks and ends. */
static int storm(void)
{
    static int stop;
    pthread_t t[8], u;
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, busy, &stop);
    for (int i = 0; i < 300; i++) {
        kill(getpid(), SIGUSR1);
        pthread_create(&u, NULL, a_then_b, NULL);
        if (i % 10 == 0) {
            pid_t child = fork();
            if (child == 0) {
                pair(&gate, &of_child); /* a and b may be held by threads that it does not have */
                _exit(0);
            }
            int status = 0;
            waitpid(child, &status, 0);
            if (status) {
                puts("child failed");
                return 9;
            }
        }
        pthread_join(u, NULL);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    kill(getpid(), SIGUSR1);
    puts("storm over");
    return 0;
}

static void *allocates(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED)) {
        void *volatile p = malloc(100), *volatile q = calloc(7, 333);
        free(p);
        free(q);
    }
    return NULL;
}

/* Signals by the thousand, sent by a child, while threads are inside malloc, and to the end. */
static int hail(void)
{
    static int stop;
    pthread_t t[4];
    int status = 0;
    pid_t parent = getpid(), child;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, allocates, &stop);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 5000; i++)
            kill(parent, SIGUSR1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    child = fork();
    if (child == 0) /* this one hails until the parent is gone */
        for (;;)
            if (kill(parent, SIGUSR1) != 0 || getppid() != parent)
                _exit(0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    puts("hail over");
    return status ? 9 : 3;
}

/* What is sent to a child is not for its parent, and means there what it always means. */
static int child_gets_it(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    usleep(50000);
    kill(child, SIGQUIT);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGQUIT)
        return 9;
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    usleep(50000);
    kill(child, SIGUSR1);
    waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGUSR1)
        return 9;
    usleep(200000);
    puts("still there");
    return 4;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    sem_init(&never, 0, 0);
    if (strcmp(what, "inversion") == 0) {
        two(a_then_b, b_then_a, NULL);
    } else if (strcmp(what, "gated") == 0) {
        two(a_then_b, b_then_a, &gate);
    } else if (strcmp(what, "circle") == 0) {
        pthread_barrier_t both;
        pthread_barrier_init(&both, NULL, 2);
        two(takes_a, takes_b, &both);
    } else if (strcmp(what, "hang") == 0) {
        two(blocked, blocked, NULL);
    } else if (strcmp(what, "asleep") == 0) {
        pthread_t t;
        pthread_create(&t, NULL, sleeps, NULL);
        pthread_create(&t, NULL, reads, NULL);
        pthread_create(&t, NULL, computes, NULL);
        puts("ready");
        fflush(stdout);
        sem_wait(&never);
    } else if (strcmp(what, "alone") == 0) {
        puts("ready");
        fflush(stdout);
        sem_wait(&never);
    } else if (strcmp(what, "left") == 0) {
        pthread_t t;
        pthread_create(&t, NULL, blocked, NULL);
        usleep(50000);
    } else if (strcmp(what, "right") == 0) {
        two(a_then_b, a_then_b, NULL);
    } else if (strcmp(what, "abandons") == 0 || strcmp(what, "gives-back") == 0) {
        return left_behind(strcmp(what, "abandons") == 0);
    } else if (strcmp(what, "closes") == 0 || strcmp(what, "keeps-open") == 0) {
        return closes(strcmp(what, "closes") == 0);
    } else if (strcmp(what, "behind") == 0) {
        pthread_barrier_t both;
        pthread_t t;
        pthread_barrier_init(&both, NULL, 2);
        pthread_create(&t, NULL, takes_a, &both);
        pthread_create(&t, NULL, takes_b, &both);
        usleep(50000);
        pthread_create(&t, NULL, waits_for_a, NULL);
        for (;;)
            sleep(1); /* what the others do is no hang */
    } else if (strcmp(what, "storm") == 0) {
        return storm();
    } else if (strcmp(what, "hail") == 0) {
        return hail();
    } else if (strcmp(what, "child") == 0) {
        return child_gets_it();
    } else if (strcmp(what, "many") == 0) {
        pthread_attr_t small;
        pthread_t t;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 65536);
        for (int i = 0; i < 1000; i++)
            pthread_create(&t, &small, blocked, NULL);
        puts("ready");
        fflush(stdout);
        sem_wait(&never);
    } else {
        return 2;
    }
    return argc > 2 ? atoi(argv[2]) : 0;
}
