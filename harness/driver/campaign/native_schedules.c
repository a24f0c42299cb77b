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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/report_text.h"
#include "tools/tools.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/quantity.h"
#include "util/real_time.h"

#define TICK_NS 2000000

/* One run, or none. */
struct run {
    pid_t pid; /* 0 = none */
    uint64_t number;
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

static _Noreturn void become_program(const struct campaign *c, const struct run *r,
                                     const char *perturb)
{
    const struct launch *l = &c->options.launch;
    const char *others = getenv("LD_PRELOAD");
    char *text;
    int in = -1;

    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (c->options.tool) { /* TSan's address layout */
        int now = personality(0xffffffff);
        if (now != -1)
            personality((unsigned)now | ADDR_NO_RANDOMIZE);
    }
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    if (l->input >= 0) {
        text = mem_format("/proc/self/fd/%d", l->input);
        in = open(text, O_RDONLY | O_CLOEXEC);
        free(text);
    }
    if (in < 0)
        in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(in, 0);
    dup2(r->out, 1);
    dup2(r->err, 2);
    for (char *const *e = l->environment; e && *e; e++)
        putenv(*e);
    if (perturb) {
        text = mem_format("%llu", (unsigned long long)(c->options.plan.seed + r->number));
        setenv("HEDDLE_PERTURB", text, 1);
        text = mem_format("%s%s%s%s%s", l->preload_before ? l->preload_before : "",
                          l->preload_before ? ":" : "", perturb, others && *others ? ":" : "",
                          others ? others : "");
        setenv("LD_PRELOAD", text, 1);
    }
    execv(l->program, l->argv);
    _exit(127);
}

static bool begin(struct campaign *c, struct run *r, uint64_t number, const char *perturb)
{
    r->number = number;
    r->timed_out = false;
    r->started_ns = real_now();
    if (ftruncate(r->out, 0) != 0 || ftruncate(r->err, 0) != 0)
        return false;
    fflush(NULL);
    r->pid = fork();
    if (r->pid == 0)
        become_program(c, r, perturb);
    if (r->pid < 0) {
        c->trouble = mem_format("no new process: %s", strerror(errno));
        r->pid = 0;
    }
    return r->pid > 0;
}

/* A tool that leaves places bare needs the program's map; the first run that lives long enough to
 * show it lends it to all, for addresses are pinned. */
static void learn_map(struct campaign *c, const struct run *r)
{
    const struct tool_run *tool = c->options.tool;

    if (!tool || tool->symbolised || c->maps[0])
        return;
    const struct worker w = {.pid = r->pid};
    char *maps = worker_maps(&w);
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

static bool has_ended(struct campaign *c, struct run *r)
{
    learn_map(c, r);

    if (waitpid(r->pid, &r->status, WNOHANG) == r->pid) {
        kill(-r->pid, SIGKILL); /* what it left behind */
        return true;
    }
    if (!r->timed_out && (campaign_stop || real_now() - r->started_ns > c->options.timeout_ns)) {
        r->timed_out = true;
        kill(-r->pid, SIGKILL);
        kill(r->pid, SIGKILL);
    }
    return false;
}

static char *read_file(int fd, size_t *bytes)
{
    off_t size = lseek(fd, 0, SEEK_END);
    if (size > OUTPUT_BOUND)
        size = OUTPUT_BOUND;
    char *text = mem_zeroed((size_t)(size > 0 ? size : 0) + 1, 1);
    ssize_t n = pread(fd, text, (size_t)(size > 0 ? size : 0), 0);
    *bytes = n > 0 ? (size_t)n : 0;
    return text;
}

/* The line of an assertion, if that is how it died; free() it. */
static char *assertion_in(int fd)
{
    size_t bytes;
    char *text = read_file(fd, &bytes), *hit = strstr(text, "Assertion `"), *line = NULL;

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
        char *text = read_file(i ? r->err : r->out, &bytes), *why = NULL;
        if (bytes)
            why = outdir_write(&c->outdir, f->name, kept[i].ending, text, bytes,
                               (char **)((char *)f + kept[i].file));
        if (why && !c->stats.not_saved)
            complain("%s; findings are printed all the same", why);
        c->stats.not_saved |= why != NULL;
        free(why);
        free(text);
    }
}

/* Run the same seed again as often as new findings are to be replayed. */
static void repeat(struct campaign *c, struct finding *f, uint64_t number, const char *perturb,
                   struct run *spare)
{
    for (unsigned k = 0; k < c->options.replays && !campaign_stop; k++) {
        struct tool_log log = {0};
        bool again = false;
        if (!begin(c, spare, number, perturb))
            return;
        while (!has_ended(c, spare))
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
        look(c, spare, &log);
        name_places(c, &log);
        f->replays++;
        c->stats.replays++;
        for (size_t i = 0; i < log.count && !again; i++)
            again = finding_fingerprint(log.finding[i]) == f->fingerprint;
        f->reproduced += again;
        tool_log_free(&log);
    }
    spare->pid = 0;
}

static void take(struct campaign *c, struct run *r, const char *perturb, struct run *spare)
{
    struct tool_log log = {0};
    bool is_new, hidden;

    c->stats.schedules++;
    c->stats.timed_out += r->timed_out;
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
        f->strategy = perturb
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
        repeat(c, f, r->number, perturb, spare);
        live_found(&c->live, f);
    }
    log.count = 0;
    tool_log_free(&log);
}

static bool may_start(const struct campaign *c)
{
    return !campaign_has_enough(c) && (!c->options.schedules || c->next <= c->options.schedules);
}

static void run_all(struct campaign *c, struct run *run, unsigned jobs, const char *perturb)
{
    for (;;) {
        unsigned running = 0;
        bool changed = false;
        for (unsigned i = 0; i < jobs; i++) {
            struct run *r = &run[i];
            if (r->pid && has_ended(c, r)) {
                take(c, r, perturb, &run[jobs]);
                r->pid = 0;
                changed = true;
            }
            if (!r->pid && may_start(c))
                changed |= begin(c, r, c->next++, perturb);
            running += r->pid != 0;
        }
        if (!running)
            return;
        live_update(&c->live, &c->stats, &c->findings);
        if (!changed)
            nanosleep(&(struct timespec){.tv_nsec = TICK_NS / 4}, NULL);
    }
}

void native_run(struct campaign *c)
{
    unsigned jobs = c->options.jobs;
    bool valgrind = c->options.tool && c->options.tool->backend != &tool_tsan;
    char *perturb = c->options.perturb && !valgrind ? find_perturb(c) : NULL;
    struct run *run = mem_zeroed(jobs + 1, sizeof *run);

    if (c->options.perturb && valgrind)
        complain("note: Valgrind's own scheduler runs one thread at a time: --perturb does nothing "
                 "under %s",
                 c->options.tool->backend->name);
    else if (c->options.perturb && !perturb) {
        c->trouble = mem_copy("libheddle-perturb.so is not beside libheddle-rt.so: install Heddle "
                              "again, or leave --perturb out");
        free(run);
        return;
    }
    for (unsigned i = 0; i <= jobs; i++) {
        run[i].out = memfd_create("heddle-stdout", MFD_CLOEXEC);
        run[i].err = memfd_create("heddle-stderr", MFD_CLOEXEC);
        if (run[i].out < 0 || run[i].err < 0)
            c->trouble = mem_format("no memory file for the program's output: %s", strerror(errno));
    }
    run_all(c, run, jobs, perturb);
    for (unsigned i = 0; i <= jobs; i++) {
        close(run[i].out);
        close(run[i].err);
    }
    free(run);
    free(perturb);
}
