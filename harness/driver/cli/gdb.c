/* gdb.c - see gdb.h */
#include "gdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"

/* gdb starts the program as `exec WRAPPER program args` in a shell. */
static char *wrapper(const struct campaign *c, int memory)
{
    const struct launch *l = &c->options.launch;
    if (l->input < 0)
        return mem_format("set exec-wrapper env LD_PRELOAD=%s %s=%d,0", l->runtime, HDP_ENV,
                          memory);
    int input = fcntl(l->input, F_DUPFD, 100);
    lseek(input, 0, SEEK_SET);
    return mem_format("set exec-wrapper <&%d env LD_PRELOAD=%s %s=%d,0", input, l->runtime, HDP_ENV,
                      memory);
}

static _Noreturn void become_gdb(struct campaign *c, const char *function)
{
    const struct launch *l = &c->options.launch;
    size_t n = 0, k = 0;
    while (l->argv[n])
        n++;
    const char **argv = mem_zeroed(n + 16, sizeof *argv);
    argv[k++] = "gdb";
    argv[k++] = "-q";
    argv[k++] = "-ex";
    argv[k++] = wrapper(c, fcntl(c->crew.memory, F_DUPFD, 100));
    argv[k++] = "-ex";
    argv[k++] = "run";
    argv[k++] = "-ex";
    argv[k++] = "info threads";
    if (function) {
        argv[k++] = "-ex";
        argv[k++] = mem_format("frame function %s", function);
    }
    argv[k++] = "--args";
    argv[k++] = l->program;
    for (size_t i = 1; i < n; i++)
        argv[k++] = l->argv[i];
    execvp("gdb", (char *const *)argv);
    complain(errno == ENOENT ? "gdb is not installed" : "gdb cannot be started: %s",
             strerror(errno));
    _exit(127);
}

int gdb_replay(struct campaign *c, const char *function)
{
    struct hdp_region *r = c->crew.worker[0].region;
    r->config.flags |= HDP_REPLAY | HDP_NO_FORK | HDP_TRAP;
    r->config.flags &= ~(uint32_t)HDP_RICH;
    r->config.watchdog_ms = 0; /* a person looks at it for longer */
    r->state = HDP_STARTING;
    r->command = HDP_CMD_NONE;
    r->result = (struct hdp_result){0};
    r->thread_count = r->object_count = r->stack_used = r->maps_bytes = 0;
    complain("gdb runs the schedule and stops %s; \"thread apply all backtrace\" shows all threads",
             r->config.stop_at ? "there" : "at the finding");
    pid_t pid = fork();
    if (pid < 0) {
        complain("no new process: %s", strerror(errno));
        return EXIT_CANNOT;
    }
    if (pid == 0)
        become_gdb(c, function);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? EXIT_CANNOT : EXIT_NOTHING;
}
