/* hd_explore.c - hd_explore(): the parent of the exploring children. heddle/test.h states the use.
 *
 * A child runs schedule after schedule in itself and stops behind the first whose record is of
 * interest, or dies in it; the parent reads the record from shared memory and forks the next child
 * behind that schedule. The first failing schedule is run once more, with stacks, for the report.
 */
#include <heddle/test.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <heddle/seam.h>

#include "findings/collect.h"
#include "schedules/config_words.h"
#include "reports/report_text.h"
#include "process/in_process.h"

extern const struct hd_seam *heddle_rt_seam(uint32_t version);

#define DEFAULT_SCHEDULES 1000
#define DEFAULT_STEPS 20000

static struct hd_explore_options wanted;
static uint32_t extra_flags;
static void (*attach_seam)(const struct hd_seam *seam);

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

/* Everything follows from the number, so that a number is a replay. */
static void configure(struct hdp_config *c, uint64_t number)
{
    static const uint32_t lengths[] = {16, 64, 256};
    size_t which = wanted.strategy ? find_strategy(wanted.strategy) : number % TURNS;

    *c = (struct hdp_config){.flags = HDP_TRACE | extra_flags |
                                      (number % 2 ? 0 : (uint32_t)HDP_RELEASED) |
                                      (wanted.ignore_leaks ? (uint32_t)HDP_NO_LEAKS : 0),
                             .strategy = mix[which].strategy,
                             .depth = mix[which].depth,
                             .seed = wanted.seed * 0x9e3779b97f4a7c15u + number,
                             .expected_steps = lengths[number / TURNS % 3],
                             .max_steps = wanted.max_steps,
                             .clock_base_ns = 1767225600LL * 1000000000,
                             .patience_ns = 100000000};
}

static void explore_here(struct hdp_region *region, struct rt_explored *told, uint64_t first,
                         uint64_t last, void (*fn)(void *), void *arg)
{
    heddle_rt_explore_start(region);
    attach_seam(heddle_rt_seam(HD_SEAM_VERSION));
    heddle_rt_explore(told, first, last, configure, fn, arg);
}

/* Wait status of a child that explored [first, last]. */
static int explore_in_child(struct hdp_region *region, struct rt_explored *told, uint64_t first,
                            uint64_t last, void (*fn)(void *), void *arg)
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        explore_here(region, told, first, last, fn, arg);
        fflush(NULL);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static bool failed(const struct hdp_region *region, int status)
{
    return region->result.findings || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
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
    r->kind = (int)f->kind;
    snprintf(r->word, sizeof r->word, "%s", finding_word(f->kind));
    if (to) {
        report_finding(to, f, false, true);
        fclose(to);
        snprintf(r->report, sizeof r->report,
                 "schedule %llu: %s\n  run it again alone: HEDDLE_SCHEDULE=%s%s%llu\n",
                 (unsigned long long)number, text, wanted.name ? wanted.name : "",
                 wanted.name ? ":" : "", (unsigned long long)number);
        free(text);
    }
    finding_free(f);
    names_free(&objects);
    symbols_free(symbols);
}

static uint64_t number_in(const char *variable)
{
    const char *value = getenv(variable);
    return value ? strtoull(value, NULL, 10) : 0;
}

/* HEDDLE_SCHEDULE: the schedule to be run alone; 0: all are, as nobody asks for one. *other: it is of a test
 * with another name. */
static uint64_t asked_for(bool *other)
{
    const char *value = getenv("HEDDLE_SCHEDULE"), *colon = value ? strrchr(value, ':') : NULL;
    size_t n = colon ? (size_t)(colon - value) : 0;

    *other =
        colon && !(wanted.name && strlen(wanted.name) == n && strncmp(wanted.name, value, n) == 0);
    return value ? strtoull(colon ? colon + 1 : value, NULL, 10) : 0;
}

