/* weak_location.c - a location's memory, and its list of stores. */
#include "weak_location.h"

uint64_t hdi_in_memory(uintptr_t addr, uint32_t bytes)
{
    switch (bytes) {
    case 1:
        return __atomic_load_n((const uint8_t *)addr, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_load_n((const uint16_t *)addr, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_load_n((const uint32_t *)addr, __ATOMIC_SEQ_CST);
    default:
        return __atomic_load_n((const uint64_t *)addr, __ATOMIC_SEQ_CST);
    }
}

void hdi_location_write(const struct hdi_location *at)
{
    uint64_t value = at->store[at->count - 1].value;

    switch (at->bytes) {
    case 1:
        __atomic_store_n((uint8_t *)at->addr, (uint8_t)value, __ATOMIC_SEQ_CST);
        break;
    case 2:
        __atomic_store_n((uint16_t *)at->addr, (uint16_t)value, __ATOMIC_SEQ_CST);
        break;
    case 4:
        __atomic_store_n((uint32_t *)at->addr, (uint32_t)value, __ATOMIC_SEQ_CST);
        break;
    default:
        __atomic_store_n((uint64_t *)at->addr, value, __ATOMIC_SEQ_CST);
    }
}

bool hdi_location_intact(struct hdi_location *at)
{
    return hdi_in_memory(at->addr, at->bytes) == hdi_location_last(at)->value;
}

void hdi_store_clear(struct hdi_store *st)
{
    hdi_vclock_clear(&st->edges);
    hdi_vclock_clear(&st->seen);
    *st = (struct hdi_store){0};
}

struct hdi_store *hdi_location_insert(struct hdi_location *at, uint32_t index)
{
    if (at->count == HDI_KEPT_STORES) {
        hdi_store_clear(&at->store[0]);
        for (uint32_t i = 1; i < at->count; i++)
            at->store[i - 1] = at->store[i];
        at->count--;
        index -= index > 0;
    }
    for (uint32_t i = at->count++; i > index; i--)
        at->store[i] = at->store[i - 1];
    at->store[index] = (struct hdi_store){0};
    return &at->store[index];
}
