/* emit.c - makes a compiler emit, under -fsanitize=thread, every call that it has for C.
 *
 * Also a program: does each operation in two threads, on objects of their own, and checks what
 * comes of it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;
typedef uint64_t pair __attribute__((vector_size(16)));

static void check(int good, const char *what)
{
    if (!good) {
        printf("wrong: %s\n", what);
        abort();
    }
}

/* ---- plain, unaligned, volatile accesses, and updates of what was just read ---- */

#define PLAIN(bits, type)                                                                          \
    __attribute__((noinline)) void set##bits(type *p, type v)                                      \
    {                                                                                              \
        *p = v;                                                                                    \
    }                                                                                              \
    __attribute__((noinline)) type get##bits(const type *p)                                        \
    {                                                                                              \
        return *p;                                                                                 \
    }                                                                                              \
    __attribute__((noinline)) void bump##bits(type *p)                                             \
    {                                                                                              \
        *p += 1;                                                                                   \
    }                                                                                              \
    __attribute__((noinline)) void volatile_set##bits(volatile type *p, type v)                    \
    {                                                                                              \
        *p = v;                                                                                    \
    }                                                                                              \
    __attribute__((noinline)) type volatile_get##bits(const volatile type *p)                      \
    {                                                                                              \
        return *p;                                                                                 \
    }
#define UNALIGNED(bits, type)                                                                      \
    typedef type loose##bits __attribute__((aligned(1)));                                          \
    __attribute__((noinline)) void loose_set##bits(loose##bits *p, type v)                         \
    {                                                                                              \
        *p = v;                                                                                    \
    }                                                                                              \
    __attribute__((noinline)) type loose_get##bits(const loose##bits *p)                           \
    {                                                                                              \
        return *p;                                                                                 \
    }                                                                                              \
    __attribute__((noinline)) void loose_bump##bits(loose##bits *p)                                \
    {                                                                                              \
        *p += 1;                                                                                   \
    }                                                                                              \
    __attribute__((noinline)) void loose_volatile_set##bits(volatile loose##bits *p, type v)       \
    {                                                                                              \
        *p = v;                                                                                    \
    }                                                                                              \
    __attribute__((noinline)) type loose_volatile_get##bits(const volatile loose##bits *p)         \
    {                                                                                              \
        return *p;                                                                                 \
    }
PLAIN(8, uint8_t)
PLAIN(16, uint16_t)
PLAIN(32, uint32_t)
PLAIN(64, uint64_t)
PLAIN(128, pair)
UNALIGNED(16, uint16_t)
UNALIGNED(32, uint32_t)
UNALIGNED(64, uint64_t)
UNALIGNED(128, pair)

