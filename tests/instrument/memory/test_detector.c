/* test_detector.c - the detector fed with synthetic events: the C11 rules one by one, then random
 * programs against a model that keeps every access and compares each new one with all of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "memory/race/detector.h"
#include "traps.h"

static int races;
static struct hdi_earlier last;
static uint8_t raced_bytes[4096]; /* by offset from `base`, set since the last reset */
static uintptr_t base;
static int shared_told, candidates;

void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier)
{
    (void)t, (void)kind, (void)pc;
    races++;
    last = *earlier;
    for (unsigned i = 0; i < 8; i++)
        if (earlier->mask >> i & 1 && word + i - base < sizeof raced_bytes)
            raced_bytes[word + i - base] = 1;
}

bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier)
{
    (void)t, (void)pc, (void)earlier;
    candidates++;
    return true;
}

void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc)
{
    (void)word, (void)pc, (void)earlier_pc;
    shared_told++;
}

void hdi_race_forgot(uintptr_t word)
{
    (void)word;
}

#define THREADS 5
static struct hdi_racer *t[THREADS];

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < THREADS; i++)
        t[i] = hdi_race_thread();
    return hdi_shadow_init(false, 64u << 20) ? 0 : -1;
}

static int fresh(void **state)
{
    (void)state;
    base = 0x7f0000000000;
    hdi_race_reset(base, 1 << 16);
    for (int i = 0; i < THREADS; i++) { /* nobody knows anything that is to come */
        hdi_vclock_clear(&t[i]->pending_acquire);
        t[i]->fenced = false;
        hdi_race_release(t[i], 1);
    }
    for (int i = 0; i < THREADS; i++)
        hdi_race_acquire(t[i], 1, false);
    for (int i = 0; i < THREADS; i++)
        hdi_race_release(t[i], 2);
    races = 0;
    return 0;
}

static void write_to(int i, unsigned at, size_t n)
{
    hdi_race_access(t[i], base + at, n, HDI_WRITE, 0x1000u + (unsigned)i);
}

static void read_from(int i, unsigned at, size_t n)
{
    hdi_race_access(t[i], base + at, n, HDI_READ, 0x2000u + (unsigned)i);
}

static void store(int i, unsigned at, int order)
{
    hdi_race_access(t[i], base + at, 4, HDI_ATOMIC_WRITE, 0x3000u + (unsigned)i);
    hdi_race_atomic_store(t[i], base + at, order);
}

static void load(int i, unsigned at, int order)
{
    hdi_race_access(t[i], base + at, 4, HDI_ATOMIC_READ, 0x4000u + (unsigned)i);
    hdi_race_atomic_load(t[i], base + at, order);
}

static void add(int i, unsigned at, int order)
{
    hdi_race_access(t[i], base + at, 4, HDI_ATOMIC_WRITE, 0x5000u + (unsigned)i);
    hdi_race_atomic_rmw(t[i], base + at, order);
}

static void two_writes_race(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    write_to(1, 0, 4);
    assert_int_equal(races, 1);
    assert_int_equal(last.tid, t[0]->tid);
    assert_int_equal(last.pc, 0x1000);
    assert_int_equal(last.mask, 0x0f);
    assert_int_equal(last.kind, HDI_WRITE);
}

static void a_release_and_an_acquire_order(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    hdi_race_release(t[0], 77);
    hdi_race_acquire(t[1], 77, false);
    write_to(1, 0, 4);
    assert_int_equal(races, 0);
    write_to(0, 0, 4);
    assert_int_equal(races, 1);
}

static void an_order_of_lock_owners_could_be_another(void **state)
{
    (void)state;
    candidates = 0;
    write_to(0, 0, 4);
    hdi_race_release(t[0], 76);
    hdi_race_acquire(t[1], 76, true);
    write_to(1, 0, 4);
    assert_int_equal(races, 0);
    assert_int_equal(candidates, 1);
    hdi_race_release(t[1], 75);
    hdi_race_acquire(t[2], 75, false);
    write_to(2, 0, 4);
    assert_int_equal(races, 0);
    assert_int_equal(candidates, 1);
}

