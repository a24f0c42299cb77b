/* access.c - the slow half of an access: points, learning, spinning; edges of the models. */
#include <link.h>
#include <pthread.h>
#include <string.h>

#include "core/annotate.h"
#include "core/observers.h"
#include "weak_memory.h"
#include "memory/race/calling_context.h"
#include "memory/race/lockset.h"
#include "memory/race/tape_writer.h"
#include "access.h"

struct hdi_watch hdi_watch;
uint64_t hdi_point_sites[HDI_POINT_SLOTS];
uint8_t hdi_point_hint[4096];
uint64_t *hdi_scouted;

#define SHADOW_LIMIT ((size_t)4 << 30)
#define REPEATS 4u /* loads that bring nothing new before a thread yields */

/* ---- which sites are points ---- */

/* How often a place of the first schedule's code is a point before it has shown to matter, and at how many
 * accesses in all. */
#define SCOUTED_TIMES 8u
#define SCOUTED_ACCESSES 2000u
#define SCOUTED_PLACES 1024u
#define OWN_STACK                                                                                  \
    ((uintptr_t)1 << 20) /* what lies so near above the stack pointer is on the stack */
#define NO_POINT 1u      /* in hdi_point_sites: a place that is no point any more */

static struct {
    uint32_t from;   /* how many steps had been made when it became a point */
    uint16_t noted;  /* its entry in the points that were reached, + 1 */
    uint8_t scouted; /* how often it is still a point, + 1; 0: for good */
} state[HDI_POINT_SLOTS];
static uint32_t scouted_accesses;

/* Slot of a point, or one that is free. */
static uint32_t point_find(uint64_t pc)
{
    uint32_t i = hdi_point_slot(pc);

    while (hdi_point_sites[i] && hdi_point_sites[i] != pc)
        i = (i + 1) & (HDI_POINT_SLOTS - 1);
    return i;
}

static uint32_t point_add(uint64_t pc, uint32_t from)
{
    uint32_t i = point_find(pc);

    hdi_point_sites[i] = pc;
    state[i].from = from;
    state[i].noted = 0;
    state[i].scouted = 0;
    hdi_point_hint[pc & 4095] = 1;
    return i;
}

static void point_remove(uint64_t pc, uint32_t steps)
{
    uint32_t i = point_find(pc);

    if (hdi_point_sites[i] != pc)
        return;
    hdi_point_sites[i] = NO_POINT;
    if (state[i].noted)
        hdi_watch.config.reached->until[state[i].noted - 1] = steps;
}

/* What becomes a point, or ceases to be one, within the schedule: when so many steps have been made. */
static struct change {
    uint64_t pc;
    uint32_t at;
    bool is_end;
} coming[2 * HDP_LEARNED_SITES];
static uint32_t coming_count, coming_first; /* entries; the least `at` of them */

static void point_comes(uint64_t pc, uint32_t at, bool is_end)
{
    if (coming_count == sizeof coming / sizeof *coming)
        return;
    if (!coming_count || at < coming_first)
        coming_first = at;
    coming[coming_count++] = (struct change){pc, at, is_end};
}

static bool is_coming(uint64_t pc)
{
    for (uint32_t i = 0; i < coming_count; i++)
        if (coming[i].pc == pc)
            return true;
    return false;
}

void hdi_points_step(uint32_t steps)
{
    uint32_t left = 0;

    if (!coming_count || steps < coming_first)
        return;
    coming_first = UINT32_MAX;
    for (uint32_t i = 0; i < coming_count; i++) {
        const struct change *c = &coming[i];
        if (c->at > steps) {
            if (c->at < coming_first)
                coming_first = c->at;
            coming[left++] = *c;
        } else if (!c->is_end) {
            if (!hdi_is_point(c->pc))
                point_add(c->pc, steps);
        } else if (hdi_watch.config.replay || state[point_find(c->pc)].scouted) {
            point_remove(c->pc, steps);
        }
    }
    coming_count = left;
}

/* A thread stands before an access that is a point. */
static void note_reached(uint64_t pc)
{
    struct hdp_reached *reached = hdi_watch.config.reached;
    uint32_t i = point_find(pc);

    if (hdi_point_sites[i] != pc)
        return;
    if (!state[i].noted && reached->sites < HDP_LEARNED_SITES) {
        reached->site[reached->sites] = pc;
        reached->from[reached->sites] = state[i].from;
        reached->until[reached->sites++] = 0;
        state[i].noted = (uint16_t)reached->sites;
    }
    if (state[i].scouted > 1) {
        scouted_accesses++;
        if (--state[i].scouted == 1)
            point_comes(pc, hdi_step() + 1, true);
    }
}

