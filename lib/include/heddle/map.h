/* map.h - a hash map that many threads may use at once, Go's sync.Map.
 *
 * Keys are either strings (copied, compared by their text) or pointers (compared by identity), as
 * chosen when the map is made; values are pointers that the map neither follows nor frees. For data
 * with invariants over several keys, take an ordinary table and a mutex instead.
 *   threads    any; create and destroy: no other call in progress
 *   blocks     never: each operation is one point
 *   errors     without memory a store does not happen, and says so; use after its end panics, as far
 *              as its memory still tells
 * memory: a write happens before every read that sees its effect.
 * source: Go package sync, type Map.
 */
#ifndef HEDDLE_MAP_H
#define HEDDLE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>
#include <heddle/errors.h>

HD_BEGIN_DECLS

struct hd_map;

enum hd_map_keys { HD_KEYS_STRING, HD_KEYS_POINTER };

/* A new, empty map, NULL without memory; give it up with hd_map_destroy(), which frees its copies
 * of the keys and leaves the values alone. NULL may be destroyed. */
HD_API HD_MUST_USE struct hd_map *hd_map_create(enum hd_map_keys keys);
HD_API void hd_map_destroy(struct hd_map *map);

/* Whether key is there; if so *value is set (value may be NULL).  Go: Load */
HD_API bool hd_map_load(struct hd_map *map, const void *key, void **value);

/* Set key's value.  errs hd_out_of_memory: nothing changed.  Go: Store */
HD_API HD_MUST_USE hd_err hd_map_store(struct hd_map *map, const void *key, void *value);

/* Set key's value and give the one that it had.
 *   previous  [out] set to the old value, NULL if there was none; may be NULL
 *   loaded    [out] whether there was one; may be NULL
 *   errs hd_out_of_memory.  Go: Swap */
HD_API HD_MUST_USE hd_err hd_map_swap(struct hd_map *map, const void *key, void *value,
                                      void **previous, bool *loaded);

/* Keep the value that key has, or give it this one.
 *   actual  [out] the value that key has now;  loaded [out] whether it had one before
 *   errs hd_out_of_memory.  Go: LoadOrStore */
HD_API HD_MUST_USE hd_err hd_map_load_or_store(struct hd_map *map, const void *key, void *value,
                                               void **actual, bool *loaded);

/* Remove key; whether it was there, and if so *value is its last value.  Go: LoadAndDelete,
 * Delete */
HD_API bool hd_map_load_and_delete(struct hd_map *map, const void *key, void **value);
HD_API void hd_map_delete(struct hd_map *map, const void *key);

/* If key's value is `old`: replace it, or remove it. Whether they did.
 * Go: CompareAndSwap, CompareAndDelete */
HD_API bool hd_map_compare_and_swap(struct hd_map *map, const void *key, void *old, void *value);
HD_API bool hd_map_compare_and_delete(struct hd_map *map, const void *key, void *old);

/* Call visit for each key until it says false. No key is visited twice; one that is stored or
 * deleted meanwhile may be seen or not. visit may call any function of the map; the key that it is
 * shown lives as long as the call. errs hd_out_of_memory: not all were visited.  Go: Range */
HD_API HD_MUST_USE hd_err hd_map_range(struct hd_map *map,
                                       bool (*visit)(const void *key, void *value, void *arg),
                                       void *arg);

/* Remove all.  Go: Clear */
HD_API void hd_map_clear(struct hd_map *map);

HD_END_DECLS

#endif /* HEDDLE_MAP_H */
