/* selftest.c - see selftest.h */
#include "selftest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "findings/finding.h"
#include "tools/tools.h"
#include "util/alloc.h"
#include "util/exit_code.h"
#include "util/read_file.h"

#define ARGUMENTS 8
#define OUTPUT_LOOK (16u << 20)
#define LIMIT_S 120 /* of one check: a machine that is busy with something else */

/* Where the planted bug is, and who looks. */
enum form {
    PLAIN,
    MEMORY,  /* built with Heddle's own instrumentation */
    THREAD,  /* with ThreadSanitizer */
    ADDRESS, /* with AddressSanitizer */
    INSIDE,  /* a text, for the driver alone */
};

struct plant {
    enum form form;
    const char *option[ARGUMENTS];
};

static const struct plant plants[] = {
#define PLANT(form, ...)                                                                           \
    {                                                                                              \
        form,                                                                                      \
        {                                                                                          \
            __VA_ARGS__, NULL                                                                      \
        }                                                                                          \
    }
#define FINDING(NAME, word, title, advice, plant) [HD_FK_##NAME] = plant,
#include "wire/finding_kinds.inc"
};

struct selftest {
    char *folder; /* of the planted programs */
    char *scratch;
    bool bold;
    unsigned alive, dead, absent;
};

enum verdict { ALIVE, DEAD, ABSENT };

static void say(struct selftest *t, enum verdict v, const char *check, const char *detail)
{
    static const char *const words[] = {"alive", "DEAD ", "--   "};
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m"};
    t->alive += v == ALIVE;
    t->dead += v == DEAD;
    t->absent += v == ABSENT;
    printf("  %s%s%s  %-30s %s\n", t->bold ? colours[v] : "", words[v], t->bold ? "\033[0m" : "",
           check, detail);
    fflush(stdout);
}

static char *find_folder(void)
{
    static const char *const places[] = {"../selftest", "../libexec/heddle",
                                         "../" HEDDLE_LIBEXECDIR "/heddle"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return NULL;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *file = mem_format("%s/%s/heddle-selftest", self, places[i]);
        char *real = realpath(file, NULL);
        free(file);
        if (real) {
            *strrchr(real, '/') = '\0';
            return real;
        }
    }
    return NULL;
}

