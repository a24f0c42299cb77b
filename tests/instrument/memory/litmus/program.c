/* program.c - litmus programs: made, printed; outcomes. */
#include <stdlib.h>
#include <string.h>

#include "memory/race/detector.h"
#include "litmus.h"

/* ---- outcomes ---- */

#define BITS 5u /* of a value: four, and whether a compare-exchange succeeded */

static uint32_t slot_of(const struct outcomes *set, uint64_t key)
{
    uint32_t i = (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 40) & (set->room - 1);

    while (set->key[i] && set->key[i] != key)
        i = (i + 1) & (set->room - 1);
    return i;
}

bool outcomes_have(const struct outcomes *set, uint64_t key)
{
    return set->room && set->key[slot_of(set, key)] == key;
}

bool outcomes_add(struct outcomes *set, uint64_t key)
{
    if (2 * set->count >= set->room) {
        struct outcomes more = {.room = set->room ? 2 * set->room : 64};
        more.key = calloc(more.room, sizeof *more.key);
        if (!more.key)
            abort();
        for (uint32_t i = 0; i < set->room; i++)
            if (set->key[i])
                outcomes_add(&more, set->key[i]);
        free(set->key);
        *set = more;
    }
    uint32_t i = slot_of(set, key);
    if (set->key[i])
        return false;
    set->key[i] = key;
    set->count++;
    return true;
}

void outcomes_free(struct outcomes *set)
{
    free(set->key);
    *set = (struct outcomes){0};
}

static void put(struct outcome *o, unsigned bits)
{
    o->key |= (uint64_t)bits << o->shift;
    o->shift += BITS;
}

void outcome_read(struct outcome *o, unsigned value, bool succeeded)
{
    put(o, (value & 15) | (succeeded ? 16 : 0));
}

uint64_t outcome_key(struct outcome *o, unsigned locations, const uint32_t *memory)
{
    for (unsigned i = 0; i < locations; i++)
        put(o, memory[i] & 15);
    return o->key | (uint64_t)1 << 63;
}

uint64_t outcome_of(const struct program *p, struct result result[][OPS], const uint32_t *memory)
{
    struct outcome o = {0};

    for (unsigned t = 0; t < p->threads; t++)
        for (unsigned i = 0; i < p->ops[t]; i++)
            if (reads(p->op[t][i].kind))
                outcome_read(&o, result[t][i].value, result[t][i].succeeded);
    return outcome_key(&o, p->locations, memory);
}

void outcome_print(const struct program *p, uint64_t key, FILE *out)
{
    for (unsigned t = 0; t < p->threads; t++)
        for (unsigned i = 0; i < p->ops[t]; i++)
            if (reads(p->op[t][i].kind)) {
                fprintf(out, "%u.%u=%u%s ", t, i, (unsigned)(key & 15), key & 16 ? "!" : "");
                key >>= BITS;
            }
    for (unsigned i = 0; i < p->locations; i++, key >>= BITS)
        fprintf(out, "%c=%u ", "xyzw"[i], (unsigned)(key & 15));
    fputc('\n', out);
}

/* ---- programs ---- */

bool reads(enum kind kind)
{
    return kind != STORE && kind != FENCE;
}

bool writes(enum kind kind)
{
    return kind != LOAD && kind != FENCE;
}

void program_print(const struct program *p, FILE *out)
{
    static const char *const kinds[] = {"load",    "store",        "add",  "exchange",
                                        "compare", "compare-weak", "fence"};
    static const char *const orders[] = {"relaxed", "consume", "acquire",
                                         "release", "acq_rel", "seq_cst"};

    for (unsigned t = 0; t < p->threads; t++) {
        fprintf(out, "  T%u:", t);
        for (unsigned i = 0; i < p->ops[t]; i++) {
            const struct op *o = &p->op[t][i];
            fprintf(out, "  %s", kinds[o->kind]);
            if (o->kind != FENCE)
                fprintf(out, " %c", "xyzw"[o->location]);
            if (o->kind == COMPARE || o->kind == COMPARE_WEAK)
                fprintf(out, " %u>", o->expected);
            if (writes(o->kind))
                fprintf(out, " %u", o->value);
            fprintf(out, " %s", orders[o->order]);
            if (o->kind == COMPARE || o->kind == COMPARE_WEAK)
                fprintf(out, "/%s", orders[o->failure]);
            fputc(';', out);
        }
        fputc('\n', out);
    }
}

