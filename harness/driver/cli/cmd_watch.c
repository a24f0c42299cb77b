/* cmd_watch.c - heddle watch: a program followed while the operating system schedules it.
 *
 * The library that is loaded into the program writes to a socket as things happen; watch_report.c
 * puts it into words, while the program lives. By the same socket a dump is asked for, when heddle
 * attach wants it.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "findings/suppress.h"
#include "program/target.h"
#include "program/worker.h"
#include "reports/campaign_lockgraph.h"
#include "reports/watch_report.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "watch_socket.h"

enum { OPT_LEAKS = 256, OPT_ORDERS, OPT_GRAPH, OPT_USR1, OPT_SUPPRESSIONS };

static const struct argp_option table[] = {
    {"lock-order", OPT_ORDERS, "on|off", 0, "Predict deadlocks from the order of locks (on)", 0},
    {"lock-graph", OPT_GRAPH, "FILE", 0,
     "When the program ends by exit or SIGQUIT, write which locks were taken while which others "
     "were held to FILE: .dot for graphviz, .json (docs/json.md)",
     0},
    {"leaks", OPT_LEAKS, "on|off", 0, "Say which threads are left at the end (on)", 0},
    {"usr1", OPT_USR1, 0, 0, "SIGUSR1, too, dumps all threads, and the program goes on", 0},
    {"suppressions", OPT_SUPPRESSIONS, "FILE", 0,
     "Do not report what FILE names (kind:pattern lines; TSan's and Valgrind's files, too)", 0},
    {"output", 'o', "FILE", 0, "Append what is found to FILE, too", 0},
    {0},
};

struct arguments {
    bool leaks, orders, usr1;
    const char *output, *graph;
    struct suppressions *suppressions; /* or NULL */
    int first;
};

static bool on_or_off(struct argp_state *state, const char *option, const char *text)
{
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        argp_failure(state, EXIT_USAGE, 0, "%s is on or off, not \"%s\"", option, text);
    return strcmp(text, "on") == 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case OPT_ORDERS:
        a->orders = on_or_off(state, "--lock-order", arg);
        return 0;
    case OPT_LEAKS:
        a->leaks = on_or_off(state, "--leaks", arg);
        return 0;
    case OPT_GRAPH: {
        char *why = lockgraph_check(arg);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        a->graph = arg;
        return 0;
    }
    case ARGP_KEY_END:
        if (a->graph && !a->orders)
            argp_failure(state, EXIT_USAGE, 0, "--lock-graph does not go with --lock-order=off");
        return 0;
    case OPT_USR1:
        a->usr1 = true;
        return 0;
    case OPT_SUPPRESSIONS:
        take_suppressions(state, &a->suppressions, arg);
        return 0;
    case 'o':
        a->output = arg;
        return 0;
    case ARGP_KEY_ARG:
        a->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0,
                     "which program? heddle watch [OPTION...] -- ./prog args");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static volatile pid_t child;

/* Sent to us alone: meant for the program. From the terminal it has it already. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (child > 0 && info->si_code <= 0)
        kill(child, number);
}

static char *library_path(void)
{
    char *runtime = runtime_find();
    char *slash = runtime ? strrchr(runtime, '/') : NULL;
    char *path =
        slash ? mem_format("%.*s/libheddle-watch.so", (int)(slash - runtime), runtime) : NULL;
    free(runtime);
    if (path && access(path, R_OK) != 0) {
        free(path);
        path = NULL;
    }
    return path;
}

static void become(const struct target *t, char **argv, const char *library,
                   const struct arguments *a, int pipe_end)
{
    const char *others = getenv("LD_PRELOAD");
    char *preload =
        mem_format("%s%s%s", library, others && *others ? ":" : "", others ? others : "");
    char *fd = mem_format("%d", pipe_end);
    char *wanted =
        mem_format("dump%s%s%s%s", a->leaks ? ",leaks" : "", a->orders ? ",lockorder" : "",
                   a->graph ? ",graph" : "", a->usr1 ? ",usr1" : "");
    setenv("LD_PRELOAD", preload, 1);
    setenv("HEDDLE_WATCH_FD", fd, 1);
    setenv("HEDDLE", wanted, 1);
    execv(t->path, argv);
    complain("cannot run %s: %s", t->path, strerror(errno));
    _exit(127);
}

/* What was suppressed, and which suppressions were for nothing. */
static void tell_suppressions(struct suppressions *s, uint64_t suppressed)
{
    if (suppressed)
        complain("%llu finding%s suppressed", (unsigned long long)suppressed,
                 suppressed == 1 ? " was" : "s were");
    if (s)
        suppress_unused(s, stderr);
    if (s && suppress_passed_over(s))
        complain("%zu suppressions of other tools mean nothing here", suppress_passed_over(s));
}

