/* selftest.h - heddle doctor --self-test: is every check alive?
 *
 * For each kind of finding a program with that bug (harness/selftest/) is put to `heddle run`, with
 * each back end that is installed, and to `heddle watch`; a correct program is put to all of them,
 * too. A check is alive if it finds what was planted, and says nothing where nothing was.
 */
#ifndef HEDDLE_DRIVER_SELFTEST_H
#define HEDDLE_DRIVER_SELFTEST_H

#include <stdbool.h>

/* One line for each check on stdout. True: every check that can work here is alive. */
bool selftest(bool bold);

#endif /* HEDDLE_DRIVER_SELFTEST_H */
