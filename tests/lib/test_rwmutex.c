/* RWMutex: readers together, writers alone, writer priority, and readers not starved by writers. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/rwmutex.h>
#include <heddle/waitgroup.h>

#include "panics.h"
#include "rounds.h"
#include "team.h"

struct shared {
    struct hd_rwmutex rw;
    long value, twin; /* equal whenever no writer is in */
    struct hd_atomic_int32 inside, most;
    struct hd_wg all_in, may_leave;
};

static void *read_pairs(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < rounds(5000); i++) {
        hd_rwmutex_rlock(&s->rw);
        if (s->value != s->twin)
            abort();
        hd_rwmutex_runlock(&s->rw);
    }
    return NULL;
}

static void *write_pairs(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < rounds(5000); i++) {
        hd_rwmutex_lock(&s->rw);
        s->value++;
        s->twin++;
        hd_rwmutex_unlock(&s->rw);
    }
    return NULL;
}

static void writers_are_alone(void **state)
{
    struct shared s = {.rw = HD_RWMUTEX_INIT};
    struct team team;

    (void)state;
    team_start(&team, 3, read_pairs, &s);
    team_add(&team, write_pairs, &s);
    team_add(&team, write_pairs, &s);
    team_join(&team);
    assert_int_equal(s.value, 2 * rounds(5000));
    assert_int_equal(s.twin, 2 * rounds(5000));
}

static void *read_and_stay(void *arg)
{
    struct shared *s = arg;

    hd_rwmutex_rlock(&s->rw);
    hd_wg_done(&s->all_in);
    hd_wg_wait(&s->may_leave);
    hd_rwmutex_runlock(&s->rw);
    return NULL;
}

static void readers_are_together(void **state)
{
    struct shared s = {.rw = HD_RWMUTEX_INIT};
    struct team team;

    (void)state;
    hd_wg_add(&s.all_in, 4);
    hd_wg_add(&s.may_leave, 1);
    team_start(&team, 4, read_and_stay, &s);
    hd_wg_wait(&s.all_in); /* returns only if all four are inside at once */
    assert_false(hd_rwmutex_try_lock(&s.rw));
    hd_wg_done(&s.may_leave);
    team_join(&team);
    assert_true(hd_rwmutex_try_lock(&s.rw));
    assert_false(hd_rwmutex_try_rlock(&s.rw));
    hd_rwmutex_unlock(&s.rw);
}

static void *write_once(void *arg)
{
    struct shared *s = arg;

    hd_rwmutex_lock(&s->rw);
    s->value = 1;
    hd_rwmutex_unlock(&s->rw);
    return NULL;
}

/* Once a writer waits, a try to read fails although only readers are in. */
static void a_waiting_writer_keeps_new_readers_out(void **state)
{
    struct shared s = {.rw = HD_RWMUTEX_INIT};
    struct team team;

    (void)state;
    hd_rwmutex_rlock(&s.rw);
    team_start(&team, 1, write_once, &s);
    while (hd_rwmutex_try_rlock(&s.rw)) {
        hd_rwmutex_runlock(&s.rw);
        sched_yield();
    }
    assert_int_equal(s.value, 0);
    hd_rwmutex_runlock(&s.rw);
    team_join(&team);
    assert_int_equal(s.value, 1);
}

struct parade {
    struct hd_rwmutex rw;
    struct hd_atomic_bool stop;
    struct hd_atomic_int64 reads, writes;
};

static void *keep_reading(void *arg)
{
    struct parade *p = arg;

    while (!hd_bool_load(&p->stop)) {
        hd_rwmutex_rlock(&p->rw);
        hd_int64_add(&p->reads, 1);
        hd_rwmutex_runlock(&p->rw);
        breathe();
    }
    return NULL;
}

/* Overlapping readers never let the lock go free; a writer gets in all the same. */
static void readers_do_not_starve_a_writer(void **state)
{
    struct parade p = {.rw = HD_RWMUTEX_INIT};
    struct team team;

    (void)state;
    team_start(&team, 4, keep_reading, &p);
    for (int i = 0; i < rounds(200); i++) {
        hd_rwmutex_lock(&p.rw);
        hd_int64_add(&p.writes, 1);
        hd_rwmutex_unlock(&p.rw);
    }
    hd_bool_store(&p.stop, true);
    team_join(&team);
    assert_int_equal(hd_int64_load(&p.writes), rounds(200));
}

static void *keep_writing(void *arg)
{
    struct parade *p = arg;

    while (!hd_bool_load(&p->stop)) {
        hd_rwmutex_lock(&p->rw);
        hd_int64_add(&p->writes, 1);
        hd_rwmutex_unlock(&p->rw);
        breathe();
    }
    return NULL;
}

static void writers_do_not_starve_a_reader(void **state)
{
    struct parade p = {.rw = HD_RWMUTEX_INIT};
    struct team team;

    (void)state;
    team_start(&team, 3, keep_writing, &p);
    for (int i = 0; i < rounds(200); i++) {
        hd_rwmutex_rlock(&p.rw);
        hd_int64_add(&p.reads, 1);
        hd_rwmutex_runlock(&p.rw);
    }
    hd_bool_store(&p.stop, true);
    team_join(&team);
    assert_int_equal(hd_int64_load(&p.reads), rounds(200));
}

static void runlock(void *arg)
{
    hd_rwmutex_runlock(arg);
}

static void unlock(void *arg)
{
    hd_rwmutex_unlock(arg);
}

static void lock(void *arg)
{
    hd_rwmutex_lock(arg);
}

static void rlock(void *arg)
{
    hd_rwmutex_rlock(arg);
}

static void try_lock(void *arg)
{
    if (!hd_rwmutex_try_lock(arg))
        return;
}

static void try_rlock(void *arg)
{
    if (!hd_rwmutex_try_rlock(arg))
        return;
}

static void destroy(void *arg)
{
    hd_rwmutex_destroy(arg);
}

static void misuse_panics(void **state)
{
    void (*const late[])(void *) = {lock, unlock, rlock, runlock, try_lock, try_rlock, destroy};
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    (void)state;
    assert_panics(runlock, &rw, "sync: RUnlock of unlocked RWMutex");
    assert_panics(unlock, &rw, "sync: Unlock of unlocked RWMutex");
    hd_rwmutex_rlock(&rw);
    assert_panics(unlock, &rw, "sync: Unlock of unlocked RWMutex");
    hd_rwmutex_runlock(&rw);
    hd_rwmutex_lock(&rw);
    assert_panics(runlock, &rw, "sync: RUnlock of unlocked RWMutex");
    hd_rwmutex_unlock(&rw);
    assert_true(hd_rwmutex_try_lock(&rw)); /* the misuses left it as it was */
    hd_rwmutex_unlock(&rw);
    hd_rwmutex_destroy(&rw);
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        assert_panics(late[i], &rw, "sync: use of a RWMutex after its end");
    hd_rwmutex_init(&rw, NULL);
    lock(&rw);
    unlock(&rw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_are_alone),
        cmocka_unit_test(readers_are_together),
        cmocka_unit_test(a_waiting_writer_keeps_new_readers_out),
        cmocka_unit_test(readers_do_not_starve_a_writer),
        cmocka_unit_test(writers_do_not_starve_a_reader),
        cmocka_unit_test(misuse_panics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
