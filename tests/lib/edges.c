/* edges.c - edges CASE: which accesses channels, timers and contexts order, and which not.
 *
 * Run under a race detector: the racy_* cases have one race each, whatever the schedule; the others
 * none. A library that tells detectors too much hides the former; too little, and it accuses the
 * latter.
 */
#include <stdio.h>
#include <string.h>

#include <heddle/heddle.h>

static struct hd_chan *buffered, *unbuffered;
static struct hd_wg wg;
static int shared;

static void write_then_receive_buffered(void *arg)
{
    (void)arg;
    shared = 1;
    hd_chan_recv(buffered, NULL);
    hd_wg_done(&wg);
}

static void write_then_receive_unbuffered(void *arg)
{
    (void)arg;
    shared = 1;
    hd_chan_recv(unbuffered, NULL);
    hd_wg_done(&wg);
}

static void write_value(void *value)
{
    *(int *)value = 7;
    hd_wg_done(&wg);
}

static void write_shared(void *arg)
{
    (void)arg;
    shared = 1;
    hd_wg_done(&wg);
}

static void start(void (*fn)(void *), void *arg)
{
    hd_wg_add(&wg, 1);
    if (hd_go(fn, arg))
        hd_panic("cannot start a goroutine");
}

/* The first receive comes before the second send of a channel of one, not before the first. */
static void racy_receive_before_send(void)
{
    start(write_then_receive_buffered, NULL);
    hd_sleep(HD_MILLISECOND);
    hd_chan_send(buffered, &(int){1});
    printf("%d\n", shared);
}

static void receive_before_next_send(void)
{
    start(write_then_receive_buffered, NULL);
    hd_chan_send(buffered, &(int){1});
    hd_chan_send(buffered, &(int){2});
    printf("%d\n", shared);
}

static void sends_two(void *arg)
{
    (void)arg;
    hd_chan_send(buffered, &(int){1});
    shared = 1;
    hd_chan_send(buffered, &(int){2});
    hd_wg_done(&wg);
}

/* Also when the sender had to wait for room. */
static void second_send_before_its_receive(void)
{
    start(sends_two, NULL);
    hd_chan_recv(buffered, NULL);
    hd_chan_recv(buffered, NULL);
    printf("%d\n", shared);
    hd_wg_wait(&wg);
}

static void receive_before_send_without_buffer(void)
{
    start(write_then_receive_unbuffered, NULL);
    hd_chan_send(unbuffered, &(int){1});
    printf("%d\n", shared);
}

static void racy_value_while_it_is_sent(void)
{
    int value = 1;

    start(write_value, &value);
    hd_chan_send(buffered, &value);
    hd_wg_wait(&wg);
}

static void racy_value_while_it_is_received(void)
{
    int value = 1;

    hd_chan_send(buffered, &value);
    start(write_value, &value);
    hd_chan_recv(buffered, &value);
    hd_wg_wait(&wg);
}

/* The timer's thread serves both timers, and orders neither's maker with the other's receiver. */
static void racy_timers_of_two(void)
{
    struct hd_timer *mine = hd_timer_make(2 * HD_MILLISECOND);

    start(write_shared, NULL);
    hd_chan_recv(hd_timer_chan(mine), NULL);
    printf("%d\n", shared);
    hd_timer_free(mine);
    hd_wg_wait(&wg);
}

static void before_a_timer_starts(void)
{
    struct hd_timer *timer;

    shared = 1;
    timer = hd_after_func(HD_MILLISECOND, write_shared, NULL);
    hd_wg_add(&wg, 1);
    hd_wg_wait(&wg);
    hd_timer_free(timer);
}

static void wait_for_cancel(void *ctx)
{
    hd_chan_recv(hd_context_done(ctx), NULL);
    printf("%d\n", shared);
    hd_wg_done(&wg);
}

static void before_a_cancel(void)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    start(wait_for_cancel, ctx);
    shared = 1;
    hd_context_cancel(ctx);
    hd_wg_wait(&wg);
    hd_context_unref(ctx);
}

/* Who cancels second is ordered before nobody. */
static void racy_second_cancel(void)
{
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    hd_context_cancel(ctx);
    start(wait_for_cancel, ctx);
    shared = 1;
    hd_context_cancel(ctx);
    hd_wg_wait(&wg);
    hd_context_unref(ctx);
}

static void before_a_done(void)
{
    start(write_shared, NULL);
    hd_wg_wait(&wg);
    printf("%d\n", shared);
}

static void receive_and_read(void *arg)
{
    hd_chan_recv(arg, NULL);
    printf("%d\n", shared);
    hd_wg_done(&wg);
}

static void before_a_close(void)
{
    start(receive_and_read, buffered);
    shared = 1;
    hd_chan_close(buffered);
    hd_wg_wait(&wg);
}

/* To one that waits already, or by way of the buffer. */
static void before_a_send(void)
{
    start(receive_and_read, buffered);
    hd_go_yield();
    shared = 1;
    hd_chan_send(buffered, &(int){1});
    hd_wg_wait(&wg);
}

static struct hd_mutex mutex = HD_MUTEX_INIT;

static void add_locked(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    shared++;
    hd_mutex_unlock(&mutex);
    hd_wg_done(&wg);
}

static void under_a_mutex(void)
{
    start(add_locked, NULL);
    start(add_locked, NULL);
    hd_wg_wait(&wg);
}

static struct hd_once once = HD_ONCE_INIT;

static void make(void *arg)
{
    (void)arg;
    shared = 1;
}

static void read_once_made(void *arg)
{
    (void)arg;
    hd_once_do(&once, make, NULL);
    printf("%d\n", shared);
    hd_wg_done(&wg);
}

