/* Packages sync and sync/atomic. */
#include "check.h"

struct shared {
    struct hd_mutex mutex;
    struct hd_rwmutex rw;
    struct hd_once once;
    struct hd_wg wg, gate;
    struct hd_cond cond;
    struct hd_atomic_int32 count, most;
    int plain, ready;
    bool told;
};

/* ---- Mutex ---- */

static void lock(void *mutex)
{
    hd_mutex_lock(mutex);
    hd_mutex_unlock(mutex);
}

static void unlock(void *mutex)
{
    hd_mutex_unlock(mutex);
}

CHECK(the_zero_mutex_is_unlocked)
{
    struct hd_mutex m = HD_MUTEX_INIT;

    expect(hd_mutex_trylock(&m));
    hd_mutex_unlock(&m);
}

CHECK(unlocking_an_unlocked_mutex_is_an_error)
{
    struct hd_mutex m = HD_MUTEX_INIT;

    expect(panics(unlock, &m, "sync: unlock of unlocked mutex"));
    hd_mutex_lock(&m);
    hd_mutex_unlock(&m);
    expect(panics(unlock, &m, "sync: unlock of unlocked mutex"));
}

CHECK(a_try_of_a_locked_mutex_fails)
{
    struct hd_mutex m = HD_MUTEX_INIT;

    hd_mutex_lock(&m);
    expect(!hd_mutex_trylock(&m));
    hd_mutex_unlock(&m);
}

CHECK(a_lock_waits_while_it_is_locked)
{
    static struct hd_mutex m;

    hd_mutex_lock(&m);
    expect(blocks(lock, &m));
    hd_mutex_unlock(&m);
    hd_mutex_lock(&m); /* perhaps behind the other */
    hd_mutex_unlock(&m);
}

static void unlock_for_another(void *arg)
{
    struct shared *s = arg;

    hd_mutex_unlock(&s->mutex);
}

CHECK(another_goroutine_may_unlock)
{
    struct shared s = {0};

    hd_mutex_lock(&s.mutex);
    GO_IN(&s.wg, unlock_for_another, &s);
    hd_wg_wait(&s.wg);
    expect(hd_mutex_trylock(&s.mutex));
    hd_mutex_unlock(&s.mutex);
}

static void add_ten(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 10; i++) {
        HD_SCOPED_LOCK(&s->mutex);
        s->plain++;
    }
}

CHECK(a_mutex_lets_one_in)
{
    struct shared s = {0};

    for (int i = 0; i < 4; i++)
        GO_IN(&s.wg, add_ten, &s);
    hd_wg_wait(&s.wg);
    expect(s.plain == 40);
}

static void lock_and_exit(void *arg)
{
    struct shared *s = arg;

    HD_SCOPED_LOCK(&s->mutex);
    hd_goexit();
}

CHECK(a_deferred_unlock_survives_a_goexit)
{
    struct shared s = {0};

    GO_IN(&s.wg, lock_and_exit, &s);
    hd_wg_wait(&s.wg);
    expect(hd_mutex_trylock(&s.mutex));
    hd_mutex_unlock(&s.mutex);
}

CHECK(a_locker_of_a_mutex)
{
    struct hd_mutex m = HD_MUTEX_INIT;
    struct hd_locker locker = hd_mutex_locker(&m);

    locker.lock(locker.of);
    expect(!hd_mutex_trylock(&m));
    locker.unlock(locker.of);
    expect(hd_mutex_trylock(&m));
    hd_mutex_unlock(&m);
}

/* ---- RWMutex ---- */

static void rlock(void *rw)
{
    hd_rwmutex_rlock(rw);
    hd_rwmutex_runlock(rw);
}

static void runlock(void *rw)
{
    hd_rwmutex_runlock(rw);
}

static void wlock(void *rw)
{
    hd_rwmutex_lock(rw);
    hd_rwmutex_unlock(rw);
}

static void wunlock(void *rw)
{
    hd_rwmutex_unlock(rw);
}

CHECK(readers_do_not_keep_each_other_out)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    hd_rwmutex_rlock(&rw);
    expect(hd_rwmutex_try_rlock(&rw));
    hd_rwmutex_runlock(&rw);
    hd_rwmutex_runlock(&rw);
}

CHECK(a_reader_keeps_writers_out)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    hd_rwmutex_rlock(&rw);
    expect(!hd_rwmutex_try_lock(&rw));
    hd_rwmutex_runlock(&rw);
    expect(hd_rwmutex_try_lock(&rw));
    hd_rwmutex_unlock(&rw);
}