/* Has this place been scouted before? Remembers it. */
static bool was_scouted(uint64_t pc)
{
    static uint64_t known[4 * SCOUTED_PLACES];
    static uint32_t used;
    uint32_t i = hdi_point_slot(pc) % (4 * SCOUTED_PLACES);

    while (known[i] && known[i] != pc)
        i = (i + 1) % (4 * SCOUTED_PLACES);
    if (known[i] || used == SCOUTED_PLACES)
        return true;
    known[i] = pc;
    used++;
    return false;
}

/* Nothing is known yet of what threads share: a place that comes to memory which is not the thread's own
 * stack is a point for its first few times. From the first on, so that a replay need not know when. */
static bool scout(uintptr_t addr, uint64_t pc)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    if (!hdi_scouted)
        return false;
    hdi_scouted[pc & 4095] = pc; /* it is asked about once */
    if (scouted_accesses >= SCOUTED_ACCESSES || was_scouted(pc) || addr - here < OWN_STACK)
        return false;
    state[point_add(pc, 0)].scouted = SCOUTED_TIMES + 1;
    return true;
}

/* News of this worker so far, beside the points. False: it is known already, or there is no
 * room. */
static bool remember(uint64_t pc)
{
    static uint64_t known[HDP_LEARNED_SITES * 2];
    static uint32_t used;
    uint32_t i = hdi_point_slot(pc) & (HDP_LEARNED_SITES * 2 - 1);
    while (known[i] && known[i] != pc)
        i = (i + 1) & (HDP_LEARNED_SITES * 2 - 1);
    if (known[i] || used == HDP_LEARNED_SITES + 1)
        return false;
    known[i] = pc;
    used++;
    return true;
}

static void scouts_start(void)
{
    static uint64_t last[sizeof hdi_point_hint];

    hdi_scouted = last;
    memset(hdi_point_hint, 1, sizeof hdi_point_hint); /* any place is looked up */
}

static void points_start(void)
{
    const struct hdi_memory_config *c = &hdi_watch.config;
    uint64_t site;
    uint32_t from, until;

    c->reached->sites = coming_count = 0;
    hdi_watch.all = c->points == HDP_POINTS_ALL;
    for (uint32_t i = 0; hdi_meeting_site(i, &site); i++)
        if (site && !hdi_is_point(site))
            point_add(site, 0);
    if (hdi_watch.all)
        return;
    if (c->replay) {
        for (uint32_t i = 0, sites = 0;
             sites < HDP_LEARNED_SITES && hdi_replayed_site(i, &site, &from, &until); i++) {
            if (!site || (!from && !until && (hdi_is_point(site) || is_coming(site))))
                continue;
            if (from)
                point_comes(site, from, false);
            else
                point_add(site, 0);
            if (until)
                point_comes(site, until, true);
            sites++;
        }
        return;
    }
    if (c->points != HDP_POINTS_SHARED)
        return;
    if (c->scout)
        scouts_start();
    for (uint32_t i = 0; i < c->learned->sites; i++)
        point_add(c->learned->site[i], 0);
    /* code that ran before its word became shared is recognised by the word */
    for (uint32_t i = 0; i < c->learned->words; i++) {
        struct hdi_cell *cell = hdi_shadow_get(c->learned->word[i] << 3);
        if (cell)
            cell->flags |= HDI_CELL_SHARED;
    }
    for (uint32_t i = 0; i < c->news->sites; i++)
        remember(c->news->site[i]);
}

void hdi_points_learn(uint64_t pc)
{
    struct hdp_learned *news = hdi_watch.config.news;
    uint32_t i = point_find(pc);
    bool is_point = hdi_point_sites[i] == pc;
    if (hdi_watch.config.replay || (is_point && !state[i].scouted) || !remember(pc))
        return;
    state[i].scouted = 0;
    if (news->sites == HDP_LEARNED_SITES) {
        news->full = 1;
        return;
    }
    news->site[news->sites++] = pc;
    if (hdi_watch.config.points == HDP_POINTS_SHARED && !is_point)
        point_comes(pc, hdi_step() + 1, false);
}

