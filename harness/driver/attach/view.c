/* view.c - see view.h */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "call_site.h"
#include "symbols/numbering.h"
#include "util/alloc.h"

#define UNWOUND_LEAST 2u  /* places: whoever waits has more */
#define FRAMES_LEARNED 4u /* from the user's call on: who knows what it locks is near */

/* Looked up once: many threads stand at few places. */
struct pc_name {
    uint64_t pc;
    char *function, *module; /* or NULL */
    UT_hash_handle hh;
};

/* Of what is no global variable: the member of which struct it is. */
struct object_name {
    uint64_t addr;
    char *member;
    UT_hash_handle hh;
};

static bool read_word(void *arg, uint64_t addr, uint64_t *word)
{
    return snapshot_kept(arg, addr, word, sizeof *word);
}

static struct pc_name *look_up(struct view *v, const struct symbols_place *p)
{
    struct pc_name *n;
    uint64_t at = p->pc - p->is_return;
    HASH_FIND(hh, v->names, &at, sizeof at, n);
    if (n)
        return n;
    n = mem_zeroed(1, sizeof *n);
    n->pc = at;
    n->function = symbols_function(v->symbols, at);
    n->module = mem_copy(symbols_module(v->symbols, at));
    HASH_ADD(hh, v->names, pc, sizeof n->pc, n);
    return n;
}

