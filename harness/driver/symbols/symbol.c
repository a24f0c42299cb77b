/* symbol.c - modules, functions, lines, sites; see symbol.h */
#include "symbol.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "source.h"
#include "symbol_inside.h"
#include "util/alloc.h"
#include "wire/hash.h"

/* hd_explore() and hd_linear(), in programs that link them; a version may follow. */
#define EXPLORER "libheddle-test.so"

char *__cxa_demangle(const char *mangled, char *buffer, size_t *length, int *status);

#define VARIABLE_MOST 65536u /* bytes of one that are looked through for a member */

/* Sites are few and asked for often. */
struct site_name {
    uint64_t addr;
    char *name;
    UT_hash_handle by_addr, by_text;
};

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *demangle(const char *name)
{
    int status = 0;
    if (strncmp(name, "_Z", 2) == 0) {
        char *text = __cxa_demangle(name, NULL, NULL, &status);
        if (text && status == 0)
            return text;
        free(text);
    }
    return mem_copy(name);
}

struct symbols *symbols_new(void)
{
    struct symbols *s = mem_zeroed(1, sizeof *s);
    s->runtime = "libheddle-rt.so";
    return s;
}

void symbols_hide(struct symbols *s, const char *runtime)
{
    s->runtime = base_name(runtime);
}

void symbols_root(struct symbols *s, const char *root)
{
    s->root = root;
}

static void forget(struct symbols *s)
{
    struct site_name *n, *next;
    HASH_ITER(by_addr, s->by_address, n, next)
    {
        HASH_DELETE(by_addr, s->by_address, n);
        HASH_DELETE(by_text, s->by_name, n);
        free(n->name);
        free(n);
    }
    variable_index_free(s->variables);
    s->variables = NULL;
    if (s->dwfl)
        dwfl_end(s->dwfl);
    s->dwfl = NULL;
    s->attached = false;
}

void symbols_free(struct symbols *s)
{
    if (!s)
        return;
    forget(s);
    free(s->layout);
    free(s);
}

/* Memory files of ours, deleted ones and devices cannot be opened by name. */
static bool is_file(const char *path, size_t bytes)
{
    return bytes && *path == '/' && !memmem(path, bytes, "/memfd:", 7) &&
           !memmem(path, bytes, " (deleted)", 10) && strncmp(path, "/dev/", 5) != 0 &&
           strncmp(path, "/SYSV", 5) != 0;
}

/* A line of a map that names a file. */
struct file_line {
    const char *text; /* NULL: none */
    size_t bytes;
    int rest, path; /* where what follows the addresses starts, and the file's name */
    unsigned long long low, high;
};

static void write_line(FILE *out, const struct file_line *l, const char *root)
{
    if (!l->text)
        return;
    const char *name = l->text + l->path;
    const char *above = root && strncmp(name, "/proc/", 6) != 0 ? root : "";
    fprintf(out, "%llx-%llx%.*s%s%.*s\n", l->low, l->high, l->path - l->rest, l->text + l->rest,
            above, (int)l->bytes - l->path, name);
}

/* The lines of a map that name files. A nameless mapping right behind one is its .bss: it becomes
 * part of the file's, so that variables there are found. */
static char *file_mappings(const char *maps, const char *root)
{
    char *text = NULL;
    size_t bytes = 0;
    struct file_line last = {0};
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return mem_copy("");
    while (*maps) {
        size_t n = strcspn(maps, "\n");
        unsigned long long low, high;
        int rest = 0, path = 0;
        if (sscanf(maps, "%llx-%llx%n %*4s %*x %*x:%*x %*u%n", &low, &high, &rest, &path) == 2 &&
            path && (size_t)path <= n) {
            while ((size_t)path < n && maps[path] == ' ')
                path++;
            if (last.text && low == last.high && (size_t)path == n) {
                last.high = high;
            } else {
                write_line(out, &last, root);
                last = (struct file_line){
                    is_file(maps + path, n - (size_t)path) ? maps : NULL, n, rest, path, low, high};
            }
        }
        maps += n;
        maps += *maps == '\n';
    }
    write_line(out, &last, root);
    fclose(out);
    return text;
}

