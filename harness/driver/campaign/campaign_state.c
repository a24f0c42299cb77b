/* campaign_state.c - see campaign_state.h */
#include "campaign_state.h"

#include <stdlib.h>
#include <string.h>

#include "findings/suppress.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/read_file.h"
#include "util/real_time.h"

/* More predictions than these are not looked up: they stay doubtful. */
#define EXCLUDED_BOUND 4096u

#define SECOND_NS 300000000

/* So often it is asked whether enough was seen. */
#define LOOK_EVERY 512u

volatile sig_atomic_t campaign_stop;

/* A second one ends us the hard way; but who stops a process and its group, as timeout does, sends two at
 * once and means one. */
static void on_stop(int number)
{
    static int64_t first_ns;

    if (!campaign_stop) {
        first_ns = real_now();
        campaign_stop = number;
    } else if (real_now() - first_ns > SECOND_NS) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

void campaign_catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_stop};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write() */
}

bool campaign_begins_phase(uint64_t number)
{
    uint64_t length = 1;
    while (number / length >= 16)
        length *= 4;
    return number <= LEARN_UNTIL && number % length == 0;
}

bool campaign_waits_before(const struct campaign *c, uint64_t number)
{
    return campaign_begins_phase(number) ||
           (c->options.until_share > 0 &&
            (c->options.at_least ? (number & (number - 1)) == 0 : number % LOOK_EVERY == 0));
}

static unsigned owner(const struct campaign *c, uint64_t number)
{
    return number <= LEARN_UNTIL ? 1 : (unsigned)(number % c->options.shards) + 1;
}

bool campaign_counts(const struct campaign *c, uint64_t number)
{
    if (number && number < c->options.begin)
        return false;
    return c->options.shards < 2 || owner(c, number) == c->options.shard;
}

bool campaign_runs(const struct campaign *c, uint64_t number)
{
    return campaign_counts(c, number) || number <= LEARN_UNTIL || (number & (number - 1)) == 0;
}

bool campaign_exit_is_fine(const struct campaign *c, int code)
{
    return code == 0 || c->options.fine_exit[(code & 255) / 64] >> (code & 63) & 1;
}

bool campaign_fails(const struct campaign *c, const struct finding *f)
{
    return (c->options.strict || !f->doubtful) && !f->known && !(c->options.spared >> f->kind & 1);
}

size_t campaign_failures(const struct campaign *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->findings.count; i++)
        n += campaign_fails(c, c->findings.list[i]);
    return n;
}

bool campaign_has_enough(const struct campaign *c)
{
    return campaign_stop || c->trouble || (c->options.stop_at_first && campaign_failures(c)) ||
           (c->options.time_ns && !c->options.at_least &&
            real_now() - c->phase_started_ns > c->options.time_ns);
}

/* Are the findings in files that were there before the first thread? */
static bool places_known(struct symbols *s, const struct hdp_region *r)
{
    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++) {
        const struct hdp_finding *f = &r->finding[i];
        for (uint32_t n = 0; n < f->notes && n < HDP_NOTES; n++)
            if (f->note[n].site && !symbols_know(s, f->note[n].site))
                return false;
    }
    return true;
}

void campaign_look_at(struct campaign *c, const struct worker *w)
{
    const struct hdp_region *r = w->region;
    /* The map of the failing process knows libraries that were loaded late. */
    bool has_map = r->maps_bytes && r->maps_bytes <= HDP_MAPS_BYTES;
    if (c->maps[w->index] && !(has_map && r->config.flags & HDP_RICH)) {
        symbols_map(c->symbols, c->maps[w->index]);
        if (!has_map || places_known(c->symbols, r))
            return;
    }
    char *maps = has_map ? strndup(r->maps, r->maps_bytes) : NULL;
    if (maps)
        symbols_map(c->symbols, maps);
    free(maps);
}

