/* Waits under a lock that the waker needs (wait_under_lock.h), and who holds units (units.h): histories of a
 * few threads, told event by event as the models tell them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/units.h"
#include "locks/wait_under_lock.h"
#include "wire/protocol.h"

#define THREADS 4u

static struct hdi_thread thread[THREADS], *running;
static uint32_t live;
static struct hdi_object table, gate, sem, chan, cond;
static struct hdp_finding found;
static unsigned findings;
static struct block {
    struct block *next;
} * blocks;

/* ---- what the runtime offers ---- */

void *hdi_alloc(size_t bytes)
{
    struct block *b = calloc(1, sizeof *b + bytes);

    assert_non_null(b);
    b->next = blocks;
    blocks = b;
    return b + 1;
}

struct hdi_thread *hdi_self(void)
{
    return running;
}

struct hdi_thread **hdi_live(uint32_t *count)
{
    *count = live;
    return NULL;
}

uint32_t hdi_stack(void)
{
    return 0;
}

struct hdp_finding *hdi_finding_begin(enum hd_finding_kind kind, const char *text)
{
    (void)text;
    found = (struct hdp_finding){.kind = kind};
    return &found;
}

struct hdp_note *hdi_note(struct hdp_finding *f, enum hd_role role, struct hdi_thread *t,
                          enum hd_event kind, struct hdi_object *object, uint64_t site,
                          uint32_t stack)
{
    struct hdp_note *n = &f->note[f->notes++];

    *n = (struct hdp_note){.role = (uint16_t)role,
                           .kind = (uint16_t)kind,
                           .thread = t->index,
                           .object = object->id,
                           .site = site,
                           .stack = stack};
    return n;
}

struct hdp_finding *hdi_finding_of(enum hd_finding_kind kind, const struct hdi_thread *t,
                                   const struct hdi_object *o)
{
    (void)kind;
    (void)t;
    (void)o;
    return NULL;
}

void hdi_finding_end(struct hdp_finding *f, bool fatal)
{
    assert_ptr_equal(f, &found);
    assert_false(fatal);
    findings++;
}

struct hdi_thread *hdi_thread_known(uint32_t i)
{
    return i < THREADS ? &thread[i] : NULL;
}

struct hdi_object *hdi_object_find(const void *addr, enum hd_object kind)
{
    (void)kind;
    return addr == &chan ? &chan : NULL;
}

/* ---- who else is told ---- */

#define IGNORES(observes)                                                                          \
    void observes(enum hdi_what what, const struct hdi_happened *e)                                \
    {                                                                                              \
        (void)what, (void)e;                                                                       \
    }
IGNORES(hdi_coverage_observes)
IGNORES(hdi_story_observes)
IGNORES(hdi_lockorder_observes)
IGNORES(hdi_leaks_observe)
IGNORES(hdi_reach_observes)
IGNORES(hdi_freed_observes)
IGNORES(hdi_descriptors_observe)
IGNORES(hdi_races_observe)
IGNORES(hdi_tool_observes)

/* ---- histories ---- */

enum { MAIN, A, B, C };

static struct hdi_object object(uint32_t id)
{
    return (struct hdi_object){.id = id};
}

