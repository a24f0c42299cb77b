/* select.h - wait for the first of several channel operations.
 *
 *     int job;
 *     bool ok;
 *     switch (HD_SELECT(HD_RECV_OK(jobs, &job, &ok), HD_RECV(hd_context_done(ctx), NULL))) {
 *     case 0: ...
 *     case 1: return hd_context_err(ctx);
 *     }
 *
 * Exactly one case happens, chosen at random among those that can; a NULL channel's never can. A
 * receive from a closed channel can, and a send to one can, too: it panics when it is chosen.
 *   threads  any    memory  as the operation that was chosen
 *   blocks   "select"; one point of a schedule
 * source: Go specification, "Select statements".
 */
#ifndef HEDDLE_SELECT_H
#define HEDDLE_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/api.h>
#include <heddle/chan.h>

HD_BEGIN_DECLS

enum { HD_DEFAULT = -1, HD_TIMED_OUT = -2 };

/* Wait until a case can happen, do it, and return its index. With no case, or NULL channels alone,
 * wait for ever.  count: at most 65,536, else it panics.  Go: select without default */
HD_API int hd_select(const struct hd_case *cases, size_t count);

/* The same; HD_DEFAULT at once if none can happen.  Go: select with default */
HD_API int hd_select_default(const struct hd_case *cases, size_t count);

/* The same; HD_TIMED_OUT if none could happen for timeout_ns. Without a timer behind it.
 * Go: select with a case <-time.After(timeout) */
HD_API int hd_select_timeout(const struct hd_case *cases, size_t count, int64_t timeout_ns);

/* Any number below n, which is not 0: under Heddle a choice that is explored and replayed, natively
 * at random.  Go: rand.IntN */
HD_API uint32_t hd_choose(uint32_t n);

#define HDI_CASES(...)                                                                             \
    (const struct hd_case[]){__VA_ARGS__},                                                         \
        sizeof((const struct hd_case[]){__VA_ARGS__}) / sizeof(struct hd_case)
#define HD_SELECT(...) hd_select(HDI_CASES(__VA_ARGS__))
#define HD_SELECT_DEFAULT(...) hd_select_default(HDI_CASES(__VA_ARGS__))
#define HD_SELECT_TIMEOUT(timeout_ns, ...) hdi_select_timeout(timeout_ns, HDI_CASES(__VA_ARGS__))

__attribute__((always_inline)) static inline int
hdi_select_timeout(int64_t timeout_ns, const struct hd_case *cases, size_t count)
{
    return hd_select_timeout(cases, count, timeout_ns);
}

HD_END_DECLS

#endif /* HEDDLE_SELECT_H */
