/* once.h - things done once: Go's sync.Once, OnceFunc and OnceValues.
 *
 * The zero value has not been done. Whoever comes while another does it waits for it to be done.
 * The function must not call the same once again: it would wait for itself.
 *   ownership  embed it; it holds no memory
 *   threads    any
 *   blocks     while another runs the function ("once")
 * memory: the end of the function happens before every do that returns.
 * source: Go package sync, types Once, functions OnceFunc, OnceValues.
 */
#ifndef HEDDLE_ONCE_H
#define HEDDLE_ONCE_H

#include <stdatomic.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_once {
    _Atomic uint32_t state; /* 0 not done, 1 being done, 2 done */
};

#define HD_ONCE_INIT                                                                               \
    {                                                                                              \
        0                                                                                          \
    }

HD_API void hdi_once_do(struct hd_once *once, void (*fn)(void *arg), void *arg);

/* Run fn(arg) if no call has before. If fn panics or exits, it counts as done.  Go: Once.Do */
static inline void hd_once_do(struct hd_once *once, void (*fn)(void *arg), void *arg)
{
    if (!HDI_UNWATCHED() || atomic_load_explicit(&once->state, memory_order_acquire) != 2)
        hdi_once_do(once, fn, arg);
}

/* A value that is made at the first call and remembered together with the error of making it.
 *     struct hd_once_value conn = HD_ONCE_VALUE(dial, "host:1234");
 *     struct conn *c = hd_once_value_get(&conn, &err);                                         */
struct hd_once_value {
    struct hd_once once;
    void *(*make)(void *arg, hd_err *err); /* err: NULL on entry; a reference to hand over */
    void *arg;                             /* borrowed, handed to make */
    void *value;
    hd_err err;
    hd_err panicked;
};

#define HD_ONCE_VALUE(function, argument)                                                          \
    {                                                                                              \
        .make = (function), .arg = (argument)                                                      \
    }

/* The value; *err (if err is not NULL) is set to the remembered error, borrowed until the clear. If
 * make panicked, every call panics with the same error.  Go: sync.OnceValue, OnceValues, OnceFunc
 */
HD_API void *hd_once_value_get(struct hd_once_value *once, hd_err *err);

/* Give up the remembered errors and be as new; what becomes of the value is the caller's matter. No
 * other call may be in progress: while it is made that panics. */
HD_API void hd_once_value_clear(struct hd_once_value *once);

HD_END_DECLS

#endif /* HEDDLE_ONCE_H */
