/* shell.h - commands that the user gives for /bin/sh. */
#ifndef HEDDLE_DRIVER_SHELL_H
#define HEDDLE_DRIVER_SHELL_H

#include <stdbool.h>
#include <stdio.h>

/* Is this in the shell's language? If not, the shell says on stderr what it is that it cannot read. */
bool shell_can_read(const char *command);
/* Print a word so that a shell reads it as it is. */
void shell_quote(FILE *to, const char *word);

#endif /* HEDDLE_DRIVER_SHELL_H */
