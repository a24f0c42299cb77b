/* main.c - the heddle command: which subcommand? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "suites/cmd_stress.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/nearest.h"

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "run a program under many schedules and report what goes wrong", cmd_run},
    {"replay", "run recorded schedules again, one under gdb if you like", cmd_replay},
    {"verify-fix", "is what a schedule shows gone, or has it only moved?", cmd_verify_fix},
    {"watch", "run a program as it is; say which locks and threads go wrong, dump on Ctrl-\\",
     cmd_watch},
    {"attach", "look at a process that hangs, or its core: who waits for whom", cmd_attach},
    {"ctest", "run every test of a CMake project so, and report them together", cmd_ctest},
    {"test", "the same for tests that meson, make check or another command runs", cmd_test},
    {"stress", "run suites of scenarios and compare their verdicts", cmd_stress},
    {"report",
     "print what a run found again, as a page to walk through its schedules, or as a trace",
     cmd_report},
    {"merge", "put what several machines found together", cmd_merge},
    {"coverage", "what never happened in a run, or how two runs differ there", cmd_coverage},
    {"baseline", "write the findings of a run as known ones, for later runs", cmd_baseline},
    {"explain", "say what a kind of finding means, with a wrong and a right program", cmd_explain},
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
        fprintf(to, "  %-10s  %s\n", commands[i].name, commands[i].what);
    fputs("\nStart with:  heddle run -- ./prog args\n"
          "Options:     heddle help COMMAND\n\n"
          "Exit codes: 0 nothing found, 1 something found, 2 wrong usage,\n"
          "            3 the program could not be run or controlled (a sentence says why),\n"
          "            128 + N ended by signal N with nothing found (130: Ctrl-C).\n",
          to);
}

/* Started with one of them closed, what is opened first would be taken for it. */
static void open_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
            return;
}

/* What was printed and cannot be written is no success, whichever command it was. */
static void close_stdout(int status, void *nothing)
{
    (void)nothing;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return;
    complain("the report cannot be written: %s", strerror(errno ? errno : EIO));
    _exit(status == EXIT_NOTHING ? EXIT_CANNOT : status);
}

static int run_command(const char *word, int argc, char **argv)
{
    struct nearest near = {.typed = word};

    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(argc, argv);
    for (size_t i = 0; i < COMMANDS; i++)
        nearest_try(&near, commands[i].name);
    if (word[0] == '-')
        complain("unknown option %s; heddle --help lists the commands", word);
    else if (near.word)
        complain("unknown command \"%s\": did you mean %s?", word, near.word);
    else
        complain("unknown command \"%s\"; heddle --help lists the commands", word);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static char option[] = "--help";

    open_standard_descriptors();
    on_exit(close_stdout, NULL);
    if (argc < 2) {
        help(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "help") == 0 && argc > 2) {
        char *wanted[] = {argv[2], option, NULL};
        return run_command(argv[2], 2, wanted);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        help(stdout);
        return EXIT_NOTHING;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts("heddle " HEDDLE_VERSION);
        return EXIT_NOTHING;
    }
    return run_command(word, argc - 1, argv + 1);
}