/* Main has made all the others, one after the other. */
static int begin(void **state)
{
    (void)state;
    memset(thread, 0, sizeof thread);
    findings = 0;
    table = object(1);
    gate = object(2);
    sem = object(3);
    chan = object(4);
    cond = object(5);
    live = THREADS;
    for (uint32_t i = 0; i < THREADS; i++) {
        thread[i].index = i;
        thread[i].object.id = 100 + i;
        thread[i].creator = i ? &thread[MAIN] : NULL;
    }
    sem.kind = HD_OB_SEM;
    chan.label_kind = HD_OB_CHAN;
    running = &thread[MAIN];
    hdi_tell(STARTS, .thread = running, .mode = HDP_LOCK_ORDER);
    for (uint32_t i = 1; i < THREADS; i++)
        hdi_tell(THREAD_MADE, .thread = &thread[i]);
    hdi_tell(UNITS, .object = &sem, .n = 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    while (blocks) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    return 0;
}

static void lock(int t, struct hdi_object *o, uint64_t site)
{
    running = &thread[t];
    hdi_tell(ACQUIRED, .object = o, .event = HD_EV_MUTEX_LOCK, .site = site);
}

static void rdlock(int t, struct hdi_object *o, uint64_t site)
{
    running = &thread[t];
    hdi_tell(ACQUIRED, .object = o, .event = HD_EV_RWLOCK_RDLOCK, .mode = HDI_SHARED, .site = site);
}

/* What it took last. */
static void unlock(int t)
{
    running = &thread[t];
    hdi_tell(RELEASED, .object = running->locks.held[running->locks.count - 1].object,
             .thread = running);
}

static void section(int t, struct hdi_object *o, uint64_t site)
{
    lock(t, o, site);
    unlock(t);
}

static void operation(int t, struct hdi_object *o, enum hd_event event, bool could_wait,
                      uint64_t site)
{
    running = &thread[t];
    hdi_tell(BEGINS, .object = o, .event = event);
    hdi_tell(DONE, .object = o, .event = event, .n = 1, .mode = could_wait ? HDI_COULD_WAIT : 0,
             .site = site);
}

static void wait_sem(int t, uint64_t site)
{
    operation(t, &sem, HD_EV_SEM_WAIT, true, site);
    hdi_tell(RECEIVED, .object = &sem, .clock = &sem);
}

static void post(int t, uint64_t site)
{
    operation(t, &sem, HD_EV_SEM_POST, false, site);
    hdi_tell(SENT, .object = &sem, .clock = &sem);
}

static void channel(int t, enum hd_event kind, uint64_t site)
{
    operation(t, &chan, kind, true, site);
    if (kind == HD_EV_CHAN_SEND)
        hdi_tell(SENT, .clock = &chan, .mode = HDI_OF_LIB);
    else
        hdi_tell(RECEIVED, .clock = &chan, .mode = HDI_OF_LIB);
}

static void ends(int t)
{
    operation(t, &thread[t].object, HD_EV_THREAD_EXIT, false, 9);
    hdi_tell(THREAD_ENDS, .object = &running->object);
}

static void joins(int t, int other)
{
    operation(t, &thread[other].object, HD_EV_THREAD_JOIN, true, 8);
    hdi_tell(THREAD_JOINED, .thread = &thread[other]);
}

static unsigned predicted(void)
{
    hdi_tell(ENDS, .thread = &thread[MAIN]);
    return findings;
}

static void test_waker_needs_it(void **state)
{
    (void)state;
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 1);
    assert_int_equal(found.kind, HD_FK_WAIT_HOLDING_LOCK);
    assert_int_equal(found.notes, 4);
    assert_int_equal(found.note[0].site, 10);
    assert_int_equal(found.note[1].site, 11);
    assert_int_equal(found.note[2].site, 20);
    assert_int_equal(found.note[3].site, 21);
    assert_int_equal(found.note[2].thread, B);
}

static void test_not_under_that_lock(void **state)
{
    (void)state;
    section(B, &gate, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 0);
}

static void test_other_waker(void **state)
{
    (void)state;
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    post(C, 30);
    assert_int_equal(predicted(), 0);
}

/* C posts only once it heard of A's wait: it is none who could have ended that. */
static void test_waker_after_the_wait(void **state)
{
    (void)state;
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    channel(A, HD_EV_CHAN_SEND, 12);
    unlock(A);
    channel(C, HD_EV_CHAN_RECV, 29);
    post(C, 30);
    assert_int_equal(predicted(), 1);
}

static void test_unit_was_there(void **state)
{
    (void)state;
    hdi_tell(UNITS, .object = &sem, .n = 1);
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 0);
}

