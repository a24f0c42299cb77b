/* hd_explore.c - hd_explore(): the parent of the exploring children. heddle/test.h states the use.
 *
 * A child runs schedule after schedule in itself and stops behind the first whose record is of
 * interest, or dies in it; the parent reads the record from shared memory and forks the next child
 * behind that schedule. The first failing schedule is run once more, with stacks, for the report.
 */
#include <heddle/test.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <heddle/seam.h>

#include "campaign/fault_plan.h"
#include "exhaustive.h"
#include "explore.h"
#include "findings/collect.h"
#include "schedules/config_words.h"
#include "reports/report_text.h"
#include "process/in_process.h"
#include "util/fault_words.h"

extern const struct hd_seam *heddle_rt_seam(uint32_t version);

#define DEFAULT_SCHEDULES 1000
#define DEFAULT_MOST_SCHEDULES 100000 /* of all that there are */
#define DEFAULT_STEPS 20000
/* The first schedules tell the others where something could fail. */
#define TELLING 16u

static struct explore now; /* for configure(), which the runtime calls with a number alone */
static uint32_t extra_flags;
static uint32_t fault_kinds;
static struct fault_plan *faults;
static struct exhaustive *exhaustive;            /* NULL: schedules are chosen by chance */
static struct hdp_config told_with[TELLING + 1]; /* the faults of those that tell */

/* What needs no earlier schedule; round robin only when asked for. */
static const struct {
    enum hdp_strategy strategy;
    uint32_t depth;
} mix[] = {{HDP_RANDOM, 0}, {HDP_PCT, 2}, {HDP_POS, 0}, {HDP_BURST, 0}, {HDP_PCT, 3}, {HDP_RR, 0}};
enum { TURNS = 5, MIX = sizeof mix / sizeof *mix };

/* The first entry of mix with this strategy; MIX: none. */
static size_t find_strategy(const char *word)
{
    size_t i = 0;
    while (i < MIX && strcmp(strategy_word(mix[i].strategy), word) != 0)
        i++;
    return i;
}

static uint32_t find_model(const char *word)
{
    uint32_t i = 0;
    while (i < MODEL_WORDS && strcmp(model_words[i], word) != 0)
        i++;
    return i;
}

/* Everything follows from the number, and from what the first schedules told of faults, so that a number is a
 * replay. */
static void configure(struct hdp_config *c, uint64_t number)
{
    static const uint32_t lengths[] = {16, 64, 256};
    const struct hd_explore_options *o = &now.options;
    size_t which = exhaustive ? 0 : o->strategy ? find_strategy(o->strategy) : number % TURNS;

    *c = (struct hdp_config){.flags = HDP_TRACE | HDP_SCOUT | extra_flags |
                                      (number % 2 ? 0 : (uint32_t)HDP_RELEASED) |
                                      (o->ignore_leaks ? (uint32_t)HDP_NO_LEAKS : 0),
                             .strategy = mix[which].strategy,
                             .depth = mix[which].depth,
                             .seed = o->seed * 0x9e3779b97f4a7c15u + number,
                             .expected_steps = lengths[number / TURNS % 3],
                             .max_steps = o->max_steps,
                             .clock_base_ns = 1767225600LL * 1000000000,
                             .patience_ns = 100000000,
                             .points = now.all_accesses ? HDP_POINTS_ALL : HDP_POINTS_SHARED,
                             .memory_model = o->memory_model ? find_model(o->memory_model) : 0,
                             .faults = fault_kinds};
    if (exhaustive) {
        c->flags &= ~(uint32_t)(HDP_SCOUT | HDP_RELEASED);
        c->flags |= HDP_EXHAUSTIVE | HDP_RACES;
        c->seed = o->seed;
        c->points = HDP_POINTS_ALL;
    }
    if (!fault_kinds)
        return;
    if (number <= TELLING)
        memcpy(c->fault, told_with[number].fault, sizeof c->fault);
    else
        fault_plan_choose(faults, o->seed, number, c);
}