/* The program of a form; NULL: it was not built. */
static char *program_of(const struct selftest *t, enum form form)
{
    static const char *const ending[] = {"", "-memory", "-thread", "-address"};
    char *path = mem_format("%s/heddle-selftest%s", t->folder, ending[form]);
    if (access(path, X_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* This very command with arguments, stdout and stderr into files of the scratch folder. Its exit
 * code; -1: it did not end, or by a signal. */
static int run_ourselves(const struct selftest *t, const char *const *argument)
{
    char *out = mem_format("%s/out", t->scratch), *err = mem_format("%s/err", t->scratch);
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(LIMIT_S);
        int to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int errors = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        int from = open("/dev/null", O_RDONLY);
        dup2(from, 0);
        dup2(to, 1);
        dup2(errors, 2);
        execv("/proc/self/exe", (char *const *)argument);
        _exit(127);
    }
    free(out);
    free(err);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *output_of(const struct selftest *t, const char *name)
{
    size_t bytes;
    char *path = mem_format("%s/%s", t->scratch, name);
    char *text = read_file(path, OUTPUT_LOOK, &bytes);
    free(path);
    return text ? text : mem_copy("");
}

/* The last line that was complained, so that the check's line says why it is dead. */
static char *last_complaint(const struct selftest *t)
{
    char *text = output_of(t, "err"), *line;
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        text[--n] = '\0';
    line = strrchr(text, '\n');
    line = mem_format("%.200s", line ? line + 1 : text);
    free(text);
    return line;
}

/* heddle run with these options on WORD of a form. Its JSON document, or NULL. */
static json_t *explore(const struct selftest *t, const char *program, const char *word,
                       const char *const *option, const char *tool)
{
    const char *argument[ARGUMENTS + 12];
    char *out = mem_format("-o%s/found", t->scratch), *text;
    size_t n = 0;
    static const char *const always[] = {"heddle", "run", "-q", "--json", "--replays=1"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        argument[n++] = always[i];
    argument[n++] = out;
    if (tool)
        argument[n++] = tool;
    for (; *option; option++)
        argument[n++] = *option;
    argument[n++] = "--";
    argument[n++] = program;
    argument[n++] = word;
    argument[n] = NULL;
    run_ourselves(t, argument);
    text = output_of(t, "out");
    json_t *doc = json_loads(text, 0, NULL);
    free(text);
    free(out);
    return doc;
}

/* The finding of a kind that counts, or NULL. Predictions may be doubtful: the planted ones are
 * such as time or a hidden flag keeps from coming true. Borrowed. */
static const json_t *found(const json_t *doc, const char *kind)
{
    enum hd_finding_kind wanted = finding_kind(kind);
    bool predicted = finding_is_prediction(wanted);
    const json_t *f;
    size_t i;
    json_array_foreach(json_object_get(doc, "findings"), i, f)
    {
        const char *is = json_string_value(json_object_get(f, "kind"));
        if (is && strcmp(is, kind) == 0 &&
            (predicted || json_is_null(json_object_get(f, "doubtful"))))
            return f;
    }
    return NULL;
}

static void check_planted(struct selftest *t, const char *check, enum form form, const char *word,
                          const char *const *option, const char *tool)
{
    static const char *const missing[] = {"not installed", "not installed",
                                          "not built: the compiler has no ThreadSanitizer",
                                          "not built: the compiler has no AddressSanitizer"};
    char *program = program_of(t, form), *detail;
    if (!program) {
        say(t, ABSENT, check, missing[form]);
        return;
    }
    json_t *doc = explore(t, program, word, option, tool);
    const json_t *f = found(doc, word);
    const char *trouble = json_string_value(json_object_get(doc, "trouble"));
    if (f)
        detail = mem_format("found in schedule %lld, %lld of %lld replays",
                            (long long)json_integer_value(json_object_get(f, "first_schedule")),
                            (long long)json_integer_value(json_object_get(f, "reproduced")),
                            (long long)json_integer_value(json_object_get(f, "replays")));
    else if (trouble)
        detail = mem_copy(trouble);
    else if (doc)
        detail = mem_format("the planted bug was not found in %lld schedules",
                            (long long)json_integer_value(
                                json_object_get(json_object_get(doc, "statistics"), "schedules")));
    else
        detail = last_complaint(t);
    say(t, f ? ALIVE : DEAD, check, detail);
    free(detail);
    free(program);
    json_decref(doc);
}

static void check_correct(struct selftest *t, const char *check, enum form form, const char *tool)
{
    static const char *const few[] = {"-n20", NULL};
    char *program = program_of(t, form);
    if (!program)
        return;
    json_t *doc = explore(t, program, "correct", few, tool);
    const json_t *list = json_object_get(doc, "findings"), *first = json_array_get(list, 0);
    const char *headline = json_string_value(json_object_get(first, "headline"));
    bool quiet = doc && !first && json_is_null(json_object_get(doc, "trouble"));
    char *complaint = last_complaint(t);
    say(t, quiet ? ALIVE : DEAD, check,
        quiet      ? "a correct program, nothing said"
        : headline ? headline
                   : complaint);
    free(complaint);
    free(program);
    json_decref(doc);
}

/* What a log of another tool holds that is not understood is not dropped. */
static void check_inside(struct selftest *t, const char *check)
{
    static const char text[] = "==================\nWARNING: ThreadSanitizer: planted words "
                               "(pid=1)\n  of no known shape\n==================\n";
    struct tool_log log = {0};
    bool kept = false;
    parse_tsan(text, sizeof text - 1, &log);
    for (size_t i = 0; i < log.count; i++)
        kept |= log.finding[i]->kind == HD_FK_TOOL;
    tool_log_free(&log);
    say(t, kept ? ALIVE : DEAD, check,
        kept ? "words that nobody knows are kept" : "words that nobody knows are dropped");
}

static void check_kinds(struct selftest *t)
{
    puts("Kinds of findings, under Heddle's schedules");
    for (unsigned k = 0; k < HD_FK_COUNT; k++) {
        const char *word = finding_word((enum hd_finding_kind)k);
        if (plants[k].form == INSIDE)
            check_inside(t, word);
        else
            check_planted(t, word, plants[k].form, word, plants[k].option, NULL);
    }
    check_correct(t, "nothing", PLAIN, NULL);
    check_correct(t, "nothing, with memory", MEMORY, NULL);
}

static void check_tools(struct selftest *t)
{
    static const char *const few[] = {"-n5", NULL}, *const native[] = {"-n5", "--schedule=native",
                                                                       NULL};
    puts("Other tools, under Heddle's schedules and the operating system's");
    for (const struct tool_backend *const *b = tool_backends; *b; b++) {
        enum form form = *b == &tool_tsan ? THREAD : PLAIN;
        char *program = program_of(t, form), *option = mem_format("--tool=%s", (*b)->name), *why;
        struct target target;
        why = program ? target_open(program, &target) : mem_copy("not built with the sanitizer");
        if (!why) {
            why = (*b)->check(&target);
            target_free(&target);
        }
        if (why) {
            say(t, ABSENT, (*b)->name, why);
        } else {
            char *check = mem_format("%s: data-race", (*b)->name);
            check_planted(t, check, form, "data-race", few, option);
            free(check);
            check = mem_format("%s, native: data-race", (*b)->name);
            check_planted(t, check, form, "data-race", native, option);
            free(check);
            check = mem_format("%s: nothing", (*b)->name);
            check_correct(t, check, form, option);
            free(check);
        }
        free(why);
        free(option);
        free(program);
    }
}

/* heddle watch on WORD: ends with `code` and says `words`, or nothing. */
static void check_watch(struct selftest *t, const char *check, const char *word, int code,
                        const char *words)
{
    char *program = program_of(t, PLAIN), *text = NULL;
    const char *argument[] = {"heddle", "watch", "--usr1", "--", program, word, NULL};
    int ended = run_ourselves(t, argument);
    text = output_of(t, "err");
    bool alive = ended == code && (words ? strstr(text, words) != NULL : !*text);
    char *complaint = last_complaint(t);
    char *detail = alive ? mem_copy(words ? words : "a correct program, nothing said")
                         : mem_format("exit code %d, last words: %s", ended, complaint);
    say(t, alive ? ALIVE : DEAD, check, detail);
    free(detail);
    free(complaint);
    free(text);
    free(program);
}

static void check_watching(struct selftest *t)
{
    puts("heddle watch");
    check_watch(t, "watch: lock order", "lock-order", EXIT_FOUND, "locks taken in opposite orders");
    check_watch(t, "watch: leaks", "leak-blocked", EXIT_FOUND,
                "thread is left when the program ended");
    check_watch(t, "watch: dump", "dump", EXIT_NOTHING, "end of the dump");
    check_watch(t, "watch: nothing", "correct", EXIT_NOTHING, NULL);
}

static void remove_tree(const char *path)
{
    DIR *list = opendir(path);
    for (struct dirent *e; list && (e = readdir(list));) {
        struct stat s;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *file = mem_format("%s/%s", path, e->d_name);
        if (lstat(file, &s) == 0 && S_ISDIR(s.st_mode))
            remove_tree(file);
        else
            unlink(file);
        free(file);
    }
    if (list)
        closedir(list);
    rmdir(path);
}

bool selftest(bool bold)
{
    const char *temporary = getenv("TMPDIR");
    struct selftest t = {.bold = bold, .folder = find_folder()};
    if (!t.folder) {
        puts(
            "The programs of the self-test are not there (libexec/heddle/heddle-selftest): install "
            "Heddle again.");
        return false;
    }
    t.scratch = mem_format("%s/heddle-selftest-XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(t.scratch)) {
        printf("No scratch folder %s: %s\n", t.scratch, strerror(errno));
    } else {
        check_kinds(&t);
        check_tools(&t);
        check_watching(&t);
        remove_tree(t.scratch);
        printf("%u checks alive, %u dead, %u not possible here.\n", t.alive, t.dead, t.absent);
    }
    free(t.folder);
    free(t.scratch);
    return t.alive && !t.dead;
}