struct scene campaign_scene(struct campaign *c, const struct worker *w)
{
    bool stuck = w->timed_out && w->region->config.flags & HDP_RICH;
    return (struct scene){.region = w->region,
                          .symbols = c->symbols,
                          .objects = &c->objects,
                          .stuck = stuck ? c->stuck : NULL,
                          .stuck_count = stuck ? c->stuck_count : 0};
}

void campaign_trouble(struct campaign *c, char *why)
{
    if (c->trouble)
        free(why);
    else
        c->trouble = why;
}

bool campaign_is_flooded(const struct campaign *c, const struct worker *w)
{
    return w->flooded || c->crew.bell->flooded;
}

/* Wait until w is no more in this state. */
static void wait_while(struct campaign *c, struct worker *w, enum worker_state state)
{
    int64_t checked = real_now();

    while (worker_poll(w) == state) {
        crew_wait(&c->crew, TICK_MS);
        if (real_now() - checked > TICK_MS * 1000000ll) {
            crew_check(&c->crew, c->options.timeout_ns);
            checked = real_now();
        }
        if (state == WORKER_STARTING && campaign_stop)
            return;
    }
}

bool campaign_start_now(struct campaign *c, struct worker *w, const struct hdp_config *config)
{
    worker_stop(&c->crew, w);
    free(c->maps[w->index]);
    c->maps[w->index] = NULL;
    char *why = worker_start(&c->crew, w, config);
    if (why) {
        campaign_trouble(c, why);
        return false;
    }
    wait_while(c, w, WORKER_STARTING);
    if (w->state == WORKER_IDLE)
        c->maps[w->index] = read_maps(w->pid);
    return w->state != WORKER_STARTING;
}

bool campaign_run_now(struct campaign *c, struct worker *w)
{
    struct hdp_config config = w->region->config;

    if (w->state == WORKER_DONE)
        worker_next(w);
    for (unsigned i = 0; i < SERVER_DEATHS && w->state == WORKER_IDLE && !campaign_stop; i++) {
        w->region->config = config;
        worker_run(w);
        wait_while(c, w, WORKER_RUNNING);
        if (w->state != WORKER_DIED || campaign_is_flooded(c, w))
            break;
        c->stats.server_deaths++;
        campaign_start_now(c, w, &c->options.config);
    }
    return w->state == WORKER_DONE;
}

struct finding *campaign_keep(struct campaign *c, struct finding *f, bool *hidden, bool *is_new)
{
    *hidden = c->options.suppressions && suppress_matches(c->options.suppressions, f);
    if (c->options.baseline && !*hidden)
        f->known = baseline_knows(c->options.baseline, f->fingerprint);
    return findings_add(*hidden ? &c->suppressed : &c->findings, f, is_new);
}

bool campaign_excludes(const struct campaign *c, uint64_t key)
{
    for (size_t i = 0; i < c->excluded_keys; i++)
        if (c->excluded_key[i] == key)
            return true;
    return false;
}

void campaign_exclude(struct campaign *c, uint64_t key)
{
    if (c->excluded_keys == EXCLUDED_BOUND || campaign_excludes(c, key))
        return;
    c->excluded_key = mem_grow(c->excluded_key, c->excluded_keys, sizeof *c->excluded_key);
    c->excluded_key[c->excluded_keys++] = key;
}

bool campaign_write(struct campaign *c, const char *name, const char *ending, const void *data,
                    size_t bytes, char **written)
{
    if (!c->outdir.wanted)
        return false;
    char *why = outdir_write(&c->outdir, c->about, name, ending, data, bytes, written);
    if (!why)
        return true;
    if (!c->stats.not_saved)
        complain("%s; findings are printed all the same", why);
    c->stats.not_saved = true;
    free(why);
    return false;
}

void campaign_count_try(struct campaign *c, const struct worker *w)
{
    const struct hdp_result *result = &w->region->result;
    struct stats *s = &c->stats;

    s->schedules++;
    s->planned += s->planned != 0;
    s->predicted.tries++;
    s->steps += result->steps;
    s->virtual_ns += result->virtual_ns;
    s->cut += result->outcome == HDP_CUT;
    s->slow += w->slow;
}
