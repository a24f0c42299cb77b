/* bench_goroutines.c - goroutines at work: the same programs as bench_goroutines.go, whole, in either
 * vehicle of lib/ (HEDDLE_LIB). Each line: name, wall and CPU milliseconds, medians of 5; of goroutines
 * that are alive also bytes each. `bench_goroutines NAME` runs one. stress/bench/goroutines makes the
 * table. `bench_goroutines most COUNT MIB` starts COUNT that stay alive, or as many as the machine
 * allows in MIB of memory, and says what ended it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <heddle/heddle.h>

#define TIMES 5

static double clock_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long resident_bytes(void)
{
    long pages = 0, shared;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && fscanf(file, "%ld %ld", &shared, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static struct hd_chan *chan(size_t capacity)
{
    return hd_chan_make(sizeof(int), capacity);
}

static void go(struct hd_wg *wg, void (*fn)(void *arg), void *arg)
{
    hd_err err = hd_wg_go(wg, fn, arg);

    if (err) {
        printf("%s\n", hd_err_message(err));
        fflush(stdout);
        _exit(3);
    }
}

struct ends {
    struct hd_chan *in, *out;
    int count;
};

/* ---- ping-pong: 200,000 round trips ---- */

static void pong(void *arg)
{
    struct ends *e = arg;
    int value;

    while (hd_chan_recv(e->in, &value))
        hd_chan_send(e->out, &value);
}

static void ping(void *arg)
{
    struct ends *e = arg;
    int value = 0;

    for (int i = 0; i < e->count; i++) {
        hd_chan_send(e->in, &value);
        hd_chan_recv(e->out, &value);
    }
    hd_chan_close(e->in);
}

static void ping_pong(void)
{
    struct ends e = {chan(0), chan(0), 200000};
    struct hd_wg wg = HD_WG_INIT;

    go(&wg, pong, &e);
    go(&wg, ping, &e);
    hd_wg_wait(&wg);
    hd_chan_unref(e.in);
    hd_chan_unref(e.out);
}

/* ---- spawn and wait: 200,000 goroutines, 100 at a time ---- */

static void nothing(void *arg)
{
    (void)arg;
}

static void spawn_all(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        struct hd_wg wg = HD_WG_INIT;
        for (int k = 0; k < 100; k++)
            go(&wg, nothing, NULL);
        hd_wg_wait(&wg);
    }
}

static void spawn_wait(void)
{
    struct hd_wg wg = HD_WG_INIT;

    go(&wg, spawn_all, NULL);
    hd_wg_wait(&wg);
}

/* ---- sieve of 120 stages ---- */

static void generate(void *out)
{
    for (int i = 2;; i++) {
        if (!hd_chan_try_send(out, &i))
            hd_chan_send(out, &i);
        if (i == 660) {
            hd_chan_close(out);
            return;
        }
    }
}

static void filter(void *arg)
{
    struct ends *e = arg;
    int value;

    while (hd_chan_recv(e->in, &value))
        if (value % e->count)
            hd_chan_send(e->out, &value);
    hd_chan_close(e->out);
}

static void sieve(void)
{
    for (int round = 0; round < 10; round++) {
        struct ends stage[120];
        struct hd_wg wg = HD_WG_INIT;
        struct hd_chan *from = chan(0), *first = from;
        int prime, stages = 0;
        go(&wg, generate, from);
        while (stages < 120 && hd_chan_recv(from, &prime)) {
            stage[stages] = (struct ends){from, chan(0), prime};
            from = stage[stages].out;
            go(&wg, filter, &stage[stages++]);
        }
        while (hd_chan_recv(from, &prime))
            ;
        hd_wg_wait(&wg);
        for (int i = 0; i < stages; i++)
            hd_chan_unref(stage[i].out);
        hd_chan_unref(first);
    }
}

/* ---- fan-in of 100 producers ---- */

static void produce(void *arg)
{
    struct ends *e = arg;

    for (int i = 0; i < e->count; i++)
        hd_chan_send(e->out, &i);
}

