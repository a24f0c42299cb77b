/* novel.c - of many schedules that are thought out, the one that would bring the most that is new.
 *
 * Each is one of PCT's (Burckhardt et al. 2010): threads have random priorities, and who is about to do one of
 * some operations falls below all others. Here these are one to three, or many, operations on objects that
 * several threads use, as an earlier schedule had them. What each thread did there is done again in thought,
 * with locks, waits, births and ends. Which two orders of operations the schedule would have together
 * (wire/order_pairs.h) is looked up in how often all schedules so far had them, and the one with the highest sum
 * of rare ones is run (after Wolff et al. 2024, Mukherjee et al. 2020). A thread that would read what it did not
 * read then may go another way from there: what it does after that counts little.
 */
#include <string.h>

#include "core/digits.h"
#include "profile.h"
#include "wire/order_pairs.h"

#define OPS 2048u
#define THREADS 128u
#define OBJECTS 512u
#define CHANGES 3u
#define WAYS 5u
#define TRIES 64u
#define IN_FULL                                                                                    \
    64u /* schedules of this strategy; most of what is new has been found after them, and thinking costs */
#define LATER 8u            /* the others have so many times less tries */
#define ONE_PATH 512u       /* and after so many they go by one path each, in turn */
#define OF_ONE_PATH 2u      /* tries */
#define THOUGHTS (1u << 20) /* steps of all tries, each times what it looks at */
#define FIRST_HIGH (UINT64_C(1) << 32)

enum what { USE, READ, LOCK, READ_LOCK, UNLOCK, WAIT, SIGNAL, MAKE, JOIN };

struct op {
    uint64_t site, came; /* came: hash of its order in the earlier schedule */
    uint32_t id;
    uint16_t object, serial; /* index; which of the thread's at this place on it, from 1 */
    uint16_t other;          /* MAKE, JOIN: thread + 1; 0: unknown */
    uint8_t what, kind;
};

static struct {
    uint32_t hash, first, count, made; /* ops[first] …; children that it has made */
    bool born;                         /* made by a thread that is known */
    uint64_t role;                     /* the function that it begins with */
    char name[24];
} thread[THREADS];
static uint32_t threads;
static struct op ops[OPS], of_step[OPS];
static uint16_t thread_of[OPS];
static uint32_t op_count, op_sites;
static uint16_t site_of[OPS], site_index[2 * OPS]; /* number of its place; that + 1 by hash */
static uint64_t site_seen[2 * OPS];
static struct {
    uint32_t id, first;
    bool shared, written;
} object[OBJECTS];

struct thought {
    uint64_t priority[THREADS];
    bool falls[OPS]; /* who is about to do it, falls below all others */
};
static struct thought best;
static struct {
    uint32_t hash;
    uint64_t priority;
} plan[THREADS];
static uint32_t planned;

/* What threads have done of that before which one falls, and where that is, by hash. Few pages are touched: a
 * schedule in a process of its own pays for each. */
#define SLOTS (4 * OPS)
static struct {
    uint64_t key;
    uint32_t times;
} done[SLOTS];
static uint64_t falls_at[SLOTS];
static uint32_t looked, slots; /* used of both: a power of two, or none */
static uint64_t low;
static struct hdp_orders history;
static const struct hdp_step *step; /* of the schedule that is thought about */
static uint32_t steps;

static enum what what_of(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_READ:
    case HD_EV_ATOMIC_LOAD:
        return READ;
    case HD_EV_MUTEX_LOCK:
    case HD_EV_RWLOCK_WRLOCK:
    case HD_EV_SPIN_LOCK:
    case HD_EV_HD_MUTEX_LOCK:
    case HD_EV_HD_RWMUTEX_LOCK:
    case HD_EV_COND_RELOCK:
        return LOCK;
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_HD_RWMUTEX_RLOCK:
        return READ_LOCK;
    case HD_EV_MUTEX_UNLOCK:
    case HD_EV_RWLOCK_UNLOCK:
    case HD_EV_SPIN_UNLOCK:
    case HD_EV_HD_MUTEX_UNLOCK:
    case HD_EV_HD_RWMUTEX_UNLOCK:
        return UNLOCK;
    case HD_EV_COND_WAIT:
    case HD_EV_HD_COND_WAIT:
        return WAIT;
    case HD_EV_COND_SIGNAL:
    case HD_EV_COND_BROADCAST:
    case HD_EV_HD_COND_SIGNAL:
        return SIGNAL;
    case HD_EV_THREAD_CREATE:
        return MAKE;
    case HD_EV_THREAD_JOIN:
        return JOIN;
    default:
        return USE;
    }
}

