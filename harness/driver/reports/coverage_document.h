/* coverage_document.h - which ways the synchronisation of a campaign's schedules went (wire/covered.h), by places: which locks
 * nobody ever waited for, which timed waits never ran out or were never ended before, which tries never failed, which
 * places were never in the other order.
 *
 *   shape  lists in the order of their texts
 */
#ifndef HEDDLE_DRIVER_COVERAGE_DOCUMENT_H
#define HEDDLE_DRIVER_COVERAGE_DOCUMENT_H

#include <jansson.h>
#include <stdio.h>

#include "symbols/symbol.h"
#include "wire/covered.h"

struct coverage;

struct coverage *coverage_new(void);
void coverage_free(struct coverage *c);
/* Add what the schedules of a worker came to; symbols as of it. */
void coverage_take(struct coverage *c, struct hdp_covered *from, struct symbols *symbols);
/* The document's "coverage" (docs/json.md). */
json_t *coverage_json(const struct coverage *c);
/* Lines of such a document: what never happened, at most so many of each kind. */
void coverage_print(FILE *to, const json_t *coverage, size_t most);
/* Is there anything that never happened? */
bool coverage_lacks(const json_t *coverage);
/* The same for the summary of a run. */
void coverage_summary(FILE *to, const struct coverage *c);
/* Add what another one, of the same program, has; both as of documents. */
void coverage_join(json_t *to, const json_t *from);
/* A line for each way that went in the one alone, "- contended: accounts.lock", and in the other alone, with "+". How
 * many of the former there are. */
size_t coverage_compare(FILE *to, const json_t *one, const json_t *other);

#endif /* HEDDLE_DRIVER_COVERAGE_DOCUMENT_H */
