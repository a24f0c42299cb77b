/* bench_leaks.c - what it costs that a spawn is charged to a leak check.
 *
 *     bench_leaks [ROUNDS]          goroutines started and waited for, outside of and inside a
 * check bench_leaks --threads N       N threads created and joined: for a comparison with a runtime
 *                                   that follows them loaded, and without (bench_leaks.sh)
 *
 * Nanoseconds of CPU time, of all threads, on one processor; the least and the median of ROUNDS
 * (30). Batches inside and outside of a check take turns in one process; those without any check
 * have one of their own, as a process keeps books once a check has begun.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <heddle/go.h>
#include <heddle/leak.h>
#include <heddle/waitgroup.h>

#define BATCH 64
#define BATCHES 300
#define MOST_ROUNDS 1000

enum how { NEVER, OUTSIDE, INSIDE, WAYS };
static const char *const names[] = {"no check ever begun", "outside of a check", "inside a check"};

static struct hd_wg wg;

static void done(void *arg)
{
    (void)arg;
    hd_wg_done(&wg);
}

static void *nothing(void *arg)
{
    return arg;
}

static void need(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_leaks: %s failed\n", what);
        exit(3);
    }
}

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void spawn_and_wait(void)
{
    hd_wg_add(&wg, BATCH);
    for (int i = 0; i < BATCH; i++)
        need(!hd_go(done, NULL), "hd_go");
    hd_wg_wait(&wg);
}

static double batch_ns(void)
{
    double start = cpu_ns();

    spawn_and_wait();
    return (cpu_ns() - start) / BATCH;
}

static void keep_least(double *least, double ns)
{
    if (*least == 0 || ns < *least)
        *least = ns;
}

/* The least of many batches: what else the machine does only adds. The last two take turns. */
static void measure(enum how how, double ns[WAYS])
{
    spawn_and_wait();
    for (int i = 0; i < BATCHES; i++) {
        if (how == NEVER) {
            keep_least(&ns[NEVER], batch_ns());
            continue;
        }
        keep_least(&ns[OUTSIDE], batch_ns());
        hd_leak_check_begin("bench");
        keep_least(&ns[INSIDE], batch_ns());
        need(hd_leak_check_end(NULL, 0) == 0, "hd_leak_check_end");
    }
}

static void in_a_child(enum how how, double ns[WAYS])
{
    int ends[2];
    pid_t pid;

    need(pipe(ends) == 0, "pipe");
    pid = fork();
    need(pid >= 0, "fork");
    if (pid == 0) {
        measure(how, ns);
        _exit(write(ends[1], ns, WAYS * sizeof *ns) == WAYS * sizeof *ns ? 0 : 3);
    }
    close(ends[1]);
    need(read(ends[0], ns, WAYS * sizeof *ns) == WAYS * sizeof *ns, "a round");
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double threads(long n)
{
    double least = 1e18;

    for (int round = 0; round < 20; round++) {
        double start = cpu_ns(), spent;
        for (long i = 0; i < n; i++) {
            pthread_t thread;
            need(pthread_create(&thread, NULL, nothing, NULL) == 0, "pthread_create");
            pthread_join(thread, NULL);
        }
        spent = (cpu_ns() - start) / (double)n;
        if (spent < least)
            least = spent;
    }
    return least;
}

int main(int argc, char **argv)
{
    static double ns[WAYS][MOST_ROUNDS], cost[MOST_ROUNDS];
    int rounds = 30;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    if (argc == 3 && strcmp(argv[1], "--threads") == 0 && strtol(argv[2], NULL, 10) > 0) {
        printf("%.0f\n", threads(strtol(argv[2], NULL, 10)));
        return 0;
    }
    if (argc == 2)
        rounds = (int)strtol(argv[1], NULL, 10);
    if (argc > 2 || rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_leaks [ROUNDS 1..%d] | --threads N\n", MOST_ROUNDS);
        return 2;
    }
    for (int i = 0; i < rounds; i++) {
        double round[WAYS] = {0}, never[WAYS] = {0};
        in_a_child(NEVER, never);
        in_a_child(INSIDE, round);
        ns[NEVER][i] = never[NEVER];
        ns[OUTSIDE][i] = round[OUTSIDE];
        ns[INSIDE][i] = round[INSIDE];
        cost[i] = round[INSIDE] - round[OUTSIDE];
    }
    printf("%-32s %8s %8s\n", "ns a goroutine, spawn and wait", "least", "median");
    for (enum how how = NEVER; how < WAYS; how++) {
        qsort(ns[how], (size_t)rounds, sizeof ns[how][0], by_size);
        printf("%-32s %8.0f %8.0f\n", names[how], ns[how][0], ns[how][rounds / 2]);
    }
    qsort(cost, (size_t)rounds, sizeof cost[0], by_size);
    printf("%-32s %8s %+8.0f\n", "inside more than outside", "", cost[rounds / 2]);
    return 0;
}
