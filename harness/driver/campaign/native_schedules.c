/* native_schedules.c - see native_schedules.h */
#include "native_schedules.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/report_text.h"
#include "tools/tools.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/quantity.h"
#include "util/read_file.h"
#include "util/real_time.h"

#define TICK_NS 2000000

/* One run, or none. */
struct run {
    uint64_t number; /* 0 = none */
    pid_t pid;       /* 0 = not known yet */
    int64_t started_ns;
    int out, err; /* memory files */
    bool timed_out;
    int status;
};

/* libheddle-perturb.so lies beside the runtime; NULL = it does not; free() it. */
static char *find_perturb(const struct campaign *c)
{
    const char *runtime = c->options.launch.runtime, *slash = strrchr(runtime, '/');
    char *path = mem_format("%.*s/libheddle-perturb.so", (int)(slash - runtime), runtime);

    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

struct native {
    struct campaign *campaign;
    struct guard guard;
    struct run *run; /* a slot of the guard for each; the last one is for repetitions */
    unsigned runs;
    const char *perturb;
};

static int become_program(void *arg, unsigned slot, uint64_t number)
{
    const struct native *n = arg;
    const struct campaign *c = n->campaign;
    const struct launch *l = &c->options.launch;
    const char *others = getenv("LD_PRELOAD");
    char *text;
    int in = -1;

    if (c->options.tool) { /* TSan's address layout */
        int now = personality(0xffffffff);
        if (now != -1)
            personality((unsigned)now | ADDR_NO_RANDOMIZE);
    }
    if (l->input >= 0) {
        text = mem_format("/proc/self/fd/%d", l->input);
        in = open(text, O_RDONLY | O_CLOEXEC);
        free(text);
    }
    if (in < 0)
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(in, 0);
    dup2(n->run[slot].out, 1);
    dup2(n->run[slot].err, 2);
    for (char *const *e = l->environment; e && *e; e++)
        putenv(*e);
    if (n->perturb) {
        text = mem_format("%llu", (unsigned long long)(c->options.plan.seed + number));
        setenv("HEDDLE_PERTURB", text, 1);
        text = mem_format("%s%s%s%s%s", l->preload_before ? l->preload_before : "",
                          l->preload_before ? ":" : "", n->perturb, others && *others ? ":" : "",
                          others ? others : "");
        setenv("LD_PRELOAD", text, 1);
    }
    execv(l->program, l->argv);
    return errno;
}

/* The next run shares the descriptor's offset. */
static bool empty(int fd)
{
    return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0;
}

static bool begin(struct native *n, unsigned slot, uint64_t number)
{
    struct run *r = &n->run[slot];

    *r = (struct run){.out = r->out, .err = r->err};
    if (!empty(r->out) || !empty(r->err))
        return false;
    r->number = number;
    r->started_ns = real_now();
    guard_start(&n->guard, slot, number);
    return true;
}

/* A tool that leaves places bare needs the program's map; the first run that lives long enough to
 * show it lends it to all, for addresses are pinned. */
static void learn_map(struct campaign *c, const struct run *r)
{
    const struct tool_run *tool = c->options.tool;

    if (!tool || tool->symbolised || c->maps[0])
        return;
    char *maps = read_maps(r->pid);
    if (maps && strstr(maps, c->options.target->path) && strstr(maps, "libc.so")) {
        c->maps[0] = maps;
        symbols_map(c->symbols, maps);
        return;
    }
    free(maps);
}

static void name_places(struct campaign *c, struct tool_log *log)
{
    tool_symbolise(log, c->maps[0] ? c->symbols : NULL,
                   c->options.tool && !c->options.tool->symbolised);
}

static bool has_ended(struct native *n, unsigned slot)
{
    struct campaign *c = n->campaign;
    struct run *r = &n->run[slot];

    r->pid = guard_pid(&n->guard, slot);
    learn_map(c, r);
    if (guard_ended(&n->guard, slot, &r->status)) {
        int error = guard_error(&n->guard, slot);
        if (error && !c->trouble)
            c->trouble = mem_format("the program cannot be started: %s", strerror(error));
        if (r->pid)
            kill(-r->pid, SIGKILL); /* what it left behind */
        return true;
    }
    r->timed_out |= campaign_stop || real_now() - r->started_ns > c->options.timeout_ns;
    if (r->timed_out)
        guard_kill(&n->guard, slot);
    guard_check(&n->guard);
    return false;
}

static char *output_in(int fd, size_t *bytes)
{
    lseek(fd, 0, SEEK_SET);
    char *text = read_descriptor(fd, OUTPUT_BOUND, bytes);
    return text ? text : mem_copy("");
}

/* The line of an assertion, if that is how it died; free() it. */
static char *assertion_in(int fd)
{
    size_t bytes;
    char *text = output_in(fd, &bytes), *hit = strstr(text, "Assertion `"), *line = NULL;

    if (hit) {
        while (hit > text && hit[-1] != '\n')
            hit--;
        line = mem_format("%.*s", (int)strcspn(hit, "\n"), hit);
    }
    free(text);
    return line;
}

/* What one run shows. */
static void look(struct campaign *c, struct run *r, struct tool_log *log)
{
    char limit[32];

    if (c->options.tool)
        tool_collect(c->options.tool, r->pid, log);
    if (r->timed_out && !campaign_stop) {
        struct finding *f = finding_new(HD_FK_HANG, TOOL_HEDDLE, NULL);
        free(f->text);
        f->text = mem_format("the run did not end within %s",
                             show_time(c->options.timeout_ns, limit, sizeof limit));
        tool_log_add(log, f);
    } else if (WIFEXITED(r->status)) {
        /* A tool may end the program with a code of its own. */
        int code = WEXITSTATUS(r->status);
        if (!campaign_exit_is_fine(c, code) && !c->options.tool) {
            char text[32];
            snprintf(text, sizeof text, "exit code %d", code);
            tool_log_add(log, finding_new(HD_FK_EXIT_CODE, TOOL_HEDDLE, text));
        }
    } else if (WIFSIGNALED(r->status) && !r->timed_out) {
        char *assertion = WTERMSIG(r->status) == SIGABRT ? assertion_in(r->err) : NULL;
        char *text = assertion ? assertion
                               : mem_format("killed by signal %d (%s)", WTERMSIG(r->status),
                                            strsignal(WTERMSIG(r->status)));
        bool seen = false;
        for (size_t i = 0; i < log->count && !assertion; i++)
            seen |= log->finding[i]->kind == HD_FK_CRASH; /* by the tool, and it knows where */
        if (!seen)
            tool_log_add(log,
                         finding_new(assertion ? HD_FK_ASSERTION : HD_FK_CRASH, TOOL_HEDDLE, text));
        free(text);
    }
}

static void save(struct campaign *c, struct finding *f, struct run *r)
{
    static const struct {
        const char *ending;
        size_t file;
    } kept[] = {{".stdout", offsetof(struct finding, output_file)},
                {".stderr", offsetof(struct finding, error_file)}};

    for (int i = 0; i < 2; i++) {
        size_t bytes;
        char *text = output_in(i ? r->err : r->out, &bytes);
        if (bytes)
            campaign_write(c, f->name, kept[i].ending, text, bytes,
                           (char **)((char *)f + kept[i].file));
        free(text);
    }
}

/* Run the same seed again as often as new findings are to be replayed. */
static void repeat(struct native *n, struct finding *f, uint64_t number)
{
    struct campaign *c = n->campaign;
    struct run *spare = &n->run[n->runs - 1];

    for (unsigned k = 0; k < c->options.replays && !campaign_stop; k++) {
        struct tool_log log = {0};
        bool again = false;
        if (!begin(n, n->runs - 1, number))
            return;
        while (!has_ended(n, n->runs - 1))
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
        look(c, spare, &log);
        name_places(c, &log);
        f->replays++;
        c->stats.replays++;
        for (size_t i = 0; i < log.count && !again; i++) {
            finding_fingerprint(log.finding[i]);
            again = log.finding[i]->place == f->place;
        }
        f->reproduced += again;
        tool_log_free(&log);
    }
}

static void take(struct native *n, struct run *r)
{
    struct campaign *c = n->campaign;
    struct tool_log log = {0};
    bool is_new, hidden;

    c->stats.schedules++;
    c->stats.timed_out += r->timed_out;
    if (WIFEXITED(r->status))
        c->exits[WEXITSTATUS(r->status)]++;
    look(c, r, &log);
    name_places(c, &log);
    if (log.trouble && !c->trouble)
        c->trouble = mem_copy(log.trouble);
    c->stats.not_understood += log.raw;
    c->stats.reports_dropped += log.dropped;
    struct finding *last = NULL;
    for (size_t i = 0; i < log.count; i++) {
        struct finding *f = log.finding[i];
        f->first = r->number;
        f->strategy = n->perturb
                          ? mem_format("the operating system's scheduler, perturbed with seed %llu",
                                       (unsigned long long)(c->options.plan.seed + r->number))
                          : mem_copy("the operating system's scheduler");
        doubt_mark(c->doubts, f);
        f = campaign_keep(c, f, &hidden, &is_new);
        f->count -= f == last; /* one run counts once */
        last = f;
        if (!is_new || hidden)
            continue;
        save(c, f, r);
        repeat(n, f, r->number);
        live_found(&c->live, f);
    }
    log.count = 0;
    tool_log_free(&log);
}

static bool may_start(const struct campaign *c)
{
    return !campaign_has_enough(c) && (!c->options.schedules || c->next <= c->options.schedules);
}

static void run_all(struct native *n)
{
    struct campaign *c = n->campaign;

    for (;;) {
        unsigned running = 0;
        bool changed = false;
        for (unsigned i = 0; i < n->runs - 1; i++) {
            struct run *r = &n->run[i];
            if (r->number && has_ended(n, i)) {
                if (n->guard.orders.bell->flooded && !c->trouble)
                    c->trouble = mem_copy("the program makes processes without end: stopped");
                if (!c->trouble)
                    take(n, r);
                r->number = 0;
                changed = true;
            }
            if (!r->number && may_start(c))
                changed |= begin(n, i, c->next++);
            running += r->number != 0;
        }
        if (!running)
            return;
        live_update(&c->live, &c->stats, &c->findings);
        if (!changed)
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS / 4}, NULL);
    }
}

