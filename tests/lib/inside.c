/* inside.c - inside CASE: what the library does natively, explored.
 *
 * The library itself is built with heddle-cc here and finds no seam, so that under `heddle run` its own
 * locks, queues and system calls are what is scheduled: each atomic operation, futex and thread of it,
 * in either vehicle. Nothing may be found. The monitor is refused its thread, and naps have no end: what
 * they look after sooner or later must not need them.
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <heddle/heddle.h>

#include "park.h"

void *__wrap_dlsym(void *handle, const char *symbol);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
                          void *arg);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

/* There is no seam. */
void *__wrap_dlsym(void *handle, const char *symbol)
{
    (void)handle, (void)symbol;
    return NULL;
}

/* Of what has no argument the monitor comes first. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
                          void *arg)
{
    static void *(*monitor)(void *arg);
    const char *vehicle = getenv("HEDDLE_LIB");

    if (!arg && !monitor && vehicle && strcmp(vehicle, "fibres") == 0)
        monitor = fn;
    return !arg && fn == monitor ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_futex && (int)a[1] == FUTEX_WAIT_BITSET_PRIVATE &&
        (uint32_t)a[5] == HDI_NO_END)
        a[3] = 0;
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static struct hd_wg wg;
static struct hd_chan *left, *right;
static struct hd_mutex mutex;
static int shared;

static void expect(bool so)
{
    if (!so)
        abort();
}

static void start(void (*fn)(void *arg), void *arg)
{
    hd_must(hd_wg_go(&wg, fn, arg));
}

static void send_one(void *chan)
{
    hd_chan_send(chan, &(int){1});
}

static void receive_one(void *chan)
{
    int value = 0;

    hd_chan_recv(chan, &value);
    expect(value == 1);
}

static void rendezvous(void)
{
    int values[2];

    left = hd_chan_make(sizeof(int), 0);
    start(send_one, left);
    start(send_one, left);
    hd_chan_recv(left, &values[0]);
    hd_chan_recv(left, &values[1]);
    hd_wg_wait(&wg);
    expect(values[0] + values[1] == 2);
    hd_chan_unref(left);
}

static void pass_on(void *arg)
{
    int value;

    (void)arg;
    while (hd_chan_recv(left, &value))
        hd_chan_send(right, &value);
}

static void buffered(void)
{
    int sum = 0, value;

    left = hd_chan_make(sizeof(int), 1);
    right = hd_chan_make(sizeof(int), 1);
    start(pass_on, NULL);
    start(pass_on, NULL);
    for (int i = 1; i <= 2; i++)
        hd_chan_send(left, &i);
    hd_chan_close(left);
    for (int i = 0; i < 2; i++, sum += value)
        hd_chan_recv(right, &value);
    hd_wg_wait(&wg);
    expect(sum == 3);
    hd_chan_unref(left);
    hd_chan_unref(right);
}

static void take_either(void *arg)
{
    int value = 0;

    (void)arg;
    HD_SELECT(HD_RECV(left, &value), HD_RECV(right, &value));
    expect(value == 1);
}

static void selects(void)
{
    left = hd_chan_make(sizeof(int), 0);
    right = hd_chan_make(sizeof(int), 0);
    start(take_either, NULL);
    start(take_either, NULL);
    send_one(right);
    send_one(left);
    hd_wg_wait(&wg);
    hd_chan_unref(left);
    hd_chan_unref(right);
}

static void timed_out(void)
{
    int value = 0;

    left = hd_chan_make(sizeof(int), 0);
    start(send_one, left);
    if (HD_SELECT_TIMEOUT(HD_MILLISECOND, HD_RECV(left, &value)) == HD_TIMED_OUT)
        hd_chan_recv(left, &value);
    expect(value == 1);
    hd_wg_wait(&wg);
    hd_chan_unref(left);
}

static void add_locked(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        hd_mutex_lock(&mutex);
        hd_go_yield(); /* the others come to wait */
        shared++;
        hd_mutex_unlock(&mutex);
    }
}

static void mutexes(void)
{
    start(add_locked, NULL);
    start(add_locked, NULL);
    add_locked(NULL);
    hd_wg_wait(&wg);
    expect(shared == 6);
}

static struct hd_rwmutex rw;

static void read_it(void *arg)
{
    (void)arg;
    hd_rwmutex_rlock(&rw);
    expect(shared % 2 == 0);
    hd_rwmutex_runlock(&rw);
}

static void write_it(void *arg)
{
    (void)arg;
    hd_rwmutex_lock(&rw);
    shared++;
    shared++;
    hd_rwmutex_unlock(&rw);
}

