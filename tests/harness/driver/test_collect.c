/* test_collect.c - what a schedule left in the region, made into a finding: its story, and what is not
 * believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/collect.h"

enum { MAIN = 11, WORKER = 22, MINE = 5, OTHERS = 6 };

static struct hdp_region *region;
static struct names objects;
static struct scene scene;

static void add_thread(uint32_t hash, const char *name)
{
    struct hdp_thread *t = &region->thread[region->thread_count++];

    t->hash = hash;
    strcpy(t->name, name);
}

static void add_object(uint32_t id)
{
    region->object[region->object_count++] = (struct hdp_object){.id = id, .kind = HD_OB_MUTEX};
}

static void step(uint32_t thread, enum hd_event kind, uint32_t object)
{
    region->trace[region->result.steps++] =
        (struct hdp_step){.thread = thread, .kind = (uint16_t)kind, .object = object};
}

static int begin(void **state)
{
    (void)state;
    region = calloc(1, sizeof *region);
    assert_non_null(region);
    scene = (struct scene){.region = region, .symbols = symbols_new(), .objects = &objects};
    add_thread(MAIN, "T0");
    add_thread(WORKER, "T1");
    add_object(MINE);
    add_object(OTHERS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    symbols_free(scene.symbols);
    names_free(&objects);
    objects = (struct names){0};
    free(region);
    return 0;
}

/* A deadlock in which the worker waits for MINE, noticed after that many steps. */
static struct hdp_finding waits(uint32_t at)
{
    struct hdp_finding raw = {.kind = HD_FK_DEADLOCK, .step = at, .notes = 1};

    raw.note[0] = (struct hdp_note){
        .role = HD_ROLE_WAITS, .kind = HD_EV_MUTEX_LOCK, .thread = WORKER, .object = MINE};
    return raw;
}

static void the_story_is_that_of_its_objects(void **state)
{
    (void)state;
    step(MAIN, HD_EV_MUTEX_LOCK, MINE);
    step(WORKER, HD_EV_MUTEX_LOCK, OTHERS);
    step(MAIN, HD_EV_MUTEX_UNLOCK, MINE);
    step(WORKER, HD_EV_MUTEX_UNLOCK, OTHERS);
    struct hdp_finding raw = waits(4);
    struct finding *f = collect_finding(&scene, &raw);
    assert_int_equal(f->moments, 3); /* and where it stands still */
    assert_int_equal(f->moment[0].step, 1);
    assert_string_equal(f->moment[0].thread, "T0");
    assert_string_equal(f->moment[0].what, "lock M1");
    assert_int_equal(f->moment[1].step, 3);
    assert_string_equal(f->moment[1].what, "unlock M1");
    assert_int_equal(f->moment[2].step, 0);
    assert_string_equal(f->moment[2].thread, "T1");
    assert_string_equal(f->moment[2].what, "waits for M1");
    finding_free(f);
}

static void the_story_of_a_crash_is_that_of_all_steps(void **state)
{
    (void)state;
    step(MAIN, HD_EV_MUTEX_LOCK, MINE);
    step(WORKER, HD_EV_MUTEX_LOCK, OTHERS);
    struct hdp_finding raw = {.kind = HD_FK_CRASH, .step = 2};
    struct finding *f = collect_finding(&scene, &raw);
    assert_int_equal(f->moments, 2);
    finding_free(f);
}

static void the_story_ends_where_it_was_noticed(void **state)
{
    (void)state;
    step(MAIN, HD_EV_MUTEX_LOCK, MINE);
    step(MAIN, HD_EV_MUTEX_UNLOCK, MINE);
    step(MAIN, HD_EV_MUTEX_LOCK, MINE);
    struct hdp_finding raw = waits(2);
    raw.kind = HD_FK_UNLOCK_NOT_HELD;
    raw.note[0].role = HD_ROLE_HERE;
    struct finding *f = collect_finding(&scene, &raw);
    assert_int_equal(f->moments, 2);
    assert_int_equal(f->moment[1].step, 2);
    finding_free(f);
}

/* A long story is told from its end. */
static void the_last_moments_are_told(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        step(MAIN, i % 2 ? HD_EV_MUTEX_UNLOCK : HD_EV_MUTEX_LOCK, MINE);
    struct hdp_finding raw = waits(100);
    struct finding *f = collect_finding(&scene, &raw);
    assert_in_range(f->moments, 10, 40);
    assert_int_equal(f->moment[f->moments - 2].step, 100);
    finding_free(f);
}

/* The program may have written over what its runtime noted. */
static void garbage_is_not_believed(void **state)
{
    (void)state;
    step(MAIN, HD_EV_MUTEX_LOCK, MINE);
    struct hdp_finding raw = waits(1);
    raw.note[0].link = 77;
    raw.note[0].role = 4711;
    raw.note[0].kind = 4711;
    raw.note[0].thread = 99;
    raw.note[0].object = 99;
    raw.note[0].stack = UINT32_MAX;
    raw.kind = 4711;
    struct finding *f = collect_finding(&scene, &raw);
    assert_int_equal(f->kind, HD_FK_TOOL);
    assert_int_equal(f->notes, 1);
    assert_int_equal(f->note[0].link, 0);
    assert_int_equal(f->note[0].role, HD_ROLE_HERE);
    assert_string_equal(f->note[0].thread, "thread 00000063");
    assert_int_equal(f->note[0].stack.count, 0);
    finding_free(f);
    raw = waits(1);
    raw.notes = UINT32_MAX;
    region->thread_count = region->object_count = region->result.steps = UINT32_MAX;
    f = collect_finding(&scene, &raw);
    assert_int_equal(f->notes, HDP_NOTES);
    finding_free(f);
}

/* One bug whoever meets it: what decides is where, not in which thread and how often. */
static void a_key_is_of_the_places(void **state)
{
    struct hdp_finding a = waits(1), b = waits(9);

    (void)state;
    a.note[0].site = b.note[0].site = 0x10;
    b.note[0].thread = MAIN;
    assert_true(collect_key(&scene, &a) == collect_key(&scene, &b));
    b.note[b.notes++] = b.note[0];
    assert_true(collect_key(&scene, &a) == collect_key(&scene, &b));
    b.note[1].site = 0x20;
    assert_true(collect_key(&scene, &a) != collect_key(&scene, &b));
    b = a;
    b.kind = HD_FK_LOST_WAKEUP;
    assert_true(collect_key(&scene, &a) != collect_key(&scene, &b));
}

/* Without a place the text decides, but for its numbers. */
static void or_of_the_text(void **state)
{
    struct hdp_finding a = {.kind = HD_FK_PANIC, .text = "index 7 out of range"},
                       b = {.kind = HD_FK_PANIC, .text = "index 12 out of range"},
                       c = {.kind = HD_FK_PANIC, .text = "out of memory"};

    (void)state;
    assert_true(collect_key(&scene, &a) == collect_key(&scene, &b));
    assert_true(collect_key(&scene, &a) != collect_key(&scene, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_story_is_that_of_its_objects, begin, end),
        cmocka_unit_test_setup_teardown(the_story_of_a_crash_is_that_of_all_steps, begin, end),
        cmocka_unit_test_setup_teardown(the_story_ends_where_it_was_noticed, begin, end),
        cmocka_unit_test_setup_teardown(the_last_moments_are_told, begin, end),
        cmocka_unit_test_setup_teardown(garbage_is_not_believed, begin, end),
        cmocka_unit_test_setup_teardown(a_key_is_of_the_places, begin, end),
        cmocka_unit_test_setup_teardown(or_of_the_text, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
