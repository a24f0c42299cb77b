/* cmd_watch.c - heddle watch: a program followed while the operating system schedules it.
 *
 * The library that is loaded into the program writes lines to a pipe as things happen; addresses in
 * them, {c...} of code and {o...} of data, get their words here, while the program lives.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "lockgraph.h"
#include "memory.h"
#include "symbol.h"
#include "target.h"
#include "worker.h"

enum { OPT_LEAKS = 256, OPT_ORDERS, OPT_GRAPH, OPT_USR1 };

static const struct argp_option table[] = {
    {"lock-order", OPT_ORDERS, "on|off", 0, "Predict deadlocks from the order of locks (on)", 0},
    {"lock-graph", OPT_GRAPH, "FILE", 0,
     "When the program ends by exit or SIGQUIT, write which locks were taken while which others "
     "were held to FILE: .dot for graphviz, .json (docs/json.md)",
     0},
    {"leaks", OPT_LEAKS, "on|off", 0, "Say which threads are left at the end (on)", 0},
    {"usr1", OPT_USR1, 0, 0, "SIGUSR1, too, dumps all threads, and the program goes on", 0},
    {"output", 'o', "FILE", 0, "Append what is found to FILE, too", 0},
    {0},
};

struct arguments {
    bool leaks, orders, usr1;
    const char *output, *graph;
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

struct watch {
    pid_t pid;
    struct symbols *symbols;
    FILE *log;
    uint64_t findings;
    char *map;
    size_t map_bytes, map_room;
    bool map_new;
    struct lockgraph *graph; /* NULL: not asked for */
    bool graph_whole;        /* all of it came */
};

static void print_frame(FILE *to, const struct frame *f)
{
    if (f->function && f->file)
        fprintf(to, "%s  %s:%u", f->function, f->file, f->line);
    else if (f->function)
        fprintf(to, "%s  (%s+0x%llx)", f->function, f->module ? f->module : "?",
                (unsigned long long)f->offset);
    else
        fprintf(to, "%s+0x%llx", f->module ? f->module : "?", (unsigned long long)f->offset);
}

/* A code address: the place itself, or on a line of its own all functions inlined there. Our own
 * code and libc's start-up give nothing, and then the line goes, too. */
static bool print_code(struct watch *w, FILE *to, uint64_t pc, const char *indent)
{
    struct stack s = {0};
    symbols_frames(w->symbols, pc, true, &s);
    for (size_t i = 0; i < s.count && (indent || i == 0); i++) {
        if (i)
            fprintf(to, "\n%s", indent);
        print_frame(to, &s.frame[i]);
    }
    bool any = s.count != 0;
    stack_clear(&s);
    return any;
}

static void print_object(struct watch *w, FILE *to, uint64_t addr)
{
    char *name = symbols_variable(w->symbols, addr);
    if (name)
        fputs(name, to);
    else
        fprintf(to, "0x%llx", (unsigned long long)addr);
    free(name);
}

/* The line in words; false when nothing is left of it. */
static bool translate(struct watch *w, const char *line, FILE *to)
{
    const char *text = line + strspn(line, " ");
    char indent[16];
    bool alone =
        text[0] == '{' && text[1] == 'c' && strchr(text, '}') && strchr(text, '}')[1] == '\0';
    snprintf(indent, sizeof indent, "%.*s", (int)(text - line), line);
    for (const char *p = line; *p;) {
        char *end;
        if (*p != '{' || (p[1] != 'c' && p[1] != 'o')) {
            fputc(*p++, to);
            continue;
        }
        uint64_t addr = strtoull(p + 2, &end, 16);
        if (*end != '}') {
            fputc(*p++, to);
            continue;
        }
        if (p[1] == 'o')
            print_object(w, to, addr);
        else if (!print_code(w, to, addr, alone ? indent : NULL) && alone)
            return false;
        p = end + 1;
    }
    fputc('\n', to);
    return true;
}

/* Lines that begin with \1 are the program's memory map; an empty one begins it anew. */
static void take_map(struct watch *w, const char *line)
{
    size_t n = strlen(line);
    if (!n)
        w->map_bytes = 0;
    if (w->map_bytes + n + 2 > w->map_room) {
        char *larger = mem_zeroed(2 * (w->map_bytes + n + 2), 1);
        if (w->map_bytes)
            memcpy(larger, w->map, w->map_bytes);
        free(w->map);
        w->map = larger;
        w->map_room = 2 * (w->map_bytes + n + 2);
    }
    memcpy(w->map + w->map_bytes, line, n);
    w->map_bytes += n;
    w->map[w->map_bytes] = '\0';
    if (n)
        memcpy(w->map + w->map_bytes++, "\n", 2);
    w->map_new = true;
}

static uint32_t graph_node(struct watch *w, const struct hdp_lock *lock)
{
    bool is_new;
    uint32_t i = lockgraph_node(w->graph, lock,
                                lockgraph_place(w->graph, w->symbols, lock->created_site), &is_new);
    if (i != LOCKGRAPH_NONE && is_new) {
        struct lock_node *n = &w->graph->node[i];
        char *name = lock->addr ? symbols_variable(w->symbols, lock->addr) : NULL;
        n->home = name         ? name
                  : lock->addr ? mem_format("0x%llx", (unsigned long long)lock->addr)
                               : NULL;
    }
    return i;
}

