/* help_text.h - what --help prints of a command. */
#ifndef HEDDLE_DRIVER_HELP_TEXT_H
#define HEDDLE_DRIVER_HELP_TEXT_H

#include <argp.h>
#include <stdio.h>

void help_print(FILE *to, const struct argp *argp, char *name);

#endif /* HEDDLE_DRIVER_HELP_TEXT_H */
