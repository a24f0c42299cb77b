/* stack.h - a call stack in words. Owns its strings; zeroed is empty. */
#ifndef HEDDLE_DRIVER_STACK_H
#define HEDDLE_DRIVER_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of a stack, innermost first. An inlined function is a frame of its own. */
struct frame {
    char *function;  /* demangled; NULL = unknown */
    char *file;      /* as the debug information names it; NULL = unknown */
    unsigned line;   /* 0 = unknown */
    unsigned column; /* 0 = unknown */
    char *module;    /* file name of the executable or library, without folder; NULL = unknown */
    uint64_t offset; /* of the place in the module, as addr2line takes it */
    bool inlined;    /* into the next frame */
};

struct stack {
    struct frame *frame;
    size_t count;
};

/* Append a frame; each string may be NULL. */
struct frame *stack_push(struct stack *s, const char *function, const char *file, unsigned line,
                         unsigned column, const char *module, uint64_t offset);
void stack_clear(struct stack *s);
/* Keep the innermost `count` frames. */
void stack_cut(struct stack *s, size_t count);
/* Recursion: how often the *period frames that end before `at` stand there again, one after the other;
 * 0 when they do not. The shortest period is taken. */
size_t stack_repeats(const struct stack *s, size_t at, size_t *period);

#endif /* HEDDLE_DRIVER_STACK_H */