static uint64_t next_number(const char **text, int base)
{
    char *end;
    uint64_t n = strtoull(*text, &end, base);
    *text = end;
    return n;
}

/* One end of an edge: its node and place. */
static uint32_t next_end(struct watch *w, const char **text, bool *shared,
                         const struct lock_place **at)
{
    struct hdp_lock lock = {.count = 1};
    lock.addr = next_number(text, 16);
    lock.kind = (uint16_t)next_number(text, 10);
    *shared = next_number(text, 10) != 0;
    *at = lockgraph_place(w->graph, w->symbols, next_number(text, 16));
    return graph_node(w, &lock);
}

/* A row of the lock-order graph: see instrument/follow/report.c. */
static void take_edge(struct watch *w, const char *line)
{
    struct lock_arc like = {.count = *line != 'r'};
    const char *at = line + 1;
    uint32_t gate[HDP_LOCK_GATES];
    char thread[16] = "";
    if (*line == 'z') {
        w->graph_whole = true;
        return;
    }
    like.held = next_end(w, &at, &like.held_shared, &like.held_at);
    like.took = next_end(w, &at, &like.took_shared, &like.took_at);
    if (sscanf(at, " %15s", thread) == 1)
        at = strstr(at, thread) + strlen(thread);
    like.gate = *line == 'r' ? NULL : gate;
    while (*at && like.gates < HDP_LOCK_GATES) {
        struct hdp_lock lock = {.addr = next_number(&at, 16), .count = 1};
        gate[like.gates] = graph_node(w, &lock);
        like.gates += gate[like.gates] != LOCKGRAPH_NONE;
    }
    if (like.held == LOCKGRAPH_NONE || like.took == LOCKGRAPH_NONE)
        return;
    struct lock_arc *a = lockgraph_arc(w->graph, &like, thread, 0);
    if (a && *line == 'r')
        a->predicted = true;
}

static void take_line(struct watch *w, const char *line)
{
    char *text = NULL;
    size_t bytes = 0;
    if (*line == '\1') {
        take_map(w, line + 1);
        return;
    }
    if (*line == '\2') {
        if (w->map_new)
            symbols_map(w->symbols, w->map);
        w->map_new = false;
        if (w->graph)
            take_edge(w, line + 1);
        return;
    }
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return;
    if (w->map_new)
        symbols_map(w->symbols, w->map);
    w->map_new = false;
    if (strncmp(line, "heddle: ", 8) == 0)
        w->findings += strncmp(line + 8, "dump ", 5) != 0 && strncmp(line + 8, "end ", 4) != 0;
    bool any = translate(w, line, to);
    fclose(to);
    if (any) {
        fputs(text, stderr);
        if (w->log) {
            fputs(text, w->log);
            fflush(w->log);
        }
    }
    free(text);
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

static bool save_graph(struct watch *w, const char *path, const char *program, char **argv)
{
    struct lockgraph_about about = {"watch", program, argv};
    struct names none = {0};
    if (!w->graph_whole)
        complain("the program did not end by exit or SIGQUIT: %s has only the edges of locks that "
                 "were destroyed and of predicted deadlocks",
                 path);
    lockgraph_finish(w->graph, &none);
    char *why = lockgraph_save(w->graph, &about, path);
    if (why)
        complain("%s", why);
    free(why);
    return !why;
}

static int follow(const struct arguments *a, const struct target *t, char **argv,
                  const char *library)
{
    struct watch w = {.symbols = symbols_new(), .graph = a->graph ? lockgraph_new() : NULL};
    struct sigaction act = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};
    static const int passed[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    int ends[2], status = 0;
    if (a->output && !(w.log = fopen(a->output, "ae"))) {
        complain("cannot write %s: %s", a->output, strerror(errno));
        symbols_free(w.symbols);
        return EXIT_CANNOT;
    }
    if (pipe2(ends, O_CLOEXEC) || (w.pid = fork()) < 0) {
        complain("cannot start the program: %s", strerror(errno));
        return EXIT_CANNOT;
    }
    if (w.pid == 0) {
        fcntl(ends[1], F_SETFD, 0);
        become(t, argv, library, a, ends[1]);
    }
    child = w.pid;
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        sigaction(passed[i], &act, NULL);
    close(ends[1]);
    symbols_hide(w.symbols, library);
    FILE *in = fdopen(ends[0], "r");
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; in && (n = getline(&line, &room, in)) > 0;) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        take_line(&w, line);
    }
    free(line);
    if (in)
        fclose(in);
    while (waitpid(w.pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (w.log)
        fclose(w.log);
    bool saved = !w.graph || save_graph(&w, a->graph, t->path, argv);
    lockgraph_free(w.graph);
    symbols_free(w.symbols);
    free(w.map);
    if (!saved)
        return EXIT_CANNOT;
    if (w.findings)
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
    argp_err_exit_status = EXIT_USAGE;
    argv[0] = "heddle watch";
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a);
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
    free(library);
    target_free(&target);
    return code;
}
