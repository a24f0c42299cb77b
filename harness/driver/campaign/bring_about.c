/* bring_about.c - see bring_about.h
 *
 * A deadlock that was brought about is a finding like any other, which may predict the next.
 */
#include "bring_about.h"

#include <stdlib.h>

#include "confirm.h"
#include "judge.h"
#include "util/alloc.h"

/* Of a race that is sure, and of one that may be impossible; sure ones again in each later campaign. */
enum { RACE_TRIES = 4, GUESS_TRIES = 2 };

static void conclude(struct finding *f, char *verdict)
{
    char *text = *f->text ? mem_format("%s; %s", f->text, verdict) : mem_copy(verdict);
    free(f->text);
    f->text = text;
    free(verdict);
}

/* The campaign's note of a prediction, made where there is none. */
static struct open_prediction *note_of(struct campaign *c, uint64_t place, const struct steering *s)
{
    for (size_t i = 0; i < c->opens; i++)
        if (c->open[i]->place == place && steering_is_same(&c->open[i]->steering, s))
            return c->open[i];
    struct open_prediction *p = mem_zeroed(1, sizeof *p);
    *p = (struct open_prediction){.place = place, .steering = *s};
    c->open = mem_grow(c->open, c->opens, sizeof *c->open);
    c->open[c->opens++] = p;
    return p;
}

/* The finding that the schedule which ended in w made of the prediction, reported as schedule `number`. NULL: it
 * was not brought about. */
static struct finding *take_deadlock(struct campaign *c, struct worker *w, const struct steering *s,
                                     uint64_t number, bool *shown)
{
    struct symptom list[SYMPTOMS];
    size_t count = judge(c, w, 0, list);

    for (size_t i = 0; i < count; i++) {
        uint64_t key = list[i].key;
        if (list[i].index < 0 || !steering_is_it(s, w->region, &w->region->finding[list[i].index]))
            continue;
        *shown = true;
        report_symptoms(c, w, number, list, count);
        return confirm_known(c, key);
    }
    symptoms_free(list, count);
    return NULL;
}

/* Run up to options.steers schedules that steer into it, others than those of before; the first that
 * deadlocks there is reported as schedule `number`. */
static void steer(struct campaign *c, struct worker *w, struct open_prediction *p, uint64_t number)
{
    unsigned most = p->tried + c->options.steers;

    p->done = true;
    while (p->steering.edges && p->tried < most && !p->shown) {
        struct hdp_config *config = &w->region->config;
        *config = c->options.config;
        config->expected_steps = c->expected_steps;
        config->expected_threads = c->expected_threads;
        steering_prepare(&p->steering, p->place, ++p->tried, config);
        if (!campaign_run_now(c, w))
            break;
        if (campaign_counts(c, number))
            campaign_count_try(c, w);
        p->real = take_deadlock(c, w, &p->steering, number, &p->shown);
    }
}

/* f, a prediction, then says what came of it. False: it did not happen. */
static bool bring_deadlock_about(struct campaign *c, struct worker *w, const struct steering *s,
                                 uint64_t number, struct finding *f)
{
    bool following = c->following;
    struct open_prediction *p = s->edges ? note_of(c, f->place, s) : NULL;

    if (!p)
        return false;
    p->finding = f;
    c->following = false;
    if (!p->done)
        steer(c, w, p, number);
    c->following = following;
    if (p->shown)
        conclude(f, mem_format("confirmed by try %u to bring it about, see %s", p->tried,
                               p->real && p->real->name ? p->real->name : "the deadlock"));
    else if (p->tried)
        conclude(f, mem_format("not confirmed by %u tries to bring it about", p->tried));
    if (p->real && p->real != f && !f->same_as)
        f->same_as = mem_copy(p->real->name);
    return p->shown;
}

/* A prediction that did not come true may be one of what cannot happen. */
static void doubt_unless_brought_about(struct campaign *c, struct worker *w,
                                       const struct steering *s, uint64_t number, struct finding *f)
{
    if (!bring_deadlock_about(c, w, s, number, f) && finding_is_prediction(f->kind) && !f->doubtful)
        f->doubtful = mem_copy(steering_doubt(f));
}

void report_symptoms(struct campaign *c, struct worker *w, uint64_t number, struct symptom *list,
                     size_t count)
{
    struct confirmation *k = confirm(c, w, number, list, count);
    struct steering predicted;
    struct finding *f;

    while (k && (f = confirm_next(c, k, &predicted))) {
        doubt_unless_brought_about(c, w, &predicted, number, f);
        if (confirm_is_excluded(c, f))
            continue; /* campaign_finish() leaves it out */
        confirm_save(c, k, f);
        live_found(&c->live, f);
    }
}

