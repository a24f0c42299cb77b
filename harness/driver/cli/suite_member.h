/* suite_member.h - heddle run as one of a suite of tests (heddle ctest, heddle test): --suite=DIR.
 *
 * DIR is the suite's, made by test_suite.c. A member takes its share of the time that is left, keeps its
 * findings in a folder of its own, and leaves a document. A program that cannot be controlled is run as it
 * is: a suite has scripts as well.
 */
#ifndef HEDDLE_DRIVER_SUITE_MEMBER_H
#define HEDDLE_DRIVER_SUITE_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What a suite's folder has. */
#define SUITE_SHARES                                                                               \
    "shares" /* when the time is up, how many run side by side, how many are left */
#define SUITE_DOCUMENTS "documents" /* a document a test */
#define SUITE_TESTS "tests"         /* a folder a test that has findings */

/* End when the one who started us does. */
void member_dies_with_parent(void);
/* The member's share of the time: 0 = there is no limit. */
int64_t member_share(const char *suite);
/* The folder for its findings, by its name; free() it. */
char *member_folder(const char *suite, const char *name);
/* Leave its document. False: it cannot be written, which is said. */
bool member_leave(const char *suite, const char *name, const json_t *document);
/* Can the program be started at all, though not under control? Then it is run as it is: its exit code,
 * 128 + N for signal N; -1: it cannot be started. */
int member_run_plain(char *const *argv);

#endif /* HEDDLE_DRIVER_SUITE_MEMBER_H */