static uint32_t thread_index(uint32_t hash, bool make)
{
    uint32_t i = 0;

    while (i < threads && thread[i].hash != hash)
        i++;
    if (i == threads && make && threads < THREADS) {
        memset(&thread[i], 0, sizeof thread[i]);
        thread[threads++].hash = hash;
    }
    return i;
}

static uint32_t object_index(uint32_t id)
{
    uint32_t at = (uint32_t)(hash_next(id) % OBJECTS);

    for (uint32_t i = 0; i < OBJECTS; i++, at = (at + 1) % OBJECTS)
        if (!object[at].id || object[at].id == id)
            return at;
    return OBJECTS;
}

static void gather_objects(void)
{
    const struct hdp_step *p = step;
    uint32_t used = 0;

    memset(object, 0, sizeof object);
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t at = OBJECTS;
        if (p[i].flags & HDP_STEP_CHOICE || !p[i].object || p[i].kind == HD_EV_THREAD_JOIN ||
            p[i].kind == HD_EV_THREAD_EXIT)
            continue;
        at = object_index(p[i].object);
        if (at == OBJECTS || (!object[at].id && used == OBJECTS / 2))
            continue;
        if (!object[at].id) {
            used++;
            object[at].id = p[i].object;
            object[at].first = p[i].thread;
        }
        object[at].shared |= object[at].first != p[i].thread;
        object[at].written |= what_of(p[i].kind) != READ && what_of(p[i].kind) != READ_LOCK &&
                              what_of(p[i].kind) != UNLOCK;
    }
}

/* Its thread's name, and so its hash, follows from that of the one that makes it. */
static uint32_t child_of(uint32_t parent)
{
    char name[64];
    uint32_t child;

    if (!*thread[parent].name)
        return 0;
    strcpy(name, thread[parent].name);
    if (strcmp(name, "T0") == 0)
        name[1] = '\0';
    else
        strcat(name, ".");
    *hdi_put_decimal(name + strlen(name), ++thread[parent].made) = '\0';
    child = thread_index(hash32_bytes(HASH32_BASIS, name, strlen(name)), false);
    if (child == threads)
        return 0;
    if (strlen(name) + 1 < sizeof thread[child].name)
        strcpy(thread[child].name, name);
    thread[child].born = true;
    return child + 1;
}

static void gather(void)
{
    const struct hdp_step *p = step;
    uint32_t n = steps, main_thread, next[THREADS], made = 0;

    threads = op_count = 0;
    hdp_orders_begin(&history);
    gather_objects();
    main_thread = thread_index(hash32_bytes(HASH32_BASIS, "T0", 2), true);
    strcpy(thread[main_thread].name, "T0");
    for (uint32_t i = 0; i < n; i++)
        if (!(p[i].flags & HDP_STEP_CHOICE)) {
            uint32_t t = thread_index(p[i].thread, true);
            if (t < threads && p[i].kind == HD_EV_THREAD_START)
                thread[t].role = p[i].site;
        }
    for (uint32_t i = 0; i < n && made < OPS; i++) {
        enum what what = what_of(p[i].kind);
        uint32_t t, at = OBJECTS;
        struct op *o = &of_step[made];
        if (p[i].flags & HDP_STEP_CHOICE || p[i].kind == HD_EV_THREAD_EXIT ||
            (t = thread_index(p[i].thread, false)) == threads)
            continue;
        if (what != MAKE && what != JOIN) {
            if (!p[i].object || (at = object_index(p[i].object)) == OBJECTS || !object[at].shared ||
                !object[at].written)
                continue;
        }
        *o = (struct op){.site = p[i].site,
                         .id = p[i].object,
                         .object = (uint16_t)at,
                         .what = (uint8_t)what,
                         .kind = (uint8_t)p[i].kind};
        if (what == MAKE)
            o->other = (uint16_t)child_of(t);
        if (what == JOIN) /* a thread's id as an object is its hash | 1 */
            for (uint32_t k = 0; k < threads; k++)
                if ((thread[k].hash | 1) == p[i].object)
                    o->other = (uint16_t)(k + 1);
        if ((what == MAKE || what == JOIN) && !o->other)
            continue;
        if (hdp_access_of(p[i].kind) != HDP_ACCESS_NONE && what != MAKE && what != JOIN) {
            uint32_t k =
                hdp_orders_add(&history, o->id, o->site, thread[t].hash, hdp_access_of(p[i].kind));
            o->came = history.order[k].hash;
        }
        thread_of[made++] = (uint16_t)t;
        thread[t].count++;
    }
    for (uint32_t t = 0, first = 0; t < threads; t++) {
        thread[t].first = next[t] = first;
        first += thread[t].count;
    }
    for (uint32_t i = 0; i < made; i++)
        ops[next[thread_of[i]]++] = of_step[i];
    op_count = made;
    op_sites = 0;
    memset(site_index, 0, sizeof site_index);
    for (uint32_t i = 0; i < op_count; i++) {
        uint32_t k = (uint32_t)(hash_next(ops[i].site) % (2 * OPS));
        while (site_index[k] && site_seen[k] != ops[i].site)
            k = (k + 1) % (2 * OPS);
        if (!site_index[k]) {
            site_seen[k] = ops[i].site;
            site_index[k] = (uint16_t)++op_sites;
        }
        site_of[i] = (uint16_t)(site_index[k] - 1);
    }
    for (uint32_t t = 0; t < threads; t++)
        for (uint32_t i = thread[t].first; i < thread[t].first + thread[t].count; i++) {
            uint16_t serial = 1;
            for (uint32_t k = i; k-- > thread[t].first && i - k < 256;)
                if (ops[k].site == ops[i].site && ops[k].id == ops[i].id) {
                    serial = (uint16_t)(ops[k].serial + 1);
                    break;
                }
            ops[i].serial = serial;
        }
}

