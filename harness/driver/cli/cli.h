/* cli.h - the subcommands: each takes argv from its own name on and returns the exit code. */
#ifndef HEDDLE_DRIVER_CLI_H
#define HEDDLE_DRIVER_CLI_H

#include <argp.h>
#include <stdbool.h>

struct suppressions;

int cmd_baseline(int argc, char **argv);
int cmd_coverage(int argc, char **argv);
int cmd_ctest(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_verify_fix(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);

/* May reports be printed in bold? On a terminal that can (TERM is neither unset nor dumb), unless NO_COLOR is set
 * and not empty (no-color.org). */
bool cli_bold(void);

/* --suppressions=FILE: add those of the file to *all, made when it is NULL; else one sentence and EXIT_USAGE. */
void take_suppressions(struct argp_state *state, struct suppressions **all, const char *file);

#endif /* HEDDLE_DRIVER_CLI_H */
