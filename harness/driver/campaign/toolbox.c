/* toolbox.c - see toolbox.h */
#include "toolbox.h"

#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "judge_tool.h"
#include "native_schedules.h"
#include "tools/tools.h"
#include "util/alloc.h"
#include "util/complain.h"

char *toolbox_parse(struct toolbox *box, const char *list)
{
    box->tools = 0;
    for (const char *at = list; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        char *name = mem_format("%.*s", (int)n, at);
        const struct tool_backend *tool = tool_named(name);
        bool known = tool || strcmp(name, "heddle") == 0;
        free(name);
        for (size_t i = 0; i < box->tools; i++)
            if (box->tool[i] == tool)
                return mem_format("--tool names %.*s twice", (int)n, at);
        if (!known)
            return mem_format("there is no tool \"%.*s\" (heddle, tsan, helgrind, drd)", (int)n,
                              at);
        box->tool[box->tools++] = tool;
        at += n;
    }
    return box->tools ? NULL : mem_copy("--tool wants at least one of heddle, tsan, helgrind, drd");
}

void toolbox_argument(struct toolbox *box, const char *text)
{
    box->argument = reallocarray(box->argument, box->arguments + 2, sizeof *box->argument);
    if (!box->argument)
        abort();
    box->argument[box->arguments++] = mem_copy(text);
    box->argument[box->arguments] = NULL;
}

bool toolbox_default(struct toolbox *box, const struct target *target)
{
    if (!box->tools)
        box->tool[box->tools++] = target->tsan ? &tool_tsan : NULL;
    return box->tools > 1 || box->tool[0];
}

void toolbox_free(struct toolbox *box)
{
    for (size_t i = 0; i < box->arguments; i++)
        free(box->argument[i]);
    free(box->argument);
    *box = (struct toolbox){0};
}

char *toolbox_apply(const struct toolbox *box, const struct tool_backend *tool,
                    struct tool_run *run, struct campaign_options *o)
{
    *run = (struct tool_run){0};
    if (!tool)
        return NULL;
    char *why = tool_open(run, tool, o->target, o->argv, box->argument);
    if (why)
        return why;
    o->tool = run;
    o->launch.program = run->program;
    o->launch.argv = run->argv;
    o->launch.environment = run->environment;
    o->launch.folder = run->folder;
    if (run->preload_before)
        o->launch.preload_before = run->preload_before;
    o->config.watchdog_ms *= tool->slower;
    if (tool == &tool_tsan && run->symbolised)
        o->config.watchdog_ms *= 10;         /* its symbolizer takes its time, with the turn */
    o->config.flags &= ~(uint32_t)HDP_RACES; /* the tool looks for them */
    if (!o->timeout_given)
        o->timeout_ns *= tool->longer;
    return NULL;
}

void toolbox_run(const struct toolbox *box, struct campaign *c, const struct campaign_options *o)
{
    bool worked = false;
    char *last = NULL;

    for (size_t i = 0; i < box->tools && !campaign_stop; i++) {
        const struct tool_backend *tool = box->tool[i];
        struct campaign_options mine = *o;
        struct tool_run run;
        char *why = toolbox_apply(box, tool, &run, &mine);
        if (i == 0)
            campaign_open(c, &mine);
        else
            campaign_reopen(c, &mine);
        if (why) {
            free(c->trouble);
            c->trouble = why;
        } else if (mine.native) {
            native_run(c);
        } else {
            campaign_explore(c);
        }
        if (tool && c->options.tool) {
            struct tool_log log = {0};
            tool_collect_rest(&run, &log);
            if (log.trouble) {
                free(c->trouble);
                c->trouble = mem_copy(log.trouble);
            }
            campaign_take_log(c, &log);
        }
        if (c->trouble) {
            /* The tool's last words explain better what went wrong than how its process ended. */
            if (tool && c->crew.worker)
                judge_tool_died(c, &c->crew.worker[0]);
            if (box->tools > 1)
                complain("%s: %s", tool ? tool->name : "heddle", c->trouble);
            c->tool_failed = true;
            free(last);
            last = c->trouble;
            c->trouble = NULL;
        } else {
            worked = true;
        }
        c->options.tool = NULL;
        tool_close(&run);
    }
    if (worked || !last)
        free(last);
    else
        c->trouble = last;
    campaign_finish(c);
}
