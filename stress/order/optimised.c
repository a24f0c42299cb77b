/* Accesses that a compiler may drop or merge when it optimises, since nothing in this file needs
 * them: a race all the same, with a thread that writes or reads the same place. */
#include <pthread.h>
#include <stdbool.h>

#include "twin.h"

static int unread, level, level_copy;
static char copied[64], filled[64];
static struct settings {
    int size, colour[8];
} settings;
static volatile bool never;

static void *run_access(void *access)
{
    ((const struct variant *)access)->run();
    return NULL;
}

/* The same place is accessed by `other` beside the access, or behind it. */
static void beside(void (*access)(void), void (*other)(void))
{
    struct variant v = {"", access};
    pthread_t t;

    pthread_create(&t, NULL, run_access, &v);
    if (!wrong)
        pthread_join(t, NULL);
    other();
    if (wrong)
        pthread_join(t, NULL);
}

#define TRIES(name, access, other)                                                                 \
    static void access_##name(void)                                                                \
    {                                                                                              \
        access;                                                                                    \
    }                                                                                              \
    static void other_##name(void)                                                                 \
    {                                                                                              \
        other;                                                                                     \
    }                                                                                              \
    static void name(void)                                                                         \
    {                                                                                              \
        beside(access_##name, other_##name);                                                       \
    }

TRIES(write_that_nothing_reads, unread = 1, unread = 2)
TRIES(read_for_nothing, (void)level, level++)
TRIES(read_of_which_nothing_depends, level_copy = level * 0, level++)
TRIES(read_in_a_condition_of_the_same, level_copy = level ? 1 : 1, level++)
TRIES(write_of_what_is_there, level = level, level++)
TRIES(write_that_is_written_over, level = 1; level = 2, level_copy = level)
TRIES(added_nothing, level += 0, level++)
TRIES(structure_copied_onto_itself, struct settings s = settings;
      settings = s, settings.colour[3]++)
TRIES(structure_read_for_nothing, struct settings s = settings; (void)s, settings.colour[3]++)
TRIES(field_of_a_copy, struct settings s = settings; s.size = 1;
      level_copy = s.size, settings.colour[3]++)
TRIES(copy_that_nothing_reads, memcpy(copied, "abcdefgh", 8), copied[2] = 'x')
TRIES(text_that_nothing_reads, strncpy(copied, "hello", 6), copied[2] = 'x')
TRIES(fill_that_nothing_reads, memset(filled, 1, 16), filled[2] = 'x')
TRIES(read_on_the_way_to_nothing, if (level && never) never = false, level++)
TRIES(loop_that_does_nothing, for (int i = 0; i < level; i++), level++)
TRIES(loop_that_counts_up, for (int i = 0; i < 3; i++) unread++, unread = 0)

static const struct variant variants[] = {
    VARIANT(write_that_nothing_reads),
    VARIANT(read_for_nothing),
    VARIANT(read_of_which_nothing_depends),
    VARIANT(read_in_a_condition_of_the_same),
    VARIANT(write_of_what_is_there),
    VARIANT(write_that_is_written_over),
    VARIANT(added_nothing),
    VARIANT(structure_copied_onto_itself),
    VARIANT(structure_read_for_nothing),
    VARIANT(field_of_a_copy),
    VARIANT(copy_that_nothing_reads),
    VARIANT(text_that_nothing_reads),
    VARIANT(fill_that_nothing_reads),
    VARIANT(read_on_the_way_to_nothing),
    VARIANT(loop_that_does_nothing),
    VARIANT(loop_that_counts_up),
};

int main(int argc, char **argv)
{
    return RUN_VARIANT(variants, argc, argv);
}
