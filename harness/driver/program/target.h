/* target.h - the program to be run: found, looked at, refused with a reason if it cannot work. */
#ifndef HEDDLE_DRIVER_TARGET_H
#define HEDDLE_DRIVER_TARGET_H

#include <stdbool.h>

struct target {
    char *path;         /* absolute */
    char build_id[129]; /* hexadecimal; "" = the file has none */
    bool tsan;          /* contains ThreadSanitizer's runtime, or needs libtsan */
    bool asan_inside;   /* contains AddressSanitizer's runtime, or needs libasan */
    char asan[32];      /* name of gcc's libasan if it needs that: it has to be loaded first, too */
    bool tsan_shared;   /* needs gcc's libtsan, which has to be loaded first */
};

/* Find `program` as a shell would and check that it can be controlled: an executable, dynamically
 * linked, 64-bit program of this machine's kind, without set-user-ID.
 * Returns NULL, or a sentence without full stop that says why not (owned by the caller).
 * On success release t with target_free(). */
char *target_open(const char *program, struct target *t);
void target_free(struct target *t);

#endif /* HEDDLE_DRIVER_TARGET_H */