void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc)
{
    struct hdp_learned *news = hdi_watch.config.news;
    hdi_points_learn(pc);
    hdi_points_learn(hdi_full_pc(earlier_pc));
    if (hdi_watch.config.replay)
        return;
    for (uint32_t i = 0; i < news->words; i++)
        if (news->word[i] == word >> 3)
            return;
    if (news->words == HDP_LEARNED_WORDS)
        news->words_lost = 1;
    else
        news->word[news->words++] = word >> 3;
}

/* Does each access go the long way? */
static bool all_looked_at(void)
{
    return hdi_tape || hdi_watch.config.exhaustive;
}

/* `accesses` more before it must yield. */
static void refill(struct hdi_memory_thread *s, uint32_t accesses)
{
    s->quiet = all_looked_at() ? 1 : accesses;
    s->budget = accesses;
}

static bool budget_spent(struct hdi_memory_thread *s)
{
    if (s->quiet)
        return false;
    if (!all_looked_at())
        return true;
    s->quiet = 1;
    return --s->budget == 0;
}

void hdi_note_context(struct hdi_memory_thread *s, uint64_t pc)
{
    if (hdi_watch.config.rich)
        s->racer->context = hdi_context_noted(hdi_memory_thread_context(s, pc),
                                              hdi_lockset_of(s->thread), hdi_step());
}

/* ---- points ---- */

/* Is the word of an access that is a point one that others may care for? What was learned of it by
 * earlier schedules must not be asked, as a replay does not know it: where points are chosen, all
 * that they access is. */
static bool matters(uintptr_t addr)
{
    const struct hdi_cell *cell = hdi_watch.all ? hdi_shadow_find(addr) : NULL;
    return !hdi_watch.all || (cell && cell->flags & HDI_CELL_SHARED);
}

void hdi_access_point(struct hdi_memory_thread *s, enum hd_event kind, uintptr_t addr, uint64_t pc)
{
    struct hdi_object *object = NULL;
    uintptr_t word = addr & ~(uintptr_t)7;
    if (kind >= HD_EV_ATOMIC_LOAD && kind <= HD_EV_ATOMIC_RMW) {
        object = hdi_object_get((const void *)addr, HD_OB_MEMORY, sizeof *object, pc);
    } else {
        note_reached(pc);
        if (matters(addr)) /* plain accesses may overlap in part: by word */
            object = hdi_object_get((const void *)word, HD_OB_MEMORY, sizeof *object, pc);
    }
    refill(s, hdi_watch.all ? 1 : HDI_QUIET_FIRST);
    struct hdi_op op = {.kind = kind, .object = object, .site = pc, .data = (void *)addr};
    s->busy++;
    hdi_perform(&op);
    s->busy--;
}

static uint64_t value_at(uintptr_t addr, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, (const void *)addr, bytes < 8 ? bytes : 8);
    return value;
}

void hdi_loaded(struct hdi_memory_thread *s, uintptr_t addr, uint64_t value, uint64_t pc)
{
    uint64_t h = ((pc * 31 + addr) * 0x9e3779b97f4a7c15ull ^ value) * 0x9e3779b97f4a7c15ull | 1;
    for (unsigned i = 0; i < HDI_SEEN; i++)
        if (s->seen[i] == h) {
            if (++s->repeats < (hdi_watch.config.exhaustive ? 1 : REPEATS))
                return;
            hdi_progress(s);
            s->busy++;
            hdi_point(HD_EV_YIELD, NULL, pc);
            s->busy--;
            return;
        }
    s->repeats = 0;
    s->seen[s->seen_at++ % HDI_SEEN] = h;
}

