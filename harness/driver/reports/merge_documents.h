/* merge_documents.h - what several machines found, as one document: findings once, counts added.
 *
 *   ownership  documents are borrowed, results owned by the caller
 *   memory     what findings differ in is held, however many documents there are
 */
#ifndef HEDDLE_DRIVER_MERGE_DOCUMENTS_H
#define HEDDLE_DRIVER_MERGE_DOCUMENTS_H

#include <jansson.h>

struct merge; /* opaque */

struct merge *merge_new(void);
/* Take a document ("heddle-tests") in, which is changed and may be released then. `folder` is where it was
 * found: for complaints, and its files. NULL, or why it does not belong to the others (free() it). */
char *merge_add(struct merge *m, json_t *document, const char *folder);
/* The result; m is gone. Each finding has "from", the folder that its files are in, and "was", its name there.
 * `missing` gets an array of strings: the shards that were not added. */
json_t *merge_finish(struct merge *m, json_t *missing);

#endif /* HEDDLE_DRIVER_MERGE_DOCUMENTS_H */
