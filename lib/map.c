/* map.c - a table in shards, each with a leaf lock. map.h states the use.
 *
 * Chained buckets that double when there are more entries than buckets; a failed doubling leaves
 * the chains longer, and nothing else. An entry is counted: the table holds it, and so does a range
 * that is showing its key. The clock of an entry is the entry: writers release it, readers acquire
 * it.
 */
#include <heddle/map.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "graveyard.h"
#include "inner_lock.h"
#include "text.h"

#define SHARDS 16u
#define FIRST_BUCKETS 8u

struct entry {
    struct entry *next;
    size_t hash;
    void *value;
    size_t holders;  /* the table and ranges; guarded by the shard */
    bool present;    /* still in the table */
    const void *key; /* the caller's pointer, or `text` */
    char text[];
};

struct shard {
    _Alignas(64) struct hd_mutex lock;
    struct entry **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t entry_count;
};

struct hd_map {
    enum hd_map_keys keys;
    const void *gone; /* where it ended */
    struct shard shards[SHARDS];
};

static void need_alive(const struct hd_map *map, const void *site)
{
    hdi_need_alive(map->gone, "sync: use of a Map after its end", map, site);
}

static size_t hash_of(const struct hd_map *map, const void *key)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */

    if (map->keys == HD_KEYS_POINTER)
        hash ^= (uintptr_t)key;
    else
        for (const unsigned char *at = key; *at; at++)
            hash = (hash ^ *at) * 1099511628211u;
    hash *= 0x9e3779b97f4a7c15u;
    return (size_t)(hash ^ (hash >> 32));
}

static bool same(const struct hd_map *map, const struct entry *entry, size_t hash, const void *key)
{
    if (entry->hash != hash)
        return false;
    return map->keys == HD_KEYS_POINTER ? entry->key == key : hdi_same_text(entry->key, key);
}

struct hd_map *hd_map_create(enum hd_map_keys keys)
{
    struct hd_map *map = aligned_alloc(64, sizeof *map);

    if (!map)
        return NULL;
    memset(map, 0, sizeof *map);
    map->keys = keys;
    hdi_hide(map, sizeof *map);
    return map;
}

/* The count has a clock of its own: whoever was shown the key is done with it before the free. */
static void let_go(struct entry *entry)
{
    hdi_release(&entry->holders);
    if (--entry->holders > 0)
        return;
    hdi_acquire(&entry->holders);
    hdi_acquire(entry);
    free(entry);
}

/* With the shard locked: where the link to key's entry is, or where it would be. */
static struct entry **find(struct hd_map *map, struct shard *shard, size_t hash, const void *key)
{
    static struct entry *nowhere; /* stays NULL: nothing is stored through it */
    struct entry **link;

    if (shard->bucket_count == 0)
        return &nowhere;
    link = &shard->buckets[hash & (shard->bucket_count - 1)];
    while (*link && !same(map, *link, hash, key))
        link = &(*link)->next;
    return link;
}

static struct shard *enter(struct hd_map *map, size_t hash, const void *site)
{
    struct hdi_why why = {HD_EV_HD_OTHER, map, site};
    struct shard *shard = &map->shards[(hash >> 24) % SHARDS];

    hdi_point(&why);
    need_alive(map, site);
    hdi_inner_lock(&shard->lock);
    return shard;
}

static void remove_at(struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next;
    shard->entry_count--;
    entry->present = false;
    let_go(entry);
}

/* Room for one more; false without memory for even the first buckets. */
static bool grow(struct shard *shard)
{
    size_t count = shard->bucket_count ? shard->bucket_count * 2 : FIRST_BUCKETS;
    struct entry **buckets;

    if (shard->entry_count < shard->bucket_count)
        return true;
    buckets = calloc(count, sizeof *buckets);
    if (!buckets)
        return shard->bucket_count > 0;
    hdi_hide(buckets, count * sizeof *buckets);
    hdi_release(buckets);
    for (size_t i = 0; i < shard->bucket_count; i++)
        for (struct entry *entry = shard->buckets[i], *next; entry; entry = next) {
            struct entry **head = &buckets[entry->hash & (count - 1)];
            next = entry->next;
            entry->next = *head;
            *head = entry;
        }
    if (shard->buckets)
        hdi_acquire(shard->buckets);
    free(shard->buckets);
    shard->buckets = buckets;
    shard->bucket_count = count;
    return true;
}