const char *view_function(struct view *v, const struct symbols_place *p)
{
    return look_up(v, p)->function;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool view_is_libc(struct view *v, const struct symbols_place *p)
{
    static const char *const files[] = {"libc.so",  "libpthread", "libc-",
                                        "ld-linux", "ld-musl",    "linux-vdso"};
    static const char *const parts[] = {"futex_", "lll_", "syscall", "clock_nanosleep"};
    const struct pc_name *n = look_up(v, p);
    const char *name = n->function ? n->function + strspn(n->function, "_") : "";
    for (size_t i = 0; n->module && i < sizeof files / sizeof *files; i++)
        if (begins(n->module, files[i]))
            return true;
    if (n->function && strcmp(n->function, "__wait") == 0) /* musl's */
        return true;
    if (begins(name, "GI_"))
        name += 3 + strspn(name + 3, "_");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (begins(name, parts[i]))
            return true;
    return false;
}

size_t view_by_tid(const struct view *v, uint32_t inner_tid)
{
    for (size_t i = 0; inner_tid && i < v->threads; i++)
        if ((uint32_t)v->thread[i].seen->inner_tid == inner_tid)
            return i;
    return NOBODY;
}

/* ---- stacks ---- */

/* A thread that was not stopped: its frame pointer is not known. The first pair above the stack
 * pointer that looks like one, a higher stack address and a return address, is taken for it. */
static void guess_frame_pointer(struct view *v, struct symbols_thread *t)
{
    uint64_t sp = t->reg[7], pair[2];
    for (uint64_t at = sp; at < sp + 2048; at += 8)
        if (snapshot_kept(v->s, at, pair, sizeof pair) && pair[0] > at && pair[0] < sp + 65536 &&
            pair[0] % 16 == 0 && symbols_know(v->symbols, pair[1])) {
            t->reg[6] = at;
            t->known |= 1u << 6;
            return;
        }
}

/* In a function without tables the stack ends: it goes on where that was called. */
static void find_caller(struct view *v, struct viewed *t, struct symbols_thread from)
{
    uint64_t function, returns, at;
    if (!call_site_find(v, from.reg[7], &function, &returns, &at))
        return;
    t->place[1] = (struct symbols_place){.pc = function, .sp = at};
    from.reg[7] = at + 8;
    from.reg[16] = returns;
    from.known = 1u << 7 | 1u << 16;
    if (from.reg[6] > at && from.reg[6] - at < 65536)
        from.known |= 1u << 6;
    t->places = 2 + symbols_walk(v->symbols, &from, t->place + 2, VIEW_PLACES - 2);
    t->place[2].is_return = true;
}

static void unwind(struct view *v, struct viewed *t)
{
    struct symbols_thread from = {.read = read_word, .arg = v->s};
    memcpy(from.reg, t->seen->reg, sizeof from.reg);
    from.known = t->seen->stopped ? 0x1ffff : 1u << 7 | 1u << 16;
    t->place = mem_zeroed(VIEW_PLACES, sizeof *t->place);
    if (!from.reg[7])
        return;
    if (!t->seen->stopped)
        guess_frame_pointer(v, &from);
    t->places = symbols_walk(v->symbols, &from, t->place, VIEW_PLACES);
    if (t->places && t->places <= UNWOUND_LEAST)
        find_caller(v, t, from);
}

static bool is_at(const struct shape *sh, const struct symbols_place *place, size_t places)
{
    if (sh->places != places)
        return false;
    for (size_t i = 0; i < places; i++)
        if (sh->place[i].pc != place[i].pc)
            return false;
    return true;
}

/* Where a thread comes from; in a static program no file tells. */
static bool is_start(struct view *v, const struct symbols_place *p)
{
    static const char *const names[] = {"start_thread", "__clone3", "clone3",
                                        "__clone",      "clone",    "_start"};
    const char *name = view_function(v, p);
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return name && begins(name, "__libc_start_");
}

static size_t shape_of(struct view *v, const struct viewed *t)
{
    const struct symbols_place *place = t->place + t->wait.from;
    size_t places = t->places - t->wait.from;
    while (places > 1 && is_start(v, &place[places - 1]))
        places--;
    for (size_t i = 0; i < v->shapes; i++)
        if (is_at(&v->shape[i], place, places))
            return i;
    v->shape = mem_grow(v->shape, v->shapes, sizeof *v->shape);
    struct shape *sh = &v->shape[v->shapes];
    *sh = (struct shape){.places = places};
    memcpy(sh->place, place, places * sizeof *place);
    symbols_stack(v->symbols, place, places, &sh->stack);
    if (!sh->stack.count && t->wait.from) /* the user's function called it last, and is gone */
        symbols_stack(v->symbols, place - 1, places + 1, &sh->stack);
    return v->shapes++;
}

/* ---- names ---- */

/* 0 is the program's first thread, which may have ended. */
static size_t number_of(const struct view *v, size_t i)
{
    return i + (v->thread[0].seen->began != 0);
}

/* The head of struct goroutine of lib/go.c. */
struct goroutine {
    uint64_t fn, arg, number, site, stack_bytes;
    char name[32];
};

static bool read_goroutine(const struct view *v, uint64_t addr, struct goroutine *g)
{
    return addr > 4096 && addr % 8 == 0 && snapshot_read(v->s, addr, g, sizeof *g) && g->number &&
           g->number < 1u << 30 && g->stack_bytes >= 16384 && g->stack_bytes % 4096 == 0 &&
           memchr(g->name, 0, sizeof g->name) && symbols_know(v->symbols, g->fn) &&
           symbols_know(v->symbols, g->site);
}

/* The goroutine that a thread carries: what calls its function keeps a pointer to it on the stack. */
static bool find_goroutine(const struct view *v, const struct viewed *t, struct goroutine *g)
{
    uint64_t sp = t->seen->reg[7], low, high = 0;
    if (t->seen->goroutine)
        return read_goroutine(v, t->seen->goroutine, g);
    if (!sp || !snapshot_mapping(v->s->maps, sp, &low, &high))
        return false;
    for (size_t i = t->places; i-- > 1;) {
        uint64_t from = t->place[i].sp, word;
        for (uint64_t at = from; from && at < from + 512; at += 8)
            if (snapshot_kept(v->s, at, &word, sizeof word) && (word < sp || word >= high) &&
                read_goroutine(v, word, g))
                return true;
    }
    return false;
}

static const char *began_in(const struct stack *s)
{
    for (size_t i = s->count; i-- > 0;)
        if (s->frame[i].module && !begins(s->frame[i].module, "libc.so"))
            return s->frame[i].function;
    return s->count ? s->frame[s->count - 1].function : NULL;
}

/* As the kernel names threads that nobody named. */
static bool is_of_program(const struct view *v, const char *name)
{
    return v->s->program && strncmp(base_name(v->s->program), name, 15) == 0;
}

/* Each is called after what it was named, or else after the function that it began in. */
static char *label_of(struct view *v, size_t i)
{
    const struct viewed *t = &v->thread[i];
    const struct stack *stack = &v->shape[t->shape].stack;
    const char *own = t->seen->name, *leader = v->thread[0].seen->name, *name = own;
    size_t number = number_of(v, i);
    if (number == 0)
        return mem_copy("T0 (main)");
    if (!*own || (i > 0 && strcmp(own, leader) == 0) || is_of_program(v, own))
        name = began_in(stack);
    struct goroutine g;
    if (find_goroutine(v, t, &g)) {
        char *function = symbols_function(v->symbols, g.fn);
        const char *called = *g.name ? g.name : function;
        unsigned long long n = g.number;
        char *label = t->seen->fibre ? mem_format("goroutine %llu%s%s%s", n, called ? " (" : "",
                                                  called ? called : "", called ? ")" : "")
                                     : mem_format("T%zu (%s%sgoroutine %llu)", number,
                                                  called ? called : "", called ? ", " : "", n);
        free(function);
        return label;
    }
    if (t->seen->fibre)
        return mem_format("goroutine 0x%llx", (unsigned long long)t->seen->fibre);
    return name ? mem_format("T%zu (%s)", number, name) : mem_format("T%zu", number);
}

static char *place_on_stack(struct view *v, uint64_t addr)
{
    for (size_t i = 0; i < v->threads; i++) {
        uint64_t low, high, sp = v->thread[i].seen->reg[7];
        if (sp && addr >= sp && snapshot_mapping(v->s->maps, sp, &low, &high) && addr < high)
            return mem_format("on the stack of T%zu", number_of(v, i));
    }
    return NULL;
}

static bool read_any(void *arg, uint64_t addr, uint64_t *word)
{
    return snapshot_read(arg, addr, word, sizeof *word);
}

void view_learn(struct view *v, const struct viewed *t, uint64_t object)
{
    struct symbols_thread thread = {.read = read_any, .arg = v->s};
    struct object_name *n;
    char *variable = symbols_variable(v->symbols, object), *member = NULL;
    HASH_FIND(hh, v->objects, &object, sizeof object, n);
    for (size_t i = t->wait.from; !variable && !n && !member && i + 1 < t->places; i++) {
        if (i > t->wait.from + FRAMES_LEARNED)
            break;
        member = symbols_member(v->symbols, &thread, &t->place[i], &t->place[i + 1], object);
    }
    free(variable);
    if (!member)
        return;
    n = mem_zeroed(1, sizeof *n);
    n->addr = object;
    n->member = member;
    HASH_ADD(hh, v->objects, addr, sizeof n->addr, n);
}

char *view_object(struct view *v, enum hd_event kind, uint64_t addr)
{
    const char *word = object_word(object_of_event(kind));
    char *variable = addr ? symbols_variable(v->symbols, addr) : NULL;
    char *where = variable || !addr ? NULL : place_on_stack(v, addr), *text;
    struct object_name *n;
    HASH_FIND(hh, v->objects, &addr, sizeof addr, n);
    if (variable)
        text = mem_format("%s %s", word, variable);
    else if (n)
        text = mem_format("%s 0x%llx (%s)", word, (unsigned long long)addr, n->member);
    else if (where)
        text = mem_format("%s 0x%llx %s", word, (unsigned long long)addr, where);
    else
        text = mem_format("%s 0x%llx", word, (unsigned long long)addr);
    free(variable);
    free(where);
    return text;
}

/* ---- all of it ---- */

static const char *root_of(const struct snapshot *s)
{
    char path[64];
    struct stat own, its;
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)s->through);
    if (!s->pid || stat("/proc/self/ns/mnt", &own) != 0 || stat(path, &its) != 0 ||
        own.st_ino == its.st_ino)
        return NULL;
    return s->root;
}

