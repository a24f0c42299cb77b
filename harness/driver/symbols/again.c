/* again.c - see again.h */
#include "again.h"

#include <ctype.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "symbol_inside.h"
#include "util/alloc.h"

/* Lines beside one that has no code of its own. */
#define NEAR 3u
/* A member is sought in variables up to this size. */
#define MEMBER_BOUND (256u << 10)

/* A compiler's name for a copy or a part of a function, or for a variable that is local to one. */
static size_t plain_length(const char *name)
{
    size_t n = strcspn(name, ".");
    return n ? n : strlen(name);
}

static bool is_named(const char *name, const char *plain)
{
    size_t n = plain_length(name);
    return strlen(plain) == n && strncmp(name, plain, n) == 0;
}

/* ---- functions ---- */

struct extent {
    const char *function, *file;
    unsigned first, end; /* end: the first line of the next function of the file, or UINT_MAX */
    uint64_t entry;
    unsigned found;
};

static unsigned decl_line(Dwarf_Die *die)
{
    int line = 0;
    return dwarf_decl_line(die, &line) == 0 && line > 0 ? (unsigned)line : 0;
}

static int see_function(Dwarf_Die *die, void *arg)
{
    struct extent *e = arg;
    const char *file = dwarf_decl_file(die), *name = dwarf_diename(die);
    Dwarf_Addr entry = 0;
    if (!file || !name || (e->file && strcmp(base_name(file), e->file) != 0) ||
        strcmp(name, e->function) != 0)
        return DWARF_CB_OK;
    e->file = base_name(file);
    if (dwarf_entrypc(die, &entry) == 0 && entry && entry != e->entry) {
        e->entry = entry;
        e->found++;
    }
    e->first = decl_line(die);
    return DWARF_CB_OK;
}

static int see_next(Dwarf_Die *die, void *arg)
{
    struct extent *e = arg;
    const char *file = dwarf_decl_file(die);
    unsigned line = decl_line(die);
    if (file && strcmp(base_name(file), e->file) == 0 && line > e->first && line < e->end)
        e->end = line;
    return DWARF_CB_OK;
}

static void each_unit(Dwfl_Module *mod, int (*see)(Dwarf_Die *die, void *arg), void *arg,
                      Dwarf_Addr *bias)
{
    Dwarf_Die *cu = NULL, split;
    while ((cu = dwfl_module_nextcu(mod, cu, bias)))
        dwarf_getfuncs(whole_unit(cu, &split), see, arg, 0);
}

/* The lines of a function, and where it begins. */
static struct extent extent_of(Dwfl_Module *mod, const char *function, const char *file)
{
    struct extent e = {.function = function, .file = file, .end = UINT32_MAX};
    Dwarf_Addr bias = 0;
    if (!function || !file)
        return e;
    each_unit(mod, see_function, &e, &bias);
    if (!e.first) { /* the file was renamed, or it moved to another */
        e.file = NULL;
        each_unit(mod, see_function, &e, &bias);
    }
    if (!e.file)
        e.file = file;
    if (e.entry)
        e.entry += bias;
    if (e.first)
        each_unit(mod, see_next, &e, &bias);
    return e;
}

bool symbols_place(struct symbols *s, uint64_t addr, bool is_return, struct code_place *place)
{
    struct stack frames = {0};
    *place = (struct code_place){0};
    symbols_frames(s, addr, is_return, &frames);
    const struct frame *fr = frames.count ? &frames.frame[0] : NULL;
    bool known = fr && fr->function;
    if (known) {
        place->function = mem_copy(fr->function);
        Dwfl_Module *mod = dwfl_addrmodule(s->dwfl, addr - is_return);
        if (fr->file && fr->line && mod) {
            place->file = mem_copy(base_name(fr->file));
            place->line = fr->line;
            place->text = mem_copy(source_line(fr->file, fr->line));
            place->first = extent_of(mod, place->function, place->file).first;
        }
    }
    stack_clear(&frames);
    return known;
}

void place_free(struct code_place *place)
{
    free(place->function);
    free(place->file);
    free(place->text);
    *place = (struct code_place){0};
}

/* ---- lines ---- */

static unsigned distance(unsigned a, unsigned b)
{
    return a > b ? a - b : b - a;
}

