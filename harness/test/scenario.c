/* scenario.c - see scenario.h */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#define LOWERINGS 64u /* of an argument; it has so many bits */

/* ---- drawing ---- */

static uint64_t next(uint64_t *random)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

long hd_draw(uint64_t *random, long least, long most)
{
    uint64_t span = (uint64_t)most - (uint64_t)least + 1, drawn = next(random);

    if (most < least)
        return least;
    return (long)((uint64_t)least + (span ? drawn % span : drawn));
}

static bool may_call(const struct hd_linear_op *op, uint32_t thread)
{
    return thread == 0 || op->only == 0 || (uint32_t)op->only == thread;
}

static const struct hd_linear_op *draw_op(const struct hd_linear_spec *spec, uint32_t thread,
                                          uint64_t *random)
{
    uint64_t weights = 0, at;

    for (size_t i = 0; i < spec->op_count; i++)
        if (may_call(&spec->ops[i], thread))
            weights += spec->ops[i].weight ? spec->ops[i].weight : 1;
    if (!weights)
        return NULL;
    at = next(random) % weights;
    for (size_t i = 0;; i++) {
        const struct hd_linear_op *op = &spec->ops[i];
        uint64_t weight = op->weight ? op->weight : 1;
        if (!may_call(op, thread))
            continue;
        if (at < weight)
            return op;
        at -= weight;
    }
}

static void draw_calls(struct linear_history *h, const struct hd_linear_spec *spec, uint32_t thread,
                       bool behind, uint32_t calls, uint64_t *random)
{
    for (uint32_t i = 0; i < calls && h->count < LINEAR_CALLS; i++) {
        const struct hd_linear_op *op = draw_op(spec, thread, random);
        struct linear_call *c = &h->call[h->count];
        if (!op)
            return;
        *c = (struct linear_call){.op = op, .thread = thread, .behind = behind};
        for (int a = 0; a < op->args; a++)
            c->call.arg[a] = hd_draw(random, op->range[a].least, op->range[a].most);
        h->count++;
        if (op->draw)
            op->draw(&c->call, random);
        if (op->distinct)
            c->call.arg[0] = (long)h->count;
    }
}

static uint32_t upto(uint64_t *random, uint32_t least, uint32_t most)
{
    return (uint32_t)hd_draw(random, (long)least, (long)most);
}

void scenario_draw(struct linear_history *h, const struct hd_linear_spec *spec,
                   const struct scenario_bounds *bounds, uint64_t seed)
{
    uint64_t random = seed;
    uint32_t threads = upto(&random, 2, bounds->threads);

    memset(h, 0, sizeof *h);
    h->wrong = LINEAR_CALLS;
    draw_calls(h, spec, 0, false, upto(&random, 0, bounds->alone), &random);
    for (uint32_t t = 1; t <= threads; t++)
        draw_calls(h, spec, t, false, upto(&random, 1, bounds->calls), &random);
    draw_calls(h, spec, 0, true, upto(&random, 0, bounds->alone), &random);
}

/* ---- making it smaller ---- */

static void remove_call(struct linear_history *h, uint32_t i)
{
    memmove(&h->call[i], &h->call[i + 1], (h->count - i - 1) * sizeof *h->call);
    h->count--;
}

/* By the whole way to the least value, by half of it, by a quarter, ... by one. False: that is no step, or it is not
 * to be touched. */
static bool lower(struct linear_call *c, uint32_t arg, uint32_t halvings)
{
    const struct hd_linear_op *op = c->op;
    long least = op->range[arg].least, *value = &c->call.arg[arg];
    uint64_t step;

    if (op->draw || (op->distinct && arg == 0) || (int)arg >= op->args || *value <= least)
        return false;
    step = ((uint64_t)*value - (uint64_t)least) >> halvings;
    *value = (long)((uint64_t)*value - step);
    return step != 0;
}

/* Distinct numbers from 1 on. False: they are. */
static bool count_anew(struct linear_history *h)
{
    bool changed = false;
    long n = 0;

    for (uint32_t c = 0; c < h->count; c++)
        if (h->call[c].op->distinct) {
            changed |= h->call[c].call.arg[0] != ++n;
            h->call[c].call.arg[0] = n;
        }
    return changed;
}

static void remove_thread(struct linear_history *h, uint32_t thread)
{
    uint32_t left = 0;

    for (uint32_t c = 0; c < h->count; c++)
        if (h->call[c].thread != thread)
            h->call[left++] = h->call[c];
    h->count = left;
}

