/* processes.c - prints what hd_explore() did, which is to hang on its options alone: of a test that passes under each
 * strategy, of one some of whose memory cannot be had, and of one that fails in some schedules. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <heddle/mutex.h>
#include <heddle/test.h>
#include <heddle/waitgroup.h>

struct counter {
    struct hd_mutex *lock[2]; /* wherever the allocator puts them */
    int count[2];
};

static void adds(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < 6; i++) {
        hd_mutex_lock(c->lock[i % 2]);
        c->count[i % 2]++;
        hd_mutex_unlock(c->lock[i % 2]);
    }
}

static void counts(void *unused)
{
    struct counter c = {{calloc(1, sizeof(struct hd_mutex)), calloc(1, sizeof(struct hd_mutex))},
                        {0}};
    struct hd_wg wg = {0};

    (void)unused;
    if (c.lock[0] && c.lock[1]) {
        for (int i = 0; i < 3; i++)
            if (hd_wg_go(&wg, adds, &c))
                break;
        hd_wg_wait(&wg);
    }
    free(c.lock[0]);
    free(c.lock[1]);
}

/* Takes both locks, not everybody in one order. */
static void takes(struct hd_mutex *first, struct hd_mutex *second)
{
    hd_mutex_lock(first);
    hd_mutex_lock(second);
    hd_mutex_unlock(second);
    hd_mutex_unlock(first);
}

static void backward(void *arg)
{
    struct hd_mutex *lock = arg;

    takes(&lock[1], &lock[0]);
}

static void opposite(void *unused)
{
    struct hd_mutex lock[2] = {0};
    struct hd_wg wg = {0};

    (void)unused;
    if (hd_wg_go(&wg, backward, lock))
        abort();
    takes(&lock[0], &lock[1]);
    hd_wg_wait(&wg);
}

static void tell(const char *name, void (*test)(void *), struct hd_explore_options options)
{
    static struct hd_explore_result r;

    options.name = name;
    hd_explore(test, NULL, &options, &r);
    printf("%s: %" PRIu64 " schedules, %" PRIu64 " failing, first %" PRIu64 ", %" PRIu64
           " steps, %" PRId64 " ns\n%s\n",
           name, r.schedules, r.failing, r.first, r.steps, r.virtual_ns, r.report);
    fflush(stdout);
}

int main(void)
{
    static const char *const strategy[] = {"auto", "random", "pct", "pos", "burst", "rr"};

    for (size_t i = 0; i < sizeof strategy / sizeof *strategy; i++)
        tell(strategy[i], counts,
             (struct hd_explore_options){.schedules = 40, .strategy = strategy[i]});
    tell("faults", counts,
         (struct hd_explore_options){.schedules = 60, .faults = "malloc", .keep_going = 1});
    tell("opposite", opposite, (struct hd_explore_options){.schedules = 100, .keep_going = 1});
    return 0;
}