static struct entry *add(struct hd_map *map, struct shard *shard, size_t hash, const void *key,
                         void *value)
{
    size_t bytes = map->keys == HD_KEYS_STRING ? strlen(key) + 1 : 0;
    struct entry *entry, **head;

    if (!grow(shard))
        return NULL;
    entry = malloc(sizeof *entry + bytes);
    if (!entry)
        return NULL;
    hdi_hide(entry, sizeof *entry + bytes);
    *entry =
        (struct entry){.hash = hash, .value = value, .holders = 1, .present = true, .key = key};
    if (bytes) {
        memcpy(entry->text, key, bytes);
        entry->key = entry->text;
    }
    head = &shard->buckets[hash & (shard->bucket_count - 1)];
    entry->next = *head;
    *head = entry;
    shard->entry_count++;
    hdi_release(entry);
    return entry;
}

bool hd_map_load(struct hd_map *map, const void *key, void **value)
{
    size_t hash = hash_of(map, key);
    struct shard *shard = enter(map, hash, HDI_SITE());
    struct entry *entry = *find(map, shard, hash, key);

    if (entry) {
        hdi_acquire(entry);
        if (value)
            *value = entry->value;
    }
    hdi_inner_unlock(&shard->lock);
    return entry != NULL;
}

static hd_err put(struct hd_map *map, const void *key, void *value, bool replace, void **seen,
                  bool *loaded, const void *site)
{
    size_t hash = hash_of(map, key);
    struct shard *shard = enter(map, hash, site);
    struct entry *entry = *find(map, shard, hash, key);
    bool there = entry != NULL;

    if (there) {
        hdi_acquire(entry);
        *seen = entry->value;
        if (replace) {
            hdi_release(entry);
            entry->value = value;
        }
    } else {
        entry = add(map, shard, hash, key, value);
        *seen = replace ? NULL : value;
    }
    hdi_inner_unlock(&shard->lock);
    if (loaded)
        *loaded = there;
    return entry ? NULL : hd_out_of_memory;
}

hd_err hd_map_store(struct hd_map *map, const void *key, void *value)
{
    void *ignored;

    return put(map, key, value, true, &ignored, NULL, HDI_SITE());
}

hd_err hd_map_swap(struct hd_map *map, const void *key, void *value, void **previous, bool *loaded)
{
    void *old;
    hd_err err = put(map, key, value, true, &old, loaded, HDI_SITE());

    if (!err && previous)
        *previous = old;
    return err;
}

hd_err hd_map_load_or_store(struct hd_map *map, const void *key, void *value, void **actual,
                            bool *loaded)
{
    void *now;
    hd_err err = put(map, key, value, false, &now, loaded, HDI_SITE());

    if (!err && actual)
        *actual = now;
    return err;
}

/* Remove key if `expected` is NULL or its value. */
static bool take_away(struct hd_map *map, const void *key, void *const *expected, void **value,
                      const void *site)
{
    size_t hash = hash_of(map, key);
    struct shard *shard = enter(map, hash, site);
    struct entry **link = find(map, shard, hash, key);
    bool taken = *link && (!expected || (*link)->value == *expected);

    if (*link)
        hdi_acquire(*link);
    if (taken) {
        if (value)
            *value = (*link)->value;
        remove_at(shard, link);
    }
    hdi_inner_unlock(&shard->lock);
    return taken;
}

bool hd_map_load_and_delete(struct hd_map *map, const void *key, void **value)
{
    return take_away(map, key, NULL, value, HDI_SITE());
}