CHECK(a_writer_keeps_everybody_out)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    hd_rwmutex_lock(&rw);
    expect(!hd_rwmutex_try_rlock(&rw) && !hd_rwmutex_try_lock(&rw));
    hd_rwmutex_unlock(&rw);
}

CHECK(a_waiting_writer_keeps_new_readers_out)
{
    static struct hd_rwmutex rw;

    hd_rwmutex_rlock(&rw);
    expect(blocks(wlock, &rw));
    expect(!hd_rwmutex_try_rlock(&rw));
    expect(blocks(rlock, &rw));
    hd_rwmutex_runlock(&rw);
    hd_rwmutex_lock(&rw); /* when both have been in */
    hd_rwmutex_unlock(&rw);
}

CHECK(unlocking_an_unlocked_rwmutex_is_an_error)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;

    expect(panics(wunlock, &rw, "sync: Unlock of unlocked RWMutex"));
    expect(panics(runlock, &rw, "sync: RUnlock of unlocked RWMutex"));
    hd_rwmutex_rlock(&rw);
    expect(panics(wunlock, &rw, "sync: Unlock of unlocked RWMutex"));
    hd_rwmutex_runlock(&rw);
    hd_rwmutex_lock(&rw);
    expect(panics(runlock, &rw, "sync: RUnlock of unlocked RWMutex"));
    hd_rwmutex_unlock(&rw);
}

static void write_both(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 10; i++) {
        HD_SCOPED_WLOCK(&s->rw);
        s->plain++;
        s->ready++;
    }
}

static void read_both(void *arg)
{
    struct shared *s = arg;

    for (int i = 0; i < 10; i++) {
        HD_SCOPED_RLOCK(&s->rw);
        if (s->plain != s->ready)
            hd_int32_add(&s->count, 1);
    }
}

CHECK(readers_see_whole_writes)
{
    struct shared s = {0};

    for (int i = 0; i < 2; i++) {
        GO_IN(&s.wg, write_both, &s);
        GO_IN(&s.wg, read_both, &s);
    }
    hd_wg_wait(&s.wg);
    expect(s.plain == 20 && hd_int32_load(&s.count) == 0);
}

CHECK(lockers_of_a_rwmutex)
{
    struct hd_rwmutex rw = HD_RWMUTEX_INIT;
    struct hd_locker r = hd_rwmutex_rlocker(&rw), w = hd_rwmutex_locker(&rw);

    r.lock(r.of);
    expect(hd_rwmutex_try_rlock(&rw) && !hd_rwmutex_try_lock(&rw));
    hd_rwmutex_runlock(&rw);
    r.unlock(r.of);
    w.lock(w.of);
    expect(!hd_rwmutex_try_rlock(&rw));
    w.unlock(w.of);
}

/* ---- Once ---- */

static void count_it(void *arg)
{
    struct shared *s = arg;

    s->plain++;
}

CHECK(a_once_runs_the_first_function_alone)
{
    struct shared s = {0}, other = {0};

    hd_once_do(&s.once, count_it, &s);
    hd_once_do(&s.once, count_it, &s);
    hd_once_do(&s.once, count_it, &other);
    expect(s.plain == 1 && other.plain == 0);
}

static void slow_init(void *arg)
{
    struct shared *s = arg;

    hd_sleep(MS);
    s->plain = 5;
}

static void use_once(void *arg)
{
    struct shared *s = arg;

    hd_once_do(&s->once, slow_init, s);
    if (s->plain == 5)
        hd_int32_add(&s->count, 1);
}

CHECK(nobody_returns_from_a_once_before_its_end)
{
    struct shared s = {0};

    for (int i = 0; i < 5; i++)
        GO_IN(&s.wg, use_once, &s);
    hd_wg_wait(&s.wg);
    expect(hd_int32_load(&s.count) == 5);
}

static void panic_now(void *arg)
{
    ++*(int *)arg;
    hd_panic("not now");
}

static void once_with_a_panic(void *arg)
{
    struct shared *s = arg;

    hd_once_do(&s->once, panic_now, &s->plain);
}

CHECK(a_once_whose_function_panicked_is_done)
{
    struct shared s = {0};

    expect(panics(once_with_a_panic, &s, "not now"));
    hd_once_do(&s.once, panic_now, &s.plain);
    expect(s.plain == 1);
}