/* What has come, and is no whole line yet. */
struct lines {
    char *text;
    size_t used, room;
};

/* False: there will be no more. */
static bool take_lines(int fd, struct lines *l, struct watch_report *report)
{
    if (l->room - l->used < 4096) {
        l->room = 2 * l->room + 8192;
        l->text = mem_resize(l->text, l->room);
    }
    ssize_t n = read(fd, l->text + l->used, l->room - l->used);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    l->used += (size_t)n;
    char *from = l->text, *end;
    while ((end = memchr(from, '\n', l->used - (size_t)(from - l->text)))) {
        *end = '\0';
        watch_report_line(report, from);
        from = end + 1;
    }
    l->used -= (size_t)(from - l->text);
    memmove(l->text, from, l->used);
    return true;
}

/* As long as the program has its end of the socket. */
static void listen_to(pid_t program, int fd, struct watch_report *report)
{
    struct lines lines = {0};
    int listener = watch_socket_listen(program), asker = -1;
    for (bool more = true; more;) {
        struct pollfd p[] = {{.fd = fd, .events = POLLIN},
                             {.fd = asker < 0 ? listener : -1, .events = POLLIN}};
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents && (asker = watch_socket_accept(listener)) >= 0) {
            watch_report_copy(report);
            send(fd, "d", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (p[0].revents)
            more = take_lines(fd, &lines, report);
        char *dump = asker >= 0 ? watch_report_copied(report) : NULL;
        if (!dump)
            continue;
        watch_socket_answer(asker, dump);
        asker = -1;
    }
    if (asker >= 0)
        close(asker);
    if (listener >= 0)
        close(listener);
    free(lines.text);
}

static int follow(const struct arguments *a, const struct target *t, char **argv,
                  const char *library)
{
    struct sigaction act = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    static const int passed[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    int ends[2], status = 0;
    uint64_t suppressed;
    pid_t pid;
    FILE *log = a->output ? fopen(a->output, "ae") : NULL;
    if (a->output && !log) {
        complain("cannot write %s: %s", a->output, strerror(errno));
        return EXIT_CANNOT;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) || (pid = fork()) < 0) {
        complain("cannot start the program: %s", strerror(errno));
        return EXIT_CANNOT;
    }
    if (pid == 0) {
        fcntl(ends[1], F_SETFD, 0);
        become(t, argv, library, a, ends[1]);
    }
    child = pid;
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        sigaction(passed[i], &act, NULL);
    close(ends[1]);
    struct watch_report *report = watch_report_new(library, log, a->suppressions, a->graph != NULL);
    listen_to(pid, ends[0], report);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    uint64_t found = watch_report_end(report, &suppressed);
    tell_suppressions(a->suppressions, suppressed);
    if (log)
        fclose(log);
    bool saved = !a->graph || watch_report_save_graph(report, a->graph, t->path, argv);
    watch_report_free(report);
    if (!saved)
        return EXIT_CANNOT;
    if (found)
        return EXIT_FOUND;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cmd_watch(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "-- PROGRAM [ARGUMENT...]",
        .doc = "Run PROGRAM as it is, the operating system scheduling, and say what is seen: locks "
               "taken in opposite orders, threads that wait in a circle, threads left at the end. "
               "SIGQUIT (Ctrl-\\) dumps every thread, grouped by what it waits for, and ends the "
               "program."
               "\vExit code: 1 when something was found, else the program's own (128 + N when "
               "signal N ended it)."};
    struct arguments a = {.leaks = true, .orders = true};
    struct target target;
    options_parse(&argp, "heddle watch", argc, argv, ARGP_IN_ORDER, &a);
    char *library = library_path();
    char *why = library ? target_open(argv[a.first], &target)
                        : mem_copy("libheddle-watch.so is not beside libheddle-rt.so: install "
                                   "Heddle again, or say where they are with HEDDLE_RUNTIME=PATH");
    if (why) {
        complain("%s", why);
        free(why);
        free(library);
        return EXIT_CANNOT;
    }
    int code = follow(&a, &target, argv + a.first, library);
    suppress_free(a.suppressions);
    free(library);
    target_free(&target);
    return code;
}
