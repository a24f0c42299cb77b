/* test_summary.h - many tests in text: the reports of what fails, a line a test, the counts. */
#ifndef HEDDLE_DRIVER_TEST_SUMMARY_H
#define HEDDLE_DRIVER_TEST_SUMMARY_H

#include <jansson.h>
#include <stdint.h>

/* To stdout. `folder` is where all lies. */
void summary_print(const json_t *document, const char *folder, int64_t took_ns);

#endif /* HEDDLE_DRIVER_TEST_SUMMARY_H */
