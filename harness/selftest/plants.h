/* plants.h - the smallest programs with one bug each, one for every kind of finding: what
 * `heddle doctor --self-test` runs to see that each check is alive.
 *
 * plant_KIND() is a whole program's main() but for its return. A kind of
 * instrument/wire/finding_kinds.inc without one does not link.
 */
#ifndef HEDDLE_SELFTEST_PLANTS_H
#define HEDDLE_SELFTEST_PLANTS_H

#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include "wire/finding_record.h"

#define FINDING(NAME, word, title, advice, plant) void plant_##NAME(void);
#include "wire/finding_kinds.inc"

/* No kind of its own. */
void plant_correct(void); /* locks, waits, joins, and does nothing wrong */
void plant_dump(void);    /* asks for a dump of itself */

/* Both bodies in threads of their own, until they return. */
static inline void plant_both(void *(*a)(void *), void *(*b)(void *), void *arg)
{
    pthread_t t, u;
    int error = pthread_create(&t, NULL, a, arg) | pthread_create(&u, NULL, b, arg);
    assert(error == 0);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

/* A body in a thread of its own, which is left. */
static inline pthread_t plant_one(void *(*body)(void *), void *arg)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, body, arg);
    assert(error == 0);
    return t;
}

/* What the program ends with. */
extern int selftest_code;

#endif /* HEDDLE_SELFTEST_PLANTS_H */