uint32_t random_below(uint64_t *state, uint32_t n)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15ull;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((x ^ x >> 31) % n);
}

/* The strongest order of a kind, but for seq_cst. */
static uint8_t synchronising(enum kind kind)
{
    return kind == LOAD ? HDI_ACQUIRE : kind == STORE ? HDI_RELEASE : HDI_ACQ_REL;
}

static uint8_t random_order(enum kind kind, uint64_t *random)
{
    static const uint8_t update[] = {HDI_RELAXED, HDI_ACQUIRE, HDI_RELEASE, HDI_ACQ_REL,
                                     HDI_SEQ_CST};

    if (kind == FENCE)
        return update[1 + random_below(random, 4)];
    if (kind != LOAD && kind != STORE)
        return update[random_below(random, 5)];
    const uint8_t order[] = {HDI_RELAXED, synchronising(kind), HDI_SEQ_CST};
    return order[random_below(random, 3)];
}

static void add_op(struct program *p, unsigned thread, enum kind kind, unsigned location,
                   uint8_t order, uint8_t value)
{
    p->op[thread][p->ops[thread]++] =
        (struct op){.kind = kind, .location = (uint8_t)location, .order = order, .value = value};
}

static unsigned digit(uint64_t *code, unsigned base)
{
    unsigned d = (unsigned)(*code % base);

    *code /= base;
    return d;
}

/* An access of a shape, its order, whether it is an update and the fence before it: digits of `code`. */
static void decorate_by(struct program *p, unsigned thread, bool write, unsigned location,
                        uint8_t value, uint64_t *code)
{
    enum kind kind = digit(code, 2) ? (write ? EXCHANGE : ADD) : write ? STORE : LOAD;
    const uint8_t orders[] = {HDI_RELAXED, synchronising(kind), HDI_SEQ_CST};
    uint8_t order = orders[digit(code, 3)];
    unsigned fence = p->ops[thread] ? digit(code, 3) : 0;

    if (fence)
        add_op(p, thread, FENCE, 0, fence == 1 ? HDI_ACQ_REL : HDI_SEQ_CST, 0);
    add_op(p, thread, kind, location, order, write ? value : 0);
}

/* What an access of a shape becomes. */
static void decorate(struct program *p, unsigned thread, bool write, unsigned location,
                     uint8_t value, unsigned decoration, uint64_t *random)
{
    enum kind kind = write ? STORE : LOAD;
    enum { ANYTHING, MOSTLY_SC, FENCED } leaning = decoration % 3;
    uint8_t order = HDI_RELAXED;

    switch (decoration) {
    case 0: /* relaxed */
    case 3: /* seq_cst fences */
    case 4: /* other fences */
        break;
    case 1:
        order = synchronising(kind);
        break;
    case 2:
        order = HDI_SEQ_CST;
        break;
    case 5:
    case 6: /* updates */
        kind = write ? EXCHANGE : LOAD;
        order = decoration == 6 ? synchronising(kind) : HDI_RELAXED;
        break;
    case 7: /* reads are updates, too */
        kind = write ? EXCHANGE : ADD;
        value = write ? value : 0;
        break;
    default: /* anything */
        if (random_below(random, 4) == 0)
            kind = write ? (random_below(random, 2) ? EXCHANGE : ADD) : COMPARE;
        order = random_order(kind, random);
        if (leaning == MOSTLY_SC && random_below(random, 4))
            order = HDI_SEQ_CST;
        if (leaning == FENCED)
            order = kind == STORE && random_below(random, 2) ? HDI_RELEASE : HDI_RELAXED;
    }
    unsigned i = p->ops[thread];
    if (i && (decoration == 3 || decoration == 4))
        add_op(p, thread, FENCE, 0, decoration == 3 ? HDI_SEQ_CST : HDI_ACQ_REL, 0);
    else if (i && decoration > 8 && random_below(random, 3) < (leaning == FENCED ? 2 : 1))
        add_op(p, thread, FENCE, 0, leaning == FENCED ? HDI_SEQ_CST : random_order(FENCE, random),
               0);
    add_op(p, thread, kind, location, order, value);
    if (kind == COMPARE) { /* one that nearly always fails */
        struct op *o = &p->op[thread][p->ops[thread] - 1];
        o->expected = (uint8_t)(random_below(random, 2) ? 0 : 9);
        o->value = 10;
        o->failure = order == HDI_SEQ_CST || order == HDI_RELAXED ? order : HDI_ACQUIRE;
    }
}