void hdi_access_slow(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdi_access kind, uint64_t pc)
{
    bool write = kind == HDI_WRITE;
    if (s->busy || (write ? s->unwritten : s->unread)) {
        if (all_looked_at())
            s->quiet = 1;
        return;
    }
    if (write &&
        (addr < (uintptr_t)__builtin_frame_address(0) || addr >= s->thread->turn.first_frame))
        s->writes++;
    bool point = hdi_watch.all || hdi_is_point(pc) || scout(addr, pc);
    if (point) {
        hdi_access_point(s, write ? HD_EV_WRITE : HD_EV_READ, addr, pc);
        hdi_touched_memory(addr, bytes, write);
    } else if (budget_spent(s)) {
        refill(s, HDI_QUIET);
        s->busy++;
        hdi_point(HD_EV_YIELD, NULL, pc);
        s->busy--;
    }
    hdi_note_context(s, pc);
    hdi_predict_access(s->thread, pc);
    if (hdi_tape)
        hdi_tape_access(s, addr, bytes, write ? HDP_TAPE_WRITE : HDP_TAPE_READ, pc, point);
    hdi_race_access(s->racer, addr, bytes, kind, pc);
    const struct hdi_cell *cell = hdi_shadow_find(addr);
    if (cell && cell->flags & HDI_CELL_SHARED)
        hdi_points_learn(pc);
    if (!point || !matters(addr))
        return;
    if (write) {
        hdi_progress(s);
    } else {
        hdi_loaded(s, addr, value_at(addr, bytes), pc);
        hdi_touched_memory(addr, bytes,
                           false); /* what is read behind a yield is read in its step */
    }
}

/* ---- the kernel ---- */

void hdi_memory_barrier(uint64_t pc)
{
    if (hdi_watched && hdi_watch.config.model)
        hdi_model_fence(hdi_watched, HDI_SEQ_CST, pc);
}

uint32_t hdi_memory_word(const uint32_t *word, uint64_t pc)
{
    struct hdi_memory_thread *s = hdi_watched;

    if (!s || !hdi_watch.config.model)
        return __atomic_load_n(word, __ATOMIC_SEQ_CST);
    uint32_t value = (uint32_t)hdi_model_pick(s, (uintptr_t)word, sizeof *word, HDI_RELAXED, pc);
    hdi_model_read(s, HDI_RELAXED);
    return value;
}

void hdi_call_reads(const void *p, size_t bytes, uint64_t pc)
{
    struct hdi_memory_thread *s = bytes && p ? hdi_watched_caller(pc) : NULL;

    if (s)
        hdi_access_slow(s, (uintptr_t)p, bytes, HDI_READ, pc);
}

void hdi_call_writes(const void *p, size_t bytes, uint64_t pc)
{
    struct hdi_memory_thread *s = bytes && p ? hdi_watched_caller(pc) : NULL;

    if (s)
        hdi_access_slow(s, (uintptr_t)p, bytes, HDI_WRITE, pc);
}

/* ---- life ---- */

static int is_gcc_runtime(struct dl_phdr_info *info, size_t size, void *unused)
{
    const char *base = strrchr(info->dlpi_name, '/');

    (void)size, (void)unused;
    return base && strncmp(base, "/libgomp.so", 11) == 0;
}

/* Is an OpenMP runtime loaded that does not tell what it orders? */
static bool openmp_is_hidden(void)
{
    return dl_iterate_phdr(is_gcc_runtime, NULL) != 0;
}

void hdi_memory_start(void)
{
    hdi_watch.wanted = true;
    if (!hdi_watch.instrumented || hdi_watch.on)
        return;
    hdi_memory_config(&hdi_watch.config);
    if (hdi_watch.config.races && openmp_is_hidden()) {
        hdi_watch.config.races = false; /* each barrier would be a race */
        hdi_unmodelled("races: libgomp hides its order", 0);
    }
    if (!hdi_shadow_init(hdi_watch.config.rich, SHADOW_LIMIT)) {
        hdi_unmodelled("memory: no room for shadow", 0);
        return;
    }
    hdi_watch.on = true;
    hdi_watch.config.reached->watched = 1;
    points_start();
    hdi_hooks_start();
    hdi_local((void **)&hdi_memory_thread_self);
    hdi_local((void **)&hdi_watched);
    hdi_memory_thread_watch();
    if (hdi_watch.config.tape)
        hdi_tape_start(hdi_watch.config.tape, hdi_watch.config.steps);
    refill(hdi_watched, hdi_watch.all ? 1 : HDI_QUIET_FIRST);
}

uint64_t hdi_memory_writes(void)
{
    return hdi_watched ? hdi_watched->writes : 0;
}

bool hdi_memory_is_watched(void)
{
    return hdi_watch.on;
}

void hdi_memory_aside(bool begins)
{
    if (hdi_watched)
        hdi_watched->busy += begins ? 1u : -1u;
}

static void own_stack(uintptr_t *low, uintptr_t *high)
{
    struct hdi_thread *self = hdi_self();
    pthread_attr_t attr;
    void *base;
    size_t size;
    if (hdi_thread_stack(self, low, high))
        return;
    self->in_real++; /* what it allocates, and gives back, is not the program's */
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        if (!pthread_attr_getstack(&attr, &base, &size)) {
            *low = (uintptr_t)base;
            *high = *low + size;
        }
        pthread_attr_destroy(&attr);
    }
    self->in_real--;
}