/* The unit that was there may be C's. */
static void test_unit_for_another(void **state)
{
    (void)state;
    hdi_tell(UNITS, .object = &sem, .n = 1);
    wait_sem(C, 30);
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 1);
}

static void test_ordered_by_join(void **state)
{
    (void)state;
    section(B, &table, 20);
    post(B, 21);
    ends(B);
    joins(MAIN, B);
    lock(MAIN, &table, 10);
    wait_sem(MAIN, 11);
    unlock(MAIN);
    assert_int_equal(predicted(), 0);
}

static void test_ordered_by_message(void **state)
{
    (void)state;
    section(B, &table, 20);
    channel(B, HD_EV_CHAN_SEND, 22);
    channel(A, HD_EV_CHAN_RECV, 9);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    post(B, 21);
    assert_int_equal(predicted(), 0);
}

static void test_join(void **state)
{
    (void)state;
    section(B, &table, 20);
    ends(B);
    lock(MAIN, &table, 10);
    joins(MAIN, B);
    unlock(MAIN);
    assert_int_equal(predicted(), 1);
}

/* B posts, but only after it heard from C, which needs the lock. */
static void test_through_another(void **state)
{
    (void)state;
    section(C, &table, 30);
    channel(C, HD_EV_CHAN_SEND, 31);
    channel(B, HD_EV_CHAN_RECV, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 1);
    assert_int_equal(found.note[2].thread, C);
    assert_int_equal(found.note[3].thread, B);
}

static void test_both_only_read(void **state)
{
    (void)state;
    rdlock(B, &table, 20);
    unlock(B);
    post(B, 21);
    rdlock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 0);
}

static void test_one_writes(void **state)
{
    (void)state;
    section(B, &table, 20);
    post(B, 21);
    rdlock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    assert_int_equal(predicted(), 1);
}

/* Who takes also gives back: a lock, and no message. */
/* Whoever closes the channel ends the wait, too. */
static unsigned received_under_a_lock(bool closed)
{
    hdi_tell(UNITS, .object = &chan, .n = 1);
    section(B, &table, 20);
    channel(B, HD_EV_CHAN_SEND, 21);
    lock(A, &table, 10);
    channel(A, HD_EV_CHAN_RECV, 11);
    unlock(A);
    if (closed)
        operation(C, &chan, HD_EV_CHAN_CLOSE, false, 30);
    return predicted();
}

static void test_nobody_closes(void **state)
{
    (void)state;
    assert_int_equal(received_under_a_lock(false), 1);
}

static void test_another_closes(void **state)
{
    (void)state;
    assert_int_equal(received_under_a_lock(true), 0);
}

static void test_semaphore_as_lock(void **state)
{
    (void)state;
    hdi_tell(UNITS, .object = &sem, .n = 1);
    lock(B, &table, 20);
    wait_sem(B, 21);
    post(B, 22);
    unlock(B);
    lock(A, &table, 10);
    wait_sem(A, 11);
    post(A, 12);
    unlock(A);
    assert_int_equal(predicted(), 0);
}

static void channel_of(int64_t capacity, int sends)
{
    hdi_tell(UNITS, .object = &chan, .n = capacity);
    section(B, &table, 20);
    lock(A, &table, 10);
    for (int i = 0; i < sends; i++)
        channel(A, HD_EV_CHAN_SEND, 11);
    unlock(A);
    for (int i = 0; i < sends; i++) /* it began to receive before it knew of any value */
        operation(B, &chan, HD_EV_CHAN_RECV, true, 21);
}

static void test_room_enough(void **state)
{
    (void)state;
    channel_of(3, 3);
    assert_int_equal(predicted(), 0);
}

static void test_room_for_fewer(void **state)
{
    (void)state;
    channel_of(2, 3);
    assert_int_equal(predicted(), 1);
}

static void signal_of(int t, uint64_t site)
{
    operation(t, &cond, HD_EV_COND_SIGNAL, false, site);
    hdi_tell(SENT, .object = &cond, .clock = &cond, .mode = HDI_STANDS_IN);
}