static void behind_a_once(void)
{
    start(read_once_made, NULL);
    start(read_once_made, NULL);
    hd_wg_wait(&wg);
}

static struct hd_semaphore semaphore;

static void add_with_the_unit(void *arg)
{
    (void)arg;
    if (!hd_semaphore_acquire(&semaphore, hd_context_background(), 1)) {
        shared++;
        hd_semaphore_release(&semaphore, 1);
    }
    hd_wg_done(&wg);
}

static void with_the_only_unit(void)
{
    hd_semaphore_init(&semaphore, 1, NULL);
    start(add_with_the_unit, NULL);
    start(add_with_the_unit, NULL);
    hd_wg_wait(&wg);
}

static void racy_with_one_of_two_units(void)
{
    hd_semaphore_init(&semaphore, 2, NULL);
    start(add_with_the_unit, NULL);
    start(add_with_the_unit, NULL);
    hd_wg_wait(&wg);
}

/* ---- groups: an add from zero and a wait ---- */

static struct hd_wg group;

static void add_and_be_done(void *arg)
{
    (void)arg;
    hd_wg_add(&group, 1);
    hd_wg_done(&group);
    hd_wg_done(&wg);
}

static void racy_add_beside_a_wait(void)
{
    start(add_and_be_done, NULL);
    hd_wg_wait(&group);
    hd_wg_wait(&wg);
}

static struct hd_wg waiters;

static void wait_too(void *arg)
{
    (void)arg;
    hd_wg_wait(&group);
    hd_wg_done(&waiters);
}

/* From above zero it need not be ordered; waits need not be ordered with each other. */
static void adds_beside_waits_above_zero(void)
{
    hd_err err;

    hd_wg_add(&group, 1);
    hd_wg_add(&waiters, 2);
    start(add_and_be_done, NULL);
    start(add_and_be_done, NULL);
    err = hd_go(wait_too, NULL);
    if (!err)
        err = hd_go(wait_too, NULL);
    hd_wg_wait(&wg);
    hd_wg_done(&group);
    hd_wg_wait(&group);
    if (!err)
        hd_wg_wait(&waiters);
}

static void a_group_used_again_after_its_wait(void)
{
    for (int i = 0; i < 2; i++) {
        hd_wg_add(&group, 2);
        start(add_and_be_done, NULL);
        hd_wg_done(&group);
        hd_wg_done(&group);
        hd_wg_wait(&wg);
        hd_wg_wait(&group);
    }
}

/* ---- what only the order of lock owners keeps apart ---- */

static struct hd_mutex first_lock, other_lock;
static int early;

static void write_and_lock(void *arg)
{
    (void)arg;
    early = 1;
    hd_mutex_lock(&first_lock);
    shared++;
    hd_mutex_unlock(&first_lock);
    hd_wg_done(&wg);
}

static void lock_late_and_write(void *arg)
{
    (void)arg;
    for (int i = 0; i < 60; i++) {
        hd_mutex_lock(&other_lock);
        hd_mutex_unlock(&other_lock);
    }
    hd_mutex_lock(&first_lock);
    shared++;
    hd_mutex_unlock(&first_lock);
    early = 2;
    hd_wg_done(&wg);
}

/* The one is nearly always first at the mutex: learned from a schedule in which it was. */
static void racy_behind_a_mutex(void)
{
    start(write_and_lock, NULL);
    start(lock_late_and_write, NULL);
    hd_wg_wait(&wg);
    printf("%d\n", early);
}

/* ---- atomics beside plain accesses ---- */

static struct hd_atomic_int64 number;
static struct hd_atomic_bool flag;

static void add_to_the_number(void *arg)
{
    (void)arg;
    hd_int64_add(&number, 1);
    hd_wg_done(&wg);
}

static void racy_plain_beside_an_atomic(void)
{
    start(add_to_the_number, NULL);
    *(int64_t *)&number += 5;
    hd_wg_wait(&wg);
}

static void atomics_beside_each_other(void)
{
    start(add_to_the_number, NULL);
    start(add_to_the_number, NULL);
    hd_int64_add(&number, 5);
    hd_wg_wait(&wg);
    *(int64_t *)&number += 5;
}

static void write_and_set_the_flag(void *arg)
{
    (void)arg;
    shared = 1;
    hd_bool_store(&flag, true);
    hd_wg_done(&wg);
}

static void behind_an_atomic_flag(void)
{
    start(write_and_set_the_flag, NULL);
    if (hd_bool_load(&flag))
        shared = 2;
    hd_wg_wait(&wg);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(racy_receive_before_send),
    CASE(receive_before_next_send),
    CASE(second_send_before_its_receive),
    CASE(receive_before_send_without_buffer),
    CASE(racy_value_while_it_is_sent),
    CASE(racy_value_while_it_is_received),
    CASE(racy_timers_of_two),
    CASE(before_a_timer_starts),
    CASE(before_a_cancel),
    CASE(racy_second_cancel),
    CASE(before_a_done),
    CASE(before_a_close),
    CASE(before_a_send),
    CASE(under_a_mutex),
    CASE(behind_a_once),
    CASE(with_the_only_unit),
    CASE(racy_with_one_of_two_units),
    CASE(racy_behind_a_mutex),
    CASE(racy_add_beside_a_wait),
    CASE(adds_beside_waits_above_zero),
    CASE(a_group_used_again_after_its_wait),
    CASE(racy_plain_beside_an_atomic),
    CASE(atomics_beside_each_other),
    CASE(behind_an_atomic_flag),
};

int main(int argc, char **argv)
{
    buffered = hd_chan_make(sizeof(int), 1);
    unbuffered = hd_chan_make(sizeof(int), 0);
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    fprintf(stderr, "usage: edges CASE\n");
    return 2;
}
