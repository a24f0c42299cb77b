/* coverage.h - notes which ways the synchronisation of schedules goes (wire/covered.h).
 *
 *   threads   the one that has the turn
 *   time      a constant for each operation
 */
#ifndef HEDDLE_CORE_COVERAGE_H
#define HEDDLE_CORE_COVERAGE_H

#include "thread.h"
#include "wire/covered.h"

extern struct hdp_covered *hdi_covered; /* NULL: nobody asks */

/* t cannot go on with what it is about to do. */
void hdi_coverage_waits(const struct hdi_thread *t, const struct hdi_op *op);
/* t goes on with it now; or, of a wait that others ended, will wait for something else. */
void hdi_coverage_goes_on(const struct hdi_thread *t, const struct hdi_op *op, enum hdi_wake wake);

#endif /* HEDDLE_CORE_COVERAGE_H */
