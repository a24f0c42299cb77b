/* Two lock orders that cannot meet, because something orders the two threads: ordered BY TWIN. In a
 * wrong one the second does not wait for the first. */
#include "company.h"
#include <sys/eventfd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static bool done; /* under m */

static void tell_cond(void)
{
    pthread_mutex_lock(&m);
    done = true;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

static void wait_cond(void)
{
    pthread_mutex_lock(&m);
    while (!done)
        pthread_cond_wait(&c, &m);
    pthread_mutex_unlock(&m);
}

static sem_t s;

static void tell_sem(void)
{
    sem_post(&s);
}

static void wait_sem(void)
{
    sem_wait(&s);
}

static pthread_barrier_t barrier;

static void tell_barrier(void)
{
    if (!wrong)
        pthread_barrier_wait(&barrier);
}

static void wait_barrier(void)
{
    pthread_barrier_wait(&barrier);
}

static int fd[2], event;

static void tell_pipe(void)
{
    assert(write(fd[1], "x", 1) == 1);
}

static void wait_pipe(void)
{
    char byte;

    assert(read(fd[0], &byte, 1) == 1);
}

static void tell_eventfd(void)
{
    assert(eventfd_write(event, 1) == 0);
}

static void wait_eventfd(void)
{
    eventfd_t value;

    assert(eventfd_read(event, &value) == 0);
}

static struct hd_chan *channel;

static void tell_channel(void)
{
    hd_chan_send(channel, NULL);
}

static void wait_channel(void)
{
    hd_chan_recv(channel, NULL);
}

static void tell_close(void)
{
    hd_chan_close(channel);
}

static struct hd_wg wg;

static void tell_waitgroup(void)
{
    hd_wg_done(&wg);
}

static void wait_waitgroup(void)
{
    hd_wg_wait(&wg);
}

static pthread_t first;

static void tell_end(void)
{
}

static void wait_end(void)
{
    finish(first);
}

static atomic_bool flag;

static void tell_atomic(void)
{
    flag = true;
}

static void wait_atomic(void)
{
    while (!flag)
        sched_yield();
}

static void tell_locked_flag(void)
{
    pthread_mutex_lock(&m);
    done = true;
    pthread_mutex_unlock(&m);
}

static void wait_locked_flag(void)
{
    bool now = false;

    while (!now) {
        pthread_mutex_lock(&m);
        now = done;
        pthread_mutex_unlock(&m);
    }
}

static const struct way {
    const char *name;
    void (*tell)(void), (*wait)(void);
} ways[] = {
    {"cond", tell_cond, wait_cond},
    {"sem", tell_sem, wait_sem},
    {"barrier", tell_barrier, wait_barrier},
    {"pipe", tell_pipe, wait_pipe},
    {"eventfd", tell_eventfd, wait_eventfd},
    {"channel", tell_channel, wait_channel},
    {"close", tell_close, wait_channel},
    {"waitgroup", tell_waitgroup, wait_waitgroup},
    {"join", tell_end, wait_end},
    {"atomic", tell_atomic, wait_atomic},
    {"locked_flag", tell_locked_flag, wait_locked_flag},
};
static const struct way *way;

static void *ab(void *arg)
{
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    way->tell();
    return arg;
}

static void *ba(void *arg)
{
    if (!wrong)
        way->wait();
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t second;

    arguments(argc, argv, 1);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            way = &ways[i];
    if (!way)
        return 2;
    naps_begin();
    sem_init(&s, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    assert(pipe(fd) == 0);
    event = eventfd(0, 0);
    channel = hd_chan_make(0, 1);
    hd_wg_add(&wg, 1);
    first = start(ab, NULL);
    second = start(ba, NULL);
    if (way->wait != wait_end || wrong)
        finish(first);
    finish(second);
    return 0;
}
