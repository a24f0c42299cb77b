/* schedule.c - schedules in memory: recorded from a trace, expanded for a replay, written. */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "config_words.h"
#include "util/alloc.h"
#include "util/fault_words.h"
#include "wire/hash.h"

void schedule_free(struct schedule *s)
{
    free(s->program);
    free(s->build_id);
    free(s->folder);
    free(s->input);
    free(s->heddle);
    free(s->tool);
    for (size_t i = 0; i < s->arguments; i++)
        free(s->argument[i]);
    free(s->argument);
    free(s->finding);
    free(s->kind);
    free(s->text);
    names_free(&s->threads);
    names_free(&s->objects);
    names_free(&s->sites);
    free(s->run);
    free(s->point);
    identity_free(&s->identity);
    *s = (struct schedule){0};
}

/* The index of a site, UINT32_MAX when it lies in no file. */
static uint32_t site_index(struct schedule *s, struct symbols *symbols, uint64_t addr)
{
    uint32_t index = UINT32_MAX;
    char *site = symbols_site(symbols, addr);
    if (site && !names_number(&s->sites, site, &index)) {
        index = (uint32_t)s->sites.count;
        names_add(&s->sites, index, site);
    }
    free(site);
    return index;
}

static void record_points(struct schedule *s, const struct hdp_region *r, struct symbols *symbols)
{
    for (uint32_t i = 0; i < r->reached.sites && i < HDP_LEARNED_SITES; i++) {
        uint32_t index = site_index(s, symbols, r->reached.site[i]);
        if (index == UINT32_MAX)
            continue;
        s->point = mem_grow(s->point, s->points, sizeof *s->point);
        s->point[s->points++] =
            (struct schedule_point){index, r->reached.from[i], r->reached.until[i]};
    }
}

static const char *thread_name(const struct hdp_region *r, uint32_t hash, char *buffer,
                               size_t bytes)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (r->thread[i].hash == hash && r->thread[i].name[0] > ' ') {
            snprintf(buffer, bytes, "%.31s", r->thread[i].name);
            return buffer;
        }
    snprintf(buffer, bytes, "?%08x", hash);
    return buffer;
}

void schedule_name_threads(const struct hdp_region *r, struct names *objects)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++) {
        uint32_t id = thread_object(r->thread[i].hash), taken;
        char name[48];
        thread_name(r, r->thread[i].hash, name, sizeof name);
        if (!names_text(objects, id) && !names_number(objects, name, &taken))
            names_add(objects, id, name);
    }
}

static void name_thread(struct schedule *s, const struct hdp_region *r, uint32_t hash)
{
    char buffer[48];
    if (!names_text(&s->threads, hash))
        names_add(&s->threads, hash, thread_name(r, hash, buffer, sizeof buffer));
}

/* Who stood after a release when the schedule ended stops there again if it is to go on. */
static void record_standing(struct schedule *s, const struct hdp_region *r, struct symbols *symbols)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS && s->steps < HDP_STEPS; i++) {
        const struct hdp_thread *t = &r->thread[i];
        if (t->kind != HD_EV_RELEASED || t->state != HDP_T_ENABLED)
            continue;
        s->run = mem_grow(s->run, s->runs, sizeof *s->run);
        s->run[s->runs++] = (struct schedule_run){.thread = t->hash,
                                                  .count = 1,
                                                  .kind = HD_EV_RELEASED,
                                                  .site = site_index(s, symbols, t->site)};
        s->steps++;
        name_thread(s, r, t->hash);
    }
}

void schedule_record(struct schedule *s, const struct hdp_region *r, struct symbols *symbols,
                     struct names *objects)
{
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    s->steps = steps;
    schedule_name_threads(r, objects);
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_step *at = &r->trace[i];
        struct schedule_run *last = s->runs ? &s->run[s->runs - 1] : NULL;
        if (!last || last->thread != at->thread || last->flags || last->kind == HD_EV_RELEASED ||
            at->flags & HDP_STEP_CHOICE) {
            s->run = mem_grow(s->run, s->runs, sizeof *s->run);
            last = &s->run[s->runs++];
            *last = (struct schedule_run){.thread = at->thread};
        }
        last->count++;
        last->kind = at->kind;
        last->flags = at->flags;
        last->choice = at->choice;
        last->object = at->object;
        /* Whether there is a decision after a release stands in no other place. */
        bool ends = i + 1 == steps || at->flags || at->kind == HD_EV_RELEASED ||
                    r->trace[i + 1].thread != at->thread || r->trace[i + 1].flags & HDP_STEP_CHOICE;
        if (!ends)
            continue;
        name_thread(s, r, at->thread);
        if (at->object && !names_text(&s->objects, at->object))
            names_add(&s->objects, at->object,
                      names_object(objects, at->object, object_of_event(at->kind)));
        last->site = site_index(s, symbols, at->site);
    }
    record_standing(s, r, symbols);
    record_points(s, r, symbols);
}