static void *make_number(void *arg, hd_err *err)
{
    ++*(int *)arg;
    *err = hd_closed;
    return arg;
}

CHECK(a_once_value_is_made_once_with_its_error)
{
    int made = 0;
    struct hd_once_value value = HD_ONCE_VALUE(make_number, &made);
    hd_err err = NULL;

    expect(hd_once_value_get(&value, &err) == &made && err == hd_closed);
    expect(hd_once_value_get(&value, &err) == &made && made == 1);
    hd_once_value_clear(&value);
}

static void *make_panic(void *arg, hd_err *err)
{
    (void)err;
    ++*(int *)arg;
    hd_panic("cannot");
}

static void get_value(void *value)
{
    hd_once_value_get(value, NULL);
}

CHECK(a_once_value_panics_each_time_with_the_same)
{
    int made = 0;
    struct hd_once_value value = HD_ONCE_VALUE(make_panic, &made);

    expect(panics(get_value, &value, "cannot"));
    expect(panics(get_value, &value, "cannot") && made == 1);
    hd_once_value_clear(&value);
}

/* ---- WaitGroup ---- */

static void done(void *wg)
{
    hd_wg_done(wg);
}

static void wait_for(void *wg)
{
    hd_wg_wait(wg);
}

CHECK(a_wait_at_zero_returns)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_wg_wait(&wg);
    hd_wg_add(&wg, 0);
    hd_wg_wait(&wg);
}

CHECK(a_negative_counter_panics)
{
    struct hd_wg wg = HD_WG_INIT, two = HD_WG_INIT;

    expect(panics(done, &wg, "sync: negative WaitGroup counter"));
    hd_wg_add(&two, 1);
    hd_wg_done(&two);
    expect(panics(done, &two, "sync: negative WaitGroup counter"));
}

CHECK(a_wait_lasts_until_the_counter_is_zero)
{
    static struct hd_wg wg;

    hd_wg_add(&wg, 2);
    hd_wg_done(&wg);
    expect(blocks(wait_for, &wg));
    hd_wg_done(&wg);
    hd_sleep(MS);
}

static void set_plain(void *arg)
{
    struct shared *s = arg;

    hd_mutex_lock(&s->mutex);
    s->plain++;
    hd_mutex_unlock(&s->mutex);
}

CHECK(a_done_comes_before_the_wait_that_it_ends)
{
    for (int i = 0; i < times(100); i++) {
        struct shared s = {0};
        for (int k = 0; k < 3; k++)
            GO_IN(&s.wg, set_plain, &s);
        hd_wg_wait(&s.wg);
        expect(s.plain == 3);
    }
}

CHECK(a_group_can_be_used_again)
{
    struct shared s = {0};

    for (int round = 1; round <= 5; round++) {
        GO_IN(&s.wg, count_it, &s);
        hd_wg_wait(&s.wg);
        expect(s.plain == round);
    }
}

static void wait_and_count(void *arg)
{
    struct shared *s = arg;

    hd_wg_wait(&s->gate);
    hd_int32_add(&s->count, 1);
}

CHECK(all_that_wait_are_released)
{
    struct shared s = {0};

    hd_wg_add(&s.gate, 1);
    for (int i = 0; i < 4; i++)
        GO_IN(&s.wg, wait_and_count, &s);
    hd_sleep(MS);
    expect(hd_int32_load(&s.count) == 0);
    hd_wg_done(&s.gate);
    hd_wg_wait(&s.wg);
    expect(hd_int32_load(&s.count) == 4);
}

static void read_number(void *arg)
{
    expect(*(int *)arg >= 0 && *(int *)arg < 5);
    *(int *)arg = -1; /* its own copy */
}

CHECK(a_copied_argument_is_the_goroutines_own)
{
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < 5; i++)
        hd_must(hd_wg_go_copy(&wg, read_number, &i, sizeof i));
    hd_wg_wait(&wg);
}

static void exit_now(void *arg)
{
    (void)arg;
    hd_goexit();
}

CHECK(a_goexit_counts_as_done)
{
    struct hd_wg wg = HD_WG_INIT;

    GO_IN(&wg, exit_now, NULL);
    hd_wg_wait(&wg);
}

/* ---- Cond ---- */

static void wait_until_ready(void *arg)
{
    struct shared *s = arg;

    HD_SCOPED_LOCK(&s->mutex);
    while (!s->ready)
        hd_cond_wait(&s->cond);
    s->ready--;
    hd_int32_add(&s->count, 1);
}

