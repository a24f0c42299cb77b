/* tools.h - the other tools that there are: a line here, and a table of functions in a file of its
 * own (tool.h). */
#ifndef HEDDLE_DRIVER_TOOLS_H
#define HEDDLE_DRIVER_TOOLS_H

#include "tool.h"

extern const struct tool_backend tool_tsan, tool_helgrind, tool_drd;

/* The tool of a name; NULL = none such. "heddle" is none of them: the runtime's own detectors. */
const struct tool_backend *tool_named(const char *name);
/* All of them; NULL behind the last. */
extern const struct tool_backend *const tool_backends[];

#endif /* HEDDLE_DRIVER_TOOLS_H */