/* Behind blanks and comments, which change without the code. */
static const char *next_code(const char *text)
{
    for (;;) {
        const char *end = strncmp(text, "/*", 2) == 0 ? strstr(text + 2, "*/") : NULL;
        if (end)
            text = end + 2;
        else if (strncmp(text, "//", 2) == 0 || strncmp(text, "/*", 2) == 0)
            return text + strlen(text);
        else if (isspace((unsigned char)*text))
            text++;
        else
            return text;
    }
}

static bool reads_the_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        a = next_code(a);
        b = next_code(b);
        if (*a != *b || !*a)
            return *a == *b;
    }
}

/* The line of `path` that reads as the place's did: in its function, else anywhere; the one that is
 * nearest to where it was. 0 = there is none. */
static unsigned line_by_text(const char *path, const struct code_place *place,
                             const struct extent *e)
{
    unsigned lines = source_lines(path), best = 0;
    bool best_inside = false;
    unsigned expected =
        e->first && place->first ? e->first + (place->line - place->first) : place->line;
    if (!place->text || !*place->text)
        return 0;
    for (unsigned i = 1; i <= lines; i++) {
        if (!reads_the_same(source_line(path, i), place->text))
            continue;
        bool inside = e->first && i >= e->first && i < e->end;
        if (!best || (inside && !best_inside) ||
            (inside == best_inside && distance(i, expected) < distance(best, expected))) {
            best = i;
            best_inside = inside;
        }
    }
    return best;
}

static size_t add_range(struct code_range **list, size_t n, uint64_t low, uint64_t high)
{
    *list = mem_grow(*list, n, sizeof **list);
    (*list)[n] = (struct code_range){low, high};
    return n + 1;
}

/* The code of one line of a file, in all units. */
static size_t code_of(Dwfl_Module *mod, const char *file, unsigned line, struct code_range **found)
{
    Dwarf_Die *cu = NULL;
    Dwarf_Addr bias = 0;
    size_t n = 0;
    while ((cu = dwfl_module_nextcu(mod, cu, &bias))) {
        Dwarf_Lines *lines;
        size_t count;
        if (dwarf_getsrclines(cu, &lines, &count) != 0)
            continue;
        for (size_t i = 0; i + 1 < count; i++) {
            Dwarf_Line *at = dwarf_onesrcline(lines, i), *next = dwarf_onesrcline(lines, i + 1);
            Dwarf_Addr low, high;
            bool end = true;
            int number = 0;
            const char *path = dwarf_linesrc(at, NULL, NULL);
            if (dwarf_lineno(at, &number) != 0 || (unsigned)number != line || !path ||
                strcmp(base_name(path), file) != 0 || dwarf_lineendsequence(at, &end) != 0 || end ||
                dwarf_lineaddr(at, &low) != 0 || dwarf_lineaddr(next, &high) != 0 || low >= high)
                continue;
            n = add_range(found, n, low + bias, high + bias);
        }
    }
    return n;
}

/* A line's code, or that of the nearest one that has any. */
static size_t code_of_about(Dwfl_Module *mod, const char *file, unsigned line,
                            struct code_range **found)
{
    size_t n = code_of(mod, file, line, found);
    for (unsigned away = 1; !n && away <= NEAR; away++) {
        n = code_of(mod, file, line + away, found);
        if (!n && line > away)
            n = code_of(mod, file, line - away, found);
    }
    return n;
}

/* The path of a file that the module's lines name so. */
static char *path_of(Dwfl_Module *mod, const char *file)
{
    Dwarf_Die *cu = NULL;
    Dwarf_Addr bias;
    while ((cu = dwfl_module_nextcu(mod, cu, &bias))) {
        Dwarf_Files *files;
        size_t count;
        if (dwarf_getsrcfiles(cu, &files, &count) != 0)
            continue;
        for (size_t i = 0; i < count; i++) {
            const char *path = dwarf_filesrc(files, i, NULL, NULL);
            if (path && strcmp(base_name(path), file) == 0 && source_lines(path))
                return mem_copy(path);
        }
    }
    return NULL;
}

/* All symbols of this plain name: the code of a function without debug information. */
static size_t code_of_symbol(Dwfl_Module *mod, const char *function, struct code_range **found)
{
    size_t n = 0;
    int symbols = dwfl_module_getsymtab(mod);
    for (int i = 1; i < symbols; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *name = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        if (name && GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_shndx != SHN_UNDEF &&
            sym.st_size && is_named(name, function))
            n = add_range(found, n, at, at + sym.st_size);
    }
    return n;
}

