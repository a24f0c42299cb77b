/* progress.c - see progress.h */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/explored.h"
#include "reports/page.h"
#include "reports/report_text.h"
#include "util/alloc.h"
#include "util/quantity.h"
#include "util/real_time.h"

#define TERMINAL_NS 100000000ll /* ten times a second */
#define PIPE_NS 10000000000ll   /* every ten seconds */

void live_start(struct live *l, bool quiet)
{
    const char *term = getenv("TERM");
    *l = (struct live){.terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
                       .quiet = quiet,
                       .last_ns = real_now()};
}

static void clear(struct live *l)
{
    if (l->shown)
        fputs("\r\033[K", stderr);
    l->shown = false;
}

void live_update(struct live *l, const struct stats *s, const struct findings *all)
{
    int64_t now = real_now();
    if (l->quiet || now - l->last_ns < (l->terminal ? TERMINAL_NS : PIPE_NS))
        return;
    l->last_ns = now;
    char done[32], of[32], rate[32], kinds[32];
    double seconds = (double)(now - s->started_ns) / 1e9;
    show_count((uint64_t)((double)s->schedules / (seconds > 0 ? seconds : 1)), rate);
    clear(l);
    char *estimate = s->explored.wanted ? explored_estimate(s) : NULL;
    char *line = mem_format("heddle: %s%s%s schedules, %s/s, %s interleavings, %zu finding%s",
                            show_count(s->schedules, done), s->planned || estimate ? " of " : "",
                            estimate     ? estimate
                            : s->planned ? show_count(s->planned, of)
                                         : "",
                            rate, show_count(distinct_count(&s->interleavings), kinds),
                            findings_bugs(all), findings_bugs(all) == 1 ? "" : "s");
    free(estimate);
    /* One that is broken by the terminal is not taken away whole. */
    int room = l->terminal ? page_terminal(stderr) - 1 : (int)strlen(line);
    fprintf(stderr, "%.*s%s", room, line, l->terminal ? "" : "\n");
    free(line);
    l->shown = l->terminal;
    fflush(stderr);
}

void live_found(struct live *l, const struct finding *f)
{
    if (l->quiet)
        return;
    clear(l);
    char *headline = report_headline(f), *reproduced = report_reproduced(f);
    page_clean(headline);
    fprintf(stderr, "heddle: %s in schedule %llu (%s): %s\n", f->name, (unsigned long long)f->first,
            reproduced, headline);
    free(headline);
    free(reproduced);
}

void live_end(struct live *l)
{
    clear(l);
    fflush(stderr);
}
