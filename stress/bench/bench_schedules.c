/* bench_schedules.c - how many schedules a second, what a hand-off costs, whether memory stays
 * flat.
 *
 *   bench_schedules HEDDLE THREE_THREADS [MOST]   (MOST: schedules of the longest run, 100000)
 *
 * Prints figures; judges nothing but that the runs worked. The bare hand-off beside ours is a pair
 * of threads on one CPU that wake each other by futex: what the baton vehicle does, and no more.
 */
#include <jansson.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scratch.h"

extern char **environ;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct run {
    double seconds; /* as the driver counts them */
    double schedules, steps;
    long peak_kib;      /* of the driver */
    double cpu_seconds; /* of it and all that it started and waited for */
    double in_place, looks, pages, calls, engine_seconds, run_seconds, restore_seconds,
        look_seconds;
};

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Explore `program` and read the JSON document. */
static struct run explore_in(const char *engine, const char *heddle, const char *program,
                             const char *pairs, const char *schedules, const char *jobs,
                             const char *strategy)
{
    char count[32], job[32], how[64], where[64], out[sizeof scratch_folder + 8];
    struct run r = {0};
    int pipefd[2];
    scratch_check();
    if (pipe(pipefd) != 0)
        exit(3);
    snprintf(out, sizeof out, "%s/out", scratch_folder);
    snprintf(count, sizeof count, "-n%s", schedules);
    snprintf(job, sizeof job, "-j%s", jobs);
    snprintf(how, sizeof how, "--strategy=%s", strategy);
    snprintf(where, sizeof where, "--engine=%s", engine);
    char *const argv[] = {(char *)heddle,
                          "run",
                          "-q",
                          "--json",
                          count,
                          job,
                          how,
                          where,
                          "-o",
                          out,
                          "--max-steps=1000000",
                          "--",
                          (char *)program,
                          (char *)pairs,
                          NULL};
    posix_spawn_file_actions_t io;
    posix_spawn_file_actions_init(&io);
    posix_spawn_file_actions_adddup2(&io, pipefd[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&io, pipefd[0]);
    pid_t pid;
    if (posix_spawn(&pid, heddle, &io, NULL, argv, environ) != 0) {
        perror(heddle);
        exit(3);
    }
    posix_spawn_file_actions_destroy(&io);
    close(pipefd[1]);
    FILE *in = fdopen(pipefd[0], "r");
    json_t *doc = json_loadf(in, 0, NULL);
    fclose(in);
    int status;
    struct rusage usage;
    wait4(pid, &status, 0, &usage);
    scratch_check();
    json_t *s = json_object_get(doc, "statistics");
    if (!s || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bench_schedules: heddle ended with status %#x\n", (unsigned)status);
        exit(3);
    }
    r.seconds = json_number_value(json_object_get(s, "seconds"));
    r.schedules = json_number_value(json_object_get(s, "schedules"));
    r.steps = json_number_value(json_object_get(s, "steps"));
    r.peak_kib = usage.ru_maxrss;
    r.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    json_t *p = json_object_get(s, "in_place");
    r.in_place = json_number_value(json_object_get(p, "schedules"));
    r.looks = json_number_value(json_object_get(p, "looks"));
    r.pages = json_number_value(json_object_get(p, "pages"));
    r.calls = json_number_value(json_object_get(p, "caught_calls"));
    r.engine_seconds = json_number_value(json_object_get(p, "seconds"));
    r.run_seconds = json_number_value(json_object_get(p, "seconds_run"));
    r.restore_seconds = json_number_value(json_object_get(p, "seconds_restore"));
    r.look_seconds = json_number_value(json_object_get(p, "seconds_look"));
    json_decref(doc);
    return r;
}

static struct run explore(const char *heddle, const char *program, const char *pairs,
                          const char *schedules, const char *jobs, const char *strategy)
{
    return explore_in("fork", heddle, program, pairs, schedules, jobs, strategy);
}

/* The same schedules in both engines, one after the other on one CPU. CPU time is of all processes:
 * driver, guard, server, schedules. */
static void compare_engines(const char *heddle, const char *program)
{
    struct run f = explore_in("fork", heddle, program, "5", "2000", "1", "auto");
    struct run p = explore_in("in-place", heddle, program, "5", "100000", "1", "auto");
    double each = p.in_place > 0 ? 1e6 / p.in_place : 0;
    puts("both engines, -j1");
    printf("  fork      %8.0f schedules/s   %8.1f us of CPU time a schedule\n",
           f.schedules / f.seconds, f.cpu_seconds * 1e6 / f.schedules);
    printf("  in place  %8.0f schedules/s   %8.1f us of CPU time a schedule\n",
           p.schedules / p.seconds, p.cpu_seconds * 1e6 / p.schedules);
    printf("  ratio     %8.1f             %10.1f\n",
           p.schedules / p.seconds / (f.schedules / f.seconds),
           f.cpu_seconds / f.schedules / (p.cpu_seconds / p.schedules));
    double parts = p.run_seconds + p.restore_seconds + p.look_seconds;
    printf("  in place, a schedule: run %.2f us, restore %.2f us (%.0f pages), look %.2f us (%.0f "
           "looks), start of a batch, driver %.2f us; %.2f system calls caught\n",
           p.run_seconds * each, p.restore_seconds * each, p.pages, p.look_seconds * each, p.looks,
           (p.seconds - parts) * each, p.calls / p.in_place);
}

enum { HANDOFFS = 200000 };
static _Atomic uint32_t turn;

static void hand_over(uint32_t self)
{
    for (int i = 0; i < HANDOFFS; i++) {
        while (atomic_load(&turn) != self)
            syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !self, NULL, NULL, 0);
        atomic_store(&turn, !self);
        syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

static void *other_side(void *arg)
{
    hand_over(1);
    return arg;
}

/* ns for one hand-over between two threads on one CPU. */
static double bare_handoff(void)
{
    cpu_set_t old, one;
    pthread_t t;
    sched_getaffinity(0, sizeof old, &old);
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
    double start = now();
    pthread_create(&t, NULL, other_side, NULL);
    hand_over(0);
    pthread_join(t, NULL);
    double took = now() - start;
    sched_setaffinity(0, sizeof old, &old);
    return took * 1e9 / (2.0 * (double)HANDOFFS);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_schedules HEDDLE THREE_THREADS [MOST]\n");
        return 2;
    }
    scratch_make("heddle-bench");
    long most = argc > 3 ? atol(argv[3]) : 100000;
    puts("3 threads, 30 operations on one mutex");
    static const char *const strategies[] = {"auto", "random", "pct", "pos", "burst"};
    for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
        struct run r = explore(argv[1], argv[2], "5", "2000", "2", strategies[i]);
        printf("  -j2 %-8s %8.0f schedules/s   %5.1f steps a schedule\n", strategies[i],
               r.schedules / r.seconds, r.steps / r.schedules);
    }
    struct run one = explore(argv[1], argv[2], "5", "2000", "1", "auto");
    printf("  -j1 %-8s %8.0f schedules/s\n", "auto", one.schedules / one.seconds);

    compare_engines(argv[1], argv[2]);

    puts("one hand-off (round robin: every step changes the thread)");
    struct run r = explore(argv[1], argv[2], "20000", "5", "1", "rr");
    double ours = r.seconds * 1e9 / r.steps, bare = bare_handoff();
    printf("  under control    %8.0f ns\n  bare futex pair  %8.0f ns   ratio %.2f\n", ours, bare,
           ours / bare);

    puts("peak memory of the driver");
    for (long n = 1000; n <= most; n *= 10) {
        char count[32];
        snprintf(count, sizeof count, "%ld", n);
        r = explore(argv[1], argv[2], "5", count, "2", "auto");
        printf("  %7ld schedules %8ld KiB   %8.0f schedules/s\n", n, r.peak_kib,
               r.schedules / r.seconds);
        fflush(stdout);
    }
    return 0;
}
