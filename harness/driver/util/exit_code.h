/* exit_code.h - the documented exit codes of all subcommands. */
#ifndef HEDDLE_DRIVER_EXIT_CODE_H
#define HEDDLE_DRIVER_EXIT_CODE_H

enum exit_code {                   /* and 128 + N: ended by signal N, with nothing found */
                 EXIT_NOTHING = 0, /* nothing found (replay: the schedule passes now) */
                 EXIT_FOUND = 1,
                 EXIT_USAGE = 2,
                 EXIT_CANNOT = 3, /* the program could not be run or controlled */
};

#endif /* HEDDLE_DRIVER_EXIT_CODE_H */