/* Those that happened are to happen; with the index of their site, UINT32_MAX: unknown. */
static uint32_t expand_faults(const struct schedule *s, struct hdp_config *config,
                              uint32_t site[HDP_FAULTS])
{
    uint32_t n = 0;
    config->faults = 0;
    memset(config->fault, 0, sizeof config->fault);
    for (size_t i = 0; i < s->runs && n < HDP_FAULTS; i++) {
        const struct schedule_run *run = &s->run[i];
        if (!schedule_run_is_fault(run))
            continue;
        uint32_t kind = HDP_STEP_DETAIL(run->flags);
        config->faults |= 1u << kind;
        site[n] = run->site;
        config->fault[n++] = (struct hdp_fault){
            .thread = run->thread, .kind = kind, .nth = run->choice, .place = HDP_ANYWHERE};
    }
    return n;
}

void schedule_expand(const struct schedule *s, struct symbols *symbols, struct hdp_region *r)
{
    struct hdp_step *to = r->replay;
    uint32_t n = 0, steps, fault_site[HDP_FAULTS], faults;
    faults = expand_faults(s, &r->config, fault_site);
    if (s->other_build && identity_known(s)) {
        identity_expand(s, symbols, r, fault_site, faults);
        return;
    }
    uint64_t *address = mem_zeroed(s->sites.count, sizeof *address);
    for (size_t i = 0; i < s->sites.count; i++) {
        uint32_t index;
        const char *site = names_at(&s->sites, i, &index);
        address[index] = symbols_address(symbols, site);
    }
    for (uint32_t i = 0; i < faults; i++)
        r->config.fault[i].site = fault_site[i] == UINT32_MAX ? 0 : address[fault_site[i]];
    for (size_t i = 0; i < s->runs; i++) {
        const struct schedule_run *run = &s->run[i];
        if (schedule_run_is_fault(run))
            continue;
        for (uint32_t k = 1; k < run->count && n < HDP_STEPS; k++)
            to[n++] = (struct hdp_step){.thread = run->thread};
        bool open = run->site == UINT32_MAX || s->other_build;
        if (n < HDP_STEPS)
            to[n++] = (struct hdp_step){.thread = run->thread,
                                        .kind = run->kind,
                                        .flags = run->flags,
                                        .choice = run->choice,
                                        .object = run->object,
                                        .site = open ? 0 : address[run->site]};
    }
    steps = n;
    for (size_t i = 0; i < s->points && n < HDP_STEPS; i++)
        if (address[s->point[i].site])
            to[n++] = (struct hdp_step){.kind = HD_EV_READ,
                                        .choice = s->point[i].from,
                                        .object = s->point[i].until,
                                        .site = address[s->point[i].site]};
    free(address);
    r->config.flags |= HDP_REPLAY;
    r->config.replay_steps = steps;
    r->config.replay_points = n - steps;
}

/* Blanks and control characters of a field that must stay one word are escaped. */
static void write_word(FILE *out, const char *text)
{
    if (strcmp(text, "-") == 0) {
        fputs("%2d", out); /* alone it means: there is none */
        return;
    }
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == '%' || *text == 0x7f)
            fprintf(out, "%%%02x", (unsigned char)*text);
        else
            fputc(*text, out);
}

/* The rest of a line: only line ends and the escape itself must go. */
static void write_value(FILE *out, const char *key, const char *text)
{
    if (!text)
        return;
    fprintf(out, "%s ", key);
    for (; *text; text++)
        if (*text == '\n' || *text == '\r' || *text == '%')
            fprintf(out, "%%%02x", (unsigned char)*text);
        else
            fputc(*text, out);
    fputc('\n', out);
}

