/* Parking: an unpark before, during and after going to sleep; time-outs; the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <heddle/time.h>

#include "park.h"
#include "parking_lot.h"
#include "rounds.h"
#include "spawn_test.h"

static const struct hdi_why why = {HD_EV_HD_OTHER, NULL, NULL};

static void an_unpark_is_not_lost(void **state)
{
    struct hdi_parker self;

    (void)state;
    hdi_parker_init(&self);
    hdi_unpark(&self);
    assert_true(hdi_park(&self, &why, HD_SEAM_FOREVER));
    assert_true(hdi_park(&self, &why, hdi_now_ns() - 1)); /* once is for good */
}

static void time_passes(void **state)
{
    struct hdi_parker self;
    int64_t until = hdi_now_ns() + 2 * HD_MILLISECOND;

    (void)state;
    hdi_parker_init(&self);
    assert_false(hdi_park(&self, &why, until));
    assert_true(hdi_now_ns() >= until);
    assert_false(hdi_park(&self, &why, until)); /* in the past: at once */
    hdi_unpark(&self);                          /* late, and still there */
    assert_true(hdi_park(&self, &why, HD_SEAM_FOREVER));
}

/* Detectors do not see the lock: they are told here. */
static void take(struct hdi_lock *lock)
{
    hdi_lock(lock);
    hdi_acquire(lock);
}

static void give(struct hdi_lock *lock)
{
    hdi_release(lock);
    hdi_unlock(lock);
}

struct relay {
    struct hdi_lock lock;
    struct hdi_parker *waiting;
    bool stop;
};

static void unpark_whoever_waits(void *arg)
{
    struct relay *relay = arg;
    bool stop;

    do {
        struct hdi_parker *parker;
        take(&relay->lock);
        parker = relay->waiting;
        relay->waiting = NULL;
        stop = relay->stop;
        give(&relay->lock);
        if (parker)
            hdi_unpark(parker);
        else
            hd_go_yield();
    } while (!stop);
}

static void parks_race_with_unparks(void **state)
{
    static struct relay relay;
    const int times = rounds(3000);

    (void)state;
    start(unpark_whoever_waits, &relay);
    for (int i = 0; i < times; i++) {
        struct hdi_parker self;
        bool in_time;
        hdi_parker_init(&self);
        take(&relay.lock);
        relay.waiting = &self;
        give(&relay.lock);
        in_time = hdi_park(&self, &why, i % 2 ? HD_SEAM_FOREVER : hdi_now_ns() + i % 100 * 1000);
        if (!in_time) { /* take it back, or wait for the one that took it */
            bool taken;
            take(&relay.lock);
            taken = relay.waiting == NULL;
            relay.waiting = NULL;
            give(&relay.lock);
            if (taken)
                assert_true(hdi_park(&self, &why, HD_SEAM_FOREVER));
        }
    }
    take(&relay.lock);
    relay.stop = true;
    give(&relay.lock);
}

struct counted {
    struct hdi_lock lock;
    struct hd_wg wg;
    long count;
};

static void count_up(void *arg)
{
    struct counted *counted = arg;

    for (int i = 0; i < rounds(5000); i++) {
        take(&counted->lock);
        counted->count++;
        give(&counted->lock);
    }
    hd_wg_done(&counted->wg);
}

static void the_lock_excludes(void **state)
{
    struct counted counted = {.count = 0};

    (void)state;
    hd_wg_add(&counted.wg, 4);
    for (int i = 0; i < 4; i++)
        start(count_up, &counted);
    hd_wg_wait(&counted.wg);
    assert_int_equal(counted.count, 4 * rounds(5000));
}

static void copies_are_whole(void **state)
{
    unsigned char from[64], to[66];

    (void)state;
    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (unsigned char)(i * 37 + 1);
    for (size_t bytes = 0; bytes <= sizeof from; bytes++) {
        memset(to, 0, sizeof to);
        hdi_copy(to + 1, from, bytes);
        assert_memory_equal(to + 1, from, bytes);
        assert_int_equal(to[0], 0);
        assert_int_equal(to[bytes + 1], 0);
        hdi_zero(to + 1, bytes);
        for (size_t i = 0; i < sizeof to; i++)
            assert_int_equal(to[i], 0);
    }
}

/* ---- the parking lot ---- */

/* Two that share a bucket: only who waits for the key is found. */
static void a_line_is_of_its_key(void **state)
{
    static char key[1 << 20];
    struct hdi_waiter mine, other;
    struct hdi_lot *lot = hdi_lot_lock(key), *found = NULL;
    size_t beside = 0;

    (void)state;
    hdi_lot_unlock(lot);
    while (found != lot) {
        beside += 8;
        assert_true(beside < sizeof key);
        found = hdi_lot_lock(key + beside);
        hdi_lot_unlock(found);
    }
    lot = hdi_lot_lock(key);
    hdi_lot_push(lot, &other, key + beside, false);
    assert_null(hdi_lot_first(lot, key));
    hdi_lot_push(lot, &mine, key, false);
    assert_ptr_equal(hdi_lot_pop(lot, key), &mine);
    assert_null(hdi_lot_pop(lot, key));
    assert_ptr_equal(hdi_lot_pop(lot, key + beside), &other);
    hdi_lot_unlock(lot);
}

struct late {
    struct hdi_waiter waiter;
    struct hdi_lock lock;
    bool in_line, popped, woken;
};

static bool is_set(struct late *late, const bool *flag)
{
    take(&late->lock);
    bool set = *flag;
    give(&late->lock);
    if (!set)
        hd_go_yield();
    return set;
}

static void set(struct late *late, bool *flag)
{
    take(&late->lock);
    *flag = true;
    give(&late->lock);
}

/* Its time is over before it sleeps, but it is popped already. */
static void sleeps_too_late(void *arg)
{
    struct late *late = arg;
    struct hdi_lot *lot = hdi_lot_lock(late);

    hdi_lot_push(lot, &late->waiter, late, false);
    hdi_lot_unlock(lot);
    set(late, &late->in_line);
    while (!is_set(late, &late->popped))
        ;
    late->woken = hdi_lot_sleep(&late->waiter, &why, hdi_now_ns() - 1);
}

static void who_was_popped_waits_to_be_woken(void **state)
{
    struct late late = {.in_line = false};
    struct hd_wg wg = HD_WG_INIT;
    struct hdi_lot *lot;

    (void)state;
    start_in(&wg, sleeps_too_late, &late);
    while (!is_set(&late, &late.in_line))
        ;
    lot = hdi_lot_lock(&late);
    assert_ptr_equal(hdi_lot_pop(lot, &late), &late.waiter);
    hdi_lot_unlock(lot);
    set(&late, &late.popped);
    hd_sleep(2 * HD_MILLISECOND);
    hdi_lot_wake(&late.waiter);
    hd_wg_wait(&wg);
    assert_true(late.woken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unpark_is_not_lost),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(parks_race_with_unparks),
        cmocka_unit_test(the_lock_excludes),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(a_line_is_of_its_key),
        cmocka_unit_test(who_was_popped_waits_to_be_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
