/* pool.h - temporary objects kept for reuse, Go's sync.Pool.
 *
 * Get takes any object that was put, or makes one; nothing may be concluded from which. What is
 * kept may be dropped at any time: when a cache is full, when make() fails for want of memory, and
 * whenever hd_pool_drain() says that memory is short. Reset an object before putting it back.
 *
 * Each thread has a small cache of its own; what does not fit goes to a shared reserve, and what
 * does not fit there is dropped.
 *   ownership  kept objects belong to the pool; a gotten one belongs to the caller
 *   threads    any, for get, put and drain; init and destroy: no other call in progress
 *   blocks     never; make and drop are called with no lock held
 * memory: a put of an object happens before the get that returns it.
 * source: Go package sync, type Pool.
 */
#ifndef HEDDLE_POOL_H
#define HEDDLE_POOL_H

#include <stddef.h>

#include <heddle/api.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_pool_stripe; /* opaque */

struct hd_pool {
    void *(*make)(void *arg);              /* a new object, or NULL without memory; may be NULL */
    void (*drop)(void *object, void *arg); /* frees one; required */
    void *arg;                             /* borrowed, handed to both */
    struct hd_pool_stripe *stripes;        /* private */
};

/* errs  hd_out_of_memory | hd_invalid without drop; the pool is unusable then.   Go: Pool{New:
 * ...} */
HD_API HD_MUST_USE hd_err hd_pool_init(struct hd_pool *pool, void *(*make)(void *arg),
                                       void (*drop)(void *object, void *arg), void *arg);

/* Drop all that is kept, and the pool; who uses it then panics. */
HD_API void hd_pool_destroy(struct hd_pool *pool);

/* An object, or NULL if none is kept and make is NULL or failed even after a drain.  Go: Get */
HD_API HD_MUST_USE void *hd_pool_get(struct hd_pool *pool);

/* Keep an object for later; NULL is ignored.  Go: Put */
HD_API void hd_pool_put(struct hd_pool *pool, void *object);

/* Drop all that is kept, in every thread's cache; the number of objects dropped. */
HD_API size_t hd_pool_drain(struct hd_pool *pool);

HD_END_DECLS

#endif /* HEDDLE_POOL_H */