static void explore_here(struct hdp_region *region, struct rt_explored *told, uint64_t first,
                         uint64_t last)
{
    region->news = (struct hdp_learned){0};
    heddle_rt_explore_start(region);
    now.attach(heddle_rt_seam(HD_SEAM_VERSION));
    heddle_rt_explore(told, first, last, configure, now.fn, now.arg);
}

/* A test framework's handler would go on with its other tests, in the child. */
static void crash_as_ever(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};

    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        signal(crashes[i], SIG_DFL);
}

/* Wait status of a child that explored [first, last]. */
static int explore_in_own_child(struct hdp_region *region, struct rt_explored *told, uint64_t first,
                                uint64_t last)
{
    int status = -1;
    pid_t pid;

    told->running = 0;
    region->result = (struct hdp_result){0};
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        crash_as_ever();
        explore_here(region, told, first, last);
        fflush(NULL);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* What steps touched is compared between schedules by address, so that each begins with the same heap: that of a
 * process which only forks them. */
static struct {
    pid_t pid; /* 0: there is none */
    int orders, statuses;
} server;

struct order {
    uint64_t first, last;
    uint32_t flags;
};

static void serve(struct hdp_region *region, struct rt_explored *told, int orders, int statuses)
{
    struct order o;

    while (read(orders, &o, sizeof o) == (ssize_t)sizeof o) {
        extra_flags = o.flags;
        int status = explore_in_own_child(region, told, o.first, o.last);
        if (write(statuses, &status, sizeof status) != (ssize_t)sizeof status)
            break;
    }
    _exit(0);
}

static bool start_server(struct hdp_region *region, struct rt_explored *told)
{
    int orders[2], statuses[2];

    if (pipe2(orders, O_CLOEXEC) != 0)
        return false;
    if (pipe2(statuses, O_CLOEXEC) != 0) {
        close(orders[0]);
        close(orders[1]);
        return false;
    }
    fflush(NULL);
    server.pid = fork();
    if (server.pid == 0) {
        close(orders[1]);
        close(statuses[0]);
        serve(region, told, orders[0], statuses[1]);
    }
    close(orders[0]);
    close(statuses[1]);
    server.orders = orders[1];
    server.statuses = statuses[0];
    return server.pid > 0;
}

static void stop_server(void)
{
    if (!server.pid)
        return;
    close(server.orders);
    close(server.statuses);
    while (server.pid > 0 && waitpid(server.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    server.pid = 0;
}

static int explore_in_child(struct hdp_region *region, struct rt_explored *told, uint64_t first,
                            uint64_t last)
{
    const struct order o = {first, last, extra_flags};
    int status = -1;

    if (!server.pid)
        return explore_in_own_child(region, told, first, last);
    fflush(NULL);
    if (write(server.orders, &o, sizeof o) != (ssize_t)sizeof o ||
        read(server.statuses, &status, sizeof status) != (ssize_t)sizeof status)
        return -1;
    exhaustive_forgive_races(exhaustive, region);
    return status;
}

static bool failed(const struct hdp_region *region, int status)
{
    return region->result.findings || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static struct explore_failure failure_of(const struct hdp_region *region, int status)
{
    const struct hdp_finding *f = &region->finding[0];
    struct explore_failure how = {.kind = UINT32_MAX, .status = status};

    if (!region->result.findings)
        return how;
    how.kind = f->kind;
    how.status = 0;
    if (f->kind != HD_FK_CRASH && f->kind != HD_FK_PANIC && f->kind != HD_FK_ASSERTION)
        return how;
    snprintf(how.text, sizeof how.text, "%s", f->text);
    how.site = f->notes ? f->note[0].site : 0;
    return how;
}

static bool counts(const struct hdp_region *region, int status)
{
    struct explore_failure how = failure_of(region, status);

    return !now.counts || now.counts(now.arg, &how);
}

static void set_kind(struct hd_explore_result *r, enum hd_finding_kind kind)
{
    r->kind = (int)kind;
    snprintf(r->word, sizeof r->word, "%s", finding_word(kind));
}

/* The record of the failing schedule, in words. */
static void describe(struct hd_explore_result *r, struct hdp_region *region, int status,
                     uint64_t number, bool again)
{
    struct symbols *symbols = symbols_new();
    struct names objects = {0};
    struct scene scene = {.region = region, .symbols = symbols, .objects = &objects};
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    struct finding *f;

    symbols_hide(symbols, "libheddle-rt.so");
    if (region->maps_bytes)
        symbols_map(symbols, region->maps);
    if (region->result.findings) {
        f = collect_finding(&scene, &region->finding[0]);
    } else {
        char what[64];
        if (WIFSIGNALED(status))
            snprintf(what, sizeof what, "killed by signal %d", WTERMSIG(status));
        else
            snprintf(what, sizeof what, "exit code %d", WEXITSTATUS(status));
        f = collect_ending(&scene, HD_FK_CRASH, what);
    }
    f->first = number;
    f->replays = 1;
    f->reproduced = again;
    set_kind(r, f->kind);
    if (to) {
        report_finding(to, f, false, true);
        fclose(to);
        snprintf(r->report, sizeof r->report, "schedule %llu: %s\n  run it again alone: %s%llu\n",
                 (unsigned long long)number, text, now.again, (unsigned long long)number);
        free(text);
    }
    finding_free(f);
    names_free(&objects);
    symbols_free(symbols);
}

/* The schedule that failed, without stacks. */
struct first_failure {
    struct hdp_finding finding;
    uint32_t findings;
    int status;
    struct exhaustive_path *path; /* of all schedules: what leads there */
};

static void keep(struct first_failure *kept, const struct hdp_region *region, int status)
{
    kept->finding = region->finding[0];
    kept->findings = region->result.findings;
    kept->status = status;
    exhaustive_path_free(kept->path);
    kept->path = exhaustive ? exhaustive_path_of(region) : NULL;
}

static uint32_t kind_of(const struct first_failure *kept)
{
    return kept->findings ? kept->finding.kind : HD_FK_CRASH;
}

/* What schedules came to. */
struct outcome {
    struct hd_explore_result *r;
    struct first_failure kept; /* the one that is reported */
    uint32_t preemptions;      /* in it */
    bool could_not;
};

/* The schedule with this number once more, with stacks, for the report. */
static void report(struct hd_explore_result *r, struct hdp_region *region, struct rt_explored *told,
                   uint64_t number, const struct first_failure *kept)
{
    const struct rt_explored before = *told;
    struct first_failure shown = {0};
    bool again;
    int status;

    extra_flags = HDP_RICH;
    if (kept->path)
        exhaustive_follow(kept->path, region);
    status = explore_in_child(region, told, number, number);
    extra_flags = 0;
    *told = before;
    keep(&shown, region, status);
    again = failed(region, status) && kind_of(&shown) == kind_of(kept) && counts(region, status);
    if (!again) {
        region->finding[0] = kept->finding;
        region->result.findings = kept->findings;
        status = kept->status;
    }
    describe(r, region, status, number, again);
    exhaustive_path_free(shown.path);
    if (now.again_so)
        *now.again_so = again;
}

static bool tells(uint64_t number)
{
    return fault_kinds && number <= TELLING;
}

/* Before schedule `number` is run, alone in its child. */
static void choose(struct hdp_region *region, uint64_t number)
{
    if (exhaustive)
        exhaustive_order(exhaustive, region);
    if (tells(number))
        fault_plan_choose(faults, now.options.seed, number, &told_with[number]);
}

/* After that. False: it says nothing new, and has no number. */
static bool learn(const struct hdp_region *region, uint64_t number)
{
    if (tells(number)) {
        fault_plan_learn(faults, region, number);
        fault_plan_phase(faults, number + 1);
    }
    return !exhaustive || exhaustive_take(exhaustive, region);
}

/* What those up to `last` tell is needed; what they print and come to is not. */
static void learn_up_to(struct hdp_region *region, struct rt_explored *told, uint64_t last)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), kept[2];

    fflush(NULL);
    for (int fd = 0; fd < 2; fd++) {
        kept[fd] = dup(fd + 1);
        dup2(null, fd + 1);
    }
    for (uint64_t number = 1;
         number <= last && (exhaustive ? !exhaustive_is_over(exhaustive) : tells(number));) {
        choose(region, number);
        explore_in_child(region, told, number, number);
        number += learn(region, number);
    }
    for (int fd = 0; fd < 2; fd++) {
        dup2(kept[fd], fd + 1);
        close(kept[fd]);
    }
    close(null);
    *told = (struct rt_explored){0};
}

/* Options that could not do anything. */
static void say_without_effect(struct hd_explore_result *r)
{
    struct fault_stats s;
    size_t used = 0;

    fault_plan_count(faults, &s);
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++)
        if (fault_kinds >> i & 1 && fault_begins_option(i) &&
            !fault_sum(s.points, fault_words[i].option) && used < sizeof r->report)
            used +=
                (size_t)snprintf(r->report + used, sizeof r->report - used,
                                 "hd_explore: faults=%s had no effect: %s while goroutines ran\n",
                                 fault_words[i].option, fault_words[i].none);
}

/* What goes before schedule `first`. */
static bool begin(const struct explore *e, struct hdp_region *region, struct rt_explored *told,
                  uint64_t first)
{
    fault_kinds = 0;
    if (e->options.faults) {
        free(faults_parse(e->options.faults, &fault_kinds));
        faults = fault_plan_new();
    }
    exhaustive = e->options.exhaustive ? exhaustive_new() : NULL;
    if (exhaustive && !start_server(region, told))
        return false;
    if (first > 1 && (exhaustive || faults))
        learn_up_to(region, told, first - 1);
    return true;
}

static void end(struct hd_explore_result *r, bool passed)
{
    if (fault_kinds && passed)
        say_without_effect(r);
    fault_plan_free(faults);
    faults = NULL;
    fault_kinds = 0;
    stop_server();
    exhaustive_free(exhaustive);
    exhaustive = NULL;
}

static bool memory(struct hdp_region **region, struct rt_explored **told,
                   struct hd_explore_result *r)
{
    *region = heddle_rt_explore_memory();
    *told = mmap(NULL, sizeof **told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (*region && *told != MAP_FAILED)
        return true;
    snprintf(r->report, sizeof r->report, "hd_explore: no memory to share with a child\n");
    return false;
}

/* Are schedules up to `last` left? */
static bool goes_on(const struct explore *e, uint64_t next, uint64_t last)
{
    if (next > last || (exhaustive && exhaustive_is_over(exhaustive)))
        return false;
    return !e->while_small || !exhaustive_is_beyond(exhaustive, e->options.schedules);
}

/* Schedule `next`, or several from it on. False: a failure that counts ends the exploration. */
static bool run_next(const struct explore *e, struct hdp_region *region, struct rt_explored *told,
                     uint64_t next, uint64_t last, struct outcome *o)
{
    const struct rt_explored before = *told;
    struct hd_explore_result *r = o->r;
    uint32_t these;

    choose(region, next);
    int status = explore_in_child(region, told, next, exhaustive || tells(next) ? next : last);
    if (status == -1) {
        snprintf(r->report, sizeof r->report, "hd_explore: fork failed: %s\n", strerror(errno));
        o->could_not = true;
        return false;
    }
    these = region->result.preemptions;
    if (told->running) /* it died on the way */
        told->schedules++;
    if (!learn(region, next)) {
        *told = before;
        return true;
    }
    if (!failed(region, status) || !counts(region, status))
        return true;
    r->failing++;
    if (!r->first || (e->fewest && these < o->preemptions)) {
        r->first = next + (told->schedules - before.schedules) - 1;
        keep(&o->kept, region, status);
        o->preemptions = these;
    }
    return e->options.keep_going || e->fewest;
}

/* Of an exhaustive exploration. -1: it is no proof. */
static int say_explored(const struct explore *e, struct hd_explore_result *r)
{
    if (r->failing && !e->options.keep_going) /* it stopped there, be it the last */
        return 1;
    r->exhausted = exhaustive_covers_all(exhaustive);
    exhaustive_print(exhaustive, r->failing, r->report, sizeof r->report);
    return r->failing ? 1 : r->exhausted ? 0 : -1;
}

int explore(const struct explore *e, uint64_t first, uint64_t last, struct hd_explore_result *r)
{
    struct rt_explored *told;
    struct hdp_region *region;
    struct outcome o = {.r = r, .preemptions = UINT32_MAX};
    int result;

    memset(r, 0, sizeof *r);
    r->kind = -1;
    now = *e;
    if (!memory(&region, &told, r))
        return -1;
    if (!begin(e, region, told, first)) {
        snprintf(r->report, sizeof r->report, "hd_explore: fork failed: %s\n", strerror(errno));
        o.could_not = true;
    } else if (exhaustive && exhaustive_is_over(exhaustive)) {
        snprintf(r->report, sizeof r->report, "hd_explore: there is no schedule %llu\n",
                 (unsigned long long)first);
        o.could_not = true;
    }
    while (!o.could_not && goes_on(e, first + told->schedules, last) &&
           run_next(e, region, told, first + told->schedules, last, &o))
        ;
    result = o.could_not ? -1 : r->failing ? 1 : 0;
    if (!o.could_not && r->first && e->only_kind)
        set_kind(r, (enum hd_finding_kind)kind_of(&o.kept));
    else if (!o.could_not && r->first)
        report(r, region, told, r->first, &o.kept);
    if (!o.could_not && exhaustive && first == 1 && last == e->options.schedules)
        result = say_explored(e, r);
    end(r, result == 0);
    r->schedules = told->schedules;
    r->steps = told->steps;
    r->cut = told->cut;
    r->virtual_ns = told->virtual_ns;
    exhaustive_path_free(o.kept.path);
    munmap(region, sizeof *region);
    munmap(told, sizeof *told);
    return result;
}

void explore_in_place(const struct explore *e, uint64_t number)
{
    static struct hd_explore_result unused;
    struct rt_explored *told;
    struct hdp_region *region;

    now = *e;
    if (!memory(&region, &told, &unused))
        _exit(1);
    if (!begin(e, region, told, number + (e->options.exhaustive != 0)))
        _exit(1);
    if (exhaustive) /* the region has what the schedule did */
        exhaustive_follow(exhaustive_path_of(region), region);
    else
        choose(region, number);
    explore_here(region, told, number, number);
    fflush(NULL);
    _exit(region->result.findings ? 1 : 0);
}

bool explored_from_outside(void)
{
    return heddle_rt_seam(HD_SEAM_VERSION) != NULL;
}

/* The hooks that do nothing are found before the runtime's: no access would be seen. */
static bool hooks_come_first(void)
{
    Dl_info in;
    void *hook = dlsym(RTLD_DEFAULT, "__tsan_func_entry");

    return hook && dladdr(hook, &in) && strstr(in.dli_fname, "libheddle-hooks.so");
}

static uint64_t number_in(const char *variable)
{
    const char *value = getenv(variable);
    return value ? strtoull(value, NULL, 10) : 0;
}

bool explore_schedules_asked(void)
{
    return number_in("HEDDLE_SCHEDULES") != 0;
}

bool explore_settle(struct hd_explore_options *o, char *text, size_t bytes)
{
    uint64_t schedules = number_in("HEDDLE_SCHEDULES");

    if (schedules)
        o->schedules = schedules > UINT32_MAX ? UINT32_MAX : (uint32_t)schedules;
    if (!o->schedules)
        o->schedules = o->exhaustive ? DEFAULT_MOST_SCHEDULES : DEFAULT_SCHEDULES;
    if (!o->max_steps)
        o->max_steps = DEFAULT_STEPS;
    if (!o->seed)
        o->seed = 1;
    if (o->strategy && strcmp(o->strategy, "auto") == 0)
        o->strategy = NULL;
    if (hooks_come_first()) {
        snprintf(text, bytes,
                 "link Heddle::test, or -lheddle-test -lheddle-rt, before libheddle-hooks");
        return false;
    }
    bool weak = o->memory_model && strcmp(o->memory_model, "sc") != 0;
    if (o->exhaustive && (o->strategy || o->faults || weak)) {
        snprintf(text, bytes, "%s does not go with exhaustive",
                 o->strategy ? "strategy"
                 : o->faults ? "faults"
                             : "memory_model");
        return false;
    }
    if (o->strategy && find_strategy(o->strategy) == MIX) {
        snprintf(text, bytes, "unknown strategy \"%s\"", o->strategy);
        return false;
    }
    uint32_t kinds;
    char *why = o->faults ? faults_parse(o->faults, &kinds) : NULL;
    if (why) {
        snprintf(text, bytes, "%s", why);
        free(why);
        return false;
    }
    if (o->memory_model && find_model(o->memory_model) == MODEL_WORDS) {
        snprintf(text, bytes, "unknown memory model \"%s\": sc, tso or c11", o->memory_model);
        return false;
    }
    return true;
}

/* HEDDLE_SCHEDULE: the schedule to be run alone; 0: all are, as nobody asks for one. *other: it is of a test
 * with another name. *bad: it is of this one, and no number. */
static uint64_t asked_for(const char *name, bool *other, bool *bad)
{
    const char *value = getenv("HEDDLE_SCHEDULE"), *colon = value ? strrchr(value, ':') : NULL;
    size_t n = colon ? (size_t)(colon - value) : 0;
    uint64_t number;
    char *end;

    *bad = false;
    *other = colon && !(name && strlen(name) == n && strncmp(name, value, n) == 0);
    if (!value || !*value || *other)
        return 0;
    value = colon ? colon + 1 : value;
    number = strtoull(value, &end, 10);
    *bad = *value < '0' || *value > '9' || *end || !number;
    return number;
}

int hd_explore_through(void (*attach)(const struct hd_seam *seam), void (*fn)(void *arg), void *arg,
                       const struct hd_explore_options *options, struct hd_explore_result *result)
{
    struct hd_explore_result own, *r = result ? result : &own;
    struct explore e = {.attach = attach, .fn = fn, .arg = arg};
    char again[128] = "HEDDLE_SCHEDULE=", text[256];
    uint64_t alone;
    bool other, bad;

    memset(r, 0, sizeof *r);
    r->kind = -1;
    if (explored_from_outside()) {
        fn(arg);
        r->schedules = 1;
        return 0;
    }
    if (options)
        e.options = *options;
    if (!explore_settle(&e.options, text, sizeof text)) {
        snprintf(r->report, sizeof r->report, "hd_explore: %s\n", text);
        return -1;
    }
    if (e.options.name)
        snprintf(again, sizeof again, "HEDDLE_SCHEDULE=%s:", e.options.name);
    e.again = again;
    alone = asked_for(e.options.name, &other, &bad);
    if (other)
        return 0;
    if (bad) {
        snprintf(r->report, sizeof r->report,
                 "hd_explore: %s is the number of no schedule: HEDDLE_SCHEDULE=NAME:N or N\n",
                 getenv("HEDDLE_SCHEDULE"));
        return -1;
    }
    if (!alone)
        return explore(&e, 1, e.options.schedules, r);
    int failed = explore(&e, alone, alone, r);
    if (failed < 0)
        return failed;
    if (failed)
        fputs(r->report, stderr);
    else
        fprintf(stderr, "schedule %llu: passes\n", (unsigned long long)alone);
    explore_in_place(&e, alone);
}
