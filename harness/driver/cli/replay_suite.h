/* replay_suite.h - several schedules replayed, a line each: old findings must not come back. */
#ifndef HEDDLE_DRIVER_REPLAY_SUITE_H
#define HEDDLE_DRIVER_REPLAY_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replaying.h"

struct schedule_files {
    char **path;
    size_t count;
    bool many; /* several, or a folder, were named */
};

/* The schedule files that are meant, those of a folder in the order of their names. NULL, or a
 * sentence that the caller frees; on both, schedule_files_free(). */
char *schedule_files_find(const char *const *named, size_t count, struct schedule_files *files);
void schedule_files_free(struct schedule_files *files);

/* Replay each, print how it went. Returns the exit code. */
int replay_suite(const struct schedule_files *files, const struct replay_options *options,
                 uint64_t around);

#endif /* HEDDLE_DRIVER_REPLAY_SUITE_H */
