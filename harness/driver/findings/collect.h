/* collect.h - from what a schedule left in shared memory to findings in words. */
#ifndef HEDDLE_DRIVER_COLLECT_H
#define HEDDLE_DRIVER_COLLECT_H

#include "finding.h"
#include "scene.h"

/* The finding `raw` of the region, with stacks as far as they were taken. Owned by the caller. */
struct finding *collect_finding(const struct scene *scene, const struct hdp_finding *raw);
/* A finding that the driver made up its mind about itself (crash, hang, exit code): what each
 * thread did last is added. */
struct finding *collect_ending(const struct scene *scene, enum hd_finding_kind kind,
                               const char *text);
/* Equal for equal findings, without words: cheap, and the same wherever files are loaded. */
uint64_t collect_key(const struct scene *scene, const struct hdp_finding *raw);
#endif /* HEDDLE_DRIVER_COLLECT_H */