void symbols_map(struct symbols *s, const char *maps)
{
    static char *debug_path; /* NULL: the standard places */
    static const Dwfl_Callbacks calls = {.find_elf = dwfl_linux_proc_find_elf,
                                         .find_debuginfo = dwfl_standard_find_debuginfo,
                                         .debuginfo_path = &debug_path};
    char *layout = file_mappings(maps, s->root);
    if (s->layout && strcmp(layout, s->layout) == 0) {
        free(layout);
        return;
    }
    forget(s);
    free(s->layout);
    s->layout = layout;
    s->dwfl = dwfl_begin(&calls);
    if (!s->dwfl || !*layout)
        return;
    FILE *in = fmemopen(layout, strlen(layout), "r");
    if (!in)
        return;
    dwfl_report_begin(s->dwfl);
    dwfl_linux_proc_maps_report(s->dwfl, in);
    dwfl_report_end(s->dwfl, NULL, NULL);
    fclose(in);
}

static Dwfl_Module *module_at(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = s->dwfl ? dwfl_addrmodule(s->dwfl, addr) : NULL;
    Dwarf_Addr low = 0, high = 0;
    if (mod) /* what lies behind a file's last page is still called its own */
        dwfl_module_info(mod, NULL, &low, &high, NULL, NULL, NULL, NULL);
    return mod && addr >= low && addr < high ? mod : NULL;
}

bool symbols_know(struct symbols *s, uint64_t addr)
{
    return module_at(s, addr) != NULL;
}

static const char *module_path(Dwfl_Module *mod)
{
    const char *name = dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    return name ? name : "?";
}

/* Address as the file itself counts: what addr2line takes. */
static uint64_t file_address(Dwfl_Module *mod, uint64_t addr)
{
    GElf_Addr bias = 0;
    if (!dwfl_module_getelf(mod, &bias))
        dwfl_module_info(mod, NULL, &bias, NULL, NULL, NULL, NULL, NULL);
    return addr - bias;
}

static bool is_hidden(const struct symbols *s, const char *module, const char *function)
{
    static const char *const start_up[] = {"start_thread",
                                           "__clone3",
                                           "clone3",
                                           "__clone",
                                           "clone",
                                           "_start",
                                           "__libc_start_main",
                                           "__libc_start_call_main",
                                           "__libc_start_main_impl"};
    if (strcmp(module, s->runtime) == 0 || strncmp(module, EXPLORER, strlen(EXPLORER)) == 0)
        return true;
    if (!function)
        return false;
    if (strncmp(function, "__tsan_", 7) == 0 || strncmp(function, "__interceptor_", 14) == 0 ||
        strncmp(function, "___interceptor_", 15) == 0 || strncmp(function, "__sanitizer_", 12) == 0)
        return true;
    if (strncmp(module, "libc.so", 7) != 0 && strcmp(function, "_start") != 0)
        return false;
    for (size_t i = 0; i < sizeof start_up / sizeof *start_up; i++)
        if (strncmp(function, start_up[i], strlen(start_up[i])) == 0)
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Between a goroutine's function and its thread: lib/'s own. */
static bool carries_goroutine(const char *function, const char *file)
{
    if (!function || !file)
        return false;
    return (ends_with(file, "lib/panic.c") &&
            (strcmp(function, "catch") == 0 || strcmp(function, "hdi_catch_exit") == 0)) ||
           (ends_with(file, "lib/go.c") &&
            (strcmp(function, "run") == 0 || strcmp(function, "carry") == 0));
}

/* Inline functions of lib/'s headers, and those that its macros make where they are used. */
static bool is_ours(const struct frame *fr)
{
    if (!fr->function || !fr->file)
        return false;
    const char *folder = strstr(fr->file, "/heddle/"), *line;
    if (folder && ends_with(fr->file, ".h") && !strchr(folder + 8, '/') &&
        (strncmp(fr->function, "hd_", 3) == 0 || strncmp(fr->function, "hdi_", 4) == 0))
        return true;
    line = fr->inlined ? source_line(fr->file, fr->line) : NULL;
    return line && strncmp(line, "HD_CHAN(", 8) == 0;
}

/* Code that users neither wrote nor called by this name. */
static bool is_plumbing(const struct frame *fr)
{
    static const char *const raising[] = {"__pthread_kill_implementation",
                                          "__pthread_kill_internal",
                                          "__GI___pthread_kill",
                                          "__GI_raise",
                                          "raise",
                                          "gsignal",
                                          "__GI_abort",
                                          "abort",
                                          "__assert_fail_base",
                                          "__GI___assert_fail",
                                          "__assert_fail"};
    if (fr->file && strncmp(fr->file, "/usr/", 5) == 0 && strstr(fr->file, "/c++/"))
        return true;
    if (is_ours(fr))
        return true;
    if (!fr->module)
        return false;
    if (strncmp(fr->module, "libstdc++.so", 12) == 0)
        return true;
    if (strncmp(fr->module, "libc.so", 7) != 0)
        return false;
    for (size_t i = 0; fr->function && i < sizeof raising / sizeof *raising; i++)
        if (strcmp(fr->function, raising[i]) == 0)
            return true;
    return false;
}

void stack_tidy(struct stack *s, size_t from)
{
    size_t kept = from;
    bool any = false;
    for (size_t i = from; i < s->count; i++)
        any |= !is_plumbing(&s->frame[i]);
    for (size_t i = from; any && i < s->count; i++) {
        struct frame *fr = &s->frame[i];
        if (is_plumbing(fr)) {
            free(fr->function);
            free(fr->file);
            free(fr->module);
        } else {
            s->frame[kept++] = *fr;
        }
    }
    if (any)
        s->count = kept;
}

static char *die_function(Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attr));
    if (!name)
        name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr));
    if (!name)
        name = dwarf_diename(die);
    return name ? demangle(name) : NULL;
}

