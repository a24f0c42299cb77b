/* tool_tsan.c - ThreadSanitizer: it is inside the program, built there by the compiler.
 *
 * Its reports go to a file a process ("log_path=FOLDER/log", to which it adds the pid), which a
 * fork of the program opens anew. Places stay bare (symbolize=0): TSan would start a symbolizer in
 * each process, 0.1 s and more, where the driver looks each place up once. A user's suppressions
 * match function names, so that with them TSan symbolises itself.
 *
 * What our runtime asks of libc passes through TSan's interceptors: a block that it clears again
 * would be the program's race, and a descriptor that it reads an order. One line of suppressions
 * keeps them out of the runtime; TSan takes one file of them, so the user's go into ours.
 */
#include "tools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/read_file.h"

#define SUPPRESSIONS_BOUND (4u << 20)

/* Options that we choose unless the user chose:
 *   detect_deadlocks=0, for it costs a megabyte of page faults for each thread of each schedule,
 * half the speed, and does not know gate locks; Heddle's own lock graph runs beside it and does;
 *   halt_on_error=0, for one schedule may show several races;
 *   atexit_sleep_ms=0, for there is nothing to wait for when one thread runs at a time.
 * The exit code is ours always: it stays the program's, findings come from the log. */
static const char *const defaults = "detect_deadlocks=0:second_deadlock_stack=1:atexit_sleep_ms=0:"
                                    "halt_on_error=0";

static bool mentions(const char *options, const char *name)
{
    return options && strstr(options, name);
}

/* The file of `name` in the folders where gcc keeps its runtime; to be freed; NULL = none. */
static char *find_libtsan(void)
{
    static const char *const places[] = {
        "/usr/lib/x86_64-linux-gnu/libtsan.so.2",
        "/usr/lib/x86_64-linux-gnu/libtsan.so.0",
        "/usr/lib64/libtsan.so.2",
        "/usr/lib64/libtsan.so.0",
        "/usr/lib/libtsan.so.2",
        "/usr/lib/libtsan.so.0",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0)
            return mem_copy(places[i]);
    return NULL;
}

/* Address bits that the kernel randomises; 0 = unknown. */
static unsigned entropy(void)
{
    char text[16] = "";
    int fd = open("/proc/sys/vm/mmap_rnd_bits", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n > 0 ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static char *check(const struct target *t)
{
    if (!t->tsan)
        return mem_format("%s is not built with ThreadSanitizer: build it with clang -g "
                          "-fsanitize=thread",
                          t->path);
    if (t->tsan_shared) {
        char *lib = find_libtsan();
        if (!lib)
            return mem_format(
                "%s needs gcc's libtsan, which is not installed: install it, or build "
                "the program with clang",
                t->path);
        free(lib);
    }
    int now = personality(0xffffffff);
    bool fixed = now != -1 && personality((unsigned)now | ADDR_NO_RANDOMIZE) != -1;
    if (now != -1)
        personality((unsigned)now);
    if (!fixed && entropy() > 28)
        return mem_format("ThreadSanitizer cannot take %u bits of address randomisation, and this "
                          "process may not turn it off: set vm.mmap_rnd_bits to 28",
                          entropy());
    return NULL;
}

/* The value that TSan takes for `name=` in `options`, where the last one wins; to be freed; NULL = none. */
static char *last_value(const char *options, const char *name)
{
    const char *value = NULL;

    for (const char *at = options; (at = strstr(at, name)); at += strlen(name))
        if (at == options || strchr(": ,\n\t\r", at[-1]))
            value = at + strlen(name);
    if (!value)
        return NULL;
    if (*value == '\'' || *value == '"')
        return mem_format("%.*s", (int)strcspn(value + 1, (char[]){*value, 0}), value + 1);
    return mem_format("%.*s", (int)strcspn(value, ": ,\n\t\r"), value);
}

/* Our suppressions, and behind them those of the file that the user named; false: errno says why. */
static bool write_suppressions(const char *path, const char *users)
{
    size_t bytes = 0;
    char *text = NULL;

    if (users && !(text = read_file(users, SUPPRESSIONS_BOUND, &bytes)))
        return false;
    FILE *f = fopen(path, "we");
    bool good = f && fprintf(f, "called_from_lib:libheddle-rt.so\n") > 0 &&
                fwrite(text ? text : "", 1, bytes, f) == bytes;
    good = f && fclose(f) == 0 && good;
    free(text);
    return good;
}

static char *prepare(struct tool_run *run, const struct target *t, char *const *argv,
                     char *const *tool_args)
{
    const char *user = getenv("TSAN_OPTIONS");
    char *more = mem_copy("");

    for (size_t i = 0; tool_args && tool_args[i]; i++) {
        char *both = mem_format("%s:%s", more, tool_args[i]);
        free(more);
        more = both;
    }
    run->symbolised = mentions(user, "suppressions=") || mentions(more, "suppressions=") ||
                      mentions(user, "symbolize=1");
    char *said = mem_format("%s:%s", user ? user : "", more);
    char *users = last_value(said, "suppressions="), *why = NULL;
    char *suppressions = mem_format("%s/suppressions", run->folder);
    if (!write_suppressions(suppressions, users))
        why = mem_format("the suppressions for ThreadSanitizer%s%s: %s", users ? " in " : "",
                         users ? users : "", strerror(errno));
    free(said);
    free(users);
    run->program = mem_copy(t->path);
    for (size_t i = 0; argv[i]; i++)
        tool_argument(run, argv[i]);
    /* What comes later wins: what we must have stands last. */
    char *options =
        mem_format("%s:%s%s:log_path='%s/log':exitcode=0:die_after_fork=0:color=never:"
                   "log_exe_name=0:suppressions='%s':symbolize=%d%s",
                   defaults, user ? user : "", more, run->folder, suppressions, run->symbolised,
                   run->symbolised ? "" : ":stack_trace_format='    #%n %p %F %S (%m+%o)'");
    tool_set(run, "TSAN_OPTIONS", options);
    free(options);
    free(more);
    free(suppressions);
    if (t->tsan_shared)
        run->preload_before = find_libtsan();
    return why;
}

static void parse(const char *text, size_t bytes, enum tool tool, struct tool_log *log)
{
    (void)tool;
    parse_tsan(text, bytes, log);
}

static char *died(const char *stderr_text)
{
    struct tool_log log = {0};

    parse_tsan(stderr_text, strlen(stderr_text), &log);
    char *why = mem_copy(log.trouble);
    tool_log_free(&log);
    return why;
}

const struct tool_backend tool_tsan = {
    .bit = TOOL_TSAN,
    .name = "tsan",
    .check = check,
    .prepare = prepare,
    .parse = parse,
    .died = died,
    .slower = 4,
    .longer = 2,
};
