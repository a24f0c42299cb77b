/* hash.h - hashes that are the same in both processes and from run to run. */
#ifndef HEDDLE_HASH_H
#define HEDDLE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a, 64 bit (Fowler, Noll, Vo): start from the basis, or from what came before. */
#define HASH_BASIS 0xcbf29ce484222325ull

static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t bytes)
{
    const unsigned char *p = data;

    while (bytes--)
        h = (h ^ *p++) * 0x100000001b3ull;
    return h;
}

/* FNV-1a, 32 bit: names of threads, checksums of files. */
#define HASH32_BASIS 2166136261u

static inline uint32_t hash32_bytes(uint32_t h, const void *data, size_t bytes)
{
    const unsigned char *p = data;

    while (bytes--)
        h = (h ^ *p++) * 16777619u;
    return h;
}

/* Every bit of the result hangs on every bit of x: splitmix64's finaliser (Steele et al. 2014). */
static inline uint64_t hash_spread(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* A number more in h, which depends on their order. */
static inline uint64_t hash_mix(uint64_t h, uint64_t value)
{
    h ^= value + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
    return h * 0xff51afd7ed558ccdull;
}

/* The number behind x in splitmix64's sequence. */
static inline uint64_t hash_next(uint64_t x)
{
    return hash_spread(x + 0x9e3779b97f4a7c15ull);
}

/* Of a place in code, the same wherever its module was loaded: the kernel moves those by whole pages. */
static inline uint64_t hash_place(uint64_t seed, uint64_t site)
{
    return hash_next(seed ^ (site & 4095));
}

#endif /* HEDDLE_HASH_H */