static void open_runs(struct native *n)
{
    struct campaign *c = n->campaign;
    struct hdp_bell *bell =
        mmap(NULL, sizeof *bell, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (bell == MAP_FAILED) {
        c->trouble = mem_format("no shared memory: %s", strerror(errno));
        return;
    }
    for (unsigned i = 0; i < n->runs; i++) {
        n->run[i].out = memfd_create("heddle-stdout", MFD_CLOEXEC);
        n->run[i].err = memfd_create("heddle-stderr", MFD_CLOEXEC);
        if (n->run[i].out < 0 || n->run[i].err < 0)
            c->trouble = mem_format("no memory file for the program's output: %s", strerror(errno));
    }
    bell->max_processes = c->options.launch.max_processes;
    char *why = guard_open(&n->guard, &(struct guard_orders){.slots = n->runs,
                                                             .become = become_program,
                                                             .arg = n,
                                                             .bell = bell,
                                                             .folder = c->options.launch.folder});
    if (why && c->trouble)
        free(why);
    else if (why)
        c->trouble = why;
}

static void close_runs(struct native *n)
{
    struct hdp_bell *bell = n->guard.orders.bell;

    guard_close(&n->guard);
    if (bell)
        munmap(bell, sizeof *bell);
    for (unsigned i = 0; i < n->runs; i++) {
        close(n->run[i].out);
        close(n->run[i].err);
    }
    free(n->run);
}

void native_run(struct campaign *c)
{
    bool valgrind = c->options.tool && c->options.tool->backend != &tool_tsan;
    char *perturb = c->options.perturb && !valgrind ? find_perturb(c) : NULL;
    struct native n = {.campaign = c, .runs = c->options.jobs + 1, .perturb = perturb};

    if (c->options.perturb && valgrind)
        complain("note: Valgrind's own scheduler runs one thread at a time: --perturb does nothing "
                 "under %s",
                 c->options.tool->backend->name);
    else if (c->options.perturb && !perturb) {
        c->trouble = mem_copy("libheddle-perturb.so is not beside libheddle-rt.so: install Heddle "
                              "again, or leave --perturb out");
        return;
    }
    n.run = mem_zeroed(n.runs, sizeof *n.run);
    open_runs(&n);
    run_all(&n);
    close_runs(&n);
    free(perturb);
}
