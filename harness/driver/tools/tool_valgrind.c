/* tool_valgrind.c - Helgrind and DRD: the program runs inside Valgrind, unmodified.
 *
 * We execute the tool's own program (libexec/valgrind/helgrind-amd64-linux) and not the valgrind
 * command: that one is a chain of a shell script and a launcher, ordinary programs into which our
 * runtime would be loaded in place of the program under test. The tool is a static program, and
 * hands LD_PRELOAD on to the one that it runs.
 *
 * A fork of the program is traced like its parent, and opens a file of its own when the name holds
 * %p: one complete XML document a schedule.
 */
#include "tools.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"

/* The valgrind command in PATH, links resolved; NULL = none; to be freed. */
static char *find_command(void)
{
    const char *path = getenv("PATH");

    for (path = path ? path : "/usr/bin:/bin"; *path;) {
        size_t n = strcspn(path, ":");
        char *file = mem_format("%.*s/valgrind", (int)n, path), *real = NULL;
        if (n && access(file, X_OK) == 0)
            real = realpath(file, NULL);
        free(file);
        if (real)
            return real;
        path += n + (path[n] == ':');
    }
    return NULL;
}

static char *usable(char *folder, const char *tool)
{
    char *file = mem_format("%s/%s-amd64-linux", folder, tool);
    bool good = access(file, X_OK) == 0;

    free(file);
    if (good)
        return folder;
    free(folder);
    return NULL;
}

/* The folder of Valgrind's own programs; NULL = not found; to be freed. */
static char *find_library(const char *command, const char *tool)
{
    static const char *const places[] = {"/usr/libexec/valgrind",
                                         "/usr/lib/x86_64-linux-gnu/valgrind", "/usr/lib/valgrind",
                                         "/usr/lib64/valgrind", "/usr/local/libexec/valgrind"};
    const char *named = getenv("VALGRIND_LIB"), *bin = strstr(command, "/bin/");
    char *found = NULL;

    if (named && *named)
        return usable(mem_copy(named), tool);
    if (bin)
        found = usable(mem_format("%.*s/libexec/valgrind", (int)(bin - command), command), tool);
    for (size_t i = 0; !found && i < sizeof places / sizeof *places; i++)
        found = usable(mem_copy(places[i]), tool);
    return found;
}

static char *check(const struct target *t, const char *tool)
{
    char *command = find_command(), *folder;

    if (!command)
        return mem_format("%s needs valgrind, which is not installed", tool);
    folder = find_library(command, tool);
    if (!folder) {
        char *why = mem_format("%s has no %s for this machine beside it", command, tool);
        free(command);
        return why;
    }
    free(command);
    free(folder);
    if (t->tsan)
        return mem_format(
            "%s is built with ThreadSanitizer, which cannot run inside Valgrind: give "
            "%s a build without -fsanitize",
            t->path, tool);
    return NULL;
}

static char *prepare(struct tool_run *run, const struct target *t, char *const *argv,
                     char *const *tool_args)
{
    const char *tool = run->backend->name;
    char *command = find_command(), *folder = command ? find_library(command, tool) : NULL, *text;

    if (!folder) {
        free(command);
        return mem_format("valgrind went away");
    }
    run->program = mem_format("%s/%s-amd64-linux", folder, tool);
    run->symbolised = true;
    tool_argument(run, command);
    text = mem_format("--tool=%s", tool);
    tool_argument(run, text);
    free(text);
    tool_argument(run, "--xml=yes");
    text = mem_format("--xml-file=%s/log.%%p", run->folder);
    tool_argument(run, text);
    free(text);
    tool_argument(run, "--child-silent-after-fork=no");
    tool_argument(run, "--trace-children=no");
    tool_argument(run, "--error-limit=no");
    tool_argument(run, "--vgdb=no"); /* its pipes in TMPDIR outlive a process that is killed */
    tool_argument(run, "--num-callers=24");
    for (size_t i = 0; tool_args && tool_args[i]; i++)
        tool_argument(run, tool_args[i]);
    tool_argument(run, t->path);
    for (size_t i = 1; argv[0] && argv[i]; i++)
        tool_argument(run, argv[i]);
    tool_set(run, "VALGRIND_LAUNCHER", command);
    tool_set(run, "VALGRIND_LIB", folder);
    free(command);
    free(folder);
    return NULL;
}

static char *check_helgrind(const struct target *t)
{
    return check(t, "helgrind");
}

static char *check_drd(const struct target *t)
{
    return check(t, "drd");
}

/* The line of Valgrind's own last words. */
static char *died(const char *stderr_text)
{
    static const char *const words[] = {"the 'impossible' happened", "valgrind: fatal error",
                                        "valgrind: Bad option", "valgrind: Unknown option",
                                        "Fatal error at startup"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *hit = strstr(stderr_text, words[i]);
        if (!hit)
            continue;
        while (hit > stderr_text && hit[-1] != '\n')
            hit--;
        return mem_format("Valgrind gave up: %.*s", (int)strcspn(hit, "\n"), hit);
    }
    return NULL;
}

const struct tool_backend tool_helgrind = {
    .bit = TOOL_HELGRIND,
    .name = "helgrind",
    .check = check_helgrind,
    .prepare = prepare,
    .parse = parse_valgrind,
    .died = died,
    .slower = 40,
    .longer = 6,
};

const struct tool_backend tool_drd = {
    .bit = TOOL_DRD,
    .name = "drd",
    .check = check_drd,
    .prepare = prepare,
    .parse = parse_valgrind,
    .died = died,
    .slower = 40,
    .longer = 6,
};
