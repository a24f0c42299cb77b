/* shared_options.c - what options of several subcommands do. */
#include <stdlib.h>

#include "cli.h"
#include "findings/suppress.h"
#include "util/exit_code.h"

void take_suppressions(struct argp_state *state, struct suppressions **all, const char *file)
{
    if (!*all)
        *all = suppress_new();
    char *why = suppress_read(*all, file);
    if (why)
        argp_failure(state, EXIT_USAGE, 0, "%s", why);
    free(why);
}