bool program_shape(struct program *p, unsigned shape, unsigned decoration)
{
    enum { ALONE, RR, RW, WR, WW, PARTS }; /* a write, or two accesses of a thread */
    unsigned part[THREADS], threads = 2, doubles = 0;
    uint64_t random = (uint64_t)shape << 8 | decoration;
    uint8_t value[LOCATIONS] = {0};
    bool written[LOCATIONS] = {false};
    uint64_t code = decoration - DECORATIONS;
    /* seq_cst, but for the threads that do nothing but store */
    bool mixed = decoration == 8;

    for (unsigned many = PARTS * PARTS; shape >= many; many *= PARTS) {
        shape -= many;
        threads++;
    }
    for (unsigned t = 0, rest = shape; t < threads; t++, rest /= PARTS) {
        part[t] = rest % PARTS;
        doubles += part[t] != ALONE;
    }
    if (doubles < 2)
        return false;
    /* of the ways to turn a ring, the one with the greatest parts first */
    for (unsigned turned = 1; turned < threads; turned++)
        for (unsigned t = 0; t < threads; t++) {
            unsigned other = part[(t + turned) % threads];
            if (part[t] > other)
                break;
            if (part[t] < other)
                return false;
        }
    *p = (struct program){.threads = threads, .locations = doubles};
    for (unsigned t = 0, at = 0; t < threads; t++) {
        bool alone = part[t] == ALONE;
        bool write[2] = {alone || part[t] == WR || part[t] == WW, part[t] == RW || part[t] == WW};
        for (unsigned i = 0; i < (alone ? 1 : 2); i++) {
            unsigned location = (at + i) % doubles;
            uint8_t v = write[i] ? ++value[location] : 0;
            if (decoration >= DECORATIONS)
                decorate_by(p, t, write[i], location, v, &code);
            else
                decorate(p, t, write[i], location, v, !mixed ? decoration : alone ? 0 : 2, &random);
            written[location] |= write[i];
        }
        at += !alone;
    }
    for (unsigned i = 0; i < doubles; i++)
        if (!written[i])
            return false;
    return true;
}

void program_random(struct program *p, uint64_t seed)
{
    uint64_t random = seed * 2 + 1;
    uint8_t value[LOCATIONS] = {0};
    unsigned threads = 2 + random_below(&random, 3);
    unsigned left = threads + 2 + random_below(&random, 4), reading = 0, updates = 0;

    *p = (struct program){.threads = threads, .locations = 1};
    p->locations += random_below(&random, 6) > 0;
    p->locations += random_below(&random, 4) == 0;
    for (unsigned i = 0; i < left; i++) {
        unsigned t = i < threads ? i : random_below(&random, threads);
        unsigned location = random_below(&random, p->locations), dice = random_below(&random, 20);
        enum kind kind = dice < 7    ? LOAD
                         : dice < 14 ? STORE
                         : dice < 15 ? ADD
                         : dice < 16 ? EXCHANGE
                         : dice < 17 ? COMPARE
                         : dice < 18 ? COMPARE_WEAK
                                     : FENCE;
        if (p->ops[t] == OPS || (reads(kind) && ++reading > 6))
            continue;
        if (kind > STORE && kind != FENCE && ++updates > 3)
            kind = STORE;
        add_op(p, t, kind, location, random_order(kind, &random),
               kind == ADD    ? 1
               : writes(kind) ? ++value[location]
                              : 0);
        struct op *o = &p->op[t][p->ops[t] - 1];
        o->expected = (uint8_t)random_below(&random, 2);
        static const uint8_t failure[] = {HDI_RELAXED, HDI_ACQUIRE, HDI_SEQ_CST};
        o->failure = failure[random_below(&random, 3)];
    }
}
