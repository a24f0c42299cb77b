/* judge_tool.c - see judge_tool.h */
#include "judge_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "wire/hash.h"

static uint64_t mix_text(uint64_t h, const char *text)
{
    return text ? hash_bytes(h, text, strlen(text) + 1) : h;
}

/* Equal for reports of the same places, and cheap: before any symbol is looked up. */
static uint64_t key_of(const struct finding *f)
{
    uint64_t sides = 0, h = hash_bytes(HASH_BASIS, &f->kind, sizeof f->kind);

    h = hash_bytes(h, &f->tools, sizeof f->tools);
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role == HD_ROLE_HOLDS || n->role == HD_ROLE_ALLOCATED ||
            (n->role == HD_ROLE_CREATED && f->kind != HD_FK_LEAK_UNJOINED))
            continue;
        uint64_t side = 1;
        for (size_t k = 0; k < n->stack.count && k < 2; k++) {
            const struct frame *fr = &n->stack.frame[k];
            side = mix_text(mix_text(mix_text(side, fr->module), fr->function), fr->file);
            side = hash_bytes(side, &fr->line, sizeof fr->line);
            side = hash_bytes(side, &fr->offset, sizeof fr->offset);
        }
        sides += side; /* which side came first is chance */
    }
    if (f->raw)
        h = mix_text(h, f->text);
    return hash_bytes(h, &sides, sizeof sides);
}

static bool is_listed(const struct symptom *list, size_t count, uint64_t key)
{
    while (count-- > 0)
        if (list[count].key == key)
            return true;
    return false;
}

size_t judge_tool(struct campaign *c, struct worker *w, struct symptom *list, size_t count)
{
    struct tool_run *tool = c->options.tool;
    struct tool_log log = {0};
    size_t kept = 0;

    if (!tool)
        return count;
    tool_collect(tool, w->child, &log);
    for (size_t i = 0; i < log.count; i++) {
        struct finding *f = log.finding[i];
        /* A crash is seen by the runtime, too, with the schedule that led to it; and what threads
         * hold that were stopped in the middle is no bug of theirs. */
        bool stopped = w->region->result.outcome != HDP_RAN;
        uint64_t key = key_of(f);
        if (f->kind == HD_FK_CRASH || count >= SYMPTOMS || is_listed(list, count, key) ||
            (stopped && (f->kind == HD_FK_LOCK_AT_EXIT || f->kind == HD_FK_LEAK_UNJOINED))) {
            log.finding[kept++] = f;
            continue;
        }
        list[count++] =
            (struct symptom){.key = key, .kind = f->kind, .index = -1, .found = f, .text = NULL};
    }
    log.count = kept;
    if (log.trouble && !c->trouble)
        c->trouble = mem_copy(log.trouble);
    c->stats.not_understood += log.raw;
    c->stats.reports_dropped += log.dropped;
    tool_log_free(&log);
    return count;
}

bool judge_tool_died(struct campaign *c, struct worker *w)
{
    enum { LOOK = 65536 };

    if (!c->options.tool || w->err < 0)
        return false;
    char *text = mem_zeroed(LOOK, 1);
    worker_output_read(w, true, -w->err_prefix, text, LOOK - 1);
    char *why = c->options.tool->backend->died(text);
    free(text);
    if (!why)
        return false;
    free(c->trouble);
    c->trouble = why;
    return true;
}
