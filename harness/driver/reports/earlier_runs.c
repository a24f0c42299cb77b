/* earlier_runs.c - see earlier_runs.h */
#include "earlier_runs.h"

#include <stdlib.h>

#include "json_text.h"
#include "util/alloc.h"

static const char *const word[] = {[EARLIER_GONE] = "gone",
                                   [EARLIER_REMAINS] = "remains",
                                   [EARLIER_ANOTHER] = "another",
                                   [EARLIER_UNKNOWN] = "unknown"};
enum { HOWS = sizeof word / sizeof *word };

struct earlier_entry *earlier_add(struct earlier_runs *runs, const char *name, const char *headline)
{
    runs->entry = mem_grow(runs->entry, runs->count, sizeof *runs->entry);
    struct earlier_entry *e = &runs->entry[runs->count++];
    *e = (struct earlier_entry){.name = mem_copy(name), .headline = mem_copy(headline)};
    return e;
}

/* Those that remain are findings of this run. */
void earlier_print(FILE *to, const struct earlier_runs *runs)
{
    size_t n[HOWS] = {0};

    for (size_t i = 0; i < runs->count; i++)
        n[runs->entry[i].how]++;
    if (!runs->folder)
        return;
    fprintf(to, "  of %zu earlier finding%s in %s, %zu remain%s, %zu %s gone", runs->count,
            runs->count == 1 ? "" : "s", runs->folder, n[EARLIER_REMAINS],
            n[EARLIER_REMAINS] == 1 ? "s" : "", n[EARLIER_GONE],
            n[EARLIER_GONE] == 1 ? "is" : "are");
    if (n[EARLIER_ANOTHER])
        fprintf(to, ", %zu %s another one now", n[EARLIER_ANOTHER],
                n[EARLIER_ANOTHER] == 1 ? "is" : "are");
    if (n[EARLIER_UNKNOWN])
        fprintf(to, ", of %zu nothing is known", n[EARLIER_UNKNOWN]);
    fputc('\n', to);
    for (size_t i = 0; i < runs->count; i++) {
        const struct earlier_entry *e = &runs->entry[i];
        fprintf(to, "    %-7s  %s", word[e->how], e->name);
        if (e->now)
            fprintf(to, ", now %s", e->now);
        if (e->why)
            fprintf(to, ": %s", e->why);
        else if (e->headline)
            fprintf(to, ": %s", e->headline);
        fputc('\n', to);
    }
}

json_t *earlier_json(const struct earlier_runs *runs)
{
    json_t *o = json_object(), *list = json_array();

    if (!runs->folder) {
        json_decref(o);
        json_decref(list);
        return json_null();
    }
    for (size_t i = 0; i < runs->count; i++) {
        const struct earlier_entry *e = &runs->entry[i];
        json_t *one = json_object();
        json_object_set_new(one, "name", json_text(e->name));
        json_object_set_new(one, "headline", json_text(e->headline));
        json_object_set_new(one, "is", json_string(word[e->how]));
        json_object_set_new(one, "now", json_text(e->now));
        json_object_set_new(one, "why", json_text(e->why));
        json_object_set_new(one, "schedules_near", json_integer(e->near));
        json_array_append_new(list, one);
    }
    json_object_set_new(o, "folder", json_text(runs->folder));
    json_object_set_new(o, "findings", list);
    return o;
}

void earlier_free(struct earlier_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        free(runs->entry[i].name);
        free(runs->entry[i].headline);
        free(runs->entry[i].now);
        free(runs->entry[i].why);
    }
    free(runs->entry);
    free(runs->folder);
}
