/* The failing schedule has threads that stand before a memory access when it ends: access KIND END TWIN. Built
 * with heddle-cc. */
#include "case.h"
#include <signal.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile int a, b;
static atomic_int atomic_a, atomic_b;
static int plain_a, plain_b;
static char block_a[16], block_b[16];
static struct {
    unsigned one : 4, other : 4;
} bits;

static void set_volatile(void)
{
    a = 1;
    b = -1;
}

static bool half_volatile(void)
{
    return !((a == 0 && b == 0) || (a == 1 && b == -1));
}

static void set_atomic(void)
{
    atomic_store_explicit(&atomic_a, 1, memory_order_relaxed);
    atomic_store_explicit(&atomic_b, 1, memory_order_relaxed);
}

static bool half_atomic(void)
{
    int first = atomic_load_explicit(&atomic_a, memory_order_relaxed);

    return first != atomic_load_explicit(&atomic_b, memory_order_relaxed);
}

static void set_rmw(void)
{
    atomic_fetch_add(&atomic_a, 1);
    atomic_fetch_add(&atomic_b, 1);
}

static bool half_rmw(void)
{
    int first = atomic_fetch_add(&atomic_a, 0);

    return first != atomic_fetch_add(&atomic_b, 0);
}

static void set_plain(void)
{
    plain_a++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    plain_b++;
}

static bool half_plain(void)
{
    int first = plain_a;

    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return first != plain_b;
}

static void set_block(void)
{
    memset(block_a, 1, sizeof block_a);
    memcpy(block_b, block_a, sizeof block_b);
}

static bool half_block(void)
{
    return memcmp(block_a, block_b, sizeof block_a) != 0;
}

static void set_bits(void)
{
    bits.one = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    bits.other = 1;
}

static bool half_bits(void)
{
    unsigned one = bits.one;

    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return one != bits.other;
}

static const struct kind {
    const char *name;
    void (*set)(void);
    bool (*half)(void);
} kinds[] = {{"volatile", set_volatile, half_volatile},
             {"atomic", set_atomic, half_atomic},
             {"rmw", set_rmw, half_rmw},
             {"plain", set_plain, half_plain},
             {"block", set_block, half_block},
             {"bits", set_bits, half_bits}};
static const struct kind *kind;

static void end_assert(void)
{
    assert(false && "half of it");
}

static void end_abort(void)
{
    abort();
}

static void end_exit(void)
{
    exit(7);
}

static void end_underscore(void)
{
    _exit(7);
}

static void end_signal(void)
{
    raise(SIGSEGV);
}

static void end_relock(void)
{
    pthread_mutex_lock(&m);
    pthread_mutex_lock(&m);
}

static const struct variant ends[] = {VARIANT(end, assert), VARIANT(end, abort),
                                      VARIANT(end, exit),   VARIANT(end, underscore),
                                      VARIANT(end, signal), VARIANT(end, relock)};
static const struct variant *end;

static void *sets(void *arg)
{
    if (!wrong)
        pthread_mutex_lock(&m);
    kind->set();
    if (!wrong)
        pthread_mutex_unlock(&m);
    return arg;
}

static void *checks(void *arg)
{
    if (!wrong)
        pthread_mutex_lock(&m);
    if (kind->half())
        end->run();
    if (!wrong)
        pthread_mutex_unlock(&m);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t[3];

    arguments(argc, argv, 2);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0)
            kind = &kinds[i];
    if (!kind)
        return 2;
    end = PICK(ends, argv[2]);
    t[0] = start(sets, NULL);
    t[1] = start(sets, NULL);
    t[2] = start(checks, NULL);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    return 0;
}
