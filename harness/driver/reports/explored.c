/* explored.c - see explored.h */
#include "explored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "util/alloc.h"
#include "util/quantity.h"

/* The i-th reason why what was found of all schedules is no proof; free(); NULL: there is none behind. */
static char *reason(const struct stats *s, unsigned i)
{
    const struct exploration_counts *e = &s->explored.counts;
    const struct {
        uint64_t holds;
        const char *text;
        bool counted;
    } all[] = {
        {!e->over, "not all was explored", false},
        {s->explored.failures, "findings in the part that this one goes on from: %llu", true},
        {!s->accesses_watched,
         "what threads share beside what they lock and wait for was not watched (build with "
         "heddle-cc)",
         false},
        {s->explored.raced, "memory accesses race (heddle run tells which)", false},
        {s->explored.words_lost,
         "threads share more words of memory than can be followed: some of their accesses came in "
         "one order alone",
         false},
        {s->cut,
         s->explored.in_test ? "schedules that reached the step bound (max_steps): %llu"
                             : "schedules that reached the step bound (--max-steps): %llu",
         true},
        {s->timed_out, "schedules that ran out of time (--timeout): %llu", true},
        {s->control_lost, "times that control was lost: %llu", true},
        {s->external, "system calls that left control: %llu", true},
        {s->unmodelled.count, "calls that have no model", false},
        {e->uncontrolled & HDP_UNCONTROLLED_OUTSIDE, "threads wait for what comes from outside",
         false},
        {e->uncontrolled & HDP_UNCONTROLLED_SIGNAL, "signal handlers ran", false},
        {e->uncontrolled & HDP_UNCONTROLLED_CANCEL, "threads were cancelled", false},
        {e->uncontrolled & HDP_UNCONTROLLED_TIMER, "a timer was armed", false},
        {e->uncontrolled & HDP_UNCONTROLLED_SLEEP,
         "a timed wait could have run out while a sleep before it went on", false},
        {e->uncontrolled & HDP_UNCONTROLLED_FILES,
         "files, their names or descriptors were used, and others may see in which order", false},
        {e->uncontrolled & HDP_UNCONTROLLED_SPINS, "all threads waited in loops for each other",
         false},
        {e->astray, "the program did not do the same again under the same schedule", false},
        {e->full, "a schedule was too long to be noted whole", false},
        {e->died, "a schedule ended without a word", false},
    };

    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        if (!all[k].holds || i-- > 0)
            continue;
        return all[k].counted ? mem_format("%.*s%llu", (int)(strcspn(all[k].text, "%")),
                                           all[k].text, (unsigned long long)all[k].holds)
                              : mem_copy(all[k].text);
    }
    const char *earlier = json_string_value(json_array_get(s->explored.doubts, i));
    return earlier ? mem_format("before it was resumed: %s", earlier) : NULL;
}

json_t *explored_doubts(const struct stats *s)
{
    json_t *all = json_array();
    char *why;

    for (unsigned i = s->explored.counts.over ? 0 : 1; (why = reason(s, i)); i++) {
        json_array_append_new(all, json_text(why));
        free(why);
    }
    return all;
}

char *explored_doubt(const struct stats *s)
{
    return reason(s, 0);
}

char *explored_estimate(const struct stats *s)
{
    double estimate = s->explored.counts.estimate;
    char text[32];

    if (!(estimate > 0) || estimate > 1e15)
        return NULL;
    double unit = pow(10, floor(log10(estimate)) - 1);
    if (unit < 1)
        unit = 1;
    return mem_format("about %s", show_count((uint64_t)(round(estimate / unit) * unit), text));
}

static void print_covered(FILE *to, const struct stats *s)
{
    fputs("  covers: every order of the operations that Heddle models", to);
    if (s->explored.bounded)
        fprintf(to, ", with at most %u preemption%s", s->explored.preemptions,
                s->explored.preemptions == 1 ? "" : "s");
    if (s->explored.steps)
        fprintf(to, ", in the first %u steps", s->explored.steps);
    if (s->accesses_watched)
        fputs(s->explored.points == HDP_POINTS_SYNC  ? ", and of atomic accesses"
              : s->explored.points == HDP_POINTS_ALL ? ", and of memory accesses"
                                                     : ", of atomic accesses, and of memory "
                                                       "accesses that race",
              to);
    fputs("; sequential consistency\n", to);
}

void explored_print(FILE *to, const struct stats *s, size_t bugs)
{
    const struct exploration_counts *e = &s->explored.counts;
    char text[32];

    if (!s->explored.wanted)
        return;
    bugs += s->explored.failures;
    if (e->over) {
        if (e->schedules == 1)
            fprintf(to, "the only schedule explored: it %s\n", bugs ? "fails" : "does not fail");
        else
            fprintf(to, "all %s schedules explored: %s\n", show_count(e->schedules, text),
                    bugs ? "not all pass" : "none fails");
    } else {
        char *estimate = explored_estimate(s);
        fprintf(to, "%s of %s schedules explored%s\n", show_count(e->schedules, text),
                estimate ? estimate : "nobody knows how many",
                s->explored.stops && bugs ? ", up to the first that fails (--keep-going goes on)"
                                          : "");
        free(estimate);
    }
    if (e->over)
        print_covered(to, s);
    char *why = bugs ? NULL : reason(s, 0);
    if (why)
        fputs("  no proof: ", to);
    for (unsigned i = 1; why; i++) {
        fputs(why, to);
        free(why);
        why = reason(s, i);
        fputs(why ? "; " : "\n", to);
    }
}

json_t *explored_json(const struct stats *s)
{
    const struct exploration_counts *e = &s->explored.counts;
    json_t *o = json_object(), *reasons = json_array();
    char *why;

    for (unsigned i = 0; (why = reason(s, i)); i++) {
        json_array_append_new(reasons, json_text(why));
        free(why);
    }
    json_object_set_new(o, "complete", json_boolean(e->over));
    json_object_set_new(o, "schedules", json_integer((json_int_t)e->schedules));
    json_object_set_new(o, "traces", json_integer((json_int_t)e->traces));
    json_object_set_new(o, "traces_cut_short", json_integer((json_int_t)e->cut_short));
    json_object_set_new(o, "repeated", json_integer((json_int_t)e->repeated));
    json_object_set_new(o, "redundant", json_integer((json_int_t)e->redundant));
    json_object_set_new(o, "restarts", json_integer((json_int_t)e->restarts));
    json_object_set_new(o, "estimate", e->estimate > 0 ? json_real(e->estimate) : json_null());
    json_object_set_new(o, "reduced", json_boolean(!s->explored.plain));
    json_object_set_new(o, "preemptions",
                        s->explored.bounded ? json_integer(s->explored.preemptions) : json_null());
    json_object_set_new(o, "steps",
                        s->explored.steps ? json_integer(s->explored.steps) : json_null());
    json_object_set_new(o, "no_proof", reasons);
    return o;
}
