/* tsan_abi.h - the entry points for plain accesses that clang and gcc emit, each once: X(name,
 * bytes).
 *
 * hooks.c makes the watching ones of it, native_hooks.c those of a program that runs by itself.
 */
#ifndef HEDDLE_TSAN_ABI_H
#define HEDDLE_TSAN_ABI_H

#define TSAN_SIZES(X, prefix)                                                                      \
    X(prefix##1, 1) X(prefix##2, 2) X(prefix##4, 4) X(prefix##8, 8) X(prefix##16, 16)
#define TSAN_WIDE(X, prefix) X(prefix##2, 2) X(prefix##4, 4) X(prefix##8, 8) X(prefix##16, 16)
#define TSAN_SIZES_PC(X, prefix)                                                                   \
    X(prefix##1_pc, 1) X(prefix##2_pc, 2) X(prefix##4_pc, 4) X(prefix##8_pc, 8) X(prefix##16_pc, 16)

#define TSAN_READS(X)                                                                              \
    TSAN_SIZES(X, read)                                                                            \
    TSAN_WIDE(X, unaligned_read) TSAN_SIZES(X, volatile_read) TSAN_WIDE(X, unaligned_volatile_read)
#define TSAN_WRITES(X)                                                                             \
    TSAN_SIZES(X, write)                                                                           \
    TSAN_WIDE(X, unaligned_write)                                                                  \
    TSAN_SIZES(X, volatile_write) TSAN_WIDE(X, unaligned_volatile_write)
#define TSAN_UPDATES(X) TSAN_SIZES(X, read_write) TSAN_WIDE(X, unaligned_read_write)
#define TSAN_PC_READS(X) TSAN_SIZES_PC(X, read)
#define TSAN_PC_WRITES(X) TSAN_SIZES_PC(X, write)

/* Annotations of a program's own locks that say nothing about order: X(name). */
#define TSAN_MUTEX_MARKS(X)                                                                        \
    X(create)                                                                                      \
    X(destroy) X(pre_lock) X(post_unlock) X(pre_signal) X(post_signal) X(pre_divert) X(post_divert)

/* A flag of <sanitizer/tsan_interface.h>: the try has failed. */
#define TSAN_TRY_FAILED (1u << 5)

/* X(bits, type) */
#define TSAN_ATOMIC_TYPES(X)                                                                       \
    X(8, uint8_t) X(16, uint16_t) X(32, uint32_t) X(64, uint64_t) X(128, tsan_u128)
/* X(name, expression of old and v) */
#define TSAN_ATOMIC_FETCHES(X)                                                                     \
    X(exchange, v)                                                                                 \
    X(fetch_add, old + v)                                                                          \
    X(fetch_sub, old - v)                                                                          \
    X(fetch_and, old &v) X(fetch_or, old | v) X(fetch_xor, old ^ v) X(fetch_nand, ~(old & v))

__extension__ typedef unsigned __int128 tsan_u128;

#endif /* HEDDLE_TSAN_ABI_H */
