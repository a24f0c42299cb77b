/* soak_lib.c - soak_lib [OPERATIONS]: many goroutines at once, and many channel operations; nothing
 * lost, nothing twice, memory flat.
 *
 * 1. 10,000 goroutines alive at the same time, each waiting for its turn, twice.
 * 2. OPERATIONS (10,000,000) sends and receives, by 2 to 64 goroutines over channels of several
 *    capacities. Each value is sent once; sums and squares of what was received must agree.
 * 3. Contexts, timers and selects made and given up, a hundred thousand times.
 * The resident memory is looked at after the first of three laps of each and must not have grown
 * after the last. Exit code 1, and a line that says why, if anything is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <heddle/heddle.h>

#define CROWD 10000
#define LAPS 3
#define GROWTH_KIB 4096 /* what the allocator's own rounding may add */

static void need(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "soak_lib: %s\n", what);
    exit(1);
}

static void start(void (*fn)(void *arg), void *arg)
{
    need(hd_go(fn, arg) == NULL, "cannot start a goroutine");
}

static long resident_kib(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long total = 0, resident = 0;

    need(f && fscanf(f, "%ld %ld", &total, &resident) == 2, "cannot read /proc/self/statm");
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- a crowd ---- */

struct crowd {
    struct hd_wg arrived, left;
    struct hd_chan *gate;
    struct hd_atomic_int32 inside, most;
};

static void attend(void *arg)
{
    struct crowd *crowd = arg;

    hd_int32_add(&crowd->inside, 1);
    hd_wg_done(&crowd->arrived);
    hd_chan_recv(crowd->gate, NULL); /* until it is closed */
    hd_int32_add(&crowd->inside, -1);
    hd_wg_done(&crowd->left);
}

static void gather(void)
{
    struct crowd crowd = {.gate = hd_chan_make(0, 0)};

    hd_wg_add(&crowd.arrived, CROWD);
    hd_wg_add(&crowd.left, CROWD);
    for (int i = 0; i < CROWD; i++)
        start(attend, &crowd);
    hd_wg_wait(&crowd.arrived);
    need(hd_int32_load(&crowd.inside) == CROWD, "not all goroutines are alive at once");
    hd_chan_close(crowd.gate);
    hd_wg_wait(&crowd.left);
    need(hd_int32_load(&crowd.inside) == 0, "a goroutine was lost");
    hd_chan_unref(crowd.gate);
}

/* ---- streams ---- */

struct stream {
    struct hd_chan *chan;
    struct hd_wg senders, receivers;
    struct hd_atomic_int64 next, sum, squares, count;
    int64_t values;
};

static void send_values(void *arg)
{
    struct stream *stream = arg;
    int64_t value;

    while ((value = hd_int64_add(&stream->next, 1)) <= stream->values)
        hd_chan_send(stream->chan, &value);
    hd_wg_done(&stream->senders);
}

static void receive_values(void *arg)
{
    struct stream *stream = arg;
    uint64_t sum = 0, squares = 0;
    int64_t count = 0, value;

    while (hd_chan_recv(stream->chan, &value)) {
        sum += (uint64_t)value;
        squares += (uint64_t)value * (uint64_t)value;
        count++;
    }
    hd_int64_add(&stream->sum, (int64_t)sum);
    hd_int64_add(&stream->squares, (int64_t)squares);
    hd_int64_add(&stream->count, count);
    hd_wg_done(&stream->receivers);
}

static void flow(int64_t values, int pairs, size_t capacity)
{
    struct stream stream = {.chan = hd_chan_make(sizeof(int64_t), capacity), .values = values};
    uint64_t sum = 0, squares = 0;

    for (uint64_t v = 1; v <= (uint64_t)values; v++) {
        sum += v;
        squares += v * v;
    }
    hd_wg_add(&stream.senders, pairs);
    hd_wg_add(&stream.receivers, pairs);
    for (int i = 0; i < pairs; i++) {
        start(send_values, &stream);
        start(receive_values, &stream);
    }
    hd_wg_wait(&stream.senders);
    hd_chan_close(stream.chan);
    hd_wg_wait(&stream.receivers);
    need(hd_int64_load(&stream.count) == values, "values were lost or doubled");
    need((uint64_t)hd_int64_load(&stream.sum) == sum, "the sum is wrong");
    need((uint64_t)hd_int64_load(&stream.squares) == squares, "the sum of squares is wrong");
    hd_chan_unref(stream.chan);
}

static int64_t flow_all(int64_t operations)
{
    static const size_t capacities[] = {0, 1, 16, 128};
    const int64_t share =
        operations / 2 / (6 * 4 + 6 * 4 * 3); /* per plain flow of buffered ones */
    int64_t values = 0;

    for (int pairs = 1; pairs <= 32; pairs *= 2)
        for (size_t i = 0; i < 4; i++) {
            int64_t n = (capacities[i] >= 16 ? 7 : 1) * share;
            flow(n, pairs, capacities[i]);
            values += n;
        }
    return 2 * values;
}

/* ---- made and given up ---- */

static void nothing(void *arg)
{
    hd_int32_add(arg, 1);
}

static void churn(int times)
{
    struct hd_atomic_int32 hooks = {0};
    int hooked = 0;

    for (int i = 0; i < times; i++) {
        struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), HD_HOUR);
        struct hd_context *child = hd_context_with_cancel(ctx);
        struct hd_timer *timer = hd_timer_make(HD_HOUR);
        struct hd_context_hook *hook = NULL;
        if (i % 16 == 0) {
            hook = hd_context_after_func(child, nothing, &hooks);
            hooked++;
        }
        need(HD_SELECT_DEFAULT(HD_RECV(hd_context_done(child), NULL),
                               HD_RECV(hd_timer_chan(timer), NULL)) == HD_DEFAULT,
             "something happened before its time");
        hd_context_cancel(ctx);
        need(HD_SELECT(HD_RECV(hd_context_done(child), NULL),
                       HD_RECV(hd_timer_chan(timer), NULL)) == 0,
             "a cancel did not arrive");
        need(hook == NULL || !hd_context_stop(hook), "a hook was stopped that had been started");
        hd_timer_free(timer);
        hd_context_unref(child);
        hd_context_unref(ctx);
    }
    while (hd_int32_load(&hooks) < hooked)
        hd_go_yield();
}

int main(int argc, char **argv)
{
    char *end = NULL;
    int64_t operations = argc > 1 ? strtoll(argv[1], &end, 10) : 10000000;
    int64_t begin = hd_now(), done = 0;
    long after_first = 0, after_last = 0;

    if (argc > 2 || operations < 1000 || (end && *end)) {
        fprintf(stderr, "usage: soak_lib [OPERATIONS]    at least 1000; 10000000 if not given\n");
        return 2;
    }
    for (int lap = 0; lap < LAPS; lap++) {
        gather();
        done += flow_all(operations / LAPS);
        churn((int)(operations / 100 / LAPS));
        after_last = resident_kib();
        if (lap == 0)
            after_first = after_last;
        printf("lap %d: %lld channel operations, %ld KiB resident, %.1f s\n", lap + 1,
               (long long)done, after_last, (double)(hd_now() - begin) / 1e9);
        fflush(stdout);
    }
    need(after_last <= after_first + GROWTH_KIB, "memory grew from lap to lap");
    printf("%d goroutines at once, %lld channel operations: nothing lost, memory flat\n", CROWD,
           (long long)done);
    return 0;
}
