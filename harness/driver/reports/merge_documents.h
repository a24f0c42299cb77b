/* merge_documents.h - what several machines found, as one document: findings once, counts added.
 *
 *   ownership  documents are borrowed, results owned by the caller
 */
#ifndef HEDDLE_DRIVER_MERGE_DOCUMENTS_H
#define HEDDLE_DRIVER_MERGE_DOCUMENTS_H

#include <jansson.h>
#include <stddef.h>

struct merge_part {
    const char *folder; /* where it was found: for complaints, and its files */
    json_t *document;   /* of "heddle-tests" */
};

/* Each finding of the result has "from": the folder of the part that its files are in. NULL: they do not
 * belong together, *why says so (free() it). `missing` gets an array of strings, the shards that are not
 * among them. */
json_t *documents_merge(const struct merge_part *part, size_t parts, json_t *missing, char **why);

#endif /* HEDDLE_DRIVER_MERGE_DOCUMENTS_H */
