/* twin.h - shared by the programs of this folder: PROGRAM VARIANT wrong|right.
 *
 * A variant is one way in which a library or the kernel orders two threads, or one call by which
 * libc comes to their memory. The wrong twin makes one access that nothing orders, the right one
 * does not, and nothing else differs. PROGRAM alone prints its variants. */
#ifndef HEDDLE_STRESS_ORDER_TWIN_H
#define HEDDLE_STRESS_ORDER_TWIN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong; /* which twin; set before the first thread */

struct variant {
    const char *name;
    void (*run)(void);
};

/* VARIANT(name): {"name", name} */
#define VARIANT(name)                                                                              \
    {                                                                                              \
#name, name                                                                                \
    }

#define RUN_VARIANT(table, argc, argv)                                                             \
    run_variant(table, sizeof(table) / sizeof *(table), argc, argv)

static int run_variant(const struct variant *table, size_t n, int argc, char **argv)
{
    if (argc == 1)
        for (size_t i = 0; i < n; i++)
            puts(table[i].name);
    if (argc != 3)
        return argc != 1;
    wrong = strcmp(argv[2], "wrong") == 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, argv[1]) == 0) {
            table[i].run();
            return 0;
        }
    fprintf(stderr, "no variant '%s'\n", argv[1]);
    return 2;
}

#endif /* HEDDLE_STRESS_ORDER_TWIN_H */
