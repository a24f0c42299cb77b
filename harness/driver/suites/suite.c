/* suite.c - see suite.h */
#include "suite.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/exit_code.h"
#include "util/real_time.h"

const char *const stress_names[] = {"patterns", "bugs", "primitives", NULL};

/* Beside the command in a build folder, or where it is installed. NULL: nowhere. */
static char *find_suite(const char *suite, const char *variant)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        return NULL;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (int i = 0; i < 2; i++) {
        char *tail = i == 0 ? mem_format("../../stress/%s/%s%s", suite, suite, variant)
                            : mem_format("../libexec/heddle/%s%s", suite, variant);
        char *file = mem_format("%s/%s", self, tail), *real = realpath(file, NULL);
        free(tail);
        free(file);
        if (real)
            return real;
    }
    return NULL;
}

static char *take_field(char **line)
{
    char *field = *line, *end = field ? strchr(field, '\t') : NULL;

    if (end)
        *end++ = '\0';
    *line = end;
    return field;
}

static bool add_line(struct stress_suites *all, const char *suite, const char *program, char *line,
                     const char *filter)
{
    char *name = take_field(&line), *family = take_field(&line), *flags = take_field(&line),
         *expect = take_field(&line);

    if (!expect || !*name || !*expect)
        return false;
    char *path = mem_format("%s/%s/%s", suite, family, name);
    bool wanted = !filter || strstr(path, filter);
    free(path);
    if (!wanted)
        return true;
    all->scenario = mem_grow(all->scenario, all->count, sizeof *all->scenario);
    all->scenario[all->count++] = (struct stress_scenario){.suite = mem_copy(suite),
                                                           .program = mem_copy(program),
                                                           .name = mem_copy(name),
                                                           .family = mem_copy(family),
                                                           .flags = mem_copy(flags),
                                                           .expect = mem_copy(expect),
                                                           .answer = -1};
    return true;
}

static char *read_list(struct stress_suites *all, const char *suite, const char *program,
                       const char *filter)
{
    char *why = NULL, *line = NULL;
    size_t room = 0, lines = 0;
    int out[2];
    pid_t child;

    if (pipe(out) != 0 || (child = fork()) < 0)
        return mem_format("no process for %s: %s", program, strerror(errno));
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(program, program, "--list", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *from = fdopen(out[0], "r");
    while (getline(&line, &room, from) > 0) {
        line[strcspn(line, "\n")] = '\0';
        lines++;
        if (!why && !add_line(all, suite, program, line, filter))
            why = mem_format("%s --list: line %zu is not name, family, flags and what to expect, "
                             "separated by tabs",
                             program, lines);
    }
    free(line);
    fclose(from);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!why && (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || lines == 0))
        why = mem_format("%s --list did not print a list of scenarios", program);
    return why;
}

char *stress_load(struct stress_suites *all, const char *suite, const char *variant,
                  const char *filter)
{
    bool named = strchr(suite, '/') != NULL;
    char *program = named ? realpath(suite, NULL) : find_suite(suite, variant);
    char *why;

    if (!program)
        return named      ? mem_format("%s: %s", suite, strerror(errno))
               : *variant ? mem_format("the suite %s was not built for this (%s%s is missing)",
                                       suite, suite, variant)
                          : mem_format("the suite %s is not where it belongs: build or install "
                                       "Heddle with its suites (cmake -DHEDDLE_BUILD_STRESS=ON)",
                                       suite);
    why = read_list(all, named ? strrchr(program, '/') + 1 : suite, program, filter);
    free(program);
    return why;
}

void stress_free(struct stress_suites *all)
{
    for (size_t i = 0; i < all->count; i++) {
        struct stress_scenario *s = &all->scenario[i];
        if (s->answer >= 0)
            close(s->answer);
        free(s->suite);
        free(s->program);
        free(s->name);
        free(s->family);
        free(s->flags);
        free(s->expect);
        free(s->verdict);
    }
    free(all->scenario);
}

bool stress_listed(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == length && strncmp(at, word, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static json_t *read_answer(int fd)
{
    json_error_t error;
    json_t *document;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return NULL;
    FILE *from = fdopen(dup(fd), "r");
    if (!from)
        return NULL;
    document = json_loadf(from, 0, &error);
    fclose(from);
    return document;
}

/* The kinds, each once, and the first schedule of any. */
static void take_findings(struct stress_scenario *s, json_t *findings)
{
    size_t i;
    json_t *f;

    s->verdict = mem_copy("");
    json_array_foreach(findings, i, f)
    {
        const char *kind = json_string_value(json_object_get(f, "kind"));
        int64_t first = json_integer_value(json_object_get(f, "first_schedule"));
        if (!kind)
            continue;
        if (!s->first || first < s->first)
            s->first = first;
        if (stress_listed(s->verdict, kind))
            continue;
        char *more = mem_format("%s%s%s", s->verdict, *s->verdict ? "," : "", kind);
        free(s->verdict);
        s->verdict = more;
        s->met = s->met && stress_listed(s->expect, kind);
    }
    if (!*s->verdict) {
        free(s->verdict);
        s->verdict = mem_copy("clean");
        s->met = strcmp(s->expect, "clean") == 0;
    }
}

void stress_judge(struct stress_scenario *s, int exit_code)
{
    json_t *document = read_answer(s->answer);
    json_t *statistics = json_object_get(document, "statistics");
    const char *trouble = json_string_value(json_object_get(document, "trouble"));

    s->done = true;
    s->seconds = (double)(real_now() - s->started) / 1e9;
    if (!document || exit_code > EXIT_FOUND) {
        s->verdict = mem_format("not run: %s", trouble ? trouble : "no report");
        s->met = false;
    } else {
        s->met = true;
        take_findings(s, json_object_get(document, "findings"));
        s->schedules = json_integer_value(json_object_get(statistics, "schedules"));
        s->virtual_seconds = json_number_value(json_object_get(statistics, "virtual_seconds"));
    }
    json_decref(document);
    close(s->answer);
    s->answer = -1;
}
