/* main.c - the heddle command: which subcommand? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "suites/cmd_stress.h"
#include "util/complain.h"
#include "util/exit_code.h"

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "run a program under many schedules and report what goes wrong", cmd_run},
    {"replay", "run one recorded schedule again, under gdb if you like", cmd_replay},
    {"watch", "run a program as it is; say which locks and threads go wrong, dump on Ctrl-\\",
     cmd_watch},
    {"stress", "run suites of scenarios and compare their verdicts", cmd_stress},
    {"doctor", "say what works on this machine, what does not, how to mend it", cmd_doctor},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *to)
{
    fputs(
        "Heddle finds deadlocks, lost wakeups, leaked threads, misuse, crashes and data races in\n"
        "programs that use threads: it chooses which thread runs next, schedule after schedule,\n"
        "and replays what it finds.\n\n"
        "Usage: heddle COMMAND [OPTION...]\n\n",
        to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].what);
    fputs("\nStart with:  heddle run -- ./prog args\n"
          "Options:     heddle COMMAND --help\n\n"
          "Exit codes: 0 nothing found, 1 something found, 2 wrong usage,\n"
          "            3 the program could not be run or controlled (a sentence says why).\n",
          to);
}

/* Started with one of them closed, what is opened first would be taken for it. */
static void open_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
            return;
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        help(stdout);
        return EXIT_NOTHING;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("heddle " HEDDLE_VERSION);
        return EXIT_NOTHING;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (word[0] == '-')
        complain("unknown option %s; heddle --help lists the commands", word);
    else
        complain("unknown command \"%s\"; heddle --help lists the commands", word);
    return EXIT_USAGE;
}