bool scenario_smaller(struct linear_history *to, const struct linear_history *from, uint32_t *way)
{
    const uint32_t lowerings = LOWERINGS * HD_CALL_VALUES * from->count;

    for (;;) {
        uint32_t i = (*way)++;
        *to = *from;
        if (i < LINEAR_THREADS) {
            remove_thread(to, i + 1);
            if (to->count < from->count)
                return true;
        } else if ((i -= LINEAR_THREADS) < from->count) {
            remove_call(to, i);
            return true;
        } else if ((i -= from->count) > lowerings) {
            return false;
        } else if (i == lowerings) {
            if (count_anew(to))
                return true;
        } else if (lower(&to->call[i / LOWERINGS / HD_CALL_VALUES], i / LOWERINGS % HD_CALL_VALUES,
                         i % LOWERINGS)) {
            return true;
        }
    }
}

/* ---- printing ---- */

uint32_t scenario_thread(const struct linear_history *h, uint32_t thread)
{
    uint32_t n = 0;

    for (uint32_t t = 1; t <= thread; t++)
        for (uint32_t c = 0; c < h->count; c++)
            if (h->call[c].thread == t) {
                n++;
                break;
            }
    return n;
}

static void print_values(FILE *to, const long *value, int count)
{
    for (int i = 0; i < count; i++)
        fprintf(to, "%s%ld", i ? ", " : "", value[i]);
}

void scenario_print_call(FILE *to, const struct linear_call *c)
{
    const struct hd_linear_op *op = c->op;

    if (op->print) {
        op->print(to, &c->call, c->ended != 0);
        return;
    }
    fprintf(to, "%s(", op->name);
    print_values(to, c->call.arg, op->args);
    fputc(')', to);
    if (c->ended && op->results) {
        fputs(" = ", to);
        print_values(to, c->call.result, op->results);
    }
}

/* What stands in a row: a call that nothing comes between, or its begin or its end. */
static char *cell(const struct linear_call *c, bool begins, bool ends)
{
    struct linear_call shown = *c;
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);

    if (!to)
        return NULL;
    if (!ends)
        shown.ended = 0;
    scenario_print_call(to, &shown);
    if (begins && !ends)
        fputs(" ...", to);
    fclose(to);
    return text;
}

static const struct linear_call *event_at(const struct linear_history *h, uint32_t moment)
{
    for (uint32_t i = 0; i < h->count; i++)
        if (h->call[i].begun == moment || h->call[i].ended == moment)
            return &h->call[i];
    return NULL;
}

static bool runs_at(const struct linear_history *h, uint32_t thread, uint32_t moment)
{
    for (uint32_t i = 0; i < h->count; i++) {
        const struct linear_call *c = &h->call[i];
        if (c->thread == thread && c->begun && c->begun < moment &&
            (!c->ended || c->ended > moment))
            return true;
    }
    return false;
}

static void print_row(FILE *to, const struct linear_history *h, const struct linear_call *c,
                      const char *text, uint32_t moment, int width)
{
    int spaces = 4;

    for (uint32_t t = 0; t <= LINEAR_THREADS; t++) {
        const char *here = c->thread == t ? text : runs_at(h, t, moment) ? "|" : "";
        if (t && scenario_thread(h, t) == scenario_thread(h, t - 1))
            continue;
        if (*here) {
            fprintf(to, "%*s%s", spaces, "", here);
            spaces = width - (int)strlen(here);
        } else {
            spaces += width;
        }
    }
    if (h->wrong < h->count && c == &h->call[h->wrong] && moment != c->begun)
        fprintf(to, "%*s<- has no place", spaces, "");
    fputc('\n', to);
}

void scenario_print(FILE *to, const struct linear_history *h)
{
    int width = 12;

    for (uint32_t i = 0; i < h->count; i++) {
        for (int whole = 0; whole < 2; whole++) {
            char *text = cell(&h->call[i], true, whole && h->call[i].ended);
            if (text && (int)strlen(text) + 2 > width)
                width = (int)strlen(text) + 2;
            free(text);
        }
    }
    fputs("    T0", to);
    for (uint32_t t = 1; t <= LINEAR_THREADS; t++)
        if (scenario_thread(h, t) != scenario_thread(h, t - 1))
            fprintf(to, "%*sT%u", width - 2, "", scenario_thread(h, t));
    fputc('\n', to);
    for (uint32_t moment = 1; moment <= h->clock; moment++) {
        const struct linear_call *c = event_at(h, moment);
        bool begins = c && c->begun == moment, ends = c && (!begins || c->ended == moment + 1);
        char *text = c ? cell(c, begins, ends) : NULL;
        if (text)
            print_row(to, h, c, text, begins && ends ? moment + 1 : moment, width);
        if (begins && ends)
            moment++;
        free(text);
    }
}
