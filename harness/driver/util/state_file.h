/* state_file.h - what a run leaves the next one, as a file of JSON. */
#ifndef HEDDLE_DRIVER_STATE_FILE_H
#define HEDDLE_DRIVER_STATE_FILE_H

#include <stdbool.h>

#include <jansson.h>

/* Into *state; NULL: there is no such file yet. A sentence that begins with the option, to be
 * free()d, if it cannot be read. */
char *state_file_read(const char *path, const char *option, json_t **state);

/* In place of what is there. False, and said: it cannot be written. */
bool state_file_write(const char *path, const json_t *state);

#endif /* HEDDLE_DRIVER_STATE_FILE_H */
