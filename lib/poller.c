/* poller.c - see poller.h.
 *
 * Of each descriptor epoll keeps one registration, so reading and writing have an instance each. A
 * registration serves once and is renewed by the next wait: what it names is the key, never a turn,
 * which may be over by the time the event is served. As with timers the thread is made for the first
 * that waits and ends when there have been none for a while.
 */
#include "poller.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BUCKETS 64u
#define AT_ONCE 64
#define STACK_BYTES ((size_t)128 << 10)
#define LINGER_MS 1000

static struct bucket {
    _Alignas(64) struct hdi_lock lock;
    struct hdi_turn *first;
} buckets[BUCKETS];

static struct hdi_lock lock; /* of what follows */
static int polls[2];         /* to read, to write; made with the first thread */
static bool made, serving;
static unsigned waiting;

static const struct hdi_why why = {HD_EV_HD_OTHER, NULL, NULL};

/* A child has but the thread that forked; the kernel's side is its parent's. */
static void forget_thread(void)
{
    memset(buckets, 0, sizeof buckets);
    if (made) {
        close(polls[0]);
        close(polls[1]);
    }
    made = serving = false;
    waiting = 0;
    atomic_store(&lock.word, 0);
}

__attribute__((constructor(106))) static void register_forget(void)
{
    pthread_atfork(NULL, NULL, forget_thread);
}

static struct bucket *bucket_of(uint64_t key)
{
    return &buckets[key % BUCKETS];
}

/* With the bucket's lock held: who has the turn, or has it next. */
static struct hdi_turn *find(const struct bucket *bucket, uint64_t key)
{
    struct hdi_turn *turn = bucket->first;

    while (turn && turn->key != key)
        turn = turn->next;
    return turn;
}

void hdi_turn_take(struct hdi_turn *turn, int fd, bool to_write)
{
    struct bucket *bucket;
    struct hdi_turn **end;
    bool mine;

    *turn = (struct hdi_turn){.key = (uint64_t)(unsigned)fd << 1 | to_write};
    hdi_parker_init(&turn->parker);
    bucket = bucket_of(turn->key);
    hdi_lock(&bucket->lock);
    mine = !find(bucket, turn->key);
    for (end = &bucket->first; *end; end = &(*end)->next)
        ;
    *end = turn;
    hdi_unlock(&bucket->lock);
    if (!mine)
        hdi_park(&turn->parker, &why, HD_SEAM_FOREVER);
}

void hdi_turn_give(struct hdi_turn *turn)
{
    struct bucket *bucket = bucket_of(turn->key);
    struct hdi_turn **at = &bucket->first, *next;

    hdi_lock(&bucket->lock);
    while (*at != turn)
        at = &(*at)->next;
    *at = turn->next;
    next = find(bucket, turn->key);
    hdi_unlock(&bucket->lock);
    if (next)
        hdi_unpark(&next->parker);
}

/* Whether it did so far. */
static bool set_waits(struct hdi_turn *turn, bool waits)
{
    struct bucket *bucket = bucket_of(turn->key);
    bool before;

    hdi_lock(&bucket->lock);
    before = turn->waits;
    turn->waits = waits;
    hdi_unlock(&bucket->lock);
    return before;
}

/* ---- the thread ---- */

static void wake(uint64_t key)
{
    struct bucket *bucket = bucket_of(key);
    struct hdi_turn *turn;

    hdi_lock(&bucket->lock);
    turn = find(bucket, key);
    if (turn && turn->waits)
        turn->waits = false;
    else
        turn = NULL;
    hdi_unlock(&bucket->lock);
    if (turn)
        hdi_unpark(&turn->parker);
}

/* The program has closed them (daemons close all that they find). Who waits tries again, and makes
 * new ones. */
static void give_up(void)
{
    hdi_lock(&lock);
    made = serving = false;
    hdi_unlock(&lock);
    for (struct bucket *bucket = buckets; bucket < buckets + BUCKETS; bucket++) {
        struct hdi_turn *list = NULL, *next;
        hdi_lock(&bucket->lock);
        for (struct hdi_turn *turn = bucket->first; turn; turn = turn->next)
            if (turn->waits) {
                turn->waits = false;
                turn->woken = list;
                list = turn;
            }
        hdi_unlock(&bucket->lock);
        for (; list; list = next) {
            next = list->woken; /* read before it may go */
            hdi_unpark(&list->parker);
        }
    }
}

static void *serve(void *arg)
{
    struct pollfd either[2] = {{.fd = polls[0], .events = POLLIN},
                               {.fd = polls[1], .events = POLLIN}};
    struct epoll_event events[AT_ONCE];
    bool go_on = true;

    while (go_on) {
        bool idle = poll(either, 2, LINGER_MS) == 0;
        for (int i = 0; i < 2; i++) {
            int n = epoll_wait(either[i].fd, events, AT_ONCE, 0);
            if (n < 0 && errno != EINTR) {
                give_up();
                return arg;
            }
            for (; n > 0; n--)
                wake(events[n - 1].data.u64);
        }
        if (!idle)
            continue;
        hdi_lock(&lock);
        go_on = serving = waiting > 0;
        hdi_unlock(&lock);
    }
    return arg;
}

static bool start_serving(void)
{
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_t thread;
    bool started;

    if (pthread_attr_init(&attr) != 0)
        return false;
    sigfillset(&all); /* the program's handlers run on its own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
              pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&thread, &attr, serve, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started;
}

static bool make_polls(void)
{
    polls[0] = epoll_create1(EPOLL_CLOEXEC);
    polls[1] = epoll_create1(EPOLL_CLOEXEC);
    made = polls[0] >= 0 && polls[1] >= 0;
    for (int i = 0; i < 2 && !made; i++)
        if (polls[i] >= 0)
            close(polls[i]);
    return made;
}

/* For the one of them that serves the key; -1: none does. */
static int one_more_waits(uint64_t key)
{
    bool served;
    int of;

    hdi_lock(&lock);
    if (made || make_polls())
        serving = serving || start_serving();
    served = serving;
    waiting += served;
    of = served ? polls[key & 1] : -1;
    hdi_unlock(&lock);
    return of;
}

static void one_less_waits(void)
{
    hdi_lock(&lock);
    waiting--;
    hdi_unlock(&lock);
}

/* Out of line: see io.c, of errno. */
static __attribute__((noinline)) bool ask(int of, uint64_t key)
{
    struct epoll_event event = {.events = (key & 1 ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT,
                                .data.u64 = key};
    int fd = (int)(key >> 1);

    return epoll_ctl(of, EPOLL_CTL_MOD, fd, &event) == 0 ||
           (errno == ENOENT && epoll_ctl(of, EPOLL_CTL_ADD, fd, &event) == 0);
}

enum hdi_ready hdi_turn_wait(struct hdi_turn *turn, int64_t until_ns)
{
    enum hdi_ready ready = HDI_READY;
    int of = one_more_waits(turn->key);

    if (of < 0)
        return HDI_UNKNOWN;
    hdi_parker_init(&turn->parker);
    set_waits(turn, true);
    if (!ask(of, turn->key))
        ready = HDI_UNKNOWN;
    else if (!hdi_park(&turn->parker, &why, until_ns))
        ready = HDI_TOO_LATE;
    if (ready != HDI_READY && !set_waits(turn, false)) {
        hdi_park(&turn->parker, &why, HD_SEAM_FOREVER); /* its waker is on the way */
        ready = HDI_READY;
    }
    one_less_waits();
    return ready;
}
