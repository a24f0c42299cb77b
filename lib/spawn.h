/* spawn.h - starting a goroutine on behalf of a caller, whose place in the program it names. */
#ifndef HDI_SPAWN_H
#define HDI_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/errors.h>
#include <heddle/seam.h>

struct hd_errgroup;

struct hdi_start {
    const char *name; /* NULL: none */
    void (*fn)(void *arg);
    void *arg;
    size_t copied; /* so many bytes at arg are, and the copy is given; 0: arg itself */
    void (*end)(void *of,
                const void *site); /* called when fn has returned, or left by a goexit; NULL */
    void *of;
    const void *shown; /* the user's function that it runs, as reports call it */
    const void *site;
};
hd_err hdi_go(const struct hdi_start *start);

#define HDI_SHOWN(fn) ((const void *)(uintptr_t)(fn))

/* How many are not done. */
struct hd_wg;
int32_t hdi_wg_counter(struct hd_wg *wg);

/* For a group in memory of the library's own, whose adds are ordered by other means. */
void hdi_wg_wait(struct hd_wg *wg, const void *site);

/* A task of the group, limit or not; false if it could not be started, which is the group's
 * error. */
bool hdi_errgroup_start(struct hd_errgroup *group, hd_err (*fn)(void *arg), const void *arg,
                        size_t copied, const void *site);

/* Tell the seam of this file's thread-local variables. */
void hdi_go_locals(const struct hd_seam *seam);

#endif /* HDI_SPAWN_H */