static void thread_begins(void)
{
    uintptr_t low = 0, high = 0;

    if (!hdi_watch.on)
        return;
    own_stack(&low, &high); /* it may have been another thread's */
    hdi_race_reset(low, high - low);
    hdi_said_forget(low, high - low);
    hdi_memory_thread_watch();
    hdi_tape_reset(low, high - low);
    if (hdi_watched)
        refill(hdi_watched, hdi_watch.all ? 1 : HDI_QUIET_FIRST);
}

static void thread_ends(void)
{
    if (hdi_shadow_full)
        hdi_unmodelled("memory beyond 4 GiB of shadow", 0);
    if (hdi_race_exhausted)
        hdi_unmodelled("memory after 4 million releases", 0);
    if (hdi_watched && hdi_watch.config.model)
        hdi_model_synchronised(hdi_watched);
    hdi_watched = NULL;
}

/* ---- what happens ---- */

static bool is_lock(const void *clock)
{
    const struct hdi_object *of_lib = hdi_object_find(clock, HD_OB_NONE);

    if (of_lib)
        return of_lib->label_kind == HD_OB_HD_MUTEX || of_lib->label_kind == HD_OB_HD_RWMUTEX;
    return hdi_object_find(clock, HD_OB_MUTEX) || hdi_object_find(clock, HD_OB_SPIN) ||
           hdi_object_find(clock, HD_OB_RWLOCK);
}

static void release(const void *clock)
{
    struct hdi_memory_thread *s = hdi_watched;
    if (!s)
        return;
    hdi_progress(s);
    if (hdi_watch.config.model)
        hdi_model_synchronised(s);
    if (hdi_tape)
        hdi_tape_release(s, clock);
    hdi_race_release(s->racer, (uintptr_t)clock);
}

static void acquire(const void *clock, bool lock)
{
    struct hdi_memory_thread *s = hdi_watched;
    if (!s)
        return;
    hdi_progress(s);
    if (hdi_watch.config.model)
        hdi_model_synchronised(s);
    if (hdi_tape)
        hdi_tape_acquire(s, clock);
    hdi_race_acquire(s->racer, (uintptr_t)clock, lock);
}

/* Locks of lib/ and once controls say their order by themselves. */
static bool makes_order(const struct hdi_object *lock)
{
    return lock->kind == HD_OB_MUTEX || lock->kind == HD_OB_SPIN || lock->kind == HD_OB_RWLOCK;
}

void hdi_races_observe(enum hdi_what what, const struct hdi_happened *e)
{
    switch (what) {
    case HDI_ACQUIRED:
        if (makes_order(e->object))
            acquire((const void *)e->object->addr, hdi_is_watched_code(e->site));
        break;
    case HDI_RELEASED:
        if (makes_order(e->object))
            release((const void *)e->object->addr);
        break;
    case HDI_MISSED:
        hdi_tape_note(HDP_TAPE_LOOK, e->clock);
        break;
    case HDI_SENT:
        release(e->clock);
        break;
    case HDI_RECEIVED:
        acquire(e->clock, is_lock(e->clock));
        break;
    case HDI_HANDED:
        hdi_tape_note(HDP_TAPE_RELEASE, e->clock);
        break;
    case HDI_TAKEN:
        hdi_tape_note(HDP_TAPE_ACQUIRE, e->clock);
        break;
    case HDI_IN_TURN:
        hdi_tape_note(HDP_TAPE_TURN, e->clock);
        break;
    case HDI_BYTES_LEFT:
        hdi_call_reads(e->clock, (size_t)e->n, e->site);
        break;
    case HDI_THREAD_MADE:
        release(&e->thread->start);
        break;
    case HDI_THREAD_BEGINS:
        thread_begins();
        acquire(&hdi_self()->start, false);
        break;
    case HDI_THREAD_ENDS:
        release(hdi_self());
        thread_ends();
        break;
    case HDI_THREAD_JOINED:
        acquire(e->thread, false);
        break;
    case HDI_STARTS:
        hdi_memory_start();
        break;
    case HDI_FORKED:
        hdi_watched = NULL;
        break;
    default:
        break;
    }
}
