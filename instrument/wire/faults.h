/* faults.h - faults that schedules choose (--faults): which there are, where they can be, and where
 * one is to be. Plain data in the memory that driver and program share.
 *
 * A fault point is known by its thread, what would fail, the place, and as which of those of that
 * thread it comes: so it is the same one in whatever order the threads run.
 */
#ifndef HEDDLE_FAULTS_H
#define HEDDLE_FAULTS_H

#include <stdint.h>

enum hdp_fault_kind {
#define FAULT(NAME, word, option, text, none) HDP_FAULT_##NAME,
#include "faults.inc"
    HDP_FAULT_KINDS
};

#define HDP_FAULTS 2u /* of one schedule, at most */
struct hdp_fault {
    uint64_t site;
    uint32_t thread; /* name hash */
    uint32_t kind;   /* enum hdp_fault_kind */
    uint32_t nth;    /* from 1 */
    uint32_t place;  /* HDP_EDITED: in place of site, as an index in hdp_known.place */
};

/* Where a schedule could have had some, in the order in which it came there first. */
#define HDP_FAULT_PLACES 2048u
struct hdp_fault_place {
    uint64_t site;
    uint32_t thread, kind;
    uint32_t count; /* how often the thread came there */
    uint32_t pad;
};

struct hdp_fault_points {
    uint32_t places;    /* used entries of place[] */
    uint32_t forgotten; /* points of further places */
    struct hdp_fault_place place[HDP_FAULT_PLACES];
};

#endif /* HEDDLE_FAULTS_H */