static bool read_bytes(void *arg, uint64_t addr, void *to, size_t bytes)
{
    return snapshot_read(arg, addr, to, bytes);
}

struct view *view_new(struct snapshot *s)
{
    struct view *v = mem_zeroed(1, sizeof *v);
    v->s = s;
    v->symbols = symbols_new();
    symbols_root(v->symbols, root_of(s));
    symbols_map(v->symbols, s->maps ? s->maps : "");
    char *others = symbols_replaced(v->symbols, read_bytes, s);
    if (others)
        snapshot_lacks(s, "not the same files any more, names may be wrong: %s", others);
    free(others);
    v->threads = s->threads;
    v->thread = mem_zeroed(s->threads ? s->threads : 1, sizeof *v->thread);
    for (size_t i = 0; i < v->threads; i++) {
        v->thread[i].seen = &s->thread[i];
        unwind(v, &v->thread[i]);
    }
    return v;
}

void view_name(struct view *v)
{
    for (size_t i = 0; i < v->threads; i++)
        v->thread[i].shape = shape_of(v, &v->thread[i]);
    for (size_t i = 0; i < v->threads; i++)
        v->thread[i].label = label_of(v, i);
}

void view_free(struct view *v)
{
    struct pc_name *n, *next;
    if (!v)
        return;
    HASH_ITER(hh, v->names, n, next)
    {
        HASH_DEL(v->names, n);
        free(n->function);
        free(n->module);
        free(n);
    }
    struct object_name *o, *following;
    HASH_ITER(hh, v->objects, o, following)
    {
        HASH_DEL(v->objects, o);
        free(o->member);
        free(o);
    }
    for (size_t i = 0; i < v->threads; i++) {
        free(v->thread[i].label);
        free(v->thread[i].place);
        free(v->thread[i].wait.name);
        free(v->thread[i].wait.text);
        free(v->thread[i].wait.detail);
        for (size_t k = 0; k < v->thread[i].wait.cases; k++)
            free(v->thread[i].wait.one[k].name);
        free(v->thread[i].wait.one);
    }
    for (size_t i = 0; i < v->shapes; i++)
        stack_clear(&v->shape[i].stack);
    free(v->shape);
    free(v->thread);
    symbols_free(v->symbols);
    free(v);
}
