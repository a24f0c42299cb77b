/* collect.h - from what a schedule left in shared memory to findings in words. */
#ifndef HEDDLE_DRIVER_COLLECT_H
#define HEDDLE_DRIVER_COLLECT_H

#include "finding.h"
#include "symbols/numbering.h"
#include "symbols/symbol.h"
#include "wire/protocol.h"

/* All borrowed. The region must hold a schedule that has ended. */
struct scene {
    const struct hdp_region *region;
    struct symbols *symbols;            /* with the map of the region's process */
    struct names *objects;              /* of the campaign; gets new ones */
    const struct running_thread *stuck; /* threads that were seen when a hang was ended, or NULL */
    size_t stuck_count;
};

/* The finding `raw` of the region, with stacks as far as they were taken. Owned by the caller. */
struct finding *collect_finding(const struct scene *scene, const struct hdp_finding *raw);
/* A finding that the driver made up its mind about itself (crash, hang, exit code): what each
 * thread did last is added. */
struct finding *collect_ending(const struct scene *scene, enum hd_finding_kind kind,
                               const char *text);
/* Equal for equal findings, without words: cheap, and the same wherever files are loaded. */
uint64_t collect_key(const struct scene *scene, const struct hdp_finding *raw);
/* "T1 (consumer)": a thread as reports call it; free() it. */
char *collect_thread(const struct scene *scene, uint32_t hash);
/* Where an object lives, as the user would call it; NULL = no better than its number. free() it. */
char *collect_home(const struct scene *scene, const struct hdp_object *o);
/* What kind an object is, as far as it or an event about it tells, and how reports call it; free() it. */
enum hd_object collect_kind(const struct scene *scene, uint32_t id, unsigned event);
char *collect_object(const struct scene *scene, uint32_t id, enum hd_object kind);
/* Append the frames of a site. */
void collect_place(const struct scene *scene, uint64_t site, struct stack *to);
/* The names of all threads of the region, for schedule_describe(). */
void collect_thread_names(const struct hdp_region *r, struct names *threads);

#endif /* HEDDLE_DRIVER_COLLECT_H */
