/* aim.c - see aim.h */
#include "aim.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

char *aim_parse(const char *text, struct aim *aim)
{
    static const char kind[] = "deadlock:";
    if (strncmp(text, kind, sizeof kind - 1) != 0)
        return mem_format("--aim is deadlock:LOCK,LOCK..., not \"%s\"", text);
    aim_free(aim);
    for (const char *at = text + sizeof kind - 1; *at;) {
        size_t n = strcspn(at, ",");
        if (aim->names == HDP_DEADLOCK_EDGES)
            return mem_format("--aim takes at most %u locks", HDP_DEADLOCK_EDGES);
        if (n)
            aim->name[aim->names++] = mem_format("%.*s", (int)n, at);
        at += n;
        at += *at == ',';
    }
    return aim->names >= 2 ? NULL : mem_copy("--aim needs two locks or more: a deadlock has them");
}

void aim_free(struct aim *aim)
{
    while (aim->names)
        free(aim->name[--aim->names]);
}

char *aim_at(const struct aim *aim, struct symbols *symbols, struct hdp_config *config)
{
    for (uint32_t i = 0; i < aim->names; i++) {
        uint64_t site = symbols_address(symbols, aim->name[i]);
        uint64_t lock = site ? 0 : symbols_variable_address(symbols, aim->name[i]);
        if (!site && !lock)
            return mem_format("--aim: the program has no global variable and no place %s",
                              aim->name[i]);
        if (lock)
            config->aimed_lock[config->aimed_locks++] = lock;
        else
            config->deadlock_edge[config->deadlock_edges++] = (struct hdp_deadlock_edge){0, site};
    }
    return NULL;
}
