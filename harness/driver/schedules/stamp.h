/* stamp.h - which schedule files this user wrote on this machine.
 *
 * A file carries a keyed hash of its text. The key is the user's, made when it is first needed, in
 * $XDG_STATE_HOME/heddle/key (~/.local/state/heddle/key), which nobody else may read.
 */
#ifndef HEDDLE_DRIVER_STAMP_H
#define HEDDLE_DRIVER_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stamp_key {
    uint64_t half[2];
    bool known; /* false: there is none, and no file is ours */
};

/* The user's key; with `make`, a new one where there is none. */
struct stamp_key stamp_key(bool make);
/* Of a text, with a key that is known. Never 0. */
uint64_t stamp(const struct stamp_key *key, const char *text, size_t bytes);
/* SipHash-2-4 (Aumasson and Bernstein 2012), which stamp() is made with. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t bytes);

#endif /* HEDDLE_DRIVER_STAMP_H */
