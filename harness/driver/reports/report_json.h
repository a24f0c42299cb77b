/* report_json.h - a campaign as one JSON document; docs/json.md is its description. */
#ifndef HEDDLE_DRIVER_REPORT_JSON_H
#define HEDDLE_DRIVER_REPORT_JSON_H

#include <stdio.h>

#include "campaign/campaign.h"

#define REPORT_JSON_VERSION 1

/* Write the document. `code` is the exit code of the command. False: the stream did not take it. */
int report_json(FILE *to, const struct campaign *c, int code);

#endif /* HEDDLE_DRIVER_REPORT_JSON_H */