static void conflicting_critical_sections_keep_their_order(void **state)
{
    (void)state;
    struct hdi_earlier e = {.tid = t[0]->tid, .clock = hdi_epoch_clock(t[0]->epoch)};
    write_to(0, 0, 4);
    assert_false(hdi_race_lock_orders(t[1], 74, &e));
    hdi_race_release(t[0], 74);
    hdi_race_acquire(t[1], 74, true);
    assert_true(hdi_race_lock_orders(t[1], 74, &e));
    candidates = 0;
    write_to(1, 0, 4);
    assert_int_equal(candidates, 0);
}

static void what_follows_a_release_is_not_published_by_it(void **state)
{
    (void)state;
    hdi_race_release(t[0], 78);
    write_to(0, 0, 4);
    hdi_race_acquire(t[1], 78, false);
    read_from(1, 0, 4);
    assert_int_equal(races, 1);
}

static void adjacent_bytes_do_not_race(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        write_to((int)i, 8 + i, 1);
    write_to(0, 6, 2);
    write_to(1, 4, 2);
    assert_int_equal(races, 0);
    read_from(2, 4, 8); /* touches bytes of three others */
    assert_true(races >= 3);
}

static void reads_do_not_race_but_each_is_remembered(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        read_from(i, 0, 8);
    assert_int_equal(races, 0);
    write_to(4, 0, 8);
    assert_int_equal(races, 4);
}

static void an_access_across_words_is_seen_in_both(void **state)
{
    (void)state;
    write_to(0, 5, 16);
    write_to(1, 20, 1);
    assert_int_equal(races, 1);
    write_to(2, 21, 1);
    assert_int_equal(races, 1);
}

static void atomics_do_not_race_with_atomics(void **state)
{
    (void)state;
    store(0, 0, HDI_RELAXED);
    load(1, 0, HDI_RELAXED);
    add(2, 0, HDI_RELAXED);
    assert_int_equal(races, 0);
    read_from(3, 0, 4);
    assert_true(races >= 1);
}

static void an_atomic_write_hides_no_plain_one(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    store(0, 0, HDI_RELAXED);
    load(1, 0, HDI_RELAXED);
    assert_int_equal(races, 1);
    assert_int_equal(last.kind, HDI_WRITE);
}

static void relaxed_makes_no_edge(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    store(0, 64, HDI_RELAXED);
    load(1, 64, HDI_ACQUIRE);
    read_from(1, 0, 4);
    assert_int_equal(races, 1);
}

static void release_store_and_acquire_load_make_one(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    store(0, 64, HDI_RELEASE);
    load(1, 64, HDI_ACQUIRE);
    read_from(1, 0, 4);
    assert_int_equal(races, 0);
    load(2, 64, HDI_RELAXED);
    read_from(2, 0, 4);
    assert_int_equal(races, 1);
}

static void a_release_sequence_goes_through_updates(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    store(0, 64, HDI_RELEASE);
    add(1, 64, HDI_RELAXED);
    load(2, 64, HDI_ACQUIRE);
    read_from(2, 0, 4);
    assert_int_equal(races, 0);
    add(3, 64, HDI_RELEASE); /* one that publishes takes nothing away */
    load(4, 64, HDI_ACQUIRE);
    read_from(4, 0, 4);
    assert_int_equal(races, 0);
}

static void a_foreign_relaxed_store_ends_a_release_sequence(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    store(0, 64, HDI_RELEASE);
    store(0, 64, HDI_RELAXED); /* its own does not */
    load(1, 64, HDI_ACQUIRE);
    read_from(1, 0, 4);
    assert_int_equal(races, 0);
    store(2, 64, HDI_RELAXED);
    load(3, 64, HDI_ACQUIRE);
    read_from(3, 0, 4);
    assert_int_equal(races, 1);
}

