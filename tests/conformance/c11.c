/* c11.c - <threads.h> of C11. */
#include "check.h"

#include <threads.h>

static mtx_t lock;
static cnd_t cond;
static int count, waiting;

static int returns(void *arg)
{
    return *(int *)arg;
}

static int exits(void *arg)
{
    thrd_exit(*(int *)arg);
}

static int tells_self(void *arg)
{
    *(thrd_t *)arg = thrd_current();
    return 0;
}

static void threads(void)
{
    thrd_t t, seen;
    int value = 42, result = 0;
    struct timespec d = {0, MS};

    CHECK(thrd_create(&t, returns, &value) == thrd_success);
    CHECK(thrd_join(t, &result) == thrd_success && result == 42);
    value = -7;
    CHECK(thrd_create(&t, exits, &value) == thrd_success);
    CHECK(thrd_join(t, &result) == thrd_success && result == -7);
    CHECK(thrd_create(&t, tells_self, &seen) == thrd_success);
    CHECK(thrd_join(t, NULL) == thrd_success);
    CHECK(thrd_equal(t, seen) && !thrd_equal(t, thrd_current()));
    CHECK(thrd_create(&t, returns, &value) == thrd_success);
    CHECK(thrd_detach(t) == thrd_success);
    CHECK(thrd_sleep(&d, NULL) == 0);
    d.tv_nsec = SECOND;
    CHECK(thrd_sleep(&d, NULL) < 0);
    thrd_yield();
}

static int tries(void *arg)
{
    (void)arg;
    return mtx_trylock(&lock);
}

static int times_out(void *arg)
{
    struct timespec until;

    (void)arg;
    timespec_get(&until, TIME_UTC);
    until.tv_nsec += 5 * MS;
    if (until.tv_nsec >= SECOND) {
        until.tv_nsec -= SECOND;
        until.tv_sec++;
    }
    return mtx_timedlock(&lock, &until);
}

static int adds(void *arg)
{
    for (int i = 0; i < 3; i++) {
        CHECK(mtx_lock(&lock) == thrd_success);
        count++;
        CHECK(mtx_unlock(&lock) == thrd_success);
    }
    return *(int *)arg;
}

static void mutexes(void)
{
    static const int type[] = {mtx_plain, mtx_timed, mtx_plain | mtx_recursive,
                               mtx_timed | mtx_recursive};
    thrd_t t[3];
    int result, zero = 0;

    for (size_t k = 0; k < sizeof type / sizeof type[0]; k++) {
        CHECK(mtx_init(&lock, type[k]) == thrd_success);
        CHECK(mtx_lock(&lock) == thrd_success);
        if (type[k] & mtx_recursive) {
            CHECK(mtx_trylock(&lock) == thrd_success);
            CHECK(mtx_unlock(&lock) == thrd_success);
        }
        CHECK(thrd_create(&t[0], tries, NULL) == thrd_success);
        CHECK(thrd_join(t[0], &result) == thrd_success && result == thrd_busy);
        if (type[k] & mtx_timed) {
            CHECK(thrd_create(&t[0], times_out, NULL) == thrd_success);
            CHECK(thrd_join(t[0], &result) == thrd_success && result == thrd_timedout);
        }
        CHECK(mtx_unlock(&lock) == thrd_success);
        count = 0;
        for (int i = 0; i < 3; i++)
            CHECK(thrd_create(&t[i], adds, &zero) == thrd_success);
        for (int i = 0; i < 3; i++)
            CHECK(thrd_join(t[i], NULL) == thrd_success);
        CHECK(count == 9);
        mtx_destroy(&lock);
    }
}

static int waits(void *arg)
{
    CHECK(mtx_lock(&lock) == thrd_success);
    waiting++;
    while (!count)
        CHECK(cnd_wait(&cond, &lock) == thrd_success);
    count--;
    CHECK(mtx_unlock(&lock) == thrd_success);
    return *(int *)arg;
}

static void conditions(void)
{
    struct timespec past = {1, 0};
    thrd_t t[3];
    int zero = 0, all;

    CHECK(mtx_init(&lock, mtx_plain) == thrd_success && cnd_init(&cond) == thrd_success);
    count = waiting = 0;
    CHECK(cnd_signal(&cond) == thrd_success);
    CHECK(mtx_lock(&lock) == thrd_success);
    CHECK(cnd_timedwait(&cond, &lock, &past) == thrd_timedout);
    CHECK(mtx_unlock(&lock) == thrd_success);
    for (int i = 0; i < 3; i++)
        CHECK(thrd_create(&t[i], waits, &zero) == thrd_success);
    do {
        thrd_yield();
        mtx_lock(&lock);
        all = waiting == 3;
        mtx_unlock(&lock);
    } while (!all);
    mtx_lock(&lock);
    count = 1;
    CHECK(cnd_signal(&cond) == thrd_success);
    mtx_unlock(&lock);
    do {
        thrd_yield();
        mtx_lock(&lock);
        all = count == 0;
        mtx_unlock(&lock);
    } while (!all);
    mtx_lock(&lock);
    count = 2;
    CHECK(cnd_broadcast(&cond) == thrd_success);
    mtx_unlock(&lock);
    for (int i = 0; i < 3; i++)
        CHECK(thrd_join(t[i], NULL) == thrd_success);
    cnd_destroy(&cond);
    mtx_destroy(&lock);
}

static once_flag flag = ONCE_FLAG_INIT;
static int ran;

static void routine(void)
{
    ran++;
}

static int calls_once(void *arg)
{
    call_once(&flag, routine);
    CHECK(ran == 1);
    return *(int *)arg;
}

static tss_t storage;
static int destroyed, rounds;
static thread_local int own = 5;

static void destructor(void *value)
{
    destroyed++;
    if (++rounds < TSS_DTOR_ITERATIONS)
        tss_set(storage, value);
}

static int stores(void *arg)
{
    CHECK(tss_get(storage) == NULL);
    CHECK(tss_set(storage, arg) == thrd_success);
    CHECK(tss_get(storage) == arg);
    CHECK(own == 5);
    own = 6;
    return 0;
}

static void once_and_storage(void)
{
    thrd_t t[3];
    int zero = 0;

    for (int i = 0; i < 3; i++)
        CHECK(thrd_create(&t[i], calls_once, &zero) == thrd_success);
    for (int i = 0; i < 3; i++)
        CHECK(thrd_join(t[i], NULL) == thrd_success);
    CHECK(ran == 1);
    CHECK(tss_create(&storage, destructor) == thrd_success);
    CHECK(thrd_create(&t[0], stores, &zero) == thrd_success);
    CHECK(thrd_join(t[0], NULL) == thrd_success);
    CHECK(destroyed == TSS_DTOR_ITERATIONS);
    CHECK(own == 5);
    tss_delete(storage);
}

int main(int argc, char **argv)
{
    RUN(threads);
    RUN(mutexes);
    RUN(conditions);
    RUN(once_and_storage);
    return conclude();
}
