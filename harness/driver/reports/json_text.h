/* json_text.h - what our JSON documents have in common (docs/json.md). New references. */
#ifndef HEDDLE_DRIVER_JSON_TEXT_H
#define HEDDLE_DRIVER_JSON_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "findings/finding.h"

/* Text of the program, which may be anything: what is not UTF-8 is replaced, never dropped. NULL
 * gives null. */
json_t *json_text(const char *value);
/* A stack: an array of frames, innermost first. */
json_t *json_frames(const struct stack *s);
/* A whole document, indented, in ASCII. */
void json_print(FILE *to, const json_t *document);

#endif /* HEDDLE_DRIVER_JSON_TEXT_H */
