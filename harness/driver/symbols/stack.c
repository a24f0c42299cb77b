/* stack.c - see stack.h */
#include "stack.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

#define LONGEST_PERIOD 8

struct frame *stack_push(struct stack *s, const char *function, const char *file, unsigned line,
                         unsigned column, const char *module, uint64_t offset)
{
    s->frame = mem_grow(s->frame, s->count, sizeof *s->frame);
    struct frame *fr = &s->frame[s->count++];
    *fr = (struct frame){.function = mem_copy(function),
                         .file = mem_copy(file),
                         .line = line,
                         .column = column,
                         .module = mem_copy(module),
                         .offset = offset};
    return fr;
}

void stack_cut(struct stack *s, size_t count)
{
    while (s->count > count) {
        struct frame *f = &s->frame[--s->count];
        free(f->function);
        free(f->file);
        free(f->module);
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_place(const struct frame *a, const struct frame *b)
{
    return a->offset == b->offset && a->line == b->line && a->inlined == b->inlined &&
           same_text(a->function, b->function) && same_text(a->file, b->file) &&
           same_text(a->module, b->module);
}

size_t stack_repeats(const struct stack *s, size_t at, size_t *period)
{
    for (size_t p = 1; p <= LONGEST_PERIOD && p <= at; p++) {
        size_t same = 0;
        while (at + same < s->count && same_place(&s->frame[at + same], &s->frame[at + same - p]))
            same++;
        if (same >= p) {
            *period = p;
            return same / p;
        }
    }
    return 0;
}

void stack_clear(struct stack *s)
{
    stack_cut(s, 0);
    free(s->frame);
    *s = (struct stack){0};
}