#define TRY_PLAIN(bits, type)                                                                      \
    do {                                                                                           \
        type v = {0};                                                                              \
        set##bits(&v, (type){7});                                                                  \
        bump##bits(&v);                                                                            \
        type got = get##bits(&v);                                                                  \
        volatile_set##bits(&v, got);                                                               \
        got = volatile_get##bits(&v);                                                              \
        check(((uint8_t *)&got)[0] == 8, "plain " #bits);                                          \
    } while (0)
#define TRY_UNALIGNED(bits, type)                                                                  \
    do {                                                                                           \
        _Alignas(16) uint8_t bytes[32];                                                            \
        loose##bits *p = (loose##bits *)(bytes + 1);                                               \
        loose_set##bits(p, (type){7});                                                             \
        loose_bump##bits(p);                                                                       \
        type got = loose_get##bits(p);                                                             \
        loose_volatile_set##bits(p, got);                                                          \
        got = loose_volatile_get##bits(p);                                                         \
        check(((uint8_t *)&got)[0] == 8, "unaligned " #bits);                                      \
    } while (0)

/* ---- blocks: ranges, and the memory functions that compilers make of them ---- */

struct block {
    char text[72];
};

__attribute__((noinline)) void copy_block(struct block *to, const struct block *from)
{
    *to = *from;
}

__attribute__((noinline)) void clear_block(struct block *b)
{
    *b = (struct block){{0}};
}

__attribute__((noinline)) void copy_bytes(char *to, const char *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

__attribute__((noinline)) void move_bytes(char *to, const char *from, size_t bytes)
{
    memmove(to, from, bytes);
}

__attribute__((noinline)) void fill_bytes(char *to, size_t bytes)
{
    memset(to, 'x', bytes);
}

static void try_blocks(void)
{
    struct block a, b;
    fill_bytes(a.text, sizeof a.text);
    copy_block(&b, &a);
    check(memcmp(&a, &b, sizeof a) == 0, "struct copy");
    clear_block(&a);
    check(a.text[0] == 0 && a.text[71] == 0, "struct clear");
    copy_bytes(a.text, b.text, sizeof a.text);
    a.text[0] = 'a';
    move_bytes(a.text + 1, a.text, 70);
    check(a.text[1] == 'a' && a.text[2] == 'x', "memmove");
}

/* ---- atomics: every operation in every order that it may have ---- */

#define LOADS(order)                                                                               \
    check(__atomic_load_n(a, order) == 0, "load");                                                 \
    check(__atomic_load_n(a, order) == 0, "load")
#define UPDATES(type, order)                                                                       \
    do {                                                                                           \
        check(__atomic_exchange_n(a, (type)12, order) == 0, "exchange");                           \
        check(__atomic_fetch_add(a, (type)3, order) == 12, "fetch_add");                           \
        check(__atomic_fetch_sub(a, (type)1, order) == 15, "fetch_sub");                           \
        check(__atomic_fetch_and(a, (type)6, order) == 14, "fetch_and");                           \
        check(__atomic_fetch_or(a, (type)9, order) == 6, "fetch_or");                              \
        check(__atomic_fetch_xor(a, (type)5, order) == 15, "fetch_xor");                           \
        check(__atomic_fetch_nand(a, (type)3, order) == 10, "fetch_nand");                         \
        check(__atomic_add_fetch(a, (type)3, order) == 0, "nand left something else");             \
    } while (0)
#define EXCHANGES(type, order, failure)                                                            \
    do {                                                                                           \
        type expected = 1;                                                                         \
        check(!__atomic_compare_exchange_n(a, &expected, (type)2, 0, order, failure), "cas");      \
        check(expected == 0, "what cas found");                                                    \
        check(__atomic_compare_exchange_n(a, &expected, (type)2, 0, order, failure), "cas");       \
        expected = 2;                                                                              \
        while (!__atomic_compare_exchange_n(a, &expected, (type)0, 1, order, failure))             \
            check(expected == 2, "weak cas");                                                      \
    } while (0)
#define ATOMIC(bits, type)                                                                         \
    __attribute__((noinline)) void atomic##bits(type *a)                                           \
    {                                                                                              \
        __atomic_store_n(a, (type)0, __ATOMIC_RELAXED);                                            \
        __atomic_store_n(a, (type)0, __ATOMIC_RELEASE);                                            \
        __atomic_store_n(a, (type)0, __ATOMIC_SEQ_CST);                                            \
        LOADS(__ATOMIC_RELAXED);                                                                   \
        LOADS(__ATOMIC_CONSUME);                                                                   \
        LOADS(__ATOMIC_ACQUIRE);                                                                   \
        LOADS(__ATOMIC_SEQ_CST);                                                                   \
        UPDATES(type, __ATOMIC_RELAXED);                                                           \
        UPDATES(type, __ATOMIC_CONSUME);                                                           \
        UPDATES(type, __ATOMIC_ACQUIRE);                                                           \
        UPDATES(type, __ATOMIC_RELEASE);                                                           \
        UPDATES(type, __ATOMIC_ACQ_REL);                                                           \
        UPDATES(type, __ATOMIC_SEQ_CST);                                                           \
        EXCHANGES(type, __ATOMIC_RELAXED, __ATOMIC_RELAXED);                                       \
        EXCHANGES(type, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);                                       \
        EXCHANGES(type, __ATOMIC_RELEASE, __ATOMIC_RELAXED);                                       \
        EXCHANGES(type, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);                                       \
        EXCHANGES(type, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                                       \
        check(__sync_val_compare_and_swap(a, (type)0, (type)0) == 0, "sync cas");                  \
    }
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
ATOMIC(128, u128)

static void fences(void)
{
    atomic_thread_fence(memory_order_acquire);
    atomic_thread_fence(memory_order_release);
    atomic_thread_fence(memory_order_acq_rel);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_signal_fence(memory_order_seq_cst);
}

static void *everything(void *unused)
{
    TRY_PLAIN(8, uint8_t);
    TRY_PLAIN(16, uint16_t);
    TRY_PLAIN(32, uint32_t);
    TRY_PLAIN(64, uint64_t);
    TRY_PLAIN(128, pair);
    TRY_UNALIGNED(16, uint16_t);
    TRY_UNALIGNED(32, uint32_t);
    TRY_UNALIGNED(64, uint64_t);
    TRY_UNALIGNED(128, pair);
    try_blocks();
    _Alignas(16) u128 a = 0;
    atomic8((uint8_t *)&a);
    atomic16((uint16_t *)&a);
    atomic32((uint32_t *)&a);
    atomic64((uint64_t *)&a);
    atomic128(&a);
    fences();
    return unused;
}

int main(void)
{
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, everything, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    puts("ok");
}
