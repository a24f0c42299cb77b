/* options.h - what the options of all subcommands have in common. */
#ifndef HEDDLE_DRIVER_OPTIONS_H
#define HEDDLE_DRIVER_OPTIONS_H

#include <argp.h>

/* argp_parse(), which ends the command with one sentence and EXIT_USAGE when an option is none, and says
 * which one may have been meant. -h alone is --help. `name` is what messages call the command. */
void options_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags,
                   void *input);

#endif /* HEDDLE_DRIVER_OPTIONS_H */
