/* options.h - what the options of all subcommands have in common. */
#ifndef HEDDLE_DRIVER_OPTIONS_H
#define HEDDLE_DRIVER_OPTIONS_H

#include <argp.h>
#include <stdint.h>

/* argp_parse(), which ends the command with one sentence and EXIT_USAGE when an option is none, and says
 * which one may have been meant. -h alone is --help. `name` is what messages call the command. */
void options_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags,
                   void *input);

/* What an option was given, as a whole number or a time in nanoseconds; else one sentence and EXIT_USAGE. */
uint64_t option_count(struct argp_state *state, const char *option, const char *text, uint64_t low,
                      uint64_t high);
int64_t option_time(struct argp_state *state, const char *option, const char *text);

#endif /* HEDDLE_DRIVER_OPTIONS_H */
