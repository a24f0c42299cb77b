/* tool_log.c - see tool_log.h */
#include "tool_log.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

void tool_log_add(struct tool_log *log, struct finding *f)
{
    if (log->count >= TOOL_LOG_REPORTS) {
        log->dropped++;
        finding_free(f);
        return;
    }
    log->finding = mem_grow(log->finding, log->count, sizeof *log->finding);
    log->finding[log->count++] = f;
}

void tool_log_add_raw(struct tool_log *log, enum tool tool, const char *text, size_t bytes)
{
    size_t first = 0;
    char *copy = mem_zeroed(bytes + 1, 1);

    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        copy[i] = (c >= 32 && c != 127) || c == '\n' || c == '\t' ? text[i] : '?';
    }
    while (first < bytes && copy[first] != '\n')
        first++;
    struct finding *f = finding_new(HD_FK_TOOL, tool, NULL);
    free(f->text);
    f->text = mem_format("%.*s", (int)(first > 200 ? 200 : first), copy);
    f->raw = copy;
    log->raw++;
    tool_log_add(log, f);
}

void tool_log_free(struct tool_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        finding_free(log->finding[i]);
    free(log->finding);
    free(log->trouble);
    *log = (struct tool_log){0};
}

static bool is_users(const struct frame *fr)
{
    static const char *const files[] = {"/libsanitizer/", "/compiler-rt/"};
    static const char *const modules[] = {"vgpreload_", "libheddle-rt.", "libtsan.", "libc.so."};

    if (!fr->file || !fr->line)
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strstr(fr->file, files[i]))
            return false;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        if (fr->module && strstr(fr->module, modules[i]))
            return false;
    return true;
}

char *tool_log_trim(struct stack *stack)
{
    size_t keep = 0;

    while (keep < stack->count && !is_users(&stack->frame[keep]))
        keep++;
    if (keep == 0 || keep == stack->count)
        return NULL;
    char *function = stack->frame[keep - 1].function;
    stack->frame[keep - 1].function = NULL;
    struct stack top = {stack->frame, keep};
    struct frame *rest = mem_zeroed(stack->count - keep, sizeof *rest);
    memcpy(rest, stack->frame + keep, (stack->count - keep) * sizeof *rest);
    stack->count -= keep;
    stack->frame = rest;
    stack_clear(&top);
    return function;
}