void hd_map_delete(struct hd_map *map, const void *key)
{
    take_away(map, key, NULL, NULL, HDI_SITE());
}

bool hd_map_compare_and_delete(struct hd_map *map, const void *key, void *old)
{
    return take_away(map, key, &old, NULL, HDI_SITE());
}

bool hd_map_compare_and_swap(struct hd_map *map, const void *key, void *old, void *value)
{
    size_t hash = hash_of(map, key);
    struct shard *shard = enter(map, hash, HDI_SITE());
    struct entry *entry = *find(map, shard, hash, key);
    bool swapped = entry && entry->value == old;

    if (entry)
        hdi_acquire(entry);
    if (swapped) {
        hdi_release(entry);
        entry->value = value;
    }
    hdi_inner_unlock(&shard->lock);
    return swapped;
}

/* Hold all entries of a shard, so that they can be shown without its lock. False without memory. */
static bool hold_all(struct shard *shard, struct entry ***list, size_t *count)
{
    bool held;

    hdi_inner_lock(&shard->lock);
    *count = 0;
    *list = shard->entry_count ? malloc(shard->entry_count * sizeof **list) : NULL;
    held = *list || shard->entry_count == 0;
    for (size_t i = 0; *list && i < shard->bucket_count; i++)
        for (struct entry *entry = shard->buckets[i]; entry; entry = entry->next) {
            entry->holders++;
            (*list)[(*count)++] = entry;
        }
    hdi_inner_unlock(&shard->lock);
    return held;
}

/* Show the entries still present while `go_on`, and let all go. Whether the visitor wants more. */
static bool show_all(struct shard *shard, struct entry **list, size_t count,
                     bool (*visit)(const void *key, void *value, void *arg), void *arg)
{
    bool go_on = true;

    for (size_t i = 0; i < count; i++) {
        void *value = NULL;
        bool present;
        hdi_inner_lock(&shard->lock);
        present = list[i]->present;
        if (present) {
            hdi_acquire(list[i]);
            value = list[i]->value;
        }
        hdi_inner_unlock(&shard->lock);
        if (present && go_on)
            go_on = visit(list[i]->key, value, arg);
        hdi_inner_lock(&shard->lock);
        let_go(list[i]);
        hdi_inner_unlock(&shard->lock);
    }
    free(list);
    return go_on;
}

hd_err hd_map_range(struct hd_map *map, bool (*visit)(const void *key, void *value, void *arg),
                    void *arg)
{
    struct hdi_why why = {HD_EV_HD_OTHER, map, HDI_SITE()};
    bool go_on = true;

    hdi_point(&why);
    for (unsigned i = 0; i < SHARDS && go_on; i++) {
        struct entry **list;
        size_t count;
        need_alive(map, why.site);
        if (!hold_all(&map->shards[i], &list, &count))
            return hd_out_of_memory;
        go_on = show_all(&map->shards[i], list, count, visit, arg);
    }
    return NULL;
}

static void clear(struct hd_map *map)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &map->shards[i];
        hdi_inner_lock(&shard->lock);
        for (size_t b = 0; b < shard->bucket_count; b++)
            while (shard->buckets[b])
                remove_at(shard, &shard->buckets[b]);
        hdi_inner_unlock(&shard->lock);
    }
}

void hd_map_clear(struct hd_map *map)
{
    struct hdi_why why = {HD_EV_HD_OTHER, map, HDI_SITE()};

    hdi_point(&why);
    need_alive(map, why.site);
    clear(map);
}

void hd_map_destroy(struct hd_map *map)
{
    if (!map)
        return;
    need_alive(map, HDI_SITE());
    clear(map);
    for (unsigned i = 0; i < SHARDS; i++) {
        if (map->shards[i].buckets)
            hdi_acquire(map->shards[i].buckets);
        free(map->shards[i].buckets);
        map->shards[i].bucket_count = 0;
    }
    map->gone = HDI_SITE();
    hdi_bury(map, sizeof *map);
}