CHECK(a_signal_wakes_one)
{
    struct shared s = {0};

    s.cond = (struct hd_cond)HD_COND_INIT(&s.mutex);
    for (int i = 0; i < 3; i++)
        GO_IN(&s.wg, wait_until_ready, &s);
    hd_sleep(MS);
    for (int i = 1; i <= 3; i++) {
        hd_mutex_lock(&s.mutex);
        s.ready++;
        hd_mutex_unlock(&s.mutex);
        hd_cond_signal(&s.cond);
        do
            hd_sleep(MS);
        while (hd_int32_load(&s.count) < i);
        expect(hd_int32_load(&s.count) == i);
    }
    hd_wg_wait(&s.wg);
}

CHECK(a_broadcast_wakes_all)
{
    struct shared s = {0};

    s.cond = (struct hd_cond)HD_COND_INIT(&s.mutex);
    for (int i = 0; i < 4; i++)
        GO_IN(&s.wg, wait_until_ready, &s);
    hd_sleep(MS);
    hd_mutex_lock(&s.mutex);
    s.ready = 4;
    hd_cond_broadcast(&s.cond);
    hd_mutex_unlock(&s.mutex);
    hd_wg_wait(&s.wg);
    expect(hd_int32_load(&s.count) == 4);
}

CHECK(signals_without_waiters_are_lost)
{
    static struct shared s;

    s.cond = (struct hd_cond)HD_COND_INIT(&s.mutex);
    hd_cond_signal(&s.cond);
    hd_cond_broadcast(&s.cond);
    expect(blocks(wait_until_ready, &s));
    hd_mutex_lock(&s.mutex);
    s.ready = 1;
    hd_mutex_unlock(&s.mutex);
    hd_cond_signal(&s.cond);
    hd_sleep(MS);
}

static void wait_on(void *cond)
{
    hd_cond_wait(cond);
}

CHECK(a_wait_without_the_lock_is_an_error)
{
    struct hd_mutex m = HD_MUTEX_INIT;
    struct hd_cond cond = HD_COND_INIT(&m);

    expect(panics(wait_on, &cond, "sync: wait on a Cond whose mutex is not locked"));
}

static void read_until_ready(void *arg)
{
    struct shared *s = arg;

    hd_rwmutex_rlock(&s->rw);
    while (!s->ready)
        hd_cond_wait(&s->cond);
    hd_int32_add(&s->count, 1);
    hd_rwmutex_runlock(&s->rw);
}

CHECK(a_cond_on_a_read_lock)
{
    struct shared s = {0};

    hd_cond_init_locker(&s.cond, hd_rwmutex_rlocker(&s.rw), "ready");
    for (int i = 0; i < 3; i++)
        GO_IN(&s.wg, read_until_ready, &s);
    hd_sleep(MS);
    hd_rwmutex_lock(&s.rw);
    s.ready = 1;
    hd_rwmutex_unlock(&s.rw);
    hd_cond_broadcast(&s.cond);
    hd_wg_wait(&s.wg);
    expect(hd_int32_load(&s.count) == 3);
    hd_cond_destroy(&s.cond);
}

/* ---- Pool ---- */

static void *make_int(void *arg)
{
    ++*(int *)arg;
    return calloc(1, sizeof(int));
}

static void drop_int(void *object, void *arg)
{
    (void)arg;
    free(object);
}

CHECK(an_empty_pool_makes_one)
{
    struct hd_pool pool;
    int made = 0, *object;

    hd_must(hd_pool_init(&pool, make_int, drop_int, &made));
    object = hd_pool_get(&pool);
    expect(object && made == 1);
    hd_pool_put(&pool, object);
    object = hd_pool_get(&pool);
    expect(object && made <= 2);
    hd_pool_put(&pool, object);
    hd_pool_destroy(&pool);
}

CHECK(what_a_pool_gives_belongs_to_one)
{
    struct hd_pool pool;
    int made = 0, *a, *b;

    hd_must(hd_pool_init(&pool, make_int, drop_int, &made));
    a = hd_pool_get(&pool);
    b = hd_pool_get(&pool);
    expect(a && b && a != b);
    hd_pool_put(&pool, a);
    hd_pool_put(&pool, b);
    expect(hd_pool_drain(&pool) == 2);
    hd_pool_destroy(&pool);
}

/* ---- Map ---- */