/* Code near what is no longer there: at the same distance from the function's first line, else all
 * of the function. */
static size_t code_about(Dwfl_Module *mod, const struct code_place *place, const struct extent *e,
                         struct code_range **found)
{
    unsigned line = e->first + (place->line - place->first);
    size_t n = 0;
    if (e->first && place->first && place->line >= place->first && line < e->end)
        n = code_of_about(mod, e->file, line, found);
    return n ? n : code_of_symbol(mod, place->function, found);
}

size_t symbols_find_place(struct symbols *s, const char *site, const struct code_place *place,
                          bool about, struct code_range **found)
{
    Dwfl_Module *mod = symbols_module_named(s, site);
    *found = NULL;
    if (!mod || !place->function)
        return 0;
    if (!place->file)
        return code_of_symbol(mod, place->function, found);
    struct extent e = extent_of(mod, place->function, place->file);
    char *path = path_of(mod, e.file);
    unsigned line = path ? line_by_text(path, place, &e) : 0;
    bool can_tell = path && place->text;
    free(path);
    size_t n = line ? code_of_about(mod, e.file, line, found) : 0;
    return n || (can_tell && !about) ? n : code_about(mod, place, &e, found);
}

uint64_t symbols_find_function(struct symbols *s, const char *site, const struct code_place *place)
{
    Dwfl_Module *mod = symbols_module_named(s, site);
    if (!mod || !place->function)
        return 0;
    struct extent e = extent_of(mod, place->function, place->file);
    if (e.found == 1)
        return e.entry;
    struct code_range *ranges = NULL;
    size_t n = code_of_symbol(mod, place->function, &ranges);
    uint64_t entry = n == 1 ? ranges[0].low : 0;
    free(ranges);
    return entry;
}

/* ---- variables ---- */

struct search {
    /* either an address, */
    uint64_t addr;
    /* or these */
    const char *name, *file, *function;
    /* found */
    Dwarf_Die die;
    uint64_t at, size;
    const char *of_function, *of_file;
    unsigned found; /* by name: how many; those of the same file and function count alone */
    int fit;
};

static bool address_of(Dwarf_Die *die, uint64_t *addr)
{
    Dwarf_Attribute attr, listed;
    Dwarf_Op *op;
    Dwarf_Addr at = 0;
    size_t ops;
    if (!dwarf_attr(die, DW_AT_location, &attr) || dwarf_getlocation(&attr, &op, &ops) != 0 ||
        ops != 1)
        return false;
    if (op[0].atom == DW_OP_addr)
        at = op[0].number;
    else if ((op[0].atom != DW_OP_addrx && op[0].atom != DW_OP_GNU_addr_index) ||
             dwarf_getlocation_attr(&attr, op, &listed) != 0 || dwarf_formaddr(&listed, &at) != 0)
        return false;
    *addr = at;
    return true;
}

static uint64_t size_of(Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    Dwarf_Die type;
    Dwarf_Word size = 0;
    if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), &type) ||
        dwarf_aggregate_size(&type, &size) != 0)
        return 0;
    return size;
}

static void see_variable(struct search *want, Dwarf_Die *die, const char *file,
                         const char *function)
{
    Dwarf_Attribute attr;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));
    uint64_t at;
    if (!name || !address_of(die, &at))
        return;
    uint64_t size = size_of(die);
    if (want->name) {
        if (strcmp(name, want->name) != 0)
            return;
        bool of_function =
            want->function ? function && strcmp(function, want->function) == 0 : !function;
        int fit = 1 + 2 * of_function + (want->file && strcmp(file, want->file) == 0);
        if (fit < want->fit || (fit == want->fit && at == want->at))
            return;
        want->found = fit == want->fit ? want->found + 1 : 1;
        want->fit = fit;
    } else if (want->addr < at || want->addr >= at + size) {
        return;
    } else {
        want->found = 1;
    }
    want->die = *die;
    want->at = at;
    want->size = size;
    want->of_file = file;
    want->of_function = function;
}

