/* shell.c - see shell.h */
#include "shell.h"

#include <spawn.h>
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