/* ---- a schedule in thought ---- */

static uint32_t at[THREADS];
static bool there[THREADS], asleep[THREADS];
static uint16_t owner[OBJECTS], readers[OBJECTS];
static struct {
    uint16_t pair, thought;
} had[4096]; /* pairs of this one; one that shares its slot with another is forgotten */
static uint16_t now;
static bool noting;            /* what it is chosen for */
static bool doubtful[THREADS]; /* has read what it did not read in the earlier schedule */

static bool can_run(uint32_t t)
{
    const struct op *o = &ops[thread[t].first + at[t]];

    if (!there[t] || at[t] == thread[t].count || asleep[t])
        return false;
    switch (o->what) {
    case LOCK:
        return !owner[o->object] && !readers[o->object];
    case READ_LOCK:
        return !owner[o->object];
    case JOIN:
        return there[o->other - 1] && at[o->other - 1] == thread[o->other - 1].count;
    default:
        return true;
    }
}

static void take(uint32_t t)
{
    const struct op *o = &ops[thread[t].first + at[t]++];

    switch (o->what) {
    case LOCK:
        owner[o->object] = (uint16_t)(t + 1);
        break;
    case READ_LOCK:
        readers[o->object]++;
        break;
    case UNLOCK:
        if (owner[o->object])
            owner[o->object] = 0;
        else if (readers[o->object])
            readers[o->object]--;
        break;
    case WAIT:
        for (uint32_t i = 0; i < OBJECTS; i++)
            if (owner[i] == t + 1)
                owner[i] = 0;
        asleep[t] = true;
        break;
    case SIGNAL:
        for (uint32_t i = 0; i < threads; i++)
            if (asleep[i] && ops[thread[i].first + at[i] - 1].object == o->object) {
                asleep[i] = false;
                if (o->kind == HD_EV_COND_SIGNAL)
                    break;
            }
        break;
    case MAKE:
        there[o->other - 1] = true;
        break;
    default:
        break;
    }
}

/* What one more of it is worth. */
static uint32_t rarity(uint8_t times)
{
    return 65536u / ((times + 4u) * (times + 4u));
}

static bool crosses(const struct hdp_order *o)
{
    return o->before != o->thread;
}

/* Of two threads each is behind the other once: no order of them as a whole is like it. */
static bool go_both_ways(const struct hdp_order *a, const struct hdp_order *b)
{
    return crosses(a) && a->thread == b->before && a->before == b->thread;
}

static uint32_t worth(uint32_t t, const struct op *o)
{
    enum hdp_access access = hdp_access_of(o->kind);
    uint32_t sum = 0, k;

    if (o->what == MAKE || o->what == JOIN || access == HDP_ACCESS_NONE)
        return 0;
    k = hdp_orders_add(&history, o->id, o->site, thread[t].hash, access);
    for (uint32_t j = 0; j < HDP_ORDER_WINDOW && j < history.count; j++) {
        uint32_t pair = hdp_order_pair(&history.order[j], &history.order[k]);
        uint32_t at_slot = pair % (sizeof had / sizeof *had);
        if (had[at_slot].pair == pair && had[at_slot].thought == now)
            continue;
        had[at_slot].pair = (uint16_t)pair;
        had[at_slot].thought = now;
        sum += rarity(rt.region->order_pair[pair])
               << (crosses(&history.order[j]) + crosses(&history.order[k]) +
                   2 * go_both_ways(&history.order[j], &history.order[k]));
        if (noting && !doubtful[t] && !rt.region->order_pair[pair] &&
            rt.region->result.expected_pairs < HDP_EXPECTED_PAIRS)
            rt.region->result.expected_pair[rt.region->result.expected_pairs++] = (uint16_t)pair;
    }
    if (doubtful[t])
        sum /= 4;
    if (o->what == READ && history.order[k].hash != o->came)
        doubtful[t] = true;
    return sum;
}

