/* corpus.h - what a campaign has learned, in a folder that the next one of the same program begins with:
 * --corpus=DIR. Which accesses are points, what followed what, a profile, how far the numbers came, and which
 * predictions are still open, with the tries that were made; in DIR/findings the schedules of what was found.
 *
 * Unlike --continue, nothing is run again to learn it. Addresses stand in it: it is of one build. The schedules of
 * findings are followed in any.
 */
#ifndef HEDDLE_DRIVER_CORPUS_H
#define HEDDLE_DRIVER_CORPUS_H

#include <jansson.h>

#include "campaign_state.h"

/* Make the folder unless it is there, and hold it for one run: *lock, to be closed when what was learned is written.
 * Returns NULL, or why not (free() it); *misuse: the option is wrong. */
char *corpus_hold(const char *folder, int *lock, bool *misuse);
/* What the folder has; *state NULL: nothing yet, or of another build, which is said. Returns NULL, or why it is none of
 * this campaign's (free() it). */
char *corpus_read(const char *folder, const struct campaign_options *o, json_t **state);
/* An opened campaign, of which nothing has run, goes on there. */
void corpus_give(struct campaign *c, const json_t *state);
/* The folder of the findings' schedules; free() it. */
char *corpus_findings(const char *folder);
/* The campaign is over: keep what it has learned, and the number that the next one begins with. False: it cannot be written, which is said. */
bool corpus_write(struct campaign *c, uint64_t next);

#endif /* HEDDLE_DRIVER_CORPUS_H */
