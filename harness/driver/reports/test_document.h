/* test_document.h - what was run, as the document that every other format is made of: "heddle-tests"
 * (docs/json.md), one entry a program, each with its "heddle-report".
 *
 *   ownership  results are borrowed from the document unless said otherwise
 */
#ifndef HEDDLE_DRIVER_TEST_DOCUMENT_H
#define HEDDLE_DRIVER_TEST_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

#define TEST_DOCUMENT_VERSION 1

json_t *test_document_new(void);
/* Add a test. `report` is taken over and may be NULL when there is none. `why` may be NULL. */
void test_document_add(json_t *document, const char *name, const char *verdict, const char *why,
                       double seconds, json_t *report);
/* The verdict of a campaign with this exit code: "passed", "failed", "error". */
const char *test_document_verdict(int code);
/* What the last run kept in a folder (outdir_last()), or the document of that name. NULL: *why says why not (free() it). */
json_t *test_document_read(const char *path, char **why);
/* How many tests have this verdict. */
size_t test_document_count(const json_t *document, const char *verdict);

/* In how many of these tests did so many schedules come to an end that it says something to find nothing? One with
 * a finding is judged as well. */
size_t test_document_judged(const json_t *tests);

/* A string of an object; NULL when it is none. */
const char *document_word(const json_t *object, const char *key);
/* The findings of a test that stand for themselves, one after the other from *at = 0 on; those that
 * belong to another one are told with it. NULL: no more. */
json_t *document_finding(const json_t *test, size_t *at);
/* Does the finding fail its test? */
bool document_fails(const json_t *finding);
/* A file of a finding, which a run named from the folder that it was in: beside the report in `from`, in the test's
 * folder below it, or where it was. free() it. */
char *document_file(const char *from, const char *named);
/* The command that shows it again, "heddle replay heddle-out/deadlock-1.schedule"; NULL: there is no
 * file. free() it. */
char *document_replay(const json_t *finding);

#endif /* HEDDLE_DRIVER_TEST_DOCUMENT_H */
