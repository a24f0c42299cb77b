/* resume.h - how far an exploration is, in a file that the next one goes on from: --resume=FILE.
 *
 * The file is whole at any time, and none is missing in it: what ran when it was written is run again.
 */
#ifndef HEDDLE_DRIVER_RESUME_H
#define HEDDLE_DRIVER_RESUME_H

#include <jansson.h>
#include <stdbool.h>

struct campaign;
struct campaign_options;

/* What the file says; *state stays NULL when there is none. NULL, or why it is none of this exploration; free() it. */
char *resume_read(const char *path, const struct campaign_options *o, json_t **state);
/* Go on from there, before the first schedule. */
void resume_give(struct campaign *c, const json_t *state);
/* Now and then, or because it is the end. False: it cannot be written, which is said. */
bool resume_write(struct campaign *c, bool at_end);

#endif /* HEDDLE_DRIVER_RESUME_H */