static unsigned attr_number(Dwarf_Die *die, unsigned which)
{
    Dwarf_Attribute attr;
    Dwarf_Word value = 0;
    return dwarf_formudata(dwarf_attr(die, which, &attr), &value) == 0 ? (unsigned)value : 0;
}

/* The functions inlined around an address, each a frame of its own; returns false when the debug
 * information does not cover it. */
static bool frames_from_dwarf(const struct symbols *s, Dwfl_Module *mod, uint64_t pc,
                              const char *file, unsigned line, unsigned column, struct stack *to)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *cu = unit_at(mod, pc, &bias), split;
    Dwarf_Die *near = NULL, *scope = NULL;
    if (cu)
        cu = whole_unit(cu, &split);
    int found = cu ? dwarf_getscopes(cu, pc - bias, &near) : 0;
    if (found <= 0)
        return false;
    int scopes = dwarf_getscopes_die(&near[0], &scope);
    free(near);
    Dwarf_Files *files = NULL;
    size_t file_count = 0;
    if (dwarf_getsrcfiles(cu, &files, &file_count) != 0)
        files = NULL;
    const char *module = base_name(module_path(mod));
    uint64_t offset = file_address(mod, pc);
    bool any = false;
    for (int i = 0; i < scopes; i++) {
        int tag = dwarf_tag(&scope[i]);
        if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
            continue;
        char *function = die_function(&scope[i]);
        bool inlined = tag == DW_TAG_inlined_subroutine;
        if (!is_hidden(s, module, function) && !carries_goroutine(function, file))
            stack_push(to, function, file, line, column, module, offset)->inlined = inlined;
        free(function);
        any = true;
        if (!inlined)
            break;
        unsigned number = attr_number(&scope[i], DW_AT_call_file);
        file = files && number < file_count ? dwarf_filesrc(files, number, NULL, NULL) : NULL;
        line = attr_number(&scope[i], DW_AT_call_line);
        column = attr_number(&scope[i], DW_AT_call_column);
    }
    free(scope);
    return any;
}

/* The line of an address. Compilers give code that they made of several lines none: it has that of
 * what is next to it in its function. */
