/* stack.c - see stack.h */
#include "stack.h"

#include <stdlib.h>

#include "util/alloc.h"

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

void stack_clear(struct stack *s)
{
    stack_cut(s, 0);
    free(s->frame);
    *s = (struct stack){0};
}
