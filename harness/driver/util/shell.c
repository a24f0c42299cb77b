/* shell.c - see shell.h */
#include "shell.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

bool shell_can_read(const char *command)
{
    char *argv[] = {"sh", "-n", "-c", (char *)command, NULL};
    int status = 0;
    pid_t pid;

    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
        return true;
    return status == 0;
}

void shell_quote(FILE *to, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
    bool is_plain = *word && strspn(word, plain) == strlen(word);

    if (!is_plain)
        fputc('\'', to);
    for (const char *p = word; *p; p++)
        if (*p == '\'' && !is_plain)
            fputs("'\\''", to);
        else
            fputc(*p, to);
    if (!is_plain)
        fputc('\'', to);
}