static uint64_t think(const struct thought *x)
{
    uint64_t priority[THREADS], below = FIRST_HIGH, sum = 0;
    uint32_t fell[THREADS];

    memset(fell, 0xff, sizeof fell);
    memcpy(priority, x->priority, threads * sizeof *priority);
    memset(at, 0, sizeof at);
    memset(asleep, 0, sizeof asleep);
    memset(doubtful, 0, sizeof doubtful);
    memset(owner, 0, sizeof owner);
    memset(readers, 0, sizeof readers);
    hdp_orders_begin(&history);
    if (++now == 0) {
        memset(had, 0, sizeof had);
        now = 1;
    }
    for (uint32_t t = 0; t < threads; t++)
        there[t] = !thread[t].born;
    for (;;) {
        uint32_t next = threads;
        for (uint32_t t = 0; t < threads; t++)
            if ((next == threads || priority[t] > priority[next]) && can_run(t))
                next = t;
        if (next == threads)
            return sum;
        if (x->falls[thread[next].first + at[next]] && fell[next] != at[next]) {
            fell[next] = at[next];
            priority[next] = --below;
            continue;
        }
        sum += worth(next, &ops[thread[next].first + at[next]]);
        take(next);
    }
}

/* Of all operations, as likely those of a place that many do as those of one that few do. */
static uint32_t any_op(void)
{
    uint32_t site = rt_random_below(op_sites), n = 0, k;

    for (uint32_t i = 0; i < op_count; i++)
        n += site_of[i] == site;
    k = rt_random_below(n);
    for (uint32_t i = 0;; i++)
        if (site_of[i] == site && k-- == 0)
            return i;
}

static void draw_priorities(struct thought *x)
{
    uint64_t base = rt_random();
    bool roles = rt_random_below(2) == 0, back = rt_random_below(4) == 0;

    for (uint32_t t = 0; t < threads; t++)
        x->priority[t] =
            FIRST_HIGH + (roles ? (hash_place(base, thread[t].role) >> 8 & ~UINT64_C(0xffffffff)) |
                                      (back ? t : (uint32_t)rt_random())
                                : rt_random() >> 8);
}

static void draw(struct thought *x, uint32_t way)
{
    draw_priorities(x);
    if (way >= CHANGES) {
        for (uint32_t i = 0; i < op_count; i++)
            x->falls[i] = rt_random_below(1u << (WAYS - way)) == 0;
        return;
    }
    memset(x->falls, 0, op_count);
    for (uint32_t i = 0; i <= way && op_count; i++) {
        uint32_t where = any_op();
        bool all = rt_random_below(2) == 0;
        x->falls[where] = true;
        for (uint32_t k = 0; all && k < op_count; k++)
            x->falls[k] |= site_of[k] == site_of[where];
        if (i == 0 && rt_random_below(2) == 0) {
            uint32_t t = 0;
            while (where >= thread[t].first + thread[t].count)
                t++;
            x->priority[t] = UINT64_MAX;
        }
    }
}

static uint64_t key_of(uint32_t hash, uint64_t site, uint32_t id)
{
    return hash_next(hash_next(site ^ (uint64_t)hash << 32) ^ id) | 1;
}

static uint32_t done_slot(uint64_t key)
{
    uint32_t i = (uint32_t)(key / 2 & (slots - 1));

    while (done[i].key && done[i].key != key)
        i = (i + 1) & (slots - 1);
    return i;
}

static uint32_t falls_slot(uint64_t key)
{
    uint32_t i = (uint32_t)(key / 2 & (slots - 1));

    while (falls_at[i] && falls_at[i] != key)
        i = (i + 1) & (slots - 1);
    return i;
}

static void no_falls(void)
{
    memset(done, 0, slots * sizeof *done);
    memset(falls_at, 0, slots * sizeof *falls_at);
    slots = 0;
}