static struct hd_map *numbers(void)
{
    struct hd_map *map = hd_map_create(HD_KEYS_POINTER);

    expect(map);
    return map;
}

static const char k1[1], k2[1], k3[1];
static int v1, v2;

CHECK(an_absent_key_is_not_loaded)
{
    struct hd_map *map = numbers();
    void *value = &v1;

    expect(!hd_map_load(map, k1, &value));
    hd_map_destroy(map);
}

CHECK(a_stored_value_is_loaded)
{
    struct hd_map *map = numbers();
    void *value = NULL;

    hd_must(hd_map_store(map, k1, &v1));
    expect(hd_map_load(map, k1, &value) && value == &v1);
    hd_must(hd_map_store(map, k1, &v2));
    expect(hd_map_load(map, k1, &value) && value == &v2);
    expect(!hd_map_load(map, k2, &value));
    hd_map_destroy(map);
}

CHECK(load_or_store_stores_once)
{
    struct hd_map *map = numbers();
    void *actual = NULL;
    bool loaded = true;

    hd_must(hd_map_load_or_store(map, k1, &v1, &actual, &loaded));
    expect(!loaded && actual == &v1);
    hd_must(hd_map_load_or_store(map, k1, &v2, &actual, &loaded));
    expect(loaded && actual == &v1);
    hd_map_destroy(map);
}

CHECK(load_and_delete)
{
    struct hd_map *map = numbers();
    void *value = NULL;

    expect(!hd_map_load_and_delete(map, k1, &value));
    hd_must(hd_map_store(map, k1, &v1));
    expect(hd_map_load_and_delete(map, k1, &value) && value == &v1);
    expect(!hd_map_load(map, k1, &value));
    hd_map_destroy(map);
}

CHECK(deleting_what_is_not_there_does_nothing)
{
    struct hd_map *map = numbers();

    hd_map_delete(map, k1);
    hd_must(hd_map_store(map, k2, &v2));
    hd_map_delete(map, k1);
    expect(hd_map_load(map, k2, NULL));
    hd_map_destroy(map);
}

CHECK(swap_gives_what_was_there)
{
    struct hd_map *map = numbers();
    void *previous = &v2;
    bool loaded = true;

    hd_must(hd_map_swap(map, k1, &v1, &previous, &loaded));
    expect(!loaded);
    hd_must(hd_map_swap(map, k1, &v2, &previous, &loaded));
    expect(loaded && previous == &v1);
    hd_map_destroy(map);
}

CHECK(compare_and_swap_asks_for_the_old_value)
{
    struct hd_map *map = numbers();
    void *value;

    expect(!hd_map_compare_and_swap(map, k1, &v1, &v2));
    hd_must(hd_map_store(map, k1, &v1));
    expect(!hd_map_compare_and_swap(map, k1, &v2, &v1));
    expect(hd_map_compare_and_swap(map, k1, &v1, &v2));
    expect(hd_map_load(map, k1, &value) && value == &v2);
    hd_map_destroy(map);
}

CHECK(compare_and_delete_asks_for_the_old_value)
{
    struct hd_map *map = numbers();

    hd_must(hd_map_store(map, k1, &v1));
    expect(!hd_map_compare_and_delete(map, k1, &v2));
    expect(hd_map_compare_and_delete(map, k1, &v1) && !hd_map_load(map, k1, NULL));
    hd_map_destroy(map);
}

static bool count_pairs(const void *key, void *value, void *arg)
{
    (void)key;
    (void)value;
    return ++*(int *)arg < 2;
}

CHECK(a_range_visits_each_key_until_told_to_stop)
{
    struct hd_map *map = numbers();
    int visited = 0;

    hd_must(hd_map_range(map, count_pairs, &visited));
    expect(visited == 0);
    hd_must(hd_map_store(map, k1, &v1));
    hd_must(hd_map_range(map, count_pairs, &visited));
    expect(visited == 1);
    visited = 0;
    hd_must(hd_map_store(map, k2, &v1));
    hd_must(hd_map_store(map, k3, &v1));
    hd_must(hd_map_range(map, count_pairs, &visited));
    expect(visited == 2);
    hd_map_destroy(map);
}

CHECK(a_cleared_map_is_empty)
{
    struct hd_map *map = numbers();

    hd_must(hd_map_store(map, k1, &v1));
    hd_must(hd_map_store(map, k2, &v1));
    hd_map_clear(map);
    expect(!hd_map_load(map, k1, NULL) && !hd_map_load(map, k2, NULL));
    hd_map_destroy(map);
}

