/* cli.h - the subcommands: each takes argv from its own name on and returns the exit code. */
#ifndef HEDDLE_DRIVER_CLI_H
#define HEDDLE_DRIVER_CLI_H

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif /* HEDDLE_DRIVER_CLI_H */
