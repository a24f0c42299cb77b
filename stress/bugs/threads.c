/* threads.c - plain pthreads: what the classics leave out. */
#include "bug.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shared {
    bool right;
    pthread_mutex_t m, n;
    pthread_cond_t not_empty, not_full;
    pthread_rwlock_t rw;
    sem_t sem;
    int x, y, round, items[8];
    int *pointer;
    struct tally tally;
};

static struct shared *shared_new(bool right)
{
    struct shared *s = KEEP(struct shared);

    s->right = right;
    pthread_mutex_init(&s->m, NULL);
    pthread_mutex_init(&s->n, NULL);
    pthread_cond_init(&s->not_empty, NULL);
    pthread_cond_init(&s->not_full, NULL);
    pthread_rwlock_init(&s->rw, NULL);
    return s;
}

static void both(void *(*one)(void *), void *(*two)(void *), void *arg)
{
    pthread_t a, b;

    assert(pthread_create(&a, NULL, one, arg) == 0 && pthread_create(&b, NULL, two, arg) == 0);
    assert(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
}

static void *put_two(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&s->m);
        while (s->x == 1)
            pthread_cond_wait(&s->not_full, &s->m);
        s->x++;
        pthread_cond_signal(s->right ? &s->not_empty : &s->not_full);
        pthread_mutex_unlock(&s->m);
    }
    return NULL;
}

static void *take_two(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&s->m);
        while (s->x == 0)
            pthread_cond_wait(&s->not_empty, &s->m);
        s->x--;
        pthread_cond_signal(&s->not_full);
        pthread_mutex_unlock(&s->m);
    }
    return NULL;
}

BUG(signals_its_own_side)
{
    both(put_two, take_two, shared_new(right));
}

