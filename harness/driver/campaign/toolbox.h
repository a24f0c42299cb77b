/* toolbox.h - the tools of one campaign, as the user named them, one after the other. */
#ifndef HEDDLE_DRIVER_TOOLBOX_H
#define HEDDLE_DRIVER_TOOLBOX_H

#include "campaign_state.h"
#include "tools/tool.h"

#define TOOLBOX_TOOLS 4

struct toolbox {
    const struct tool_backend *tool[TOOLBOX_TOOLS]; /* NULL: Heddle's own detectors alone */
    size_t tools;
    char **argument; /* for the tools; NULL-terminated, owned; NULL = none */
    size_t arguments;
};

/* Take a list, "heddle,helgrind". NULL, or a sentence (free() it). */
char *toolbox_parse(struct toolbox *box, const char *list);
void toolbox_argument(struct toolbox *box, const char *text);
/* When no tool was named: what suits the program. Is there one besides Heddle's own detectors? */
bool toolbox_default(struct toolbox *box, const struct target *target);
void toolbox_free(struct toolbox *box);

/* Let `tool` start the program: o->launch and limits change, *run is filled (tool_close() it after
 * the campaign). NULL, or why not. */
char *toolbox_apply(const struct toolbox *box, const struct tool_backend *tool,
                    struct tool_run *run, struct campaign_options *o);

/* campaign_explore() with each tool; what one finds goes together with the others'. A tool that
 * cannot work is complained of, the others go on. c->trouble remains when none could. */
void toolbox_run(const struct toolbox *box, struct campaign *c, const struct campaign_options *o);

#endif /* HEDDLE_DRIVER_TOOLBOX_H */
