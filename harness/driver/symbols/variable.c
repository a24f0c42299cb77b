/* variable.c - which element of a global variable lies at an offset: table.lock, forks[2]. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "symbol_inside.h"
#include "util/alloc.h"

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attr;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), type) != NULL;
}

/* A type that people think of as one thing, whatever it is made of. */
static bool is_whole(const char *name)
{
    static const char *const whole[] = {"pthread_",    "sem_t", "mtx_t", "cnd_t",
                                        "once_flag",   "hd_",   "mutex", "condition_variable",
                                        "shared_mutex"};
    for (size_t i = 0; name && i < sizeof whole / sizeof *whole; i++)
        if (strncmp(name, whole[i], strlen(whole[i])) == 0)
            return true;
    return false;
}

static bool member_at(Dwarf_Die *type, uint64_t offset, Dwarf_Die *member, uint64_t *start)
{
    Dwarf_Die child;
    if (dwarf_child(type, &child) != 0)
        return false;
    do {
        Dwarf_Attribute attr;
        Dwarf_Word at = 0, size = 0;
        Dwarf_Die inner;
        if (dwarf_tag(&child) != DW_TAG_member || !type_of(&child, &inner))
            continue;
        if (dwarf_attr(&child, DW_AT_data_member_location, &attr) &&
            dwarf_formudata(&attr, &at) != 0)
            continue;
        if (dwarf_aggregate_size(&inner, &size) == 0 && offset >= at && offset < at + size) {
            *member = child;
            *start = at;
            return true;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* Elements of each dimension of an array; returns how many dimensions, 0 = not known. */
static size_t dimensions(Dwarf_Die *array, uint64_t *length, size_t room)
{
    Dwarf_Die child;
    size_t n = 0;
    if (dwarf_child(array, &child) != 0)
        return 0;
    do {
        Dwarf_Attribute attr;
        Dwarf_Word value = 0;
        if (dwarf_tag(&child) != DW_TAG_subrange_type || n == room)
            continue;
        if (dwarf_formudata(dwarf_attr(&child, DW_AT_count, &attr), &value) == 0)
            length[n++] = value;
        else if (dwarf_formudata(dwarf_attr(&child, DW_AT_upper_bound, &attr), &value) == 0)
            length[n++] = value + 1;
        else
            return n == 0; /* of unknown length: fine for the first and only dimension */
    } while (dwarf_siblingof(&child, &child) == 0);
    return n;
}

static void spell_index(FILE *out, Dwarf_Die *array, uint64_t element)
{
    uint64_t length[8], stride = 1;
    size_t n = dimensions(array, length, 8);
    for (size_t i = 1; i < n; i++)
        stride *= length[i];
    for (size_t i = 0; i < n && stride; i++) {
        fprintf(out, "[%llu]", (unsigned long long)(element / stride));
        element %= stride;
        if (i + 1 < n)
            stride = length[i + 1] ? stride / length[i + 1] : 0;
    }
}

static void spell(FILE *out, Dwarf_Die *type, uint64_t offset, int depth)
{
    Dwarf_Die peeled, inner;
    for (Dwarf_Die *t = type;; t = &peeled) {
        int tag = dwarf_tag(t);
        if (is_whole(dwarf_diename(t)) || depth > 8)
            return;
        if (tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
            tag == DW_TAG_atomic_type) {
            if (!type_of(t, &inner))
                return;
            peeled = inner;
            continue;
        }
        if (tag == DW_TAG_array_type) {
            Dwarf_Word size = 0;
            if (!type_of(t, &inner) || dwarf_aggregate_size(&inner, &size) != 0 || !size)
                return;
            spell_index(out, t, offset / size);
            spell(out, &inner, offset % size, depth + 1);
            return;
        }
        if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type) {
            Dwarf_Die member;
            uint64_t start;
            if (!member_at(t, offset, &member, &start) || !type_of(&member, &inner))
                return;
            const char *name = dwarf_diename(&member);
            if (name)
                fprintf(out, ".%s", name);
            spell(out, &inner, offset - start, depth + 1);
        }
        return;
    }
}

/* A global or static variable, by its (linkage) name; the first of the file where several have it. */
struct declared {
    const char *name; /* the debug information's */
    Dwarf_Die die;
    UT_hash_handle hh;
};

/* All of one file: to look for each in all units takes minutes in a large program. */
struct variable_index {
    Dwarf *dwarf;
    struct declared *by_name;
    struct variable_index *next;
};

static void index_unit(struct variable_index *x, Dwarf_Die *unit)
{
    Dwarf_Die child, split;
    if (dwarf_child(whole_unit(unit, &split), &child) != 0)
        return;
    do {
        Dwarf_Attribute attr;
        struct declared *one;
        if (dwarf_tag(&child) != DW_TAG_variable || dwarf_hasattr(&child, DW_AT_declaration))
            continue;
        const char *name =
            dwarf_formstring(dwarf_attr_integrate(&child, DW_AT_linkage_name, &attr));
        if (!name)
            name = dwarf_diename(&child);
        if (!name)
            continue;
        HASH_FIND_STR(x->by_name, name, one);
        if (one)
            continue;
        one = mem_zeroed(1, sizeof *one);
        one->name = name;
        one->die = child;
        HASH_ADD_KEYPTR(hh, x->by_name, one->name, strlen(one->name), one);
    } while (dwarf_siblingof(&child, &child) == 0);
}

static struct variable_index *index_of(struct variable_index **all, Dwarf *dwarf)
{
    struct variable_index *x = *all;
    while (x && x->dwarf != dwarf)
        x = x->next;
    if (x)
        return x;
    x = mem_zeroed(1, sizeof *x);
    *x = (struct variable_index){.dwarf = dwarf, .next = *all};
    *all = x;
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    uint8_t kind;
    while (dwarf_get_units(dwarf, cu, &cu, NULL, &kind, &unit, NULL) == 0)
        index_unit(x, &unit);
    return x;
}

void variable_index_free(struct variable_index *all)
{
    while (all) {
        struct variable_index *x = all;
        struct declared *one, *after;
        HASH_ITER(hh, x->by_name, one, after)
        {
            HASH_DEL(x->by_name, one);
            free(one);
        }
        all = x->next;
        free(x);
    }
}

char *variable_path(Dwarf_Die *variable, uint64_t offset)
{
    Dwarf_Die type;
    char *text = NULL;
    size_t bytes = 0;
    if (!type_of(variable, &type))
        return NULL;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    spell(out, &type, offset, 0);
    fclose(out);
    return text;
}

char *variable_member(struct variable_index **all, Dwfl_Module *mod, const char *name,
                      uint64_t offset)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(mod, &bias);
    struct declared *variable = NULL;
    if (dwarf)
        HASH_FIND_STR(index_of(all, dwarf)->by_name, name, variable);
    return variable ? variable_path(&variable->die, offset) : NULL;
}

/* ---- by the variables of a frame ---- */

struct frame_view {
    const struct symbols_thread *thread;
    const struct symbols_place *place;
    uint64_t cfa;      /* 0 = unknown */
    Dwarf_Die *within; /* the function */
    uint64_t pc;       /* as the file counts */
};

static bool register_of(const struct frame_view *f, unsigned number, uint64_t *value)
{
    if (number >= 16 || !(f->place->known >> number & 1))
        return false;
    *value = f->place->reg[number];
    return true;
}

static bool first_operation(Dwarf_Die *die, unsigned which, uint64_t pc, Dwarf_Op *op)
{
    Dwarf_Attribute attr;
    Dwarf_Op *list;
    size_t length;
    if (!dwarf_attr_integrate(die, which, &attr) ||
        dwarf_getlocation_addr(&attr, pc, &list, &length, 1) != 1 || length != 1)
        return false;
    *op = list[0];
    return true;
}

static bool frame_base(const struct frame_view *f, uint64_t *base)
{
    Dwarf_Op op;
    if (!first_operation(f->within, DW_AT_frame_base, f->pc, &op))
        return false;
    if (op.atom == DW_OP_call_frame_cfa) {
        *base = f->cfa;
        return f->cfa != 0;
    }
    return op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31 &&
           register_of(f, op.atom - DW_OP_reg0, base);
}

/* Where a variable is, or (in a register) what it holds. */
static bool locate(const struct frame_view *f, Dwarf_Die *variable, uint64_t *value,
                   bool *in_memory)
{
    Dwarf_Op op;
    uint64_t base;
    if (!first_operation(variable, DW_AT_location, f->pc, &op))
        return false;
    *in_memory = true;
    if (op.atom == DW_OP_fbreg) {
        *value = frame_base(f, &base) ? base + op.number : 0;
        return *value != 0;
    }
    if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31) {
        if (!register_of(f, op.atom - DW_OP_breg0, &base))
            return false;
        *value = base + op.number;
        return true;
    }
    *in_memory = false;
    return op.atom >= DW_OP_reg0 && op.atom <= DW_OP_reg31 &&
           register_of(f, op.atom - DW_OP_reg0, value);
}