static void fences_order_relaxed_neighbours(void **state)
{
    (void)state;
    write_to(0, 0, 4);
    hdi_race_fence(t[0], HDI_RELEASE);
    store(0, 64, HDI_RELAXED);
    load(1, 64, HDI_RELAXED);
    hdi_race_fence(t[1], HDI_ACQUIRE);
    read_from(1, 0, 4);
    assert_int_equal(races, 0);
    load(2, 64, HDI_RELAXED);
    hdi_race_fence(t[2], HDI_RELEASE); /* the wrong fence */
    read_from(2, 0, 4);
    assert_int_equal(races, 1);
}

static void a_write_after_the_release_fence_is_not_published(void **state)
{
    (void)state;
    hdi_race_fence(t[0], HDI_RELEASE);
    write_to(0, 0, 4);
    store(0, 64, HDI_RELAXED);
    load(1, 64, HDI_ACQUIRE);
    read_from(1, 0, 4);
    assert_int_equal(races, 1);
}

static void memory_that_changes_hands_starts_afresh(void **state)
{
    (void)state;
    write_to(0, 0, 64);
    store(0, 32, HDI_RELEASE);
    races = 0;
    hdi_race_reset(base, 64);
    load(1, 32, HDI_ACQUIRE);
    write_to(1, 0, 8);
    assert_int_equal(races, 0);
}

static void use_after_free_is_told_whatever_the_order(void **state)
{
    (void)state;
    write_to(0, 0, 32);
    hdi_race_freed(t[0], base, 32, false, 0x9000);
    assert_int_equal(races, 0);
    hdi_race_release(t[0], 79);
    hdi_race_acquire(t[1], 79, false);
    read_from(1, 16, 4);
    assert_int_equal(races, 1);
    assert_int_equal(last.kind, HDI_FREED);
    assert_int_equal(last.pc, 0x9000);
    hdi_race_reset(base, 32);
    read_from(1, 0, 32);
    assert_int_equal(races, 1);
}

static void sharing_is_told_once_a_word(void **state)
{
    (void)state;
    unsigned at = 4096 * 4;
    shared_told = 0;
    read_from(0, at, 4);
    read_from(1, at, 4);
    hdi_race_release(t[0], 80);
    hdi_race_release(t[1], 80);
    hdi_race_acquire(t[2], 80, false);
    write_to(2, at, 4); /* handed over: nothing to reorder */
    assert_int_equal(shared_told, 0);
    write_to(3, at, 4);
    assert_int_equal(shared_told, 1);
    write_to(0, at, 4);
    assert_int_equal(shared_told, 1);
}

/* ---- random programs ---- */

#define BYTES 40
#define EVENTS 400
#define KEYS 4

struct event {
    int thread;
    uint32_t clock[THREADS]; /* of the thread when it happened; own component included */
    unsigned at, n;
    enum hdi_access kind;
};

static uint64_t seed;

