/* symptom.c - see symptom.h */
#include "symptom.h"

#include <stdlib.h>

void symptoms_free(struct symptom *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].text);
        finding_free(list[i].found);
    }
}

struct finding *symptom_finding(struct campaign *c, struct worker *w, struct symptom *s)
{
    campaign_look_at(c, w);
    if (s->found) {
        struct finding *f = s->found;
        struct finding *one[] = {f};
        struct tool_log log = {.finding = one, .count = 1};
        s->found = NULL;
        tool_symbolise(&log, c->symbols, !c->options.tool->symbolised);
        doubt_mark(c->doubts, f);
        finding_fingerprint(f);
        return f;
    }
    struct scene scene = campaign_scene(c, w);
    return s->index >= 0 ? collect_finding(&scene, &w->region->finding[s->index])
                         : collect_ending(&scene, s->kind, s->text);
}
