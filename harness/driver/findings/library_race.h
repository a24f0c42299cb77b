/* library_race.h - data races that are the C++ library's own, and without effect here.
 *
 *   threads  one at a time
 */
#ifndef HEDDLE_DRIVER_LIBRARY_RACE_H
#define HEDDLE_DRIVER_LIBRARY_RACE_H

#include "finding.h"
#include "scene.h"

/* Mark f as doubtful if it is one. */
void library_race_mark(const struct scene *scene, const struct hdp_finding *raw, struct finding *f);

#endif /* HEDDLE_DRIVER_LIBRARY_RACE_H */