static Dwarf_Line *line_at(Dwarf_Die *cu, uint64_t addr)
{
    Dwarf_Line *at = dwarf_getsrc_die(cu, addr), *best = at;
    Dwarf_Lines *lines;
    size_t count, i = 0;
    int number = 0;
    if (!at || dwarf_lineno(at, &number) != 0 || number)
        return at;
    if (dwarf_getsrclines(cu, &lines, &count) != 0)
        return at;
    while (i < count && dwarf_onesrcline(lines, i) != at)
        i++;
    for (size_t k = i; k-- > 0;) {
        bool end = false;
        best = dwarf_onesrcline(lines, k);
        if (dwarf_lineendsequence(best, &end) != 0 || end)
            break;
        if (dwarf_lineno(best, &number) == 0 && number)
            return best;
    }
    for (size_t k = i + 1; k < count; k++) {
        bool end = false;
        best = dwarf_onesrcline(lines, k);
        if (dwarf_lineendsequence(best, &end) != 0 || end)
            break;
        if (dwarf_lineno(best, &number) == 0 && number)
            return best;
    }
    return at;
}

void symbols_frames_all(struct symbols *s, uint64_t pc, bool is_return, struct stack *to)
{
    uint64_t at = is_return && pc ? pc - 1 : pc;
    Dwfl_Module *mod = module_at(s, at);
    if (!mod) {
        if (at)
            stack_push(to, NULL, NULL, 0, 0, NULL, at);
        return;
    }
    const char *module = base_name(module_path(mod));
    GElf_Off off;
    GElf_Sym sym;
    const char *name = dwfl_module_addrinfo(mod, at, &off, &sym, NULL, NULL, NULL);
    if (is_hidden(s, module, name))
        return;
    const char *file = NULL;
    int line = 0, column = 0;
    Dwarf_Addr bias = 0;
    Dwarf_Die *cu = unit_at(mod, at, &bias);
    Dwarf_Line *where = cu ? line_at(cu, at - bias) : NULL;
    if (where && (file = dwarf_linesrc(where, NULL, NULL))) {
        dwarf_lineno(where, &line);
        dwarf_linecol(where, &column);
    }
    if (frames_from_dwarf(s, mod, at, file, (unsigned)line, (unsigned)column, to))
        return;
    char *function = name ? demangle(name) : NULL;
    stack_push(to, function, file, (unsigned)line, (unsigned)column, module, file_address(mod, at));
    free(function);
}

void symbols_frames(struct symbols *s, uint64_t pc, bool is_return, struct stack *to)
{
    size_t from = to->count;

    symbols_frames_all(s, pc, is_return, to);
    stack_tidy(to, from);
}

/* The symbol of the variable at an address, and how far into it that is; NULL: there is none. */
static const char *variable_at(Dwfl_Module *mod, uint64_t addr, GElf_Off *off)
{
    GElf_Sym sym;
    const char *name = mod ? dwfl_module_addrinfo(mod, addr, off, &sym, NULL, NULL, NULL) : NULL;
    return name && GELF_ST_TYPE(sym.st_info) == STT_OBJECT && *off < sym.st_size ? name : NULL;
}

char *symbols_variable(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = module_at(s, addr);
    GElf_Off off = 0;
    const char *name = variable_at(mod, addr, &off);
    if (!name)
        return NULL;
    char *plain = demangle(name);
    char *member = variable_member(&s->variables, mod, name, off);
    char *text = member ? mem_format("%s%s", plain, member)
                 : off  ? mem_format("%s+%#llx", plain, (unsigned long long)off)
                        : mem_copy(plain);
    free(member);
    free(plain);
    return text;
}

uint64_t symbols_variable_number(struct symbols *s, uint64_t addr)
{
    GElf_Off off = 0;
    return variable_at(module_at(s, addr), addr, &off) ? symbols_stable(s, addr - off) : 0;
}

struct search {
    struct symbols *symbols;
    const char *name; /* "table.lock" */
    size_t bytes;     /* of its first part */
    uint64_t found;
};

/* Where in a variable that begins so the name is. */
static uint64_t find_within(const struct search *s, uint64_t addr, uint64_t size)
{
    for (uint64_t at = 0; at < size && at < VARIABLE_MOST; at += 8) {
        char *text = symbols_variable(s->symbols, addr + at);
        bool same = text && strcmp(text, s->name) == 0;
        free(text);
        if (same)
            return addr + at;
    }
    return 0;
}