static void write_header(FILE *out, const struct schedule *s)
{
    fprintf(out, "heddle schedule %d\n", SCHEDULE_FORMAT);
    write_value(out, "heddle", s->heddle);
    write_value(out, "program", s->program);
    write_value(out, "build-id", s->build_id);
    write_value(out, "folder", s->folder);
    for (size_t i = 0; i < s->arguments; i++)
        write_value(out, "argument", s->argument[i]);
    write_value(out, "stdin", s->input);
    write_value(out, "tool", s->tool);
    char *codes = exit_codes_words(s->fine_exit);
    write_value(out, "exit-codes", codes);
    free(codes);
    if (s->finding) {
        fprintf(out, "finding %s %s %016llx\n", s->finding, s->kind,
                (unsigned long long)s->fingerprint);
        write_value(out, "text", s->text);
    }
    fprintf(out, "strategy %s\nseed %llu\n", strategy_word(s->config.strategy),
            (unsigned long long)s->config.seed);
    if (strategy_depth(s->config.strategy) == HDP_DEPTH_OF_BUG)
        fprintf(out, "depth %u\n", s->config.depth);
    if (s->config.points)
        fprintf(out, "points %s\n", points_words[s->config.points % POINTS_WORDS]);
    if (s->config.memory_model)
        fprintf(out, "memory-model %s\n", model_words[s->config.memory_model % MODEL_WORDS]);
    for (const struct schedule_flag *f = schedule_flags; f->word; f++)
        if (s->config.flags & f->bit)
            fprintf(out, "option %s\n", f->word);
    fprintf(out, "max-steps %u\npatience-ns %lld\nclock-base-ns %lld\nwatchdog-ms %u\n",
            s->config.max_steps, (long long)s->config.patience_ns,
            (long long)s->config.clock_base_ns, s->config.watchdog_ms);
    if (s->config.work_steps)
        fprintf(out, "work-steps %u\n", s->config.work_steps);
    if (s->timeout_ns)
        fprintf(out, "timeout-ns %lld\n", (long long)s->timeout_ns);
}

/* A word, "-" where there is none. */
static void write_or_dash(FILE *out, const char *text)
{
    fputc(' ', out);
    if (text && *text)
        write_word(out, text);
    else
        fputc('-', out);
}

static void write_identity(FILE *out, const struct schedule *s)
{
    const struct identity *id = &s->identity;
    for (size_t i = 0; i < id->threads; i++) {
        const struct known_thread *t = &id->thread[i];
        fputs("thread", out);
        write_or_dash(out, names_text(&s->threads, t->hash));
        write_or_dash(out, names_text(&s->threads, t->creator));
        fprintf(out, " %s %u %u\n", t->start == UINT32_MAX ? "-" : names_text(&s->sites, t->start),
                t->rank, t->child);
    }
    for (size_t i = 0; i < id->objects; i++) {
        const struct known_object *o = &id->object[i];
        const struct static_variable *v = &o->variable;
        fputs(v->name ? "static" : "made", out);
        write_or_dash(out, names_text(&s->objects, o->id));
        write_or_dash(out, object_word(o->kind));
        if (!v->name) {
            write_or_dash(out, names_text(&s->threads, o->creator));
            fprintf(out, " %s %u %u\n",
                    o->site == UINT32_MAX ? "-" : names_text(&s->sites, o->site), o->rank,
                    o->ordinal);
            continue;
        }
        fputc(' ', out);
        write_word(out, v->module);
        write_or_dash(out, v->name);
        write_or_dash(out, v->member ? *v->member ? v->member : "." : NULL);
        fprintf(out, " %llu", (unsigned long long)v->offset);
        write_or_dash(out, v->file);
        write_or_dash(out, v->function);
        fputc('\n', out);
    }
    for (size_t i = 0; i < id->places; i++) {
        const struct code_place *p = &id->place[i].place;
        fprintf(out, "place %s", names_text(&s->sites, id->place[i].site));
        write_or_dash(out, p->function);
        write_or_dash(out, p->file);
        fprintf(out, " %u %u ", p->line, p->first);
        for (const char *c = p->text ? p->text : ""; *c; c++)
            fputc((unsigned char)*c < ' ' ? ' ' : *c, out);
        fputc('\n', out);
    }
}

static void write_stands(FILE *out, const struct schedule *s)
{
    for (size_t i = 0; i < s->identity.stands; i++) {
        const struct known_stand *t = &s->identity.stand[i];
        fputs("stand", out);
        write_or_dash(out, names_text(&s->threads, t->thread));
        fprintf(out, " %s %s %s %u\n", event_word(t->kind),
                t->object ? names_text(&s->objects, t->object) : "-",
                t->site == UINT32_MAX ? "-" : names_text(&s->sites, t->site), t->nth);
    }
}

