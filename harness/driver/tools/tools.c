/* tools.c - see tools.h */
#include "tools.h"

#include <string.h>

const struct tool_backend *const tool_backends[] = {&tool_tsan, &tool_helgrind, &tool_drd, NULL};

const struct tool_backend *tool_named(const char *name)
{
    for (size_t i = 0; tool_backends[i]; i++)
        if (strcmp(tool_backends[i]->name, name) == 0)
            return tool_backends[i];
    return NULL;
}