static int search_module(Dwfl_Module *mod, void **data, const char *path, Dwarf_Addr low, void *arg)
{
    (void)data;
    (void)path;
    (void)low;
    struct search *s = arg;
    int symbols = dwfl_module_getsymtab(mod);
    for (int i = 1; i < symbols && !s->found; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *text = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        if (!text || GELF_ST_TYPE(sym.st_info) != STT_OBJECT || sym.st_shndx == SHN_UNDEF)
            continue;
        char *plain = demangle(text);
        if (strncmp(plain, s->name, s->bytes) == 0 && !plain[s->bytes])
            s->found = find_within(s, at, sym.st_size);
        free(plain);
    }
    return s->found ? DWARF_CB_ABORT : DWARF_CB_OK;
}

uint64_t symbols_variable_address(struct symbols *s, const char *name)
{
    struct search search = {s, name, strcspn(name, ".[+"), 0};
    if (s->dwfl)
        dwfl_getmodules(s->dwfl, search_module, &search, 0);
    return search.found;
}

char *symbols_function(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = module_at(s, addr);
    const char *name = mod ? dwfl_module_addrname(mod, addr) : NULL;
    return name ? demangle(name) : NULL;
}

const char *symbols_module(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = module_at(s, addr);
    return mod ? base_name(module_path(mod)) : NULL;
}

struct comparison {
    bool (*read)(void *arg, uint64_t addr, void *to, size_t bytes);
    void *arg;
    char *different;
};

static int compare_module(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr low,
                          void *arg)
{
    (void)data;
    (void)low;
    struct comparison *c = arg;
    const unsigned char *bits;
    unsigned char now[64];
    GElf_Addr where, bias;
    if (!dwfl_module_getelf(mod, &bias))
        return DWARF_CB_OK;
    int bytes = dwfl_module_build_id(mod, &bits, &where);
    if (bytes <= 0 || (size_t)bytes > sizeof now || !where ||
        !c->read(c->arg, where, now, (size_t)bytes) || memcmp(bits, now, (size_t)bytes) == 0)
        return DWARF_CB_OK;
    char *more = c->different ? mem_format("%s, %s", c->different, base_name(name))
                              : mem_copy(base_name(name));
    free(c->different);
    c->different = more;
    return DWARF_CB_OK;
}

char *symbols_replaced(struct symbols *s,
                       bool (*read)(void *arg, uint64_t addr, void *to, size_t bytes), void *arg)
{
    struct comparison c = {read, arg, NULL};
    if (s->dwfl)
        dwfl_getmodules(s->dwfl, compare_module, &c, 0);
    return c.different;
}

uint64_t symbols_stable(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = addr ? module_at(s, addr) : NULL;
    if (!mod)
        return addr;
    const char *name = base_name(module_path(mod));
    return hash_bytes(file_address(mod, addr), name, strlen(name));
}

/* How many functions of the module have this name; the address of the last one. */
static unsigned count_named(Dwfl_Module *mod, const char *name, size_t bytes, uint64_t *addr)
{
    unsigned found = 0;
    uint64_t last = 0;
    int symbols = dwfl_module_getsymtab(mod);
    for (int i = 1; i < symbols; i++) {
        GElf_Sym sym;
        GElf_Addr at;
        const char *text = dwfl_module_getsym_info(mod, i, &sym, &at, NULL, NULL, NULL);
        if (!text || strncmp(text, name, bytes) != 0 || text[bytes] ||
            GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
            (found && at == last))
            continue;
        last = at;
        found++;
    }
    *addr = last;
    return found;
}

static char *escape(const char *text)
{
    char *out = mem_zeroed(strlen(text) * 3 + 1, 1), *to = out;
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || *text == '%' || *text == '!' || *text == '+')
            to += sprintf(to, "%%%02x", (unsigned char)*text);
        else
            *to++ = *text;
    return out;
}

