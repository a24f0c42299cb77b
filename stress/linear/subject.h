/* subject.h - a structure that hd_linear() is put to: its main(), and the models that several have.
 *
 *   NAME_wrong [SCENARIOS [SCHEDULES]]    prints the report, or how much was silent; exits as hd_linear() returns,
 *                                         with 2 when it could not be done
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/linear.h>

#define NOTHING (-1)
#define ITEMS 32

/* ---- models ---- */

struct items {
    long count;
    long item[ITEMS];
};

static inline void add_item(struct items *m, long value)
{
    if (m->count == ITEMS)
        abort();
    m->item[m->count++] = value;
}

static inline long first_item(struct items *m)
{
    long value = m->count ? m->item[0] : NOTHING;

    if (m->count) {
        m->count--;
        memmove(m->item, m->item + 1, (size_t)m->count * sizeof *m->item);
        m->item[m->count] = 0;
    }
    return value;
}

static inline long last_item(struct items *m)
{
    long value = m->count ? m->item[--m->count] : NOTHING;

    if (value != NOTHING)
        m->item[m->count] = 0;
    return value;
}

static inline void model_add(void *state, struct hd_call *call)
{
    add_item(state, call->arg[0]);
}

static inline void model_first(void *state, struct hd_call *call)
{
    call->result[0] = first_item(state);
}

static inline void model_last(void *state, struct hd_call *call)
{
    call->result[0] = last_item(state);
}

/* ---- main ---- */

static inline int subject_main(int argc, char **argv, const struct hd_linear_spec *spec,
                               struct hd_linear_options options)
{
    static struct hd_explore_result result;
    int failed;

    if (argc > 1)
        options.scenarios = (uint32_t)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        options.schedules = (uint32_t)strtoul(argv[2], NULL, 10);
    failed = hd_linear(spec, &options, &result);
    fputs(result.report, stdout);
    printf("%s: %s after %llu schedules\n", spec->name, failed ? "failed" : "silent",
           (unsigned long long)result.schedules);
    return failed < 0 ? 2 : failed;
}

#define SUBJECT(spec, ...)                                                                         \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return subject_main(argc, argv, &(spec), (struct hd_linear_options){__VA_ARGS__});         \
    }

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#endif /* SUBJECT_H */