static void write_runs(FILE *out, const struct schedule *s)
{
    for (size_t i = 0; i < s->objects.count; i++) {
        uint32_t id;
        const char *name = names_at(&s->objects, i, &id);
        fprintf(out, "object %s %08x\n", name, id);
    }
    write_identity(out, s);
    write_stands(out, s);
    for (size_t i = 0; i < s->points; i++) {
        fprintf(out, "point %s", names_text(&s->sites, s->point[i].site));
        if (s->point[i].from)
            fprintf(out, " from %u", s->point[i].from);
        if (s->point[i].until)
            fprintf(out, " until %u", s->point[i].until);
        fputc('\n', out);
    }
    fprintf(out, "steps %u\n", s->steps);
    for (size_t i = 0; i < s->runs; i++) {
        const struct schedule_run *r = &s->run[i];
        const char *site = names_text(&s->sites, r->site);
        if (schedule_run_is_fault(r)) {
            fputs("fault ", out);
            write_word(out, names_text(&s->threads, r->thread));
            fprintf(out, " %s %u %s\n", fault_words[HDP_STEP_DETAIL(r->flags)].word, r->choice,
                    site ? site : "-");
            continue;
        }
        if (r->flags & HDP_STEP_CHOICE) {
            fputs("choose ", out);
            write_word(out, names_text(&s->threads, r->thread));
            fprintf(out, " %u %s\n", r->choice, site ? site : "-");
            continue;
        }
        fputs("run ", out);
        write_word(out, names_text(&s->threads, r->thread));
        fprintf(out, " %u %s %s %s", r->count, event_word(r->kind),
                r->object ? names_text(&s->objects, r->object) : "-", site ? site : "-");
        if (r->nth > 1)
            fprintf(out, " nth %u", r->nth);
        fprintf(out, "%s%s%s\n", r->flags & HDP_STEP_TIMEOUT ? " timeout" : "",
                r->flags & HDP_STEP_SPURIOUS ? " spurious" : "",
                r->flags & HDP_STEP_CANCEL ? " cancel" : "");
    }
}

void schedule_write(FILE *out, const struct schedule *s, const struct stamp_key *key)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *body = open_memstream(&text, &bytes);
    if (!body)
        return;
    write_header(body, s);
    write_runs(body, s);
    fclose(body);
    fwrite(text, 1, bytes, out);
    fprintf(out, "end %08x", hash32_bytes(HASH32_BASIS, text, bytes));
    if (key && key->known)
        fprintf(out, " %016llx", (unsigned long long)stamp(key, text, bytes));
    fputc('\n', out);
    free(text);
}

/* "bank.c:12", or the site as the file has it; NULL = nowhere. */
static char *describe_site(struct symbols *symbols, uint64_t addr)
{
    struct stack s = {0};
    char *text = NULL;
    if (addr)
        symbols_frames(symbols, addr, true, &s);
    if (s.count && s.frame[0].file)
        text = mem_format("%s:%u", base_name(s.frame[0].file), s.frame[0].line);
    stack_clear(&s);
    return text ? text : symbols_site(symbols, addr);
}

char *schedule_describe(const struct hdp_step *step, const struct names *threads,
                        struct names *objects, struct symbols *symbols)
{
    char number[16];
    const char *thread = names_text(threads, step->thread);
    if (!thread) {
        snprintf(number, sizeof number, "?%08x", step->thread);
        thread = number;
    }
    char *site = describe_site(symbols, step->site);
    char *text;
    if (hdp_step_is_fault(step))
        text =
            mem_format("%s fault: %s%s%s", thread, fault_words[HDP_STEP_DETAIL(step->flags)].text,
                       site ? " at " : "", site ? site : "");
    else if (step->flags & HDP_STEP_CHOICE)
        text = mem_format("%s chooses %u%s%s", thread, step->choice, site ? " at " : "",
                          site ? site : "");
    else
        text = mem_format(
            "%s %s%s%s%s%s%s%s%s", thread, step->kind ? event_word(step->kind) : "going on",
            step->object ? " " : "",
            step->object ? names_object(objects, step->object, object_of_event(step->kind)) : "",
            site ? " at " : "", site ? site : "",
            step->flags & HDP_STEP_TIMEOUT ? " (timed out)" : "",
            step->flags & HDP_STEP_SPURIOUS ? " (woken for no reason)" : "",
            step->flags & HDP_STEP_CANCEL ? " (cancelled)" : "");
    free(site);
    return text;
}