static bool peel(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Die inner;
    if (!type_of(die, type))
        return false;
    for (;;) {
        int tag = dwarf_tag(type);
        if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type)
            return true;
        if (!type_of(type, &inner))
            return false;
        *type = inner;
    }
}

static char *member_of(Dwarf_Die *type, uint64_t start, uint64_t addr)
{
    Dwarf_Word size = 0;
    int tag = dwarf_tag(type);
    const char *name = dwarf_diename(type);
    if ((tag != DW_TAG_structure_type && tag != DW_TAG_class_type) || !name || is_whole(name) ||
        dwarf_aggregate_size(type, &size) != 0 || addr < start || addr - start >= size)
        return NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return NULL;
    fputs(name, out);
    spell(out, type, addr - start, 0);
    fclose(out);
    return text;
}

static char *by_variable(const struct frame_view *f, Dwarf_Die *variable, uint64_t addr)
{
    Dwarf_Die type, pointed;
    uint64_t value;
    bool in_memory;
    if (!peel(variable, &type) || !locate(f, variable, &value, &in_memory))
        return NULL;
    int tag = dwarf_tag(&type);
    if (tag != DW_TAG_pointer_type && tag != DW_TAG_reference_type)
        return in_memory ? member_of(&type, value, addr) : NULL;
    if (!peel(&type, &pointed) || (in_memory && !f->thread->read(f->thread->arg, value, &value)))
        return NULL;
    return member_of(&pointed, value, addr);
}

