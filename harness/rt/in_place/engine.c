/* engine.c - the batch: each schedule begins where main was about to make its first thread, and ends
 * wherever it does.
 *
 * What a schedule wrote is known for certain only after a look (image.c), which costs more than a
 * short schedule. So several are run between two looks, and count only when the second one finds no
 * page that was not put back after each; else they are run again, with a look after each.
 */
#include "engine.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "core/real.h"

/* Of the memory of models and detectors: what is not used costs nothing. */
#define AHEAD_BYTES (64ul << 20)
#define AHEAD_PAGES (4ul << 30)
#define WINDOW 256u        /* schedules between two looks, at most */
#define WINDOW_NS 10000000 /* no more of them when they take so long */

/* What schedules write in memory that is shared with the driver, and only add to. */
struct news {
    uint32_t sites, words, pairs, full, words_lost, covered;
};

static struct news news_so_far(void)
{
    const struct hdp_learned *n = &rt.region->news;

    return (struct news){n->sites, n->words,      n->pairs,
                         n->full,  n->words_lost, rt.region->covered.changes};
}

static void news_take_back(struct news then)
{
    struct hdp_learned *n = &rt.region->news;

    n->sites = then.sites;
    n->words = then.words;
    n->pairs = then.pairs;
    n->full = then.full;
    n->words_lost = then.words_lost;
    hdp_covered_take_back(&rt.region->covered, then.covered);
}

static int64_t now_ns(void)
{
    struct timespec t;

    hdi_passed_call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0, 0, 0);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static bool passed(const struct hdp_result *r)
{
    for (uint32_t i = 0; i < HD_FK_COUNT; i++)
        if (r->findings_dropped[i])
            return false;
    return rt_engine->how == RT_ENDED && rt_engine->status == 0 && r->outcome == HDP_RAN &&
           !r->findings && !r->excluded && !r->control_lost && !r->external &&
           r->unmodelled == rt.prefix_unmodelled && r->steps < HDP_STEPS;
}

/* Run schedule i, and keep what it came to. */
static void run(uint32_t i)
{
    struct hdp_batch *b = &rt.region->batch;
    struct rt_engine *e = rt_engine;
    struct hdp_config *c = &rt.region->config;
    const struct hdp_ordered *o = &b->ordered[i];

    *c = e->config;
    c->seed = o->seed;
    c->flags = o->flags;
    c->strategy = o->strategy;
    c->depth = o->depth;
    c->work_steps = o->work_steps;
    b->at = i;
    e->output[0] = e->output[1] = HASH_BASIS;
    rt_pool_begin();
    e->selector = 0;
    hdi_switch_context(&e->own, &e->place[0].start);
    e->selector = 0;
    b->ran[i].result = rt.region->result;
    b->ran[i].result.wait_status = e->status << 8;
    b->ran[i].output[0] = e->output[0];
    b->ran[i].output[1] = e->output[1];
}

/* Its decisions, behind those of the ones before. False: there is no room for them. */
static bool keep_trace(uint32_t i, uint32_t *at)
{
    struct hdp_batch *b = &rt.region->batch;
    uint32_t steps = b->ran[i].result.steps;

    if (steps > HDP_BATCH_STEPS - *at)
        return false;
    hdi_copy_raw(&b->trace[*at], rt.region->trace, steps * sizeof *b->trace);
    *at += steps;
    return true;
}

static void check_memory(void)
{
    uintptr_t at;
    char text[80], *to = rt_put_text(text, "memory at 0x");

    if (!rt.region->batch.check)
        return;
    if (rt_image_mappings() != rt_engine->mappings) {
        rt_in_place_say("its mappings are not as they were before the schedule");
        rt_in_place_leave(HDP_BATCH_UNHEALED);
    }
    at = rt_image_compare();
    if (!at)
        return;
    for (int shift = 44; shift >= 0; shift -= 4)
        *to++ = "0123456789abcdef"[at >> shift & 15];
    rt_put_text(to, " is not as it was before the schedule");
    rt_in_place_say(text);
    rt_in_place_leave(HDP_BATCH_UNHEALED);
}

