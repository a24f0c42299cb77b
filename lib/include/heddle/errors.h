/* errors.h - error values, as Go's `errors` and `fmt.Errorf("...: %w", err)` give them.
 *
 * An error is an immutable value behind a pointer; NULL means that nothing went wrong. It has a
 * code (for programs), a message (for people) and, if it wraps or joins others, those as its
 * causes. Nothing is kept per thread or per process: errno is neither read nor written.
 *
 * What holds for every function below
 *   ownership  an hd_err that a function returns is one reference that the caller owns and gives up
 *              by hd_err_unref() or by handing it on. Functions that make an error out of others
 *              (wrap, join) take over the references they are given. Functions that only look
 *              (code, message, is, find, cause) borrow. Static errors are never freed: taking
 *              and dropping references to them costs nothing and does nothing.
 *   errors     making an error never fails: without memory it yields hd_out_of_memory.
 *   threads    any; an error may be shared by threads as long as each holds a reference.
 *   blocks     never
 * source: Go packages errors and fmt.
 */
#ifndef HEDDLE_ERRORS_H
#define HEDDLE_ERRORS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>

HD_BEGIN_DECLS

/* The library's own codes with the text of their sentinel. Programs use HD_ERR_USER and above. */
#define HD_ERROR_MAP(X)                                                                            \
    X(OTHER, other, "error")                                                                       \
    X(CANCELLED, cancelled, "context canceled")                                                    \
    X(DEADLINE, deadline_exceeded, "context deadline exceeded")                                    \
    X(NO_MEMORY, out_of_memory, "out of memory")                                                   \
    X(NO_THREAD, out_of_threads, "cannot start another goroutine")                                 \
    X(INVALID, invalid, "invalid argument")                                                        \
    X(PANIC, panicked, "panic")                                                                    \
    X(CLOSED, closed, "closed")                                                                    \
    X(LIMIT, over_limit, "limit exceeded")                                                         \
    X(CIRCUIT_OPEN, circuit_open, "circuit breaker is open")

enum hd_error_code {
    HD_ERR_NONE,
#define HD_ERROR_ENUM(name, sentinel, text) HD_ERR_##name,
    HD_ERROR_MAP(HD_ERROR_ENUM)
#undef HD_ERROR_ENUM
        HD_ERR_USER = 1000
};

struct hd_error {
    int code;            /* HD_ERR_*, or the program's own from HD_ERR_USER up */
    const char *message; /* the whole text, those of the causes included */
    const void *heap;    /* NULL for a static error */
};

typedef const struct hd_error *hd_err;

/* A static error of one's own, Go's `var ErrNotFound = errors.New("not found")`:
 *     const struct hd_error not_found[1] = {HD_ERROR(HD_ERR_USER + 1, "not found")};
 *     return not_found;                                                                       */
#define HD_ERROR(number, text)                                                                     \
    {                                                                                              \
        .code = (number), .message = (text), .heap = NULL                                          \
    }

/* Sentinels: hd_cancelled, hd_deadline_exceeded, ... Arrays of one, so that the bare name is the
 * hd_err: `if (err == hd_cancelled)`, or better hd_err_is(err, hd_cancelled). */
#define HD_ERROR_SENTINEL(name, sentinel, text)                                                    \
    extern HD_API const struct hd_error hd_##sentinel[1];
HD_ERROR_MAP(HD_ERROR_SENTINEL)
#undef HD_ERROR_SENTINEL

/* A new error.  format/...: printf's, the text is copied.  Go: errors.New, fmt.Errorf */
HD_API HD_MUST_USE hd_err hd_errorf(int code, const char *format, ...) HD_PRINTF(2, 3);
HD_API HD_MUST_USE hd_err hd_errorv(int code, const char *format, va_list args) HD_PRINTF(2, 0);

/* "text: message of cause", with the cause's code.  cause: taken over; NULL stays NULL, so that
 * `return hd_wrapf(step(), "step %d", i)` is right in both cases.  Go: fmt.Errorf("...: %w", err)
 */
HD_API HD_MUST_USE hd_err hd_wrapf(hd_err cause, const char *format, ...) HD_PRINTF(2, 3);

/* One error out of `count`; NULLs are left out, and NULL is the answer if nothing remains. Messages
 * one a line; the code is the first error's.  errs: the references are taken over, the array is
 * not.  Go: errors.Join */
HD_API HD_MUST_USE hd_err hd_err_join(const hd_err *errs, size_t count);

/* One more reference to err, or NULL for NULL. */
HD_API hd_err hd_err_ref(hd_err err);

/* Give up one reference; the last one frees the error and its hold on its causes. NULL is
 * allowed. */
HD_API void hd_err_unref(hd_err err);

/* Code and message; HD_ERR_NONE and "" for NULL. The text lives as long as the error. */
HD_API int hd_err_code(hd_err err);
HD_API const char *hd_err_message(hd_err err);

/* The wrapped error, borrowed; NULL if err is NULL, wraps nothing or is a join.  Go:
 * errors.Unwrap */
HD_API hd_err hd_err_cause(hd_err err);

/* Whether err, or anything that it wraps or joins, is `target` itself. NULL is only NULL.
 * Go: errors.Is */
HD_API bool hd_err_is(hd_err err, hd_err target);

/* The first error in err's tree (itself, then its causes in order) that was *made* with this code,
 * borrowed; NULL if there is none. Wrapping passes a code on but does not make it.  Go: errors.As
 */
HD_API hd_err hd_err_find(hd_err err, int code);

HD_END_DECLS

#endif /* HEDDLE_ERRORS_H */