static uint32_t draw(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

static bool model_conflict(enum hdi_access a, enum hdi_access b)
{
    bool wa = a != HDI_READ && a != HDI_ATOMIC_READ, wb = b != HDI_READ && b != HDI_ATOMIC_READ;
    bool aa = a == HDI_ATOMIC_READ || a == HDI_ATOMIC_WRITE;
    bool ab = b == HDI_ATOMIC_READ || b == HDI_ATOMIC_WRITE;
    return (wa || wb) && !(aa && ab);
}

static void run_random_program(uint64_t with)
{
    static struct event events[EVENTS];
    uint32_t now[THREADS][THREADS] = {{0}}, key[KEYS][THREADS] = {{0}};
    bool spoiled[BYTES + 16] = {false};
    int count = 0;
    seed = with;
    fresh(NULL);
    for (int i = 0; i < THREADS; i++)
        now[i][i] = 1;
    for (int step = 0; step < EVENTS; step++) {
        int i = (int)draw(THREADS);
        uint32_t what = draw(10), k = draw(KEYS);
        if (what == 0) {
            hdi_race_release(t[i], 1000 + with * KEYS + k);
            for (int c = 0; c < THREADS; c++)
                key[k][c] = key[k][c] > now[i][c] ? key[k][c] : now[i][c];
            now[i][i]++;
            continue;
        }
        if (what == 1) {
            hdi_race_acquire(t[i], 1000 + with * KEYS + k, false);
            for (int c = 0; c < THREADS; c++)
                now[i][c] = key[k][c] > now[i][c] ? key[k][c] : now[i][c];
            continue;
        }
        struct event *e = &events[count++];
        *e = (struct event){
            .thread = i, .at = draw(BYTES), .n = 1u << draw(5), .kind = (enum hdi_access)draw(5)};
        memcpy(e->clock, now[i], sizeof e->clock);
        bool expected[BYTES + 16] = {false};
        for (int j = 0; j < count - 1; j++) {
            const struct event *o = &events[j];
            if (o->thread == i || o->clock[o->thread] <= now[i][o->thread] ||
                !model_conflict(o->kind, e->kind))
                continue;
            for (unsigned b = o->at; b < o->at + o->n; b++)
                if (b >= e->at && b < e->at + e->n)
                    expected[b] = true;
        }
        memset(raced_bytes, 0, sizeof raced_bytes);
        hdi_race_access(t[i], base + e->at, e->n, e->kind, 0x1000 + draw(3));
        for (unsigned b = 0; b < BYTES + 16; b++) {
            if (!spoiled[b] && expected[b] != raced_bytes[b])
                fail_msg("seed %llu step %d byte %u: model %d, detector %d",
                         (unsigned long long)with, step, b, expected[b], raced_bytes[b]);
            if (spoiled[b] && raced_bytes[b] && !expected[b])
                fail_msg("seed %llu step %d byte %u: false report", (unsigned long long)with, step,
                         b);
            spoiled[b] |= expected[b];
        }
    }
}

static void acquire(void)
{
    hdi_race_acquire(t[0], 1, true);
}

static void read_the_atomic(void)
{
    load(0, 0, HDI_ACQUIRE);
    store(0, 0, HDI_RELAXED);
}

static void what_is_broken_ends_the_program(void **state)
{
    (void)state;
    struct hdi_cell *cell;

    assert_false(traps(acquire));
    t[0]->epoch--;
    assert_true(traps(acquire)); /* another epoch than its clock says */
    t[0]->epoch++;
    hdi_vclock_set(&t[0]->must, 1, hdi_vclock_get(&t[0]->now, 1) + 1);
    assert_true(traps(acquire)); /* it must know more than it does */
    hdi_vclock_set(&t[0]->must, 1, 0);

    store(0, 0, HDI_RELEASE);
    assert_false(traps(read_the_atomic));
    cell = hdi_shadow_get(base);
    cell->flags = 0;
    assert_true(traps(read_the_atomic)); /* its clock would outlive the memory */
    cell->flags = HDI_CELL_SYNC;
}

static void random_programs_agree_with_the_full_history(void **state)
{
    (void)state;
    for (uint64_t with = 1; with <= 600; with++)
        run_random_program(with);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, fresh)
    const struct CMUnitTest tests[] = {
        CASE(two_writes_race),
        CASE(a_release_and_an_acquire_order),
        CASE(an_order_of_lock_owners_could_be_another),
        CASE(conflicting_critical_sections_keep_their_order),
        CASE(what_follows_a_release_is_not_published_by_it),
        CASE(adjacent_bytes_do_not_race),
        CASE(reads_do_not_race_but_each_is_remembered),
        CASE(an_access_across_words_is_seen_in_both),
        CASE(atomics_do_not_race_with_atomics),
        CASE(an_atomic_write_hides_no_plain_one),
        CASE(relaxed_makes_no_edge),
        CASE(release_store_and_acquire_load_make_one),
        CASE(a_release_sequence_goes_through_updates),
        CASE(a_foreign_relaxed_store_ends_a_release_sequence),
        CASE(fences_order_relaxed_neighbours),
        CASE(a_write_after_the_release_fence_is_not_published),
        CASE(memory_that_changes_hands_starts_afresh),
        CASE(use_after_free_is_told_whatever_the_order),
        CASE(sharing_is_told_once_a_word),
        CASE(what_is_broken_ends_the_program),
        CASE(random_programs_agree_with_the_full_history),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
