/* judge_tool.h - what another tool in the program's process says of a schedule that has ended. */
#ifndef HEDDLE_DRIVER_JUDGE_TOOL_H
#define HEDDLE_DRIVER_JUDGE_TOOL_H

#include "symptom.h"

/* The tool's findings behind the `count` in list. Returns how many there are now. */
size_t judge_tool(struct campaign *c, struct worker *w, struct symptom *list, size_t count);
/* Did the tool itself give up in the schedule that ended? Then c->trouble says so. */
bool judge_tool_died(struct campaign *c, struct worker *w);

#endif /* HEDDLE_DRIVER_JUDGE_TOOL_H */