char *symbols_member(struct symbols *s, const struct symbols_thread *thread,
                     const struct symbols_place *place, const struct symbols_place *above,
                     uint64_t addr)
{
    uint64_t pc = place->pc - place->is_return;
    Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, pc) : NULL;
    Dwarf_Addr bias = 0;
    Dwarf_Die *cu = mod ? unit_at(mod, pc, &bias) : NULL, split;
    Dwarf_Die *near = NULL, *scope = NULL;
    char *text = NULL;
    if (cu)
        cu = whole_unit(cu, &split);
    if (!cu || dwarf_getscopes(cu, pc - bias, &near) <= 0)
        return NULL;
    int scopes = dwarf_getscopes_die(&near[0], &scope);
    free(near);
    struct frame_view f = {thread, place, above ? above->sp : 0, NULL, pc - bias};
    for (int i = 0; i < scopes && !f.within; i++)
        if (dwarf_tag(&scope[i]) == DW_TAG_subprogram)
            f.within = &scope[i];
    for (int i = 0; i < scopes && f.within && !text; i++) {
        Dwarf_Die child;
        if (dwarf_child(&scope[i], &child) != 0)
            continue;
        do {
            int tag = dwarf_tag(&child);
            if (tag == DW_TAG_formal_parameter || tag == DW_TAG_variable)
                text = by_variable(&f, &child, addr);
        } while (!text && dwarf_siblingof(&child, &child) == 0);
        if (&scope[i] == f.within)
            break;
    }
    free(scope);
    return text;
}
