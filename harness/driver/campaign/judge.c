/* judge.c - was there anything wrong with a schedule? What the runtime noted, and what only many
 * schedules together tell: exit codes, outputs. */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "judge_tool.h"
#include "schedules/schedule.h"
#include "util/alloc.h"
#include "util/quantity.h"
#include "wire/hash.h"

#define USUAL_OUTPUT (1u << 20)

uint64_t judge_decisions(const struct hdp_region *r)
{
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    uint64_t h = steps;
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_step *s = &r->trace[i];
        h = hash_mix(h, (uint64_t)s->thread << 32 | (uint64_t)s->kind << 16 | s->flags);
        h = hash_mix(h, (uint64_t)s->choice << 32 | s->object);
        if (hdp_step_is_fault(s))
            h = hash_mix(h, s->site);
    }
    return h;
}

char *judge_difference(struct campaign *c, const struct hdp_step *old, uint32_t old_steps,
                       const struct hdp_region *r)
{
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    uint32_t i = 0;
    while (i < steps && i < old_steps && old[i].thread == r->trace[i].thread &&
           old[i].kind == r->trace[i].kind && old[i].flags == r->trace[i].flags &&
           old[i].choice == r->trace[i].choice && old[i].object == r->trace[i].object &&
           old[i].site == r->trace[i].site)
        i++;
    if (i == steps && i == old_steps)
        return NULL;
    struct names threads = {0};
    scene_thread_names(r, &threads);
    schedule_name_threads(r, &c->objects);
    char *first = i < old_steps ? schedule_describe(&old[i], &threads, &c->objects, c->symbols)
                                : mem_copy("the end");
    char *second = i < steps ? schedule_describe(&r->trace[i], &threads, &c->objects, c->symbols)
                             : mem_copy("the end");
    char *text = mem_format("run twice with the same decisions, it differs at step %u: first %s, "
                            "then %s",
                            i + 1, first, second);
    free(first);
    free(second);
    names_free(&threads);
    return text;
}

static struct symptom *add(struct symptom *list, size_t *count, enum hd_finding_kind kind,
                           uint64_t key, char *text)
{
    struct symptom *s = &list[(*count)++];
    *s = (struct symptom){
        .key = hash_mix(hash_mix(2, (uint64_t)kind), key), .kind = kind, .index = -1, .text = text};
    return s;
}

/* The line in which a sanitizer of the program says what it found: behind "ERROR: AddressSanitizer:
 * ", or before ": runtime error: " as UBSan does. NULL = none; free() it. */
static char *sanitizer_line(const struct worker *w)
{
    size_t bytes = worker_output_bytes(w, true);
    char *text = mem_zeroed(bytes + 1, 1), *line = NULL;
    text[worker_output_read(w, true, 0, text, bytes)] = '\0';
    const char *at = strstr(text, "ERROR: AddressSanitizer: ");
    if (at)
        at += strlen("ERROR: ");
    else if ((at = strstr(text, ": runtime error: ")))
        at += strlen(": ");
    if (at) {
        /* Addresses and process ids differ from run to run: up to the first is enough. */
        size_t length = strcspn(at, "\n");
        const char *address = strstr(at, " on ");
        if (address && address < at + length)
            length = (size_t)(address - at);
        line = mem_format("%.*s", (int)(length > 160 ? 160 : length), at);
    }
    free(text);
    return line;
}

static char *describe_difference(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    size_t i = 0, line = 1, start = 0;
    for (; i < a_bytes && i < b_bytes && a[i] == b[i]; i++)
        if (a[i] == '\n') {
            line++;
            start = i + 1;
        }
    size_t a_end = start, b_end = start;
    while (a_end < a_bytes && a[a_end] != '\n' && a_end - start < 80)
        a_end++;
    while (b_end < b_bytes && b[b_end] != '\n' && b_end - start < 80)
        b_end++;
    return mem_format("stdout differs from the first schedule's in line %zu: \"%.*s\" instead of "
                      "\"%.*s\"",
                      line, (int)(b_end - start), b + start, (int)(a_end - start), a + start);
}

static void judge_output(struct campaign *c, const struct worker *w, struct symptom *list,
                         size_t *count)
{
    size_t bytes;
    char *text = worker_output(w, false, &bytes);
    uint64_t hash = hash_bytes(bytes, text, bytes);
    if (!c->usual_output) {
        c->usual_hash = hash;
        c->usual_output_bytes = bytes < USUAL_OUTPUT ? bytes : USUAL_OUTPUT;
        c->usual_output = mem_zeroed(c->usual_output_bytes + 1, 1);
        memcpy(c->usual_output, text, c->usual_output_bytes);
    } else if (hash != c->usual_hash) {
        add(list, count, HD_FK_OUTPUT, 0,
            describe_difference(c->usual_output, c->usual_output_bytes, text, bytes));
    }
    free(text);
}

static char *first_line(const char *text)
{
    return mem_format("%.*s", (int)strcspn(text, "\n"), text);
}

/* Feed the output to the oracle: what it says against it, or NULL; free() it. */
static char *ask_oracle(struct campaign *c, const struct worker *w)
{
    char said[ORACLE_SAYS], limit[32], *line, *why = NULL, *text;
    size_t bytes;
    int status = 0;

    text = worker_output(w, false, &bytes);
    bool ended = crew_ask_oracle(&c->crew, text, bytes, c->options.timeout_ns, &status, said);
    free(text);
    line = first_line(said);
    if (!ended) {
        show_time(c->options.timeout_ns, limit, sizeof limit);
        why = mem_format("`%.160s` did not end within %s", c->options.oracle, limit);
    } else if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127)) {
        c->no_oracle = true;
        campaign_trouble(c, mem_format("the oracle `%.160s` cannot be run (exit code %d of the "
                                       "shell)%s%s",
                                       c->options.oracle, WEXITSTATUS(status), *line ? ": " : "",
                                       line));
    } else if (status) {
        why = mem_format("`%.160s`%s%s", c->options.oracle, *line ? ": " : "", line);
    }
    free(line);
    return why;
}