static void settle(const struct hd_explore_options *options)
{
    uint64_t schedules = number_in("HEDDLE_SCHEDULES");

    wanted = options ? *options : (struct hd_explore_options){0};
    if (schedules)
        wanted.schedules = schedules > UINT32_MAX ? UINT32_MAX : (uint32_t)schedules;
    if (!wanted.schedules)
        wanted.schedules = DEFAULT_SCHEDULES;
    if (!wanted.max_steps)
        wanted.max_steps = DEFAULT_STEPS;
    if (!wanted.seed)
        wanted.seed = 1;
    if (wanted.strategy && strcmp(wanted.strategy, "auto") == 0)
        wanted.strategy = NULL;
}

/* What the schedule came to, on stderr, before it is run in place. */
static void show(struct hd_explore_result *r, struct hdp_region *region, struct rt_explored *told,
                 uint64_t number, void (*fn)(void *), void *arg)
{
    int status;

    extra_flags = HDP_RICH;
    region->result = (struct hdp_result){0};
    status = explore_in_child(region, told, number, number, fn, arg);
    if (failed(region, status)) {
        describe(r, region, status, number, true);
        fputs(r->report, stderr);
    } else {
        fprintf(stderr, "schedule %llu: passes\n", (unsigned long long)number);
    }
    region->result = (struct hdp_result){0};
    *told = (struct rt_explored){0};
}

int hd_explore_through(void (*attach)(const struct hd_seam *seam), void (*fn)(void *arg), void *arg,
                       const struct hd_explore_options *options, struct hd_explore_result *result)
{
    struct hd_explore_result own, *r = result ? result : &own;
    struct rt_explored *told, before;
    struct hdp_region *region;
    uint64_t alone, next = 1;
    bool other;

    attach_seam = attach;
    memset(r, 0, sizeof *r);
    r->kind = -1;
    settle(options);
    if (heddle_rt_seam(HD_SEAM_VERSION)) { /* `heddle run` explores this program already */
        fn(arg);
        r->schedules = 1;
        return 0;
    }
    alone = asked_for(&other);
    if (alone && other)
        return 0;
    if (wanted.strategy && find_strategy(wanted.strategy) == MIX) {
        snprintf(r->report, sizeof r->report, "hd_explore: unknown strategy \"%s\"",
                 wanted.strategy);
        return -1;
    }
    region = heddle_rt_explore_memory();
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!region || told == MAP_FAILED) {
        snprintf(r->report, sizeof r->report, "hd_explore: no memory to share with a child");
        return -1;
    }
    if (alone) {
        show(r, region, told, alone, fn, arg);
        extra_flags = 0;
        explore_here(region, told, alone, alone, fn, arg);
        fflush(NULL);
        _exit(region->result.findings ? 1 : 0);
    }
    extra_flags = 0;
    while (next <= wanted.schedules) {
        uint32_t kind;
        int status;
        told->running = 0;
        region->result = (struct hdp_result){0};
        status = explore_in_child(region, told, next, wanted.schedules, fn, arg);
        if (status == -1) {
            snprintf(r->report, sizeof r->report, "hd_explore: fork failed: %s", strerror(errno));
            munmap(region, sizeof *region);
            munmap(told, sizeof *told);
            return -1;
        }
        if (told->running) /* it died on the way */
            told->schedules++;
        next = told->schedules + 1;
        if (!failed(region, status))
            continue;
        r->failing++;
        if (!r->first) {
            r->first = told->schedules;
            extra_flags = HDP_RICH;
            before = *told;
            kind = region->result.findings ? region->finding[0].kind : UINT32_MAX;
            region->result = (struct hdp_result){0};
            status = explore_in_child(region, told, r->first, r->first, fn, arg);
            *told = before;
            extra_flags = 0;
            describe(r, region, status, r->first,
                     kind == (region->result.findings ? region->finding[0].kind : UINT32_MAX));
        }
        if (!wanted.keep_going)
            break;
    }
    r->schedules = told->schedules;
    r->steps = told->steps;
    r->cut = told->cut;
    r->virtual_ns = told->virtual_ns;
    munmap(region, sizeof *region);
    munmap(told, sizeof *told);
    return r->failing ? 1 : 0;
}
