/* object.c - the objects of the program by address, and the memory of the models.
 *
 * A hash table of chains from address and kind to the model's struct. Ids are stable from run to
 * run: a static object's is made of its module and offset, any other's of the thread that made it
 * and how many of its kind that thread had made before.
 *
 * Memory comes from mmap and is never returned: the process that runs a schedule is short-lived.
 * The in-process explorer forgets all of it between two schedules.
 */
#include "control.h"

#include <link.h>
#include <string.h>
#include <sys/mman.h>

#include "observers.h"
#include "thread.h"
#include "beside/other_tool.h"

#define CHUNK_BYTES (256u << 10)
#define BUCKETS 4096u
#define LINE 64u /* bytes */
#define MODULES 256u

/* Header of a piece of memory; what is handed out is 16-byte aligned. */
struct chunk {
    _Alignas(16) struct chunk *next;
    size_t bytes, used;
};
/* Of the schedule, and of the process: what a schedule leaves to the next one in its process. */
struct arena {
    struct chunk *first, *last;
};
static struct arena schedule, process;
static struct {
    char *at, *end;
} mapped; /* ahead, for hdi_map() */
static struct hdi_object *bucket[BUCKETS];
static struct hdi_object *first_made, *last_made;
static struct {
    uintptr_t low, high;
    uint32_t index;
} segment[MODULES];
static uint32_t segments;
static bool modules_noted;

static struct chunk *new_chunk(size_t room)
{
    size_t size = sizeof(struct chunk) + room;
    struct chunk *c;

    size = size > CHUNK_BYTES ? (size + 4095) & ~(size_t)4095 : CHUNK_BYTES;
    c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (c == MAP_FAILED)
        __builtin_trap(); /* out of address space: nothing sensible is left to do */
    hdi_tool_hide(c, size);
    *c = (struct chunk){.bytes = size, .used = sizeof *c};
    return c;
}

static void *take(struct arena *a, size_t bytes)
{
    void *p;

    bytes = (bytes + 15) & ~(size_t)15;
    while (a->last && a->last->used + bytes > a->last->bytes && a->last->next)
        a->last = a->last->next;
    if (!a->last || a->last->used + bytes > a->last->bytes) {
        struct chunk *c = new_chunk(bytes);
        if (a->last)
            a->last->next = c;
        else
            a->first = c;
        a->last = c;
    }
    p = (char *)a->last + a->last->used;
    a->last->used += bytes;
    return p;
}

void *hdi_alloc(size_t bytes)
{
    return take(&schedule, bytes);
}

static void extend(struct arena *a, size_t bytes)
{
    struct chunk *c = new_chunk(bytes);

    if (!a->last) {
        a->first = a->last = c;
        return;
    }
    c->next = a->last->next;
    a->last->next = c;
}

static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

void *hdi_map(size_t bytes)
{
    char *p = mapped.at;

    bytes = (bytes + 4095) & ~(size_t)4095;
    if ((size_t)(mapped.end - p) < bytes)
        return map(bytes);
    mapped.at += bytes;
    return p;
}

void hdi_alloc_ahead(size_t bytes, size_t map_bytes)
{
    char *p = map(map_bytes);

    extend(&schedule, bytes);
    extend(&process, bytes);
    mapped.at = p;
    mapped.end = p ? p + map_bytes : NULL;
}

void *hdi_alloc_lasting(size_t bytes)
{
    return take(&process, bytes);
}

static uint32_t hash(uint64_t x)
{
    x *= 0x9e3779b97f4a7c15u;
    return (uint32_t)(x >> 32);
}

/* Where an address is looked up: what lies in one line of memory lies in one chain. */
static uint32_t bucket_of(uintptr_t addr)
{
    return hash(addr / LINE) % BUCKETS;
}

static struct hdi_object **chain(uintptr_t addr)
{
    return &bucket[bucket_of(addr)];
}

static int note_segments(struct dl_phdr_info *info, size_t size, void *count)
{
    uint32_t *module = count;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum && segments < MODULES; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_W)) {
            segment[segments].low = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            segment[segments].high = segment[segments].low + info->dlpi_phdr[i].p_memsz;
            segment[segments++].index = *module;
        }
    ++*module;
    return 0;
}

void hdi_modules_note(void)
{
    uint32_t module = 1;

    segments = 0;
    dl_iterate_phdr(note_segments, &module);
    modules_noted = true;
}

/* Module and offset of a static object as one number, 0 for any other. */
static uint64_t static_place(uintptr_t addr)
{
    if (!modules_noted)
        hdi_modules_note();
    for (uint32_t i = 0; i < segments; i++)
        if (addr >= segment[i].low && addr < segment[i].high)
            return (uint64_t)segment[i].index << 40 | (addr - segment[i].low);
    return 0;
}

struct hdi_object *hdi_object_find(const void *addr, enum hd_object kind)
{
    uintptr_t a = (uintptr_t)addr;

    for (struct hdi_object *o = *chain(a); o; o = o->next)
        if (o->addr == a && o->kind == kind)
            return o;
    return NULL;
}

uint32_t (*hdi_object_identify)(struct hdi_object *o);

