/* Mutex: exclusion, tries, hand-over between threads, freeing by the last one out. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <heddle/cond.h>
#include <heddle/mutex.h>

#include "panics.h"
#include "rounds.h"
#include "team.h"

#define ROUNDS rounds(20000)

struct shared {
    struct hd_mutex mutex;
    long count;
};

static void *increment(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < ROUNDS; i++) {
        hd_mutex_lock(&s->mutex);
        s->count++;
        hd_mutex_unlock(&s->mutex);
    }
    return NULL;
}

static void excludes(void **state)
{
    struct shared s = {HD_MUTEX_INIT, 0};
    struct team team;

    (void)state;
    team_start(&team, 4, increment, &s);
    team_join(&team);
    assert_int_equal(s.count, 4 * ROUNDS);
}

static void *try_increment(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < ROUNDS; i++) {
        if (!hd_mutex_trylock(&s->mutex))
            hd_mutex_lock(&s->mutex);
        s->count++;
        hd_mutex_unlock(&s->mutex);
    }
    return NULL;
}

static void a_try_takes_or_leaves(void **state)
{
    struct shared s = {HD_MUTEX_INIT, 0};
    struct team team;

    (void)state;
    assert_true(hd_mutex_trylock(&s.mutex));
    assert_false(hd_mutex_trylock(&s.mutex));
    hd_mutex_unlock(&s.mutex);
    team_start(&team, 3, try_increment, &s);
    team_join(&team);
    assert_int_equal(s.count, 3 * ROUNDS);
}

static void *unlock_it(void *arg)
{
    hd_mutex_unlock(arg);
    return NULL;
}

static void another_thread_may_unlock(void **state)
{
    struct hd_mutex mutex = HD_MUTEX_INIT;
    struct team team;

    (void)state;
    hd_mutex_lock(&mutex);
    team_start(&team, 1, unlock_it, &mutex);
    hd_mutex_lock(&mutex); /* returns because the other unlocked */
    hd_mutex_unlock(&mutex);
    team_join(&team);
}

/* A counted object whose mutex dies with it: the one that drops it last frees it. */
struct counted {
    struct hd_mutex mutex;
    int holders;
};

static void *drop(void *arg)
{
    struct counted *object = arg;
    int left;

    hd_mutex_lock(&object->mutex);
    left = --object->holders;
    hd_mutex_unlock(&object->mutex);
    if (left == 0)
        free(object);
    return NULL;
}

static void the_last_out_may_free_it(void **state)
{
    (void)state;
    for (int i = 0; i < rounds(300); i++) {
        struct counted *object = calloc(1, sizeof *object);
        struct team team;
        assert_non_null(object);
        object->holders = 3;
        team_start(&team, 3, drop, object);
        team_join(&team);
    }
}

struct ring {
    struct hd_mutex mutex;
    struct hd_cond changed;
    int turn, size, laps;
};

struct seat {
    struct ring *ring;
    int number;
};

static void *take_turns(void *arg)
{
    struct seat *seat = arg;
    struct ring *ring = seat->ring;

    for (int lap = 0; lap < ring->laps; lap++) {
        hd_mutex_lock(&ring->mutex);
        while (ring->turn % ring->size != seat->number)
            hd_cond_wait(&ring->changed);
        ring->turn++;
        hd_cond_broadcast(&ring->changed);
        hd_mutex_unlock(&ring->mutex);
    }
    return NULL;
}

static void a_starved_waiter_gets_it(void **state)
{
    struct ring ring = {
        .mutex = HD_MUTEX_INIT, .changed = HD_COND_INIT(&ring.mutex), .laps = rounds(500)};
    struct seat seats[4];
    struct team team = {.size = 0};

    (void)state;
    ring.size = 4;
    for (int i = 0; i < 4; i++) {
        seats[i] = (struct seat){&ring, i};
        team_add(&team, take_turns, &seats[i]);
    }
    team_join(&team);
    assert_int_equal(ring.turn, 4 * ring.laps);
}

struct line {
    struct hd_mutex mutex;
    _Atomic bool let_go;
};

static void *waits_in_line(void *arg)
{
    struct line *line = arg;

    hd_mutex_lock(&line->mutex);
    while (!line->let_go)
        breathe();
    hd_mutex_unlock(&line->mutex);
    return NULL;
}

/* Whoever waited for more than a millisecond cannot be overtaken any more. */
static void a_long_wait_is_handed_over(void **state)
{
    (void)state;
    if (hdi_watchers & 1u) /* Heddle's scheduler says who comes next */
        return;
    for (int i = 0; i < 10; i++) {
        struct line line = {.mutex = HD_MUTEX_INIT};
        struct team team;

        hd_mutex_lock(&line.mutex);
        team_start(&team, 1, waits_in_line, &line);
        while (line.mutex.state == 1)
            sched_yield();
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
        hd_mutex_unlock(&line.mutex);
        bool overtaken = hd_mutex_trylock(&line.mutex);
        if (overtaken)
            hd_mutex_unlock(&line.mutex);
        line.let_go = true;
        team_join(&team);
        assert_false(overtaken);
    }
}

static void named_and_ended(void **state)
{
    struct hd_mutex mutex;

    (void)state;
    hd_mutex_init(&mutex, "accounts");
    hd_mutex_lock(&mutex);
    hd_mutex_unlock(&mutex);
    hd_mutex_destroy(&mutex);
}

static void unlock_twice(void *arg)
{
    hd_mutex_unlock(arg);
}

static void lock_once(void *arg)
{
    hd_mutex_lock(arg);
    hd_mutex_unlock(arg);
}

static void try_once(void *arg)
{
    if (hd_mutex_trylock(arg))
        hd_mutex_unlock(arg);
}

static void destroy(void *arg)
{
    hd_mutex_destroy(arg);
}

static void misuse_panics(void **state)
{
    struct hd_mutex mutex = HD_MUTEX_INIT;

    (void)state;
    assert_panics(unlock_twice, &mutex, "sync: unlock of unlocked mutex");
    hd_mutex_lock(&mutex);
    assert_panics(destroy, &mutex, "sync: end of a locked mutex");
    hd_mutex_unlock(&mutex);
    hd_mutex_destroy(&mutex);
    assert_panics(lock_once, &mutex, "sync: use of a mutex after its end");
    assert_panics(try_once, &mutex, "sync: use of a mutex after its end");
    assert_panics(unlock_twice, &mutex, "sync: use of a mutex after its end");
    assert_panics(destroy, &mutex, "sync: use of a mutex after its end");
    hd_mutex_init(&mutex, NULL);
    lock_once(&mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excludes),
        cmocka_unit_test(a_try_takes_or_leaves),
        cmocka_unit_test(another_thread_may_unlock),
        cmocka_unit_test(the_last_out_may_free_it),
        cmocka_unit_test(a_starved_waiter_gets_it),
        cmocka_unit_test(a_long_wait_is_handed_over),
        cmocka_unit_test(named_and_ended),
        cmocka_unit_test(misuse_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
