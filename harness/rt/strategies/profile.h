/* profile.h - what the previous schedule of this worker tells: which places and objects threads met
 * at.
 *
 * Read from the trace that it left in the shared region, before the new one is written over it.
 */
#ifndef HEDDLE_PROFILE_H
#define HEDDLE_PROFILE_H

#include "turn/rt.h"

/* One visible operation: a place in the code, on an object. */
struct rt_place {
    uint64_t site;
    uint32_t object;  /* id; 0: none */
    uint32_t with;    /* by site: the object of the first operation there */
    uint32_t threads; /* distinct threads that were there, up to 2 */
    uint32_t first;   /* hash of the first of them */
    uint32_t steps;
};

#define RT_PLACES 512u

struct rt_profile {
    uint32_t count;
    uint32_t steps; /* entries of the trace that were looked at */
    struct rt_place place[RT_PLACES];
};

/* Steps that there are. */
uint32_t rt_profile_length(void);
/* Places by object (site 0), or by site (object 0). At most RT_PLACES, in order of first
 * appearance; operations of the threads' own life are left out. */
void rt_profile_objects(struct rt_profile *p);
void rt_profile_sites(struct rt_profile *p);

#endif /* HEDDLE_PROFILE_H */
