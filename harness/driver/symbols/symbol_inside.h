/* symbol_inside.h - shared by symbol.c, unwind.c and variable.c only. */
#ifndef HEDDLE_DRIVER_SYMBOL_INSIDE_H
#define HEDDLE_DRIVER_SYMBOL_INSIDE_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#include "symbol.h"

struct site_name;
struct variable_index;

struct symbols {
    Dwfl *dwfl;
    char *layout;                         /* the file mappings that dwfl was made from */
    const char *runtime;                  /* file name of our own library; borrowed */
    const char *alias_from, *alias_to;    /* file names, or NULL; borrowed */
    bool attached;                        /* dwfl_attach_state() was called */
    const struct symbols_thread *unwound; /* what the unwinder reads */
    const char *root;                     /* of the files' names, or NULL; borrowed */
    struct site_name *by_address, *by_name;
    struct variable_index *variables; /* of the modules that were asked for */
};

/* Drop the plumbing from frame `from` on, unless nothing else is there. */
void stack_tidy(struct stack *s, size_t from);

/* The module that a site names, escaped as there; NULL = it is not loaded. */
Dwfl_Module *symbols_module_named(struct symbols *s, const char *site);

/* The name of an address's module, escaped as in sites; NULL = it is in none. free() it. */
char *symbols_module_name(struct symbols *s, uint64_t addr);

/* Text of a C++ or Rust symbol as people write it; the text itself for others. free() it. */
char *demangle(const char *name);

/* The compilation unit that holds an address. */
Dwarf_Die *unit_at(Dwfl_Module *mod, uint64_t pc, Dwarf_Addr *bias);
/* What is in it: the unit itself, or the one in a file of its own (-gsplit-dwarf), put into *split. */
Dwarf_Die *whole_unit(Dwarf_Die *cu, Dwarf_Die *split);

/* The element of the variable `name` (its module `mod`) that lies `offset` bytes into it, as C:
 * ".lock", "[2].mutex", "" for the whole. NULL = the debug information does not say. */
char *variable_path(Dwarf_Die *variable, uint64_t offset);
char *variable_member(struct variable_index **all, Dwfl_Module *mod, const char *name,
                      uint64_t offset);
void variable_index_free(struct variable_index *all); /* before the modules go */

#endif /* HEDDLE_DRIVER_SYMBOL_INSIDE_H */