static void born(struct hdi_object *o, uint64_t site)
{
    struct hdi_thread *self = hdi_self();
    uint64_t place = static_place(o->addr);
    /* The call that initialises it is the one that it was first seen in. */
    bool again = o->creator == self && o->created_site == site && o->version < 2 && !o->dead;

    o->creator = self;
    o->created_site = site;
    o->created_stack = hdi_stack();
    if (again)
        return;
    o->ordinal = place ? 0 : ++self->objects[o->kind];
    o->id = place ? hash(place ^ o->kind) : hash((uint64_t)self->hash << 32 | o->ordinal) ^ o->kind;
    if (hdi_object_identify)
        o->id = hdi_object_identify(o);
    o->id += o->id == 0;
}

struct hdi_object *hdi_object_get(const void *addr, enum hd_object kind, size_t size, uint64_t site)
{
    struct hdi_object *o = hdi_object_find(addr, kind);

    if (o)
        return o;
    o = hdi_alloc(size);
    o->addr = (uintptr_t)addr;
    o->kind = (uint8_t)kind;
    born(o, site);
    o->next = *chain(o->addr);
    *chain(o->addr) = o;
    if (last_made)
        last_made->later = o;
    else
        first_made = o;
    last_made = o;
    return o;
}

void hdi_object_reborn(struct hdi_object *o, size_t size, uint64_t site)
{
    hdi_touched(o);
    memset((char *)o + sizeof *o, 0, size - sizeof *o);
    hdi_tell(MADE, .object = o, .site = site);
    o->writer_first = o->one_unit = o->announced = o->owed = o->leak_told = o->freed = false;
    o->check = NULL;
    o->in_graph = 0;
    o->dropped_kind = HD_EV_NONE;
    o->users = 0;
    o->label[0] = 0;
    born(o, site);
    o->dead = false;
}

#define GRAVE 0xdd
#define GRAVE_BYTES 64u

struct grave {
    const struct hdi_object *object;
    unsigned char before[GRAVE_BYTES];
    struct grave *next;
};
static struct grave *graves;

void hdi_object_bury(struct hdi_object *o, size_t bytes, uint64_t site)
{
    struct grave *g = graves;

    hdi_touched(o);
    while (g && g->object != o)
        g = g->next;
    if (!g) {
        g = hdi_alloc(sizeof *g);
        g->object = o;
        g->next = graves;
        graves = g;
    }
    memcpy(g->before, (const void *)o->addr, bytes);
    memset((void *)o->addr, GRAVE, bytes);
    hdi_tell(DESTROYED, .object = o);
    o->dead = true;
    o->destroyed_site = site;
    o->destroyer = hdi_self();
    o->destroyed_stack = hdi_stack();
}

static bool untouched(const struct hdi_object *o, size_t bytes)
{
    const unsigned char *p = (const unsigned char *)o->addr;

    for (size_t i = 0; i < bytes; i++)
        if (p[i] != GRAVE)
            return false;
    return true;
}

void hdi_object_use(struct hdi_object *o, size_t size, size_t bytes, uint64_t site)
{
    struct hdp_finding *f;

    /* The model does without it: where there is no memory, the real call would crash, too. */
    (void)*(const volatile char *)o->addr;
    if (!o->dead)
        return;
    if (!untouched(o, bytes)) {
        hdi_object_reborn(o, size, site);
        return;
    }
    f = hdi_finding_begin(HD_FK_USE_AFTER_DESTROY, NULL);
    hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_NONE, o, site, hdi_stack());
    hdi_note(f, HD_ROLE_EARLIER, o->destroyer, HD_EV_MUTEX_DESTROY, o, o->destroyed_site,
             o->destroyed_stack);
    hdi_finding_end(f, false);
    for (struct grave *g = graves; g; g = g->next)
        if (g->object == o)
            memcpy((void *)o->addr, g->before, bytes);
    o->dead = false;
}

bool hdi_object_is_static(const struct hdi_object *o)
{
    return static_place(o->addr) != 0;
}

/* In the order in which they were made: by address, it would hang on where the kernel loads the program. */
void hdi_objects_each(void (*f)(struct hdi_object *o))
{
    for (struct hdi_object *o = first_made; o; o = o->later)
        f(o);
}

void hdi_objects_within(uintptr_t low, uintptr_t high, void (*f)(struct hdi_object *o, void *arg),
                        void *arg)
{
    uintptr_t lines = (high + LINE - 1) / LINE - low / LINE;
    bool all = lines >= BUCKETS;

    for (uintptr_t i = 0; i < (all ? 1 : lines); i++)
        for (struct hdi_object *o = all ? first_made : *chain(low + i * LINE); o;
             o = all ? o->later : o->next)
            if (o->addr >= low && o->addr < high)
                f(o, arg);
}

void hdi_models_reset(void)
{
    for (struct chunk *c = schedule.first; c; c = c->next) {
        memset(c + 1, 0, c->used - sizeof *c);
        c->used = sizeof *c;
    }
    schedule.last = schedule.first;
    memset(bucket, 0, sizeof bucket);
    first_made = last_made = NULL;
    graves = NULL;
}
