/* logs.h - real logs of other tools, and looking into what became of them. */
#ifndef HEDDLE_TEST_LOGS_H
#define HEDDLE_TEST_LOGS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool_log.h"
#include "util/alloc.h"

/* The bytes of a log of logs/; to be freed. */
static inline char *read_log(const char *name, size_t *bytes)
{
    char *path = mem_format("%s/%s", HEDDLE_LOGS, name);
    FILE *file = fopen(path, "r");
    char *text = mem_zeroed(1 << 16, 1);

    if (!file)
        fail_msg("%s is not there", path);
    *bytes = fread(text, 1, 1 << 16, file);
    fclose(file);
    free(path);
    return text;
}

static inline const struct note *note_of(const struct finding *f, enum hd_role role, size_t nth)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == role && nth-- == 0)
            return &f->note[i];
    fail_msg("no such note");
    return NULL;
}

static inline size_t notes_of(const struct finding *f, enum hd_role role)
{
    size_t n = 0;
    for (size_t i = 0; i < f->notes; i++)
        n += f->note[i].role == role;
    return n;
}

/* The function and line of the user's place, behind what belongs to the tool. */
static inline void assert_place(const struct note *n, const char *function)
{
    struct stack *s = (struct stack *)&n->stack;

    free(tool_log_trim(s));
    assert_true(s->count > 0);
    assert_string_equal(s->frame[0].function, function);
    assert_non_null(strstr(s->frame[0].file, "misuse.c"));
    assert_true(s->frame[0].line > 0);
}

#endif /* HEDDLE_TEST_LOGS_H */