static void look_inside(struct search *want, Dwarf_Die *parent, const char *file,
                        const char *function, int depth)
{
    Dwarf_Die child;
    if (depth > 16 || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (tag == DW_TAG_variable) {
            see_variable(want, &child, file, function);
        } else if (tag == DW_TAG_subprogram) {
            Dwarf_Attribute attr;
            look_inside(want, &child, file,
                        dwarf_formstring(dwarf_attr_integrate(&child, DW_AT_name, &attr)),
                        depth + 1);
        } else if (tag == DW_TAG_lexical_block || tag == DW_TAG_inlined_subroutine ||
                   tag == DW_TAG_namespace) {
            look_inside(want, &child, file, function, depth + 1);
        }
    } while (dwarf_siblingof(&child, &child) == 0);
}

/* False: nothing like it, or more than one. Addresses are the file's own. */
static bool look_for(Dwfl_Module *mod, struct search *want, Dwarf_Addr *bias)
{
    Dwarf_Die *cu = NULL, split;
    uint64_t addr = want->addr;
    while ((cu = dwfl_module_nextcu(mod, cu, bias))) {
        Dwarf_Die *unit = whole_unit(cu, &split);
        const char *file = dwarf_diename(unit);
        want->addr = addr - *bias;
        look_inside(want, unit, file ? base_name(file) : "?", NULL, 0);
    }
    return want->found == 1;
}

bool symbols_static(struct symbols *s, uint64_t addr, struct static_variable *variable)
{
    Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, addr) : NULL;
    Dwarf_Addr bias = 0;
    struct search want = {.addr = addr};
    *variable = (struct static_variable){0};
    if (!mod)
        return false;
    if (look_for(mod, &want, &bias)) {
        Dwarf_Attribute attr;
        variable->name =
            mem_copy(dwarf_formstring(dwarf_attr_integrate(&want.die, DW_AT_name, &attr)));
        variable->offset = addr - bias - want.at;
        variable->member = variable_path(&want.die, variable->offset);
        variable->file = mem_copy(want.of_file);
        variable->function = mem_copy(want.of_function);
    } else {
        GElf_Off off = 0;
        GElf_Sym sym;
        const char *name = dwfl_module_addrinfo(mod, addr, &off, &sym, NULL, NULL, NULL);
        if (!name || GELF_ST_TYPE(sym.st_info) != STT_OBJECT || off >= sym.st_size)
            return false;
        variable->name = mem_format("%.*s", (int)plain_length(name), name);
        variable->offset = off;
    }
    variable->module = symbols_module_name(s, addr);
    return variable->module != NULL;
}

void static_free(struct static_variable *variable)
{
    free(variable->module);
    free(variable->name);
    free(variable->member);
    free(variable->file);
    free(variable->function);
    *variable = (struct static_variable){0};
}

/* Where in the variable the member lies now. */
static bool member_offset(struct search *found, const struct static_variable *v, uint64_t *offset)
{
    *offset = v->offset;
    if (!v->member)
        return v->offset < found->size;
    for (uint64_t tried = 0; tried <= found->size && tried < MEMBER_BOUND; tried += tried ? 4 : 1) {
        *offset = tried ? tried - 1 : v->offset; /* first where it was */
        char *path = *offset < found->size ? variable_path(&found->die, *offset) : NULL;
        bool same = path && strcmp(path, v->member) == 0;
        free(path);
        if (same)
            return true;
    }
    return false;
}

static uint64_t symbol_address(Dwfl_Module *mod, const struct static_variable *v)
{
    unsigned found = 0;
    uint64_t addr = 0;
    int symbols = dwfl_module_getsymtab(mod);
    for (int i = 1; i < symbols; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *name = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        if (!name || GELF_ST_TYPE(sym.st_info) != STT_OBJECT || sym.st_shndx == SHN_UNDEF ||
            !is_named(name, v->name) || v->offset >= sym.st_size || at == addr)
            continue;
        addr = at;
        found++;
    }
    return found == 1 ? addr + v->offset : 0;
}

uint64_t symbols_find_static(struct symbols *s, const struct static_variable *v)
{
    Dwfl_Module *mod = symbols_module_named(s, v->module);
    Dwarf_Addr bias = 0;
    struct search want = {.name = v->name, .file = v->file, .function = v->function};
    uint64_t offset;
    if (!mod)
        return 0;
    if (look_for(mod, &want, &bias))
        return member_offset(&want, v, &offset) ? want.at + bias + offset : 0;
    return want.found ? 0 : symbol_address(mod, v);
}