static void wait_signalled(int signaller)
{
    running = &thread[A];
    hdi_tell(BEGINS, .object = &cond, .event = HD_EV_COND_WAIT); /* before the signal */
    signal_of(signaller, 21);
    running = &thread[A];
    hdi_tell(DONE, .object = &cond, .event = HD_EV_COND_WAIT, .n = 1, .mode = HDI_COULD_WAIT,
             .site = 11);
    hdi_tell(RECEIVED, .object = &cond, .clock = &cond, .mode = HDI_STANDS_IN);
}

static void test_condition_under_second_lock(void **state)
{
    (void)state;
    section(B, &table, 20);
    lock(A, &table, 10);
    wait_signalled(B);
    unlock(A);
    assert_int_equal(predicted(), 1);
}

static void test_condition_with_free_signaller(void **state)
{
    (void)state;
    section(B, &table, 20);
    signal_of(C, 31);
    lock(A, &table, 10);
    wait_signalled(B);
    unlock(A);
    assert_int_equal(predicted(), 0);
}

static void test_said_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        section(B, &table, 20);
        post(B, 21);
        lock(A, &table, 10);
        wait_sem(A, 11);
        unlock(A);
    }
    assert_int_equal(predicted(), 1);
}

/* More than is kept: nothing is guessed. */
static void test_too_much(void **state)
{
    (void)state;
    test_waker_needs_it(state);
    begin(state);
    section(B, &table, 20);
    post(B, 21);
    lock(A, &table, 10);
    wait_sem(A, 11);
    unlock(A);
    for (uint32_t i = 0; i < HDI_WAITS_MOST / 32; i++)
        post(C, 30);
    assert_int_equal(predicted(), 0);
}

static const struct hdi_units *awaited(void)
{
    struct hdi_op op = {.kind = HD_EV_SEM_WAIT, .object = &sem, .self = &thread[MAIN]};

    return hdi_units_awaited(&op);
}

static void test_units_have_owners(void **state)
{
    const struct hdi_units *u;

    (void)state;
    hdi_tell(UNITS, .object = &sem, .n = 2);
    assert_null(awaited());
    wait_sem(A, 10);
    wait_sem(B, 20);
    u = awaited();
    assert_non_null(u);
    assert_int_equal(u->holders, 2);
    assert_ptr_equal(u->holder[0].thread, &thread[A]);
    assert_int_equal(u->holder[1].site, 20);
    assert_false(u->returned);
    post(A, 11);
    assert_int_equal(awaited()->holders, 1);
    assert_true(awaited()->returned);
    post(C, 30); /* gave what it had not taken */
    assert_null(awaited());
    post(B, 21);
    assert_null(awaited());
}

static void test_units_put_in_at_first(void **state)
{
    (void)state;
    live = 1;
    post(MAIN, 1);
    post(MAIN, 1);
    live = THREADS;
    wait_sem(A, 10);
    assert_non_null(awaited());
    assert_int_equal(awaited()->total, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_waker_needs_it),
        TEST(test_not_under_that_lock),
        TEST(test_other_waker),
        TEST(test_waker_after_the_wait),
        TEST(test_unit_was_there),
        TEST(test_unit_for_another),
        TEST(test_ordered_by_join),
        TEST(test_ordered_by_message),
        TEST(test_join),
        TEST(test_through_another),
        TEST(test_both_only_read),
        TEST(test_one_writes),
        TEST(test_nobody_closes),
        TEST(test_another_closes),
        TEST(test_semaphore_as_lock),
        TEST(test_room_enough),
        TEST(test_room_for_fewer),
        TEST(test_condition_under_second_lock),
        TEST(test_condition_with_free_signaller),
        TEST(test_said_once),
        TEST(test_too_much),
        TEST(test_units_have_owners),
        TEST(test_units_put_in_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