static void run_all(void)
{
    struct hdp_batch *b = &rt.region->batch;
    uint32_t window = 1, i = 0, steps = 0, done_steps = 0;
    struct news news, before;
    int64_t begin = now_ns();
    uint64_t first = hdi_cycles();

    rt.region->covered.noted = 1;
    news = before = news_so_far();
    while (i < b->count) {
        uint64_t start = hdi_cycles(), ran, restored;
        bool good, full, last;
        int64_t took;
        int fresh;

        before = news_so_far();
        run(i);
        ran = hdi_cycles();
        good = passed(&b->ran[i].result);
        full = good && !keep_trace(i, &steps);
        if (i == b->done)
            rt_image_keep_bound();
        rt_calls_undo();
        rt_image_restore();
        restored = hdi_cycles();
        b->run_cycles += ran - start;
        b->restore_cycles += restored - ran;
        last = !good || full || i + 1 == b->count || i + 1 - b->done >= window;
        i++;
        if (!last)
            continue;
        fresh = rt_image_look();
        if (fresh > 0)
            rt_image_tell();
        b->scans++;
        b->scan_cycles += hdi_cycles() - restored;
        if (fresh < 0) {
            news_take_back(before);
            hdp_covered_take_back(&rt.region->covered, news.covered);
            rt_in_place_say(rt_engine->image.hots == RT_HOT
                                ? "writes more than 64 MiB"
                                : "the kernel no longer tells which pages are written");
            rt_in_place_leave(HDP_BATCH_CANNOT);
        }
        check_memory();
        /* The first of a window began with everything in its place. */
        if (fresh && i - b->done > 1) {
            b->rerun += i - b->done;
            news_take_back(news);
            i = b->done;
            steps = done_steps;
            window = 1;
            continue;
        }
        took = now_ns() - begin - b->took_ns;
        b->took_ns += took;
        b->cycles = hdi_cycles() - first;
        if (!good) {
            b->done = i - 1;
            news_take_back(before);
            rt_in_place_leave(rt_engine->how == RT_CANNOT ? HDP_BATCH_CANNOT : HDP_BATCH_NEWS);
        }
        if (full) { /* it has to be run once more, in the next batch */
            b->done = i - 1;
            news_take_back(before);
            break;
        }
        b->done = i;
        rt.region->covered.changes = 0;
        news = news_so_far();
        done_steps = steps;
        if (!b->check && window < WINDOW && took < WINDOW_NS)
            window *= 2;
        if (b->took_ns > b->time_ns)
            break;
    }
    rt_in_place_leave(HDP_BATCH_RAN);
}

/* On a stack of its own. */
static void engine(void)
{
    rt_image_take();
    rt.region->batch.image_bytes = rt_engine->image.present_bytes;
    rt_calls_catch();
    if (rt.region->batch.check)
        rt_engine->mappings = rt_image_mappings();
    run_all();
}

void rt_in_place_run(void (*begin)(void))
{
    struct hdp_batch *b = &rt.region->batch;
    struct rt_engine *e;

    b->end = HDP_BATCH_DIED;
    b->at = b->done = b->scans = b->rerun = 0;
    b->calls = 0;
    b->cycles = b->run_cycles = b->restore_cycles = b->scan_cycles = 0;
    b->took_ns = 0;
    b->what[0] = 0;
    if (!HDI_CONTEXTS_WORK)
        rt_in_place_refuse("the processor or the kernel has no FSGSBASE (Linux 5.9)");
    e = mmap(NULL, sizeof *e, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
             -1, 0);
    if (e == MAP_FAILED)
        rt_in_place_refuse("there is no memory for the engine");
    rt_engine = e;
    e->begin = begin;
    e->config = rt.region->config;
    rt_pool_make(b->threads);
    hdi_alloc_ahead(AHEAD_BYTES, AHEAD_PAGES);
    rt_calls_catch_end();
    rt_vehicle = &rt_in_place_vehicle;
    e->own.fs = hdi_thread_base();
    e->own.sp = hdi_new_stack(e->stack + sizeof e->stack, engine);
    hdi_switch_context(&e->place[0].start, &e->own);
    e->selector = 1;
    e->begin();
}
