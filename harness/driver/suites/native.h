/* native.h - a scenario run natively, as often as it takes to show how it ends.
 *
 * A right one must end well: some hold times of milliseconds against each other, which a loaded
 * machine does not keep, so it is run again until it does. A wrong one is run until its mistake
 * shows; natively it need not.
 */
#ifndef HEDDLE_DRIVER_NATIVE_H
#define HEDDLE_DRIVER_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "suite.h"

/* With HEDDLE_LIB=vehicle, at most so many runs, none begun after until_ns of real time (0: no limit).
 * Writes what a run printed that did not end well into the file, and to standard output the document
 * that stress_judge() reads. What the process is to exit with, which this uses for itself. */
int run_natively(const struct stress_scenario *scenario, const char *vehicle, uint64_t runs,
                 int64_t until_ns, const char *file);

/* Does a run that ends in `shown` bear out the scenario's expected kinds? Threads that wait for ever
 * are a hang or what the library says of it, and a data race is whatever comes of it. */
bool native_fits(const char *expect, const char *shown);

#endif /* HEDDLE_DRIVER_NATIVE_H */
