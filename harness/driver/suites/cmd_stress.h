/* cmd_stress.h - heddle stress: whole suites of programs, and what is to be found in each. */
#ifndef HEDDLE_DRIVER_CMD_STRESS_H
#define HEDDLE_DRIVER_CMD_STRESS_H

/* As the subcommands of cli/cli.h. */
int cmd_stress(int argc, char **argv);

#endif /* HEDDLE_DRIVER_CMD_STRESS_H */
