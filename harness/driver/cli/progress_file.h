/* progress_file.h - how far a campaign came, for the next one: --continue=FILE.
 *
 * Schedules are numbers, and a seed says what each is. What later ones learn from earlier ones they learn anew.
 */
#ifndef HEDDLE_DRIVER_PROGRESS_FILE_H
#define HEDDLE_DRIVER_PROGRESS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "campaign/plan.h"

/* *begin: the first schedule to count, 1 when there is no such file. NULL, or why the file is none of this
 * campaign (free() it). */
char *progress_read(const char *path, char *const *argv, const struct plan *plan, uint64_t *begin);
/* False: it cannot be written, which is said. */
bool progress_write(const char *path, char *const *argv, const struct plan *plan, uint64_t next);

#endif /* HEDDLE_DRIVER_PROGRESS_FILE_H */