char *symbols_module_name(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = module_at(s, addr);
    return mod ? escape(base_name(module_path(mod))) : NULL;
}

static char *name_site(struct symbols *s, uint64_t addr)
{
    Dwfl_Module *mod = module_at(s, addr);
    if (!mod)
        return NULL;
    char *module = escape(base_name(module_path(mod)));
    char *text;
    GElf_Off off = 0;
    GElf_Sym sym;
    uint64_t at;
    const char *name = dwfl_module_addrinfo(mod, addr, &off, &sym, NULL, NULL, NULL);
    if (name && count_named(mod, name, strlen(name), &at) == 1 && at + off == addr &&
        !strpbrk(name, " +!%"))
        text = mem_format("%s!%s+%#llx", module, name, (unsigned long long)off);
    else
        text = mem_format("%s+%#llx", module, (unsigned long long)file_address(mod, addr));
    free(module);
    return text;
}

static void remember(struct symbols *s, uint64_t addr, const char *name)
{
    struct site_name *n = mem_zeroed(1, sizeof *n);
    n->addr = addr;
    n->name = mem_copy(name);
    HASH_ADD(by_addr, s->by_address, addr, sizeof n->addr, n);
    HASH_ADD_KEYPTR(by_text, s->by_name, n->name, strlen(n->name), n);
}

char *symbols_site(struct symbols *s, uint64_t addr)
{
    struct site_name *n;
    HASH_FIND(by_addr, s->by_address, &addr, sizeof addr, n);
    if (n)
        return mem_copy(n->name);
    char *text = addr ? name_site(s, addr) : NULL;
    if (text)
        remember(s, addr, text);
    return text;
}

void symbols_alias(struct symbols *s, const char *from, const char *to)
{
    s->alias_from = base_name(from);
    s->alias_to = base_name(to);
}

struct wanted {
    const char *module; /* escaped */
    size_t bytes;
    const char *alias; /* also taken for it; or NULL */
    Dwfl_Module *mod;
};

static int is_wanted(Dwfl_Module *mod, void **data, const char *path, Dwarf_Addr low, void *arg)
{
    (void)data;
    (void)low;
    struct wanted *w = arg;
    char *name = escape(base_name(path));
    bool same = (strlen(name) == w->bytes && memcmp(name, w->module, w->bytes) == 0) ||
                (w->alias && strcmp(base_name(path), w->alias) == 0);
    free(name);
    if (same)
        w->mod = mod;
    return same ? DWARF_CB_ABORT : DWARF_CB_OK;
}

Dwfl_Module *symbols_module_named(struct symbols *s, const char *site)
{
    const char *plus = strrchr(site, '+'), *mark = strchr(site, '!');
    if (!s->dwfl)
        return NULL;
    struct wanted w = {.module = site,
                       .bytes = mark   ? (size_t)(mark - site)
                                : plus ? (size_t)(plus - site)
                                       : strlen(site)};
    char *renamed = s->alias_from ? escape(s->alias_from) : NULL;
    if (renamed && strlen(renamed) == w.bytes && memcmp(renamed, site, w.bytes) == 0)
        w.alias = s->alias_to;
    free(renamed);
    dwfl_getmodules(s->dwfl, is_wanted, &w, 0);
    return w.mod;
}

uint64_t symbols_address(struct symbols *s, const char *site)
{
    struct site_name *n;
    HASH_FIND(by_text, s->by_name, site, strlen(site), n);
    if (n)
        return n->addr;
    const char *plus = strrchr(site, '+'), *mark = strchr(site, '!');
    Dwfl_Module *mod = plus ? symbols_module_named(s, site) : NULL;
    if (!mod)
        return 0;
    uint64_t addr, offset = strtoull(plus + 1, NULL, 16);
    if (mark) {
        if (count_named(mod, mark + 1, (size_t)(plus - mark - 1), &addr) != 1)
            return 0;
        addr += offset;
    } else {
        addr = offset - file_address(mod, 0);
    }
    struct site_name *known;
    HASH_FIND(by_addr, s->by_address, &addr, sizeof addr, known);
    if (!known)
        remember(s, addr, site);
    return addr;
}