static void fan_in(void)
{
    struct ends e = {NULL, chan(0), 2000};
    struct hd_wg wg = HD_WG_INIT;
    int value;

    for (int i = 0; i < 100; i++)
        go(&wg, produce, &e);
    for (int i = 0; i < 100 * 2000; i++)
        hd_chan_recv(e.out, &value);
    hd_wg_wait(&wg);
    hd_chan_unref(e.out);
}

/* ---- select over 3 with 10 workers ---- */

static struct hd_chan *three[3];

static void select_worker(void *done)
{
    int value;

    for (;;)
        if (HD_SELECT(HD_RECV(three[0], &value), HD_RECV(three[1], &value),
                      HD_RECV(three[2], &value), HD_RECV(done, NULL)) == 3)
            return;
}

static void select_feeder(void *out)
{
    for (int i = 0; i < 50000; i++)
        hd_chan_send(out, &i);
}

static void select_three(void)
{
    struct hd_wg wg = HD_WG_INIT, feeders = HD_WG_INIT;
    struct hd_chan *done = chan(0);

    for (int i = 0; i < 3; i++)
        three[i] = chan(0);
    for (int i = 0; i < 10; i++)
        go(&wg, select_worker, done);
    for (int i = 0; i < 3; i++)
        go(&feeders, select_feeder, three[i]);
    hd_wg_wait(&feeders);
    hd_chan_close(done);
    hd_wg_wait(&wg);
    for (int i = 0; i < 3; i++)
        hd_chan_unref(three[i]);
    hd_chan_unref(done);
}

/* ---- worker pool of 8 with 100 buffered ---- */

static void pool_worker(void *arg)
{
    struct ends *e = arg;
    int job;

    while (hd_chan_recv(e->in, &job)) {
        job *= 2;
        hd_chan_send(e->out, &job);
    }
}

static void pool_feeder(void *arg)
{
    struct ends *e = arg;

    for (int i = 0; i < e->count; i++)
        hd_chan_send(e->in, &i);
    hd_chan_close(e->in);
}

static void pool(void)
{
    struct ends e = {chan(100), chan(100), 200000};
    struct hd_wg wg = HD_WG_INIT;
    int value;

    for (int i = 0; i < 8; i++)
        go(&wg, pool_worker, &e);
    go(&wg, pool_feeder, &e);
    for (int i = 0; i < e.count; i++)
        hd_chan_recv(e.out, &value);
    hd_wg_wait(&wg);
    hd_chan_unref(e.in);
    hd_chan_unref(e.out);
}

/* ---- many alive at once ---- */

static double bytes_each;

static void wait_for_gate(void *gate)
{
    hd_chan_recv(gate, NULL);
}

static void alive(int count)
{
    struct hd_wg wg = HD_WG_INIT;
    struct hd_chan *gate = chan(0);
    long before = resident_bytes();

    for (int i = 0; i < count; i++)
        go(&wg, wait_for_gate, gate);
    hd_sleep(20 * HD_MILLISECOND);
    bytes_each = (double)(resident_bytes() - before) / count;
    hd_chan_close(gate);
    hd_wg_wait(&wg);
    hd_chan_unref(gate);
}

static void alive_10k(void)
{
    alive(10000);
}

static void alive_100k(void)
{
    alive(100000);
}

/* ---- buffered channels, 1:1 and 4:4 ---- */

static void consume(void *arg)
{
    struct ends *e = arg;
    int value;

    for (int i = 0; i < e->count; i++)
        hd_chan_recv(e->out, &value);
}

static void buffered(int pairs)
{
    struct ends e = {NULL, chan(128), 800000 / pairs};
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < pairs; i++) {
        go(&wg, produce, &e);
        go(&wg, consume, &e);
    }
    hd_wg_wait(&wg);
    hd_chan_unref(e.out);
}

static void buffered_1(void)
{
    buffered(1);
}