static void set_falls(void)
{
    uint32_t count = 0;

    no_falls();
    for (uint32_t i = 0; i < op_count; i++)
        count += best.falls[i];
    for (slots = 1; slots < 2 * count + 2;)
        slots *= 2;
    for (uint32_t t = 0; t < threads; t++)
        for (uint32_t i = thread[t].first; i < thread[t].first + thread[t].count; i++)
            if (best.falls[i]) {
                uint64_t key = key_of(thread[t].hash, ops[i].site, ops[i].id);
                done[done_slot(key)].key = key;
                key = hash_next(key + ops[i].serial) | 1;
                falls_at[falls_slot(key)] = key;
            }
}

static void keep(void)
{
    planned = threads;
    for (uint32_t t = 0; t < threads; t++) {
        plan[t].hash = thread[t].hash;
        plan[t].priority = best.priority[t];
    }
    set_falls();
    noting = true;
    rt.region->result.expected_pairs = 0;
    think(&best);
    noting = false;
}

static uint32_t tries_for(uint32_t count, uint32_t serial)
{
    uint32_t window = count < HDP_ORDER_WINDOW ? count : HDP_ORDER_WINDOW;
    uint32_t tries = count ? THOUGHTS / (count * (window + threads)) : 0, most = TRIES;

    if (serial >= IN_FULL) {
        tries /= LATER;
        most /= LATER;
    }
    if (serial >= ONE_PATH)
        most = OF_ONE_PATH;
    return tries > most ? most : tries;
}

static void begin(const struct hdp_config *c)
{
    static struct thought x;
    static const uint8_t way[] = {0, 1, 0, 2, 0, 3, 1, 0, 5, 2, 4};
    uint64_t most = 0;
    uint32_t serial = c->depth ? c->depth - 1 : 0;
    uint32_t paths = rt.region->paths < HDP_PATHS ? rt.region->paths : HDP_PATHS;
    uint32_t first = serial >= ONE_PATH && paths ? serial % paths : 0;
    uint32_t end = serial >= ONE_PATH && paths ? first + 1 : paths;

    looked = planned = 0;
    low = FIRST_HIGH;
    no_falls();
    for (uint32_t k = first; k < end; k++) {
        const struct hdp_path *path = &rt.region->path[k];
        bool better = false;
        uint32_t tries;
        step = path->step;
        steps = path->steps < HDP_PATH_STEPS ? path->steps : HDP_PATH_STEPS;
        gather();
        tries = tries_for(op_count, serial) / (end - first);
        for (uint32_t i = 0; i < tries; i++) {
            uint64_t sum;
            draw(&x, way[serial % sizeof way]);
            sum = think(&x);
            if (!planned || sum > most) {
                most = sum;
                best = x;
                planned = threads;
                better = true;
            }
        }
        if (better)
            keep();
    }
}

static void created(struct hdi_thread *t)
{
    t->turn.priority = FIRST_HIGH + (rt_random() >> 16);
    for (uint32_t i = 0; i < planned; i++)
        if (plan[i].hash == t->hash)
            t->turn.priority = plan[i].priority;
}

static void yielded(struct hdi_thread *t)
{
    t->turn.priority = --low;
}

/* What has been done since we were last asked. */
static void look(void)
{
    for (uint32_t n = rt.region->result.steps; looked < n && looked < HDP_STEPS; looked++) {
        const struct hdp_step *s = &rt.region->trace[looked];
        uint32_t i = done_slot(key_of(s->thread, s->site, s->object));
        if (!(s->flags & HDP_STEP_CHOICE) && done[i].key)
            done[i].times++;
    }
}

static bool falls(const struct hdi_thread *t)
{
    uint64_t key;
    uint32_t i;

    if (!t->op)
        return false;
    key = key_of(t->hash, t->op->site, t->op->object ? t->op->object->id : 0);
    i = done_slot(key);
    if (!done[i].key)
        return false;
    key = hash_next(key + done[i].times + 1) | 1;
    i = falls_slot(key);
    if (!falls_at[i])
        return false;
    falls_at[i] ^= UINT64_C(1) << 63; /* once */
    return true;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    if (!planned)
        return rt_random_below(n);
    look();
    for (;;) {
        uint32_t first = 0;
        for (uint32_t i = 1; i < n; i++)
            if (e[i]->turn.priority > e[first]->turn.priority)
                first = i;
        if (!falls(e[first]))
            return first;
        yielded(e[first]);
    }
}

const struct rt_strategy rt_novel = {
    .begin = begin, .created = created, .pick = pick, .yielded = yielded};