struct storer {
    struct hd_map *map;
    struct hd_wg wg;
    struct hd_atomic_int32 stored;
};

static void store_if_absent(void *arg)
{
    struct storer *s = arg;
    void *actual;
    bool loaded;

    hd_must(hd_map_load_or_store(s->map, k1, &v1, &actual, &loaded));
    if (!loaded)
        hd_int32_add(&s->stored, 1);
}

CHECK(of_many_that_store_if_absent_one_does)
{
    for (int i = 0; i < times(50); i++) {
        struct storer s = {.map = numbers()};
        for (int k = 0; k < 4; k++)
            GO_IN(&s.wg, store_if_absent, &s);
        hd_wg_wait(&s.wg);
        expect(hd_int32_load(&s.stored) == 1);
        hd_map_destroy(s.map);
    }
}

/* ---- sync/atomic ---- */

CHECK(add_returns_the_new_value)
{
    struct hd_atomic_int32 a = {0};
    struct hd_atomic_uint64 b = {0};

    expect(hd_int32_add(&a, 5) == 5 && hd_int32_add(&a, -7) == -2);
    expect(hd_uint64_add(&b, 3) == 3 && hd_uint64_add(&b, (uint64_t)-1) == 2);
}

CHECK(add_wraps_around)
{
    struct hd_atomic_int32 a = {0};
    struct hd_atomic_uint32 b = {0};
    struct hd_atomic_int64 c = {0};

    hd_int32_store(&a, INT32_MAX);
    expect(hd_int32_add(&a, 1) == INT32_MIN);
    expect(hd_uint32_add(&b, UINT32_MAX) == UINT32_MAX && hd_uint32_add(&b, 1) == 0);
    hd_int64_store(&c, INT64_MAX);
    expect(hd_int64_add(&c, 1) == INT64_MIN);
}

CHECK(swap_returns_the_old_value)
{
    struct hd_atomic_int64 a = {0};
    struct hd_atomic_bool b = {0};

    expect(hd_int64_swap(&a, 9) == 0 && hd_int64_swap(&a, 1) == 9 && hd_int64_load(&a) == 1);
    expect(!hd_bool_swap(&b, true) && hd_bool_swap(&b, false));
}

CHECK(and_and_or_return_the_old_value)
{
    struct hd_atomic_uint32 a = {0};

    expect(hd_uint32_or(&a, 6) == 0 && hd_uint32_and(&a, 3) == 6 && hd_uint32_load(&a) == 2);
}

CHECK(compare_and_swap_swaps_what_it_expects)
{
    struct hd_atomic_int32 a = {0};
    struct hd_atomic_bool b = {0};

    expect(!hd_int32_cas(&a, 1, 2) && hd_int32_load(&a) == 0);
    expect(hd_int32_cas(&a, 0, 2) && hd_int32_load(&a) == 2);
    expect(hd_bool_cas(&b, false, true) && !hd_bool_cas(&b, false, true));
}

HD_ATOMIC_POINTER(text_ptr, const char);

CHECK(an_atomic_pointer_is_nil_first)
{
    struct text_ptr p = {0};

    expect(!text_ptr_load(&p));
    text_ptr_store(&p, k1);
    expect(text_ptr_swap(&p, k2) == k1 && text_ptr_cas(&p, k2, k3) && text_ptr_load(&p) == k3);
}

static void add_hundred(void *arg)
{
    for (int i = 0; i < 100; i++)
        hd_int32_add(arg, 1);
}

CHECK(concurrent_adds_lose_nothing)
{
    struct hd_atomic_int32 a = {0};
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < 4; i++)
        GO_IN(&wg, add_hundred, &a);
    hd_wg_wait(&wg);
    expect(hd_int32_load(&a) == 400);
}

struct message {
    int text;
    struct hd_atomic_bool sent;
    struct hd_wg wg;
};

static void write_message(void *arg)
{
    struct message *m = arg;

    m->text = 7;
    hd_bool_store(&m->sent, true);
}

CHECK(a_store_that_is_seen_brings_what_came_before)
{
    for (int i = 0; i < times(200); i++) {
        struct message m = {0};
        GO_IN(&m.wg, write_message, &m);
        if (hd_bool_load(&m.sent))
            expect(m.text == 7);
        hd_wg_wait(&m.wg);
    }
}