static void buffered_4(void)
{
    buffered(4);
}

/* ---- a contended mutex ---- */

static struct hd_mutex lock;
static long counter;

static void lock_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200000; i++) {
        hd_mutex_lock(&lock);
        counter++;
        hd_mutex_unlock(&lock);
    }
}

static void mutex(void)
{
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < 8; i++)
        go(&wg, lock_often, NULL);
    hd_wg_wait(&wg);
}

/* ---- a cancel that wakes 10,000 ---- */

static void wait_for_cancel(void *ctx)
{
    hd_chan_recv(hd_context_done(ctx), NULL);
}

static void cancel(void)
{
    struct hd_wg wg = HD_WG_INIT;
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    for (int i = 0; i < 10000; i++)
        go(&wg, wait_for_cancel, ctx);
    hd_context_cancel(ctx);
    hd_wg_wait(&wg);
    hd_context_unref(ctx);
}

/* ---- as many as there can be ---- */

static struct hd_atomic_int64 arrived;

static void arrive(void *gate)
{
    hd_int64_add(&arrived, 1);
    hd_chan_recv(gate, NULL);
}

static int most(long wanted, long mib)
{
    struct hd_chan *gate = chan(0);
    struct hd_wg wg = HD_WG_INIT;
    long before = resident_bytes(), limit = mib << 20, count = 0, bytes = 0;
    hd_err err = NULL;

    while (count < wanted && bytes < limit && !(err = hd_wg_go(&wg, arrive, gate)))
        if (++count % 1000 == 0)
            bytes = resident_bytes();
    while (hd_int64_load(&arrived) < count)
        hd_sleep(HD_MILLISECOND);
    bytes = resident_bytes();
    printf("%ld goroutines alive, %.0f bytes each, %ld MiB in all: %s\n", count,
           count > 0 ? (double)(bytes - before) / (double)count : 0, bytes >> 20,
           err               ? hd_err_message(err)
           : count == wanted ? "as many as were asked for"
                             : "the memory that was allowed is used");
    hd_chan_close(gate);
    hd_wg_wait(&wg);
    hd_chan_unref(gate);
    return count == wanted ? 0 : 1;
}

/* In a goroutine, as Go's main is one; in lib/ main is a thread. */
static void run_it(void *run)
{
    (*(void (**)(void))run)();
}

static int up(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure(const char *name, void (*run)(void))
{
    double wall[TIMES], cpu[TIMES];

    bytes_each = 0;
    for (int i = 0; i < TIMES; i++) {
        struct hd_wg wg = HD_WG_INIT;
        wall[i] = clock_ms(CLOCK_MONOTONIC);
        cpu[i] = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
        go(&wg, run_it, &run);
        hd_wg_wait(&wg);
        wall[i] = clock_ms(CLOCK_MONOTONIC) - wall[i];
        cpu[i] = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu[i];
        if (i == 0 && bytes_each > 0)
            printf("%s_bytes %.0f %.0f\n", name, bytes_each, bytes_each);
    }
    qsort(wall, TIMES, sizeof *wall, up);
    qsort(cpu, TIMES, sizeof *cpu, up);
    printf("%s %.1f %.1f\n", name, wall[TIMES / 2], cpu[TIMES / 2]);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } all[] = {
        {"ping_pong", ping_pong},     {"spawn_wait", spawn_wait},    {"sieve_120", sieve},
        {"fan_in_100", fan_in},       {"select_3_10", select_three}, {"pool_8_100", pool},
        {"buffered_1_1", buffered_1}, {"buffered_4_4", buffered_4},  {"mutex_8", mutex},
        {"cancel_10k", cancel},       {"alive_10k", alive_10k},      {"alive_100k", alive_100k}};

    if (argc == 4 && strcmp(argv[1], "most") == 0)
        return most(atol(argv[2]), atol(argv[3]));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (argc < 2 || strcmp(argv[1], all[i].name) == 0)
            measure(all[i].name, all[i].run);
    return 0;
}
