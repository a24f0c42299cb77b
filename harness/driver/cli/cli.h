/* cli.h - what all subcommands share: exit codes, complaints, numbers and times from the user. */
#ifndef HEDDLE_DRIVER_CLI_H
#define HEDDLE_DRIVER_CLI_H

#include <stdbool.h>
#include <stdint.h>

/* The documented exit codes. */
enum exit_code {
    EXIT_NOTHING = 0, /* nothing found (replay: the schedule passes now) */
    EXIT_FOUND = 1,
    EXIT_USAGE = 2,
    EXIT_CANNOT = 3, /* the program could not be run or controlled */
};

int cmd_run(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_stress(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

/* "heddle: " and the sentence, on stderr, on a line of its own. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A whole decimal number in [low, high]. False: text is none. */
bool parse_count(const char *text, uint64_t low, uint64_t high, uint64_t *value);
/* "500ms", "30s", "2m", "1h", "10" (seconds), "1.5s": in ns, > 0. False: text is none. */
bool parse_time(const char *text, int64_t *ns);
/* Nanoseconds as a person writes them: "250 ms", "1.5 s", "3 min". In a buffer of the caller. */
const char *show_time(int64_t ns, char *buffer, unsigned long bytes);
/* 1234567 as "1,234,567". In a buffer of the caller (>= 28 bytes). */
const char *show_count(uint64_t n, char *buffer);
/* Monotonic real time, ns. */
int64_t real_now(void);

#endif /* HEDDLE_DRIVER_CLI_H */