static void *complete(void *arg)
{
    struct shared *s = arg;
    bool mine;

    pthread_mutex_lock(&s->m);
    mine = !s->x;
    if (s->right)
        s->x = 1;
    pthread_mutex_unlock(&s->m);
    if (mine)
        tally(&s->tally, 0); /* the promise is kept once */
    pthread_mutex_lock(&s->m);
    s->x = 1;
    pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(future_completed_twice)
{
    both(complete, complete, shared_new(right));
}

static void *count_down(void *arg)
{
    struct shared *s = arg;

    if (s->right)
        pthread_mutex_lock(&s->m);
    s->x--;
    if (!s->right)
        pthread_mutex_lock(&s->m);
    if (s->x == 0)
        pthread_cond_broadcast(&s->not_empty);
    pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(latch_counted_unlocked)
{
    struct shared *s = shared_new(right);

    s->x = 2;
    both(count_down, count_down, s);
    assert(s->x == 0);
}

static void *work_off(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    if (!s->right)
        s->x--; /* not pending any more, but not done either */
    pthread_mutex_unlock(&s->m);
    sched_yield();
    pthread_mutex_lock(&s->m);
    s->y++;
    if (s->right)
        s->x--;
    pthread_mutex_unlock(&s->m);
    return NULL;
}

static void *see_idle(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    assert(s->x > 0 || s->y == 1);
    pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(idle_before_the_work_is_done)
{
    struct shared *s = shared_new(right);

    s->x = 1;
    both(work_off, see_idle, s);
}

static void *serve_until_stop(void *arg)
{
    struct shared *s = arg;
    int stop = 0;

    for (int i = 0; i < 4 && !stop; i++) {
        if (s->right)
            pthread_mutex_lock(&s->m);
        stop = s->x;
        if (s->right)
            pthread_mutex_unlock(&s->m);
        sched_yield();
    }
    return NULL;
}

static void *say_stop(void *arg)
{
    struct shared *s = arg;

    if (s->right)
        pthread_mutex_lock(&s->m);
    s->x = 1;
    if (s->right)
        pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(plain_stop_flag)
{
    both(serve_until_stop, say_stop, shared_new(right));
}

/* A barrier made by hand whose counter is set back by the last to come, without a round number. */
static void *meet_twice(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&s->m);
        int round = s->round;
        if (++s->x == 2) {
            s->x = 0;
            s->round++;
            pthread_cond_broadcast(&s->not_empty);
        } else if (s->right) {
            while (round == s->round)
                pthread_cond_wait(&s->not_empty, &s->m);
        } else {
            while (s->x != 0)
                pthread_cond_wait(&s->not_empty, &s->m);
        }
        pthread_mutex_unlock(&s->m);
    }
    return NULL;
}

BUG(barrier_without_rounds)
{
    both(meet_twice, meet_twice, shared_new(right));
}

static void *insert_if_missing(void *arg)
{
    struct shared *s = arg;
    bool missing;

    pthread_rwlock_rdlock(&s->rw);
    missing = s->x == 0;
    pthread_rwlock_unlock(&s->rw);
    if (!missing)
        return NULL;
    pthread_rwlock_wrlock(&s->rw);
    if (!s->right || s->x == 0) {
        s->x = 1;
        tally(&s->tally, 0);
    }
    pthread_rwlock_unlock(&s->rw);
    return NULL;
}

BUG(not_looked_again_after_wrlock)
{
    both(insert_if_missing, insert_if_missing, shared_new(right));
}

static void *use_argument(void *arg)
{
    return (void *)(intptr_t)(*(int *)arg);
}

/* All threads get the address of the loop's variable. */
BUG(argument_of_the_loop)
{
    struct shared *s = shared_new(right);
    pthread_t threads[2];
    intptr_t sum = 0;

    for (s->x = 0; s->x < 2; s->x++) {
        s->items[s->x] = s->x;
        assert(pthread_create(&threads[s->x], NULL, use_argument,
                              right ? &s->items[s->x] : &s->x) == 0);
    }
    for (int i = 0; i < 2; i++) {
        void *got;
        pthread_join(threads[i], &got);
        sum += (intptr_t)got;
    }
    assert(sum == 1);
}

static char *name_of(struct shared *s, int id, char buffer[16])
{
    static char one_for_all[16];
    char *text = s->right ? buffer : one_for_all;

    for (int i = 0; i < 3; i++)
        text[i] = (char)('a' + id);
    text[3] = '\0';
    return text;
}

static void *name_zero(void *arg)
{
    char buffer[16], *name = name_of(arg, 0, buffer);

    sched_yield();
    assert(name[0] == 'a' && name[2] == 'a');
    return NULL;
}

static void *name_one(void *arg)
{
    char buffer[16], *name = name_of(arg, 1, buffer);

    sched_yield();
    assert(name[0] == 'b' && name[2] == 'b');
    return NULL;
}

BUG(static_buffer_returned)
{
    both(name_zero, name_one, shared_new(right));
}

static void *tell_listener(void *arg)
{
    struct shared *s = arg;
    int *listener;

    pthread_mutex_lock(&s->m);
    listener = s->pointer;
    if (!s->right)
        pthread_mutex_unlock(&s->m);
    if (listener) {
        sched_yield();
        ++*listener;
    }
    if (s->right)
        pthread_mutex_unlock(&s->m);
    return NULL;
}

static void *drop_listener(void *arg)
{
    struct shared *s = arg;
    int *listener;

    pthread_mutex_lock(&s->m);
    listener = s->pointer;
    s->pointer = NULL;
    pthread_mutex_unlock(&s->m);
    free(listener);
    return NULL;
}

BUG(listener_freed_while_told)
{
    struct shared *s = shared_new(right);

    s->pointer = calloc(1, sizeof(int));
    both(tell_listener, drop_listener, s);
}

static void *wait_for_mail(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    if (s->right)
        while (!s->x)
            pthread_cond_wait(&s->not_empty, &s->m);
    else if (!s->x)
        pthread_cond_wait(&s->not_empty, &s->m);
    assert(s->x && "woken for no reason");
    pthread_mutex_unlock(&s->m);
    return NULL;
}

static void *bring_mail(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    s->x = 1;
    pthread_cond_signal(&s->not_empty);
    pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(wakes_for_no_reason)
{
    both(wait_for_mail, bring_mail, shared_new(right));
}

static void *post_event(void *arg)
{
    struct shared *s = arg;

    sem_post(&s->sem);
    if (!s->right)
        sem_post(&s->sem); /* "to be sure" */
    return NULL;
}

static void *enter_once(void *arg)
{
    struct shared *s = arg;
    struct timespec soon;

    for (int i = 0; i < 2; i++) {
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_sec += 1;
        if (sem_timedwait(&s->sem, &soon) == 0)
            tally(&s->tally, 0);
    }
    return NULL;
}

BUG(event_posted_twice)
{
    struct shared *s = shared_new(right);

    sem_init(&s->sem, 0, 0);
    both(post_event, enter_once, s);
}

static void *wait_with_deadline(void *arg)
{
    struct shared *s = arg;
    struct timespec deadline;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 2;
    pthread_mutex_lock(&s->m);
    while (!s->x && rc == 0)
        rc = pthread_cond_timedwait(&s->not_empty, &s->m, &deadline);
    if (s->right ? s->x : true) /* a time-out counts as success */
        assert(s->x == 1);
    pthread_mutex_unlock(&s->m);
    return NULL;
}

static void *deliver_late(void *arg)
{
    struct shared *s = arg;
    struct timespec pause = {.tv_sec = draw(1, 4)};

    nanosleep(&pause, NULL);
    return bring_mail(s);
}

BUG(timeout_counts_as_success)
{
    both(wait_with_deadline, deliver_late, shared_new(right));
}

/* Two lists locked hand over hand, the second before the first is let go - or after. */
static void *move_item(void *arg)
{
    struct shared *s = arg;
    int item;

    pthread_mutex_lock(&s->m);
    item = s->x > 0;
    s->x -= item;
    if (!s->right)
        pthread_mutex_unlock(&s->m);
    pthread_mutex_lock(&s->n);
    s->y += item;
    if (s->right)
        pthread_mutex_unlock(&s->m);
    pthread_mutex_unlock(&s->n);
    return NULL;
}

static void *count_items(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    pthread_mutex_lock(&s->n);
    assert(s->x + s->y == 2);
    pthread_mutex_unlock(&s->n);
    pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(item_between_two_lists)
{
    struct shared *s = shared_new(right);

    s->x = 2;
    both(move_item, count_items, s);
}

static void *enter_recursively(void *arg)
{
    struct shared *s = arg;

    pthread_mutex_lock(&s->m);
    pthread_mutex_lock(&s->m);
    s->x++;
    pthread_mutex_unlock(&s->m);
    if (s->right)
        pthread_mutex_unlock(&s->m);
    return NULL;
}

BUG(recursive_lock_left_once)
{
    struct shared *s = shared_new(right);
    pthread_mutexattr_t recursive;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_destroy(&s->m);
    pthread_mutex_init(&s->m, &recursive);
    both(enter_recursively, enter_recursively, s);
    assert(s->x == 2);
}
