/* tool.c - see tool.h: what all back ends share. */
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/folder.h"
#include "util/read_file.h"

static void append(char ***list, char *text)
{
    size_t n = 0;
    while (*list && (*list)[n])
        n++;
    *list = reallocarray(*list, n + 2, sizeof **list);
    if (!*list)
        abort();
    (*list)[n] = text;
    (*list)[n + 1] = NULL;
}

void tool_set(struct tool_run *run, const char *name, const char *value)
{
    append(&run->environment, mem_format("%s=%s", name, value));
}

void tool_argument(struct tool_run *run, const char *text)
{
    append(&run->argv, mem_copy(text));
}

char *tool_open(struct tool_run *run, const struct tool_backend *backend, const struct target *t,
                char *const *argv, char *const *tool_args)
{
    *run = (struct tool_run){.backend = backend};
    char *why = backend->check(t);
    if (why)
        return why;
    run->folder = folder_make(backend->name, &run->lock);
    if (!run->folder)
        return mem_format("no folder for the logs of %s: %s", backend->name, strerror(errno));
    return backend->prepare(run, t, argv, tool_args);
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

/* Every log in the folder goes to take(). */
static void each_log(struct tool_run *run,
                     void (*take)(struct tool_run *, const char *, struct tool_log *),
                     struct tool_log *log)
{
    DIR *dir = run->folder ? opendir(run->folder) : NULL;
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        char *path = mem_format("%s/%s", run->folder, entry->d_name);
        if (strncmp(entry->d_name, "log.", 4) == 0)
            take(run, path, log);
        free(path);
    }
    closedir(dir);
}

void tool_close(struct tool_run *run)
{
    if (run->folder) {
        folder_remove(run->folder);
        close(run->lock);
    }
    free(run->folder);
    free((char *)run->program);
    free(run->preload_before);
    free_list(run->argv);
    free_list(run->environment);
    *run = (struct tool_run){0};
}

/* Is one of the sides the scheduler at its own work? Such a report is about us, not the program. */
static bool is_ours(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if ((n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS) && n->stack.count &&
            n->stack.frame[0].module && strstr(n->stack.frame[0].module, "libheddle-rt."))
            return true;
    }
    return false;
}

/* What a process that crashed held, and whom it did not join, is no bug of its own. */
static bool follows_crash(const struct finding *f, bool crashed)
{
    return crashed && (f->kind == HD_FK_LOCK_AT_EXIT || f->kind == HD_FK_LEAK_UNJOINED);
}

static void take_log(struct tool_run *run, const char *path, struct tool_log *log)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t before = log->count, raw = log->raw, dropped = log->dropped, bytes = 0;
    bool crashed = false;

    if (fd < 0)
        return;
    char *text = read_descriptor(fd, TOOL_LOG_BOUND, &bytes);
    close(fd);
    unlink(path);
    if (!text)
        return;
    run->backend->parse(text, bytes, run->backend->bit, log);
    free(text);
    size_t kept = before;
    for (size_t i = before; i < log->count; i++)
        crashed |= log->finding[i]->kind == HD_FK_CRASH;
    for (size_t i = before; i < log->count; i++)
        if (is_ours(log->finding[i]) || follows_crash(log->finding[i], crashed))
            finding_free(log->finding[i]);
        else
            log->finding[kept++] = log->finding[i];
    log->count = kept;
    run->reports += log->count - before;
    run->raw += log->raw - raw;
    run->dropped += log->dropped - dropped;
}

void tool_collect(struct tool_run *run, pid_t pid, struct tool_log *log)
{
    char *path = mem_format("%s/log.%d", run->folder, (int)pid);
    take_log(run, path, log);
    free(path);
}

void tool_collect_rest(struct tool_run *run, struct tool_log *log)
{
    each_log(run, take_log, log);
}

/* The frames of one bare place; as it was when nothing is known of it. */
static void resolve(struct symbols *s, const struct frame *fr, struct stack *to)
{
    size_t had = to->count;

    if (!fr->function && !fr->file && fr->module && s) {
        const char *slash = strrchr(fr->module, '/');
        char *site =
            mem_format("%s+0x%llx", slash ? slash + 1 : fr->module, (unsigned long long)fr->offset);
        uint64_t addr = symbols_address(s, site);
        if (addr)
            symbols_frames(s, addr, false, to);
        free(site);
    }
    if (to->count == had) {
        const char *slash = fr->module ? strrchr(fr->module, '/') : NULL;
        stack_push(to, fr->function, fr->file, fr->line, fr->column, slash ? slash + 1 : fr->module,
                   fr->offset);
    }
}

/* Start routines of the tools, and of libc below them, at the bottom of a stack. */
static bool is_start(const struct frame *fr)
{
    static const char *const names[] = {"__tsan_thread_start_func",
                                        "start_thread",
                                        "clone",
                                        "__clone_internal",
                                        "clone3",
                                        "_start",
                                        "__libc_start_main",
                                        "__libc_start_call_main"};

    if (fr->module && (strstr(fr->module, "vgpreload_") || strstr(fr->module, "libheddle-rt.")))
        return true;
    for (size_t i = 0; fr->function && i < sizeof names / sizeof *names; i++)
        if (strncmp(fr->function, names[i], strlen(names[i])) == 0)
            return true;
    return !fr->function && fr->module && strstr(fr->module, "libc.so.");
}

static void drop_last(struct stack *s)
{
    struct frame *fr = &s->frame[--s->count];
    free(fr->function);
    free(fr->file);
    free(fr->module);
}

static void symbolise_note(struct note *n, struct symbols *bare)
{
    struct stack resolved = {0};

    for (size_t i = 0; i < n->stack.count; i++)
        resolve(bare, &n->stack.frame[i], &resolved);
    stack_clear(&n->stack);
    n->stack = resolved;
    bool placed = false;
    for (size_t i = 0; i < n->stack.count; i++)
        placed |= n->stack.frame[i].line != 0;
    while (n->stack.count > 1 && (is_start(&n->stack.frame[n->stack.count - 1]) ||
                                  (placed && !n->stack.frame[n->stack.count - 1].function)))
        drop_last(&n->stack);
    char *inside = tool_log_trim(&n->stack);
    if (inside && n->text && (n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS)) {
        char *text = mem_format("%s in %s()", n->text, inside);
        free(n->text);
        n->text = text;
    }
    free(inside);
}

void tool_symbolise(struct tool_log *log, struct symbols *s, bool bare)
{
    for (size_t i = 0; i < log->count; i++) {
        struct finding *f = log->finding[i];
        for (size_t k = 0; k < f->notes; k++)
            symbolise_note(&f->note[k], bare ? s : NULL);
        if (f->text[0] || !s || f->notes == 0 || !f->note[0].addr)
            continue;
        char *variable = symbols_variable(s, f->note[0].addr);
        if (variable) {
            free(f->text);
            f->text = mem_format("variable '%s'", variable);
            free(variable);
        }
    }
}