static void rwmutexes(void)
{
    start(read_it, NULL);
    start(write_it, NULL);
    start(read_it, NULL);
    write_it(NULL);
    hd_wg_wait(&wg);
    expect(shared == 4);
}

static struct hd_cond cond = HD_COND_INIT(&mutex);

static void take_a_turn(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    while (shared == 0)
        hd_cond_wait(&cond);
    shared--;
    hd_mutex_unlock(&mutex);
}

static void conds(void)
{
    start(take_a_turn, NULL);
    start(take_a_turn, NULL);
    for (int i = 0; i < 2; i++) {
        hd_mutex_lock(&mutex);
        shared++;
        hd_cond_signal(&cond);
        hd_mutex_unlock(&mutex);
    }
    hd_wg_wait(&wg);
}

static struct hd_semaphore semaphore;

static void add_with_the_unit(void *arg)
{
    (void)arg;
    hd_must(hd_semaphore_acquire(&semaphore, hd_context_background(), 1));
    shared++;
    hd_semaphore_release(&semaphore, 1);
}

static void semaphores(void)
{
    hd_semaphore_init(&semaphore, 1, NULL);
    start(add_with_the_unit, NULL);
    start(add_with_the_unit, NULL);
    hd_wg_wait(&wg);
    hd_semaphore_destroy(&semaphore);
    expect(shared == 2);
}

static struct hd_once once;

static void add_one(void *arg)
{
    (void)arg;
    shared++;
}

static void do_once(void *arg)
{
    hd_once_do(&once, add_one, arg);
    expect(shared == 1);
}

static void onces(void)
{
    start(do_once, NULL);
    start(do_once, NULL);
    do_once(NULL);
    hd_wg_wait(&wg);
}

static void wait_for_end(void *ctx)
{
    hd_chan_recv(hd_context_done(ctx), NULL);
    expect(hd_context_err(ctx) == hd_cancelled);
}

static void cancels(void)
{
    struct hd_context *above = hd_context_with_cancel(hd_context_background());
    struct hd_context *below = hd_context_with_cancel(above);

    start(wait_for_end, below);
    start(wait_for_end, above);
    hd_context_cancel(above);
    expect(hd_context_err(below) == hd_cancelled);
    hd_wg_wait(&wg);
    hd_context_unref(below);
    hd_context_unref(above);
}

static void stop_it(void *timer)
{
    if (hd_timer_stop(timer))
        hd_timer_reset(timer, HD_MILLISECOND);
}

/* Stopped and started while it fires. */
static void timers(void)
{
    struct hd_timer *timer;

    start(add_one, NULL); /* the monitor comes before the timers' thread */
    timer = hd_timer_make(HD_MILLISECOND);
    start(stop_it, timer);
    hd_chan_recv(hd_timer_chan(timer), NULL);
    hd_wg_wait(&wg);
    hd_timer_free(timer);
}

static void sleep_a_while(void *arg)
{
    (void)arg;
    hd_sleep(HD_MILLISECOND);
}

static void sleep_hardly(void *arg)
{
    (void)arg;
    hd_sleep(1);
}

static void sleeps(void)
{
    start(sleep_a_while, NULL);
    start(sleep_a_while, NULL);
    start(sleep_hardly, NULL);
    hd_wg_wait(&wg);
}

static void start_two(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++)
        start(add_locked, NULL);
    hd_go_yield();
    add_locked(NULL);
}

/* Each comes when the workers are about to rest. */
static void one_by_one(void)
{
    for (int i = 0; i < 8; i++) {
        start(add_one, NULL);
        hd_wg_wait(&wg);
    }
    expect(shared == 8);
}

/* What one worker has in its queue is there for the others. */
static void families(void)
{
    start(start_two, NULL);
    start(start_two, NULL);
    hd_wg_wait(&wg);
    expect(shared == 12);
}

static void receive_blocking(void *chan)
{
    hd_blocking(receive_one, chan);
}

/* Long calls on all processors; what they wait for goes on beside them. */
static void long_calls(void)
{
    left = hd_chan_make(sizeof(int), 0);
    start(receive_blocking, left);
    start(receive_blocking, left);
    start(send_one, left);
    send_one(left);
    hd_wg_wait(&wg);
    hd_chan_unref(left);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"rendezvous", rendezvous}, {"buffered", buffered},     {"selects", selects},
    {"timed_out", timed_out},   {"mutexes", mutexes},       {"rwmutexes", rwmutexes},
    {"conds", conds},           {"semaphores", semaphores}, {"onces", onces},
    {"cancels", cancels},       {"timers", timers},         {"sleeps", sleeps},
    {"families", families},     {"one_by_one", one_by_one}, {"long_calls", long_calls},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    fprintf(stderr, "usage: inside CASE\n");
    return 2;
}
