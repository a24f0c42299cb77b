/* test_tape.c - what is written down of a schedule, and what need not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/annotate.h"
#include "core/thread.h"
#include "memory/race/tape_writer.h"

#define X 0x10000u
#define CLOCK ((const void *)0x20000)

HDI_TLS struct hdi_memory_thread *hdi_watched;
bool hdi_said_any_benign;
static struct hdp_tape *tape;
static struct hdi_thread thread[2];
static struct hdi_memory_thread watched[2];
static uint32_t steps;

bool hdi_said_benign(uintptr_t addr, size_t bytes)
{
    return addr == X && bytes == 1;
}

struct hdi_object *hdi_object_find(const void *addr, enum hd_object kind)
{
    (void)addr, (void)kind;
    return NULL;
}

enum { SEEN = 1, UNSEEN };

bool hdi_is_watched_code(uint64_t pc)
{
    return pc == SEEN;
}

static int begin(void **state)
{
    (void)state;
    free(tape);
    tape = calloc(1, sizeof *tape);
    assert_non_null(tape);
    hdi_said_any_benign = false;
    for (uint32_t i = 0; i < 2; i++) {
        thread[i] = (struct hdi_thread){.index = i};
        watched[i] = (struct hdi_memory_thread){.thread = &thread[i]};
    }
    hdi_watched = &watched[0];
    hdi_tape_start(tape, &steps);
    return 0;
}

static void reads(int i, uintptr_t addr, size_t bytes, uint64_t pc)
{
    hdi_tape_access(&watched[i], addr, bytes, HDP_TAPE_READ, pc, false);
}

static void writes(int i, uintptr_t addr, size_t bytes, uint64_t pc)
{
    hdi_tape_access(&watched[i], addr, bytes, HDP_TAPE_WRITE, pc, false);
}

static void the_same_again_is_left_out(void **state)
{
    (void)state;
    writes(0, X, 4, 1);
    writes(0, X, 4, 2);
    reads(0, X, 4, 3); /* the write tells more */
    reads(0, X + 2, 2, 4);
    assert_int_equal(tape->events, 1);
    reads(0, X + 4, 4, 5); /* other bytes */
    writes(0, X + 4, 4, 6);
    assert_int_equal(tape->events, 3);
    assert_int_equal(tape->event[2].site, 6);
    assert_int_equal(tape->event[2].where, X + 4);
    assert_int_equal(tape->event[2].bytes, 4);
}

static void another_thread_is_another(void **state)
{
    (void)state;
    writes(0, X, 4, 1);
    writes(1, X, 4, 1);
    writes(0, X, 4, 1);
    assert_int_equal(tape->events, 3);
    assert_int_equal(tape->event[1].thread, 1);
}

/* It may race there with what it could not race with before. */
static void what_follows_a_synchronisation_is_written_anew(void **state)
{
    (void)state;
    writes(0, X, 4, 1);
    hdi_tape_release(&watched[0], CLOCK);
    writes(0, X, 4, 1);
    hdi_tape_acquire(&watched[0], CLOCK);
    writes(0, X, 4, 1);
    hdi_tape_note(HDP_TAPE_LOOK, CLOCK);
    writes(0, X, 4, 1);
    assert_int_equal(tape->events, 7);
    hdi_tape_release(&watched[1], CLOCK); /* of others it is nothing to this one */
    writes(0, X, 4, 1);
    assert_int_equal(tape->events, 8);
}

/* An atomic access is always written, and what follows it. */
static void an_atomic_access_synchronises(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        writes(0, X, 4, 1);
        hdi_tape_access(&watched[0], X + 8, 4, HDP_TAPE_ATOMIC_WRITE, 2, true);
    }
    assert_int_equal(tape->events, 4);
    assert_int_equal(tape->event[3].kind, HDP_TAPE_ATOMIC_WRITE);
    assert_int_equal(tape->event[3].point, 1);
}

static void new_memory_is_another_matter(void **state)
{
    (void)state;
    writes(0, X, 8, 1);
    hdi_tape_reset(X, 8);
    writes(0, X, 8, 1);
    hdi_tape_reset(X, 1 << 20);
    writes(0, X, 8, 1);
    assert_int_equal(tape->events, 5);
    assert_int_equal(tape->event[1].kind, HDP_TAPE_RESET);
}

static void what_is_called_benign_is_left_out(void **state)
{
    (void)state;
    hdi_said_any_benign = true;
    writes(0, X, 1, 1);
    assert_int_equal(tape->events, 0);
    writes(0, X + 1, 1, 1);
    assert_int_equal(tape->events, 1);
}

/* Nobody knows what a lock of code without hooks guards: its sections keep their order. */
static void a_lock_of_unseen_code_is_a_clock_too(void **state)
{
    struct hdi_object mutex = {.addr = (uintptr_t)CLOCK, .kind = HD_OB_MUTEX};
    struct hdi_held held = {.object = &mutex, .count = 1, .site = SEEN};

    (void)state;
    thread[0].locks = (struct hdi_thread_locks){.held = &held, .count = 1};
    hdi_tape_acquire(&watched[0], CLOCK);
    hdi_tape_release(&watched[0], CLOCK);
    assert_int_equal(tape->events, 2);
    held.site = UNSEEN;
    hdi_tape_acquire(&watched[0], CLOCK);
    hdi_tape_release(&watched[0], CLOCK);
    assert_int_equal(tape->events, 6);
    assert_int_equal(tape->event[3].kind, HDP_TAPE_ACQUIRE);
    assert_int_equal(tape->event[4].kind, HDP_TAPE_RELEASE);
}

static void a_full_tape_says_so(void **state)
{
    (void)state;
    tape->events = HDP_TAPE_EVENTS;
    writes(0, X, 4, 1);
    assert_int_equal(tape->full, 1);
    assert_int_equal(tape->events, HDP_TAPE_EVENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_same_again_is_left_out, begin),
        cmocka_unit_test_setup(another_thread_is_another, begin),
        cmocka_unit_test_setup(what_follows_a_synchronisation_is_written_anew, begin),
        cmocka_unit_test_setup(an_atomic_access_synchronises, begin),
        cmocka_unit_test_setup(new_memory_is_another_matter, begin),
        cmocka_unit_test_setup(what_is_called_benign_is_left_out, begin),
        cmocka_unit_test_setup(a_lock_of_unseen_code_is_a_clock_too, begin),
        cmocka_unit_test_setup(a_full_tape_says_so, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