static void report_unshown(struct campaign *c, struct worker *w, uint64_t number,
                           const struct prediction *p, size_t i, unsigned tries)
{
    struct hdp_finding raw;
    struct scene scene = campaign_scene(c, w);
    bool is_new, hidden;

    prediction_unshown(p, i, number, tries, &raw);
    campaign_look_at(c, w);
    struct finding *f = collect_finding(&scene, &raw);
    finding_forget_moments(f); /* of the last try */
    f->first = f->last = number;
    f->count = campaign_counts(c, number);
    f->strategy = mem_copy("predicted");
    f->doubtful = mem_copy("it was not brought about: the two may be kept in order by something "
                           "that Heddle does not see");
    f = campaign_keep(c, f, &hidden, &is_new);
    if (is_new && !hidden)
        live_found(&c->live, f);
}

/* One try, which is prepared. False: it could not be made. */
static bool try_race(struct campaign *c, struct worker *w, uint64_t number,
                     struct predicted_race *race)
{
    struct hdp_learned *news = mem_zeroed(1, sizeof *news);
    struct symptom list[SYMPTOMS];

    *news = w->region->news; /* what schedules learn is a matter of those that have a number */
    bool done = campaign_run_now(c, w);
    if (done) {
        if (campaign_counts(c, number))
            campaign_count_try(c, w);
        race->tried++;
        race->shown = predicted_race_is_shown(race, w->region);
        size_t count = judge(c, w, 0, list);
        predict_note(&c->races, c->symbols, w->region);
        report_symptoms(c, w, number, list, count);
    }
    w->region->news = *news;
    free(news);
    return done;
}

static bool bring_race_about(struct campaign *c, struct worker *w, uint64_t number,
                             struct prediction *p, size_t i)
{
    struct predicted_race race = prediction_race(p, i);
    bool sure = prediction_is_sure(p, i);
    unsigned tries = sure ? RACE_TRIES : GUESS_TRIES, all = 0;

    while (race.tried < tries && !race.shown && !campaign_has_enough(c)) {
        prediction_prepare(p, i, race.tried, w->region);
        if (!try_race(c, w, number, &race))
            return false;
    }
    if (sure && !race.shown)
        all = predict_leave_open(&c->races, &race);
    if (sure && !race.shown && race.tried == tries)
        report_unshown(c, w, number, p, i, all);
    if (!race.tried || !campaign_counts(c, number))
        return true;
    if (sure) {
        c->stats.predicted.races++;
        c->stats.predicted.shown += race.shown;
        c->stats.predicted.at_once += race.shown && race.tried == 1;
    } else {
        c->stats.predicted.guesses++;
        c->stats.predicted.guesses_shown += race.shown;
    }
    return true;
}

void bring_races_about(struct campaign *c, struct worker *w, uint64_t number, struct prediction *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < prediction_pairs(p); i++)
        if (prediction_begin(p, i) && !bring_race_about(c, w, number, p, i))
            break;
    prediction_free(p);
}

/* ---- what earlier campaigns left open ---- */

static void reopened(struct campaign *c, unsigned tries, bool shown)
{
    c->stats.reopened.predictions++;
    c->stats.reopened.tries += tries;
    c->stats.reopened.shown += shown;
}

static void reopen_deadlock(struct campaign *c, struct worker *w, struct open_prediction *p)
{
    unsigned tried = p->tried;

    if (!p->done)
        steer(c, w, p, c->next);
    reopened(c, p->tried - tried, p->shown);
}

/* Entry i. The array may move meanwhile, as what is tried may predict more. */
static void reopen_race(struct campaign *c, struct worker *w, size_t i)
{
    struct predicted_race race = c->races.open[i];
    unsigned most = race.tried + RACE_TRIES;

    while (race.tried < most && !race.shown && !campaign_has_enough(c)) {
        struct hdp_config *config = &w->region->config;
        *config = c->options.config;
        config->expected_steps = c->expected_steps;
        config->expected_threads = c->expected_threads;
        predicted_race_prepare(&race, race.tried + 1, config);
        if (!try_race(c, w, c->next, &race))
            break;
    }
    reopened(c, race.tried - c->races.open[i].tried, race.shown);
    c->races.open[i] = race;
}

void bring_open_about(struct campaign *c, struct worker *w)
{
    size_t deadlocks = c->opens, races = c->options.predict ? c->races.opens : 0;

    for (size_t i = 0; i < deadlocks && !campaign_has_enough(c); i++)
        reopen_deadlock(c, w, c->open[i]);
    for (size_t i = 0; i < races && !campaign_has_enough(c); i++)
        reopen_race(c, w, i);
    if (w->state == WORKER_DONE)
        worker_next(w);
}
