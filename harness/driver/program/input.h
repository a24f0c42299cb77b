/* input.h - the program's stdin: the same bytes for each schedule. */
#ifndef HEDDLE_DRIVER_INPUT_H
#define HEDDLE_DRIVER_INPUT_H

/* A seekable descriptor with all of our stdin, or -1: there is none (a terminal, nothing,
 * /dev/null). A pipe is read to its end first. *why: a sentence when that fails, free() it. */
int input_open(char **why);
/* The same of a file. */
int input_open_file(const char *path, char **why);

#endif /* HEDDLE_DRIVER_INPUT_H */
