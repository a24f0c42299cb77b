/* state_file.c - see state_file.h */
#include "state_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "complain.h"
#include "whole_file.h"

char *state_file_read(const char *path, const char *option, json_t **state)
{
    json_error_t error;

    *state = NULL;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return NULL;
    *state = json_load_file(path, 0, &error);
    return *state ? NULL : mem_format("%s: %s:%d: %s", option, path, error.line, error.text);
}

bool state_file_write(const char *path, const json_t *state)
{
    char *text = json_dumps(state, JSON_COMPACT | JSON_ENSURE_ASCII);
    int error = text ? whole_file_replace(path, text, strlen(text)) : ENOMEM;

    if (error)
        complain("%s cannot be written: %s", path, strerror(error));
    free(text);
    return !error;
}
