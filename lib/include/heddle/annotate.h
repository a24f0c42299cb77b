/* annotate.h - what a program tells Heddle about itself. Without Heddle a call is one look-up that
 * finds nothing.
 *
 *   threads  any
 *   blocks   no
 */
#ifndef HEDDLE_ANNOTATE_H
#define HEDDLE_ANNOTATE_H

#include <dlfcn.h>

#include <heddle/api.h>

#pragma weak dlsym /* a static program has none, and no Heddle either */

HD_BEGIN_DECLS

/* Of the library that Heddle loads into the program; NULL without it. */
static inline void *hdi_annotation(const char *name)
{
    return dlsym ? dlsym((void *)0, name) : (void *)0;
}

/* The order in which `lock` is taken is in order, whatever the lock-order graph says: no prediction
 * that has it in its circle is reported. Real deadlocks are. */
static inline void hd_lock_order_ok(const void *lock)
{
    void (*tell)(const void *);
    *(void **)(&tell) = hdi_annotation("heddle_rt_lock_order_ok");
    if (tell)
        tell(lock);
}

/* The calling thread may be left, blocked or never joined, when the program ends. */
static inline void hd_expect_leak(void)
{
    void (*tell)(void);
    *(void **)(&tell) = hdi_annotation("heddle_rt_expect_leak");
    if (tell)
        tell();
}

HD_END_DECLS

#endif /* HEDDLE_ANNOTATE_H */
