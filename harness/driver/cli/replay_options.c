/* replay_options.c - the options that heddle replay and heddle verify-fix share. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "findings/suppress.h"
#include "replaying.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/shell.h"

enum { OPT_TIMEOUT = 512, OPT_TRUST, OPT_EXIT_CODE, OPT_ORACLE, OPT_SUPPRESSIONS, OPT_PROGRAM };

static const struct argp_option table[] = {
    {"program", OPT_PROGRAM, "PATH", 0,
     "Run this program, a mended one for instance, with the recorded arguments (the recorded one, "
     "as "
     "it is now)",
     0},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "Real time that a schedule may take (as recorded)", 0},
    {"exit-code", OPT_EXIT_CODE, "LIST", 0,
     "Exit codes of the program that are no failure, besides 0 and those that were none when it "
     "was "
     "recorded: 77,99, or any",
     0},
    {"oracle", OPT_ORACLE, "COMMAND", 0,
     "Feed the output to a shell command; where it fails, so does the schedule", 0},
    {"suppressions", OPT_SUPPRESSIONS, "FILE", 0,
     "What FILE names is no failure (as for heddle run)", 0},
    {"trust", OPT_TRUST, 0, 0,
     "Run the program that the file names, although you did not write the file on this machine", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct replay_options *o = state->input;

    switch (key) {
    case OPT_TIMEOUT:
        o->timeout_ns = option_time(state, "--timeout", arg);
        return 0;
    case OPT_EXIT_CODE:
        if (!exit_codes_parse(arg, o->fine_exit))
            argp_failure(state, EXIT_USAGE, 0, EXIT_CODES_WANTED, arg);
        return 0;
    case OPT_ORACLE:
        if (!shell_can_read(arg))
            argp_failure(state, EXIT_USAGE, 0, "the oracle `%s` is not in the language of sh", arg);
        o->oracle = arg;
        return 0;
    case OPT_SUPPRESSIONS:
        take_suppressions(state, &o->suppressions, arg);
        return 0;
    case OPT_PROGRAM:
        free(o->found);
        o->found = strchr(arg, '/') ? realpath(arg, NULL) : NULL;
        o->program = o->found ? o->found : arg;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (o->command && o->program)
            argp_failure(state, EXIT_USAGE, 0, "--program does not go with -- PROGRAM");
        return 0;
    case OPT_TRUST:
        o->trust = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp replay_argp = {.options = table, .parser = parse};

void replay_options_free(struct replay_options *o)
{
    suppress_free(o->suppressions);
    free(o->found);
}