/* Did the runtime note the reason why the program ended as it did? */
/* With a filter that kills, for a call that the program makes or the runtime for it. */
static bool killed_by_filter(const struct hdp_region *r, int status)
{
    bool filtered = false;

    for (uint32_t i = 0; i < r->result.unmodelled && i < HDP_UNMODELLED; i++)
        filtered |= strcmp(r->unmodelled[i].name, HDP_FILTER) == 0;
    return filtered && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool has_reason(const struct hdp_region *r)
{
    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++)
        if (r->finding[i].fatal || r->finding[i].kind == HD_FK_CRASH ||
            r->finding[i].kind == HD_FK_ASSERTION || r->finding[i].kind == HD_FK_PANIC ||
            r->finding[i].kind == HD_FK_SANITIZER)
            return true;
    return false;
}

/* Did the runtime see what the program may mean with an exit code other than 0? A race or a
 * prediction is not what it looks at. */
static bool explains_exit(const struct hdp_region *r)
{
    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++) {
        enum hd_finding_kind kind = (enum hd_finding_kind)r->finding[i].kind;
        if (kind != HD_FK_DATA_RACE && !finding_is_prediction(kind))
            return true;
    }
    return false;
}

size_t judge(struct campaign *c, struct worker *w, uint64_t number, struct symptom list[SYMPTOMS])
{
    const struct hdp_region *r = w->region;
    const struct hdp_result *result = &r->result;
    struct scene scene = campaign_scene(c, w);
    size_t count = 0;
    if (result->findings || result->excluded)
        campaign_look_at(c, w);
    for (uint32_t i = 0; i < result->excluded && i < HDP_EXCLUDED; i++)
        campaign_exclude(c, hash_mix(1, collect_key(&scene, &r->excluded[i])));
    for (uint32_t i = 0; i < result->findings && i < HDP_FINDINGS; i++)
        list[count++] = (struct symptom){.key = hash_mix(1, collect_key(&scene, &r->finding[i])),
                                         .kind = (enum hd_finding_kind)r->finding[i].kind,
                                         .index = (int)i};
    char limit[32];
    int status = result->wait_status;
    if (status && judge_tool_died(c, w)) /* this end says nothing about the program */
        return judge_tool(c, w, list, 0);
    if (w->slow)
        return count; /* it was on its way: too slow is not wrong */
    if (w->timed_out) {
        show_time(c->options.timeout_ns, limit, sizeof limit);
        add(list, &count, HD_FK_HANG, 0, mem_format("the schedule did not end within %s", limit));
    } else if (w->flooded) {
        free(c->trouble);
        c->trouble = mem_copy("the program makes processes without end: stopped");
    } else if (result->outcome == HDP_RAN || result->outcome == HDP_STOPPED) {
        char *report = c->options.launch.asan && (!WIFEXITED(status) || WEXITSTATUS(status))
                           ? sanitizer_line(w)
                           : NULL;
        if (killed_by_filter(r, status))
            campaign_trouble(c, mem_copy("a seccomp filter of the program killed it for a system "
                                         "call, which may be one of the runtime's: heddle run can "
                                         "say nothing of it, heddle watch can"));
        else if (report)
            add(list, &count, HD_FK_SANITIZER, hash_bytes(3, report, strlen(report)), report);
        else if (WIFSIGNALED(status) && !has_reason(r) && result->outcome == HDP_RAN)
            add(list, &count, HD_FK_CRASH, (uint64_t)WTERMSIG(status),
                mem_format("killed by signal %d (%s)", WTERMSIG(status),
                           strsignal(WTERMSIG(status))));
        else if (WIFEXITED(status) && !has_reason(r) && result->outcome == HDP_RAN) {
            c->exits[WEXITSTATUS(status)] += number != 0;
            if (!campaign_exit_is_fine(c, WEXITSTATUS(status)) && !explains_exit(r))
                add(list, &count, HD_FK_EXIT_CODE, (uint64_t)WEXITSTATUS(status),
                    mem_format("exit code %d", WEXITSTATUS(status)));
            if (c->options.check_output)
                judge_output(c, w, list, &count);
            char *against = c->options.oracle && !c->no_oracle ? ask_oracle(c, w) : NULL;
            if (against)
                add(list, &count, HD_FK_ORACLE, 0, against);
        }
    }
    return judge_tool(c, w, list, count);
}

/* Only all schedules together say what is unusual about an exit code. */
static char *describe_exit(const struct campaign *c, unsigned code)
{
    uint64_t total = 0, count = c->exits[code & 0xff];

    for (size_t i = 0; i < sizeof c->exits / sizeof *c->exits; i++)
        total += c->exits[i];
    if (count == total)
        return mem_format("exit code %u in every schedule%s", code,
                          total < c->stats.schedules ? " that ended by itself" : "");
    if (c->exits[0])
        return mem_format("exit code %u, but 0 in other schedules", code);
    return mem_format("exit code %u, others in other schedules, never 0", code);
}

void judge_finish(struct campaign *c)
{
    for (size_t i = 0; i < c->findings.count; i++) {
        struct finding *f = c->findings.list[i];
        unsigned code;
        if (f->kind != HD_FK_EXIT_CODE || sscanf(f->text, "exit code %u", &code) != 1)
            continue;
        free(f->text);
        f->text = describe_exit(c, code);
    }
}
