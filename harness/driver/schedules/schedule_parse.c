/* schedule_parse.c - schedule files read: every line is checked, the first wrong one is named. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_words.h"
#include "schedule.h"
#include "util/alloc.h"
#include "util/fault_words.h"
#include "util/quantity.h"
#include "util/read_file.h"
#include "wire/hash.h"

#define FILE_BOUND (64u << 20)

struct parser {
    const char *file;
    unsigned line;
    struct schedule *s;
    char *error;    /* the first */
    bool counted;   /* "steps" seen: runs may follow */
    uint32_t steps; /* as announced */
    uint32_t faults;
    bool ended;
};

static void fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct parser *p, const char *format, ...)
{
    if (p->error)
        return;
    char *what = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&what, format, args) < 0)
        what = NULL;
    va_end(args);
    p->error = mem_format("%s:%u: %s", p->file, p->line, what ? what : "not understood");
    free(what);
}

/* Cut the next word off. NULL at the end of the line. */
static char *word(char **rest)
{
    char *start = *rest;
    if (!*start)
        return NULL;
    size_t n = strcspn(start, " ");
    *rest = start + n;
    if (**rest)
        *(*rest)++ = '\0';
    return start;
}

static void unescape(char *text)
{
    char *to = text;
    for (; *text; text++) {
        if (text[0] == '%' && isxdigit((unsigned char)text[1]) &&
            isxdigit((unsigned char)text[2])) {
            char hex[3] = {text[1], text[2], '\0'};
            char c = (char)strtoul(hex, NULL, 16);
            *to++ = c ? c : '?';
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static void set_text(struct parser *p, char **field, const char *key, char *value)
{
    if (*field)
        fail(p, "\"%s\" stands here a second time", key);
    else if (!*value)
        fail(p, "\"%s\" has no value", key);
    else {
        unescape(value);
        *field = mem_copy(value);
    }
}

static void parse_number(struct parser *p, const char *key, char *value)
{
    struct hdp_config *c = &p->s->config;
    uint64_t n = 0;
    uint64_t high = strcmp(key, "seed") == 0 ? UINT64_MAX
                    : strstr(key, "-ns")     ? INT64_MAX
                                             : UINT32_MAX;
    if (!parse_digits(value, 10, high, &n)) {
        fail(p, "\"%s\" wants a number, not \"%.40s\"", key, value);
        return;
    }
    if (strcmp(key, "seed") == 0)
        c->seed = n;
    else if (strcmp(key, "depth") == 0)
        c->depth = (uint32_t)n;
    else if (strcmp(key, "max-steps") == 0)
        c->max_steps = (uint32_t)n;
    else if (strcmp(key, "work-steps") == 0)
        c->work_steps = (uint32_t)n;
    else if (strcmp(key, "watchdog-ms") == 0)
        c->watchdog_ms = (uint32_t)n;
    else if (strcmp(key, "patience-ns") == 0)
        c->patience_ns = (int64_t)n;
    else if (strcmp(key, "clock-base-ns") == 0)
        c->clock_base_ns = (int64_t)n;
    else
        p->s->timeout_ns = (int64_t)n;
}

static void parse_finding(struct parser *p, char *rest)
{
    char *name = word(&rest), *kind = word(&rest), *print = word(&rest);
    uint64_t n = 0;
    if (p->s->finding)
        fail(p, "\"finding\" stands here a second time");
    else if (!print || *rest || !parse_digits(print, 16, UINT64_MAX, &n))
        fail(p, "\"finding\" wants a name, a kind and a fingerprint");
    else {
        p->s->finding = mem_copy(name);
        p->s->kind = mem_copy(kind);
        p->s->fingerprint = n;
    }
}

static void parse_object(struct parser *p, char *rest)
{
    char *name = word(&rest), *id = word(&rest);
    uint64_t n = 0;
    uint32_t known;
    if (!id || *rest || !parse_digits(id, 16, UINT32_MAX, &n) || !n)
        fail(p, "\"object\" wants a name and an id of 8 hexadecimal digits");
    else if (names_number(&p->s->objects, name, &known) || names_text(&p->s->objects, (uint32_t)n))
        fail(p, "object %s or its id stands here a second time", name);
    else
        names_add(&p->s->objects, (uint32_t)n, name);
}

static void parse_option(struct parser *p, const char *value)
{
    const struct schedule_flag *f = schedule_flags;
    while (f->word && strcmp(f->word, value) != 0)
        f++;
    if (f->word)
        p->s->config.flags |= f->bit;
    else
        fail(p, "unknown option \"%.40s\"", value);
}

static uint32_t thread_of(struct parser *p, char *name)
{
    uint32_t hash;
    if (!*name || strcmp(name, "-") == 0) {
        fail(p, "a thread has a name");
        return 0;
    }
    unescape(name);
    if (names_number(&p->s->threads, name, &hash))
        return hash;
    uint64_t n;
    hash = name[0] == '?' && parse_digits(name + 1, 16, UINT32_MAX, &n) ? (uint32_t)n
                                                                        : name_hash(name);
    if (names_text(&p->s->threads, hash))
        fail(p, "thread \"%.40s\" cannot be told from %s", name, names_text(&p->s->threads, hash));
    else
        names_add(&p->s->threads, hash, name);
    return hash;
}

/* Who made it; 0: "-", nobody. */
static uint32_t maker_of(struct parser *p, char *name)
{
    return strcmp(name, "-") == 0 ? 0 : thread_of(p, name);
}

static uint32_t site_of(struct parser *p, const char *name)
{
    uint32_t index;
    if (strcmp(name, "-") == 0)
        return UINT32_MAX;
    if (!strrchr(name, '+'))
        fail(p, "a site is written module!function+0x10 or module+0x10, not \"%.60s\"", name);
    if (names_number(&p->s->sites, name, &index))
        return index;
    index = (uint32_t)p->s->sites.count;
    names_add(&p->s->sites, index, name);
    return index;
}

static uint32_t number_of(struct parser *p, const char *text)
{
    uint64_t n = 0;
    if (!text || !parse_digits(text, 10, UINT32_MAX, &n))
        fail(p, "a number is missing, or \"%.40s\" is none", text ? text : "");
    return (uint32_t)n;
}

/* Cut `count` words off; false: there are fewer, or more where these are all that may come. */
static bool words(char **rest, char **into, size_t count, bool all)
{
    for (size_t i = 0; i < count; i++)
        if (!(into[i] = word(rest)))
            return false;
    return !all || !**rest;
}

static uint32_t known_object_of(struct parser *p, const char *name)
{
    uint32_t id = 0;
    if (strcmp(name, "-") != 0 && !names_number(&p->s->objects, name, &id))
        fail(p, "object \"%.40s\" is not declared above", name);
    return id;
}

/* A word; NULL for "-" and for none. free() it. */
static char *text_of(char *text)
{
    if (!*text || strcmp(text, "-") == 0)
        return NULL;
    unescape(text);
    return mem_copy(text);
}

static uint32_t object_kind_of(struct parser *p, char *text)
{
    unescape(text);
    for (uint32_t i = 0; i < HD_OB_COUNT; i++)
        if (strcmp(object_word(i), text) == 0)
            return i;
    fail(p, "unknown kind of object \"%.40s\"", text);
    return HD_OB_NONE;
}

static void parse_thread(struct parser *p, char *rest)
{
    struct identity *id = &p->s->identity;
    char *w[5];
    if (!words(&rest, w, 5, true)) {
        fail(p, "\"thread\" wants a name, its maker's, a site and two numbers");
        return;
    }
    id->thread = mem_grow(id->thread, id->threads, sizeof *id->thread);
    id->thread[id->threads++] = (struct known_thread){.hash = thread_of(p, w[0]),
                                                      .creator = maker_of(p, w[1]),
                                                      .start = site_of(p, w[2]),
                                                      .rank = number_of(p, w[3]),
                                                      .child = number_of(p, w[4])};
}

static void parse_static(struct parser *p, char *rest)
{
    struct identity *id = &p->s->identity;
    char *w[8];
    if (!words(&rest, w, 8, true)) {
        fail(p,
             "\"static\" wants an object, its kind, a module, a variable, a member, an offset, a "
             "file and a function");
        return;
    }
    struct known_object o = {
        .id = known_object_of(p, w[0]), .kind = object_kind_of(p, w[1]), .site = UINT32_MAX};
    unescape(w[2]);
    o.variable =
        (struct static_variable){.module = mem_copy(w[2]),
                                 .name = text_of(w[3]),
                                 .member = strcmp(w[4], ".") == 0 ? mem_copy("") : text_of(w[4]),
                                 .offset = number_of(p, w[5]),
                                 .file = text_of(w[6]),
                                 .function = text_of(w[7])};
    if (!o.variable.name)
        fail(p, "a variable has a name");
    id->object = mem_grow(id->object, id->objects, sizeof *id->object);
    id->object[id->objects++] = o;
}

static void parse_made(struct parser *p, char *rest)
{
    struct identity *id = &p->s->identity;
    char *w[6];
    if (!words(&rest, w, 6, true)) {
        fail(p, "\"made\" wants an object, its kind, a thread, a site and two numbers");
        return;
    }
    id->object = mem_grow(id->object, id->objects, sizeof *id->object);
    id->object[id->objects++] = (struct known_object){.id = known_object_of(p, w[0]),
                                                      .kind = object_kind_of(p, w[1]),
                                                      .creator = maker_of(p, w[2]),
                                                      .site = site_of(p, w[3]),
                                                      .rank = number_of(p, w[4]),
                                                      .ordinal = number_of(p, w[5])};
}

static void parse_place(struct parser *p, char *rest)
{
    struct identity *id = &p->s->identity;
    char *w[5];
    if (!words(&rest, w, 5, false)) {
        fail(p, "\"place\" wants a site, a function, a file and two lines");
        return;
    }
    struct known_place k = {.site = site_of(p, w[0])};
    if (k.site == UINT32_MAX)
        fail(p, "a place has a site");
    k.place = (struct code_place){.function = text_of(w[1]),
                                  .file = text_of(w[2]),
                                  .line = number_of(p, w[3]),
                                  .first = number_of(p, w[4]),
                                  .text = *rest ? mem_copy(rest) : NULL};
    id->place = mem_grow(id->place, id->places, sizeof *id->place);
    id->place[id->places++] = k;
}

static void parse_stand(struct parser *p, char *rest)
{
    struct identity *id = &p->s->identity;
    char *w[5];
    if (!words(&rest, w, 5, true)) {
        fail(p, "\"stand\" wants a thread, an event, an object, a site and a number");
        return;
    }
    enum hd_event kind = event_parse(w[1]);
    if (kind == HD_EV_COUNT)
        fail(p, "unknown event \"%.40s\"", w[1]);
    id->stand = mem_grow(id->stand, id->stands, sizeof *id->stand);
    id->stand[id->stands++] = (struct known_stand){.thread = thread_of(p, w[0]),
                                                   .kind = kind,
                                                   .object = known_object_of(p, w[2]),
                                                   .site = site_of(p, w[3]),
                                                   .nth = number_of(p, w[4])};
}

static void parse_point(struct parser *p, char *rest)
{
    struct schedule *s = p->s;
    char *site = word(&rest), *key;
    struct schedule_point point = {.site = site ? site_of(p, site) : UINT32_MAX};
    bool good = point.site != UINT32_MAX;
    while (good && (key = word(&rest)) != NULL) {
        const char *step = word(&rest);
        uint64_t n = 0;
        good = step && parse_digits(step, 10, HDP_STEPS, &n);
        if (strcmp(key, "from") == 0)
            point.from = (uint32_t)n;
        else if (strcmp(key, "until") == 0)
            point.until = (uint32_t)n;
        else
            good = false;
    }
    if (!good) {
        fail(p, "\"point\" wants a site, and perhaps \"from\" and \"until\" with a step each");
        return;
    }
    s->point = mem_grow(s->point, s->points, sizeof *s->point);
    s->point[s->points++] = point;
}

/* One of a few words: its index. */
static uint32_t parse_choice(struct parser *p, const char *key, const char *value,
                             const char *const *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    fail(p, "unknown %s \"%.40s\"", key, value);
    return 0;
}

static void add_run(struct parser *p, const struct schedule_run *run)
{
    struct schedule *s = p->s;
    if (p->error)
        return;
    if (run->count > p->steps - s->steps) {
        fail(p, "more than the %u steps that the file announces", p->steps);
        return;
    }
    s->run = mem_grow(s->run, s->runs, sizeof *s->run);
    s->run[s->runs++] = *run;
    s->steps += run->count;
}

static void parse_run(struct parser *p, char *rest)
{
    char *thread = word(&rest), *count = word(&rest), *event = word(&rest), *object = word(&rest),
         *site = word(&rest), *end;
    struct schedule_run run = {.nth = 1};
    uint64_t n = 0;
    if (!site) {
        fail(p, "\"run\" wants a thread, a count, an event, an object and a site");
        return;
    }
    if (!parse_digits(count, 10, HDP_STEPS, &n) || !n)
        fail(p, "\"%.40s\" is no count of steps", count);
    enum hd_event kind = event_parse(event);
    if (kind == HD_EV_COUNT)
        fail(p, "unknown event \"%.40s\"", event);
    if (strcmp(object, "-") != 0 && !names_number(&p->s->objects, object, &run.object))
        fail(p, "object \"%.40s\" is not declared above", object);
    run.count = (uint32_t)n;
    run.kind = (uint16_t)kind;
    run.thread = thread_of(p, thread);
    run.site = site_of(p, site);
    while ((end = word(&rest)) != NULL)
        if (strcmp(end, "timeout") == 0)
            run.flags |= HDP_STEP_TIMEOUT;
        else if (strcmp(end, "spurious") == 0)
            run.flags |= HDP_STEP_SPURIOUS;
        else if (strcmp(end, "cancel") == 0)
            run.flags |= HDP_STEP_CANCEL;
        else if (strcmp(end, "nth") == 0)
            run.nth = number_of(p, word(&rest));
        else
            fail(p, "\"%.40s\" is no end of a wait (timeout, spurious, cancel)", end);
    add_run(p, &run);
}

static void parse_choose(struct parser *p, char *rest)
{
    char *thread = word(&rest), *value = word(&rest), *site = word(&rest);
    uint64_t n = 0;
    if (!site || *rest || !parse_digits(value, 10, UINT32_MAX, &n)) {
        fail(p, "\"choose\" wants a thread, a number and a site");
        return;
    }
    add_run(p, &(struct schedule_run){.thread = thread_of(p, thread),
                                      .count = 1,
                                      .flags = HDP_STEP_CHOICE,
                                      .choice = (uint32_t)n,
                                      .site = site_of(p, site)});
}

static void parse_fault(struct parser *p, char *rest)
{
    char *thread = word(&rest), *kind = word(&rest), *nth = word(&rest), *site = word(&rest);
    enum hdp_fault_kind fault = kind ? fault_parse(kind) : HDP_FAULT_KINDS;
    uint64_t n = 0;
    if (!site || *rest || !parse_digits(nth, 10, UINT32_MAX, &n) || !n) {
        fail(p, "\"fault\" wants a thread, what fails, a number from 1 and a site");
        return;
    }
    if (fault == HDP_FAULT_KINDS)
        fail(p, "unknown fault \"%.40s\"", kind);
    else if (++p->faults > HDP_FAULTS)
        fail(p, "more than %u faults", HDP_FAULTS);
    else
        add_run(p, &(struct schedule_run){.thread = thread_of(p, thread),
                                          .count = 1,
                                          .flags = HDP_STEP_CHOICE |
                                                   HDP_STEP_CHOSE(HDP_CHOSE_FAULT, fault),
                                          .choice = (uint32_t)n,
                                          .site = site_of(p, site)});
}

static bool is_step(const char *key)
{
    return strcmp(key, "run") == 0 || strcmp(key, "choose") == 0 || strcmp(key, "fault") == 0;
}

static void parse_end(struct parser *p, char *rest, uint32_t sum)
{
    uint64_t n = 0, stamp = 0;
    const char *value = word(&rest);
    p->ended = true;
    if (p->s->steps != p->steps || !p->counted)
        fail(p, "the file announces %u steps but has %u", p->steps, p->s->steps);
    else if (value && !parse_digits(value, 16, UINT32_MAX, &n))
        fail(p, "\"end\" wants a checksum of 8 hexadecimal digits");
    else if (*rest && !parse_digits(rest, 16, UINT64_MAX, &stamp))
        fail(p, "a stamp has 16 hexadecimal digits");
    else if (value && n != sum)
        fail(p,
             "the file was changed since it was written (its checksum is %08x); to run it all "
             "the same, make this line \"end\" alone",
             sum);
    p->s->stamp = stamp;
}

static void parse_header(struct parser *p, const char *key, char *value)
{
    static const char *const numbers[] = {"seed",        "depth",       "max-steps",
                                          "watchdog-ms", "patience-ns", "clock-base-ns",
                                          "timeout-ns",  "work-steps"};
    struct schedule *s = p->s;
    const struct {
        const char *key;
        char **field;
    } texts[] = {{"heddle", &s->heddle}, {"program", &s->program}, {"build-id", &s->build_id},
                 {"folder", &s->folder}, {"stdin", &s->input},     {"text", &s->text},
                 {"tool", &s->tool}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0) {
            set_text(p, texts[i].field, key, value);
            return;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key, numbers[i]) == 0) {
            parse_number(p, key, value);
            return;
        }
    uint64_t n = 0;
    if (strcmp(key, "argument") == 0) {
        unescape(value);
        s->argument = mem_grow(s->argument, s->arguments, sizeof *s->argument);
        s->argument[s->arguments++] = mem_copy(value);
    } else if (strcmp(key, "finding") == 0) {
        parse_finding(p, value);
    } else if (strcmp(key, "strategy") == 0) {
        s->config.strategy = strategy_parse(value);
        if (s->config.strategy == HDP_STRATEGIES)
            fail(p, "unknown strategy \"%.40s\"", value);
    } else if (strcmp(key, "option") == 0) {
        parse_option(p, value);
    } else if (strcmp(key, "points") == 0) {
        s->config.points = parse_choice(p, key, value, points_words, POINTS_WORDS);
    } else if (strcmp(key, "exit-codes") == 0) {
        if (!exit_codes_parse(value, s->fine_exit))
            fail(p,
                 "\"exit-codes\" wants numbers up to 255 with commas between, or any, not "
                 "\"%.40s\"",
                 value);
    } else if (strcmp(key, "memory-model") == 0) {
        s->config.memory_model = parse_choice(p, key, value, model_words, MODEL_WORDS);
    } else if (strcmp(key, "point") == 0) {
        parse_point(p, value);
    } else if (strcmp(key, "object") == 0) {
        parse_object(p, value);
    } else if (strcmp(key, "thread") == 0) {
        parse_thread(p, value);
    } else if (strcmp(key, "static") == 0) {
        parse_static(p, value);
    } else if (strcmp(key, "made") == 0) {
        parse_made(p, value);
    } else if (strcmp(key, "place") == 0) {
        parse_place(p, value);
    } else if (strcmp(key, "stand") == 0) {
        parse_stand(p, value);
    } else if (strcmp(key, "steps") == 0) {
        if (p->counted)
            fail(p, "\"steps\" stands here a second time");
        else if (!parse_digits(value, 10, HDP_STEPS, &n))
            fail(p, "\"steps\" wants a number up to %u", HDP_STEPS);
        p->counted = true;
        p->steps = (uint32_t)n;
    } else {
        fail(p, "\"%.40s\" is not understood here", key);
    }
}

static void parse_line(struct parser *p, char *line, uint32_t sum)
{
    char *rest = line;
    char *key = word(&rest);
    if (!key)
        return;
    if (p->ended)
        fail(p, "nothing may come after \"end\"");
    else if (strcmp(key, "end") == 0)
        parse_end(p, rest, sum);
    else if (!p->counted || !is_step(key)) {
        if (is_step(key))
            fail(p, "\"%s\" comes before \"steps\"", key);
        else
            parse_header(p, key, rest);
    } else if (strcmp(key, "run") == 0)
        parse_run(p, rest);
    else if (strcmp(key, "fault") == 0)
        parse_fault(p, rest);
    else
        parse_choose(p, rest);
}

static void parse_first(struct parser *p, const char *line)
{
    static const char magic[] = "heddle schedule ";
    uint64_t version = 0;
    if (strncmp(line, magic, sizeof magic - 1) != 0 ||
        !parse_digits(line + sizeof magic - 1, 10, UINT32_MAX, &version))
        fail(p, "this is no schedule file (its first line is not \"heddle schedule %d\")",
             SCHEDULE_FORMAT);
    else if (version > SCHEDULE_FORMAT)
        fail(p, "the file has format %u, from a newer Heddle; this one reads format %d",
             (unsigned)version, SCHEDULE_FORMAT);
    else if (version < 1)
        fail(p, "there is no format %u", (unsigned)version);
}

char *schedule_parse(const char *file, const char *text, size_t bytes, struct schedule *s)
{
    struct parser p = {.file = file, .line = 1, .s = s};
    uint32_t sum = HASH32_BASIS;
    *s = (struct schedule){0};
    bool first = true;
    for (size_t at = 0; at < bytes && !p.error; p.line++) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end ? (size_t)(end - (text + at)) : bytes - at;
        if (memchr(text + at, '\0', n)) {
            fail(&p, first ? "this is no schedule file but binary data" : "a NUL byte");
            break;
        }
        char *line = strndup(text + at, n);
        if (!line) {
            fail(&p, "out of memory");
            break;
        }
        if (first)
            parse_first(&p, line);
        else if (line[0] != '#')
            parse_line(&p, line, sum);
        if (line[0] != '#')
            sum = hash32_bytes(sum, text + at, n + (end != NULL));
        free(line);
        first = false;
        at += n + 1;
    }
    p.line -= p.line > 1 && !p.error;
    if (first)
        fail(&p, "the file is empty");
    if (!p.ended)
        fail(&p, "the file is cut off: there is no \"end\" line");
    if (!s->program)
        fail(&p, "no \"program\" line says what to run");
    if (!s->arguments)
        fail(&p, "no \"argument\" line says how to run it");
    return p.error;
}

/* The stamp that belongs to a file: of its lines before the last, without the comments. */
static uint64_t stamp_of(const struct stamp_key *key, const char *text, size_t bytes)
{
    char *kept = mem_zeroed(bytes + 1, 1);
    size_t used = 0;

    for (size_t at = 0; at < bytes;) {
        const char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end ? (size_t)(end - (text + at)) + 1 : bytes - at;
        if (strncmp(text + at, "end", 3) == 0 && (n == 3 || strchr(" \n", text[at + 3])))
            break;
        if (text[at] != '#') {
            memcpy(kept + used, text + at, n);
            used += n;
        }
        at += n;
    }
    uint64_t h = stamp(key, kept, used);
    free(kept);
    return h;
}

char *schedule_read(const char *file, const struct stamp_key *key, struct schedule *s, bool *ours)
{
    *ours = false;
    *s = (struct schedule){0};
    size_t bytes;
    char *text = read_file(file, FILE_BOUND, &bytes), *why;
    if (!text)
        return errno == ENOENT ? mem_format("%s: no such file", file)
                               : mem_format("%s cannot be read: %s", file, strerror(errno));
    if (bytes >= FILE_BOUND)
        why = mem_format("%s is no schedule file: it is larger than 64 MiB", file);
    else
        why = schedule_parse(file, text, bytes, s);
    if (!why && key->known && s->stamp)
        *ours = s->stamp == stamp_of(key, text, bytes);
    free(text);
    return why;
}
