/* kept.c - see kept.h */
#include "kept.h"

#include <stdlib.h>

#include "util/alloc.h"

void kept_add(struct campaign *c, struct finding *f, uint64_t key, const char *schedule,
              size_t bytes, const struct hdp_config *config)
{
    if (!c->options.shrink_tries)
        return;
    c->kept = mem_grow(c->kept, c->kept_count, sizeof *c->kept);
    c->kept[c->kept_count++] = (struct kept_schedule){
        .finding = f, .key = key, .config = *config, .text = mem_copy(schedule), .bytes = bytes};
}

void kept_forget(struct campaign *c)
{
    for (size_t i = 0; i < c->kept_count; i++)
        free(c->kept[i].text);
    free(c->kept);
    c->kept = NULL;
    c->kept_count = 0;
}
