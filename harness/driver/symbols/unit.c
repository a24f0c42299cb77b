/* unit.c - the compilation unit that holds an address. */
#include "symbol_inside.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

/* clang writes no .debug_aranges: then each unit is asked for its ranges, also when units of another
 * compiler have some and a wrong one is offered. */
Dwarf_Die *unit_at(Dwfl_Module *mod, uint64_t pc, Dwarf_Addr *bias)
{
    Dwarf_Die *cu = dwfl_module_addrdie(mod, pc, bias);
    if (cu && dwarf_haspc(cu, pc - *bias) == 1)
        return cu;
    cu = NULL;
    while ((cu = dwfl_module_nextcu(mod, cu, bias)))
        if (dwarf_haspc(cu, pc - *bias) == 1)
            return cu;
    return NULL;
}

Dwarf_Die *whole_unit(Dwarf_Die *cu, Dwarf_Die *split)
{
    uint8_t type = 0;
    bool is_split = dwarf_cu_info(cu->cu, NULL, &type, NULL, split, NULL, NULL, NULL) == 0 &&
                    type == DW_UT_skeleton && dwarf_tag(split) != DW_TAG_invalid;
    return is_split ? split : cu;
}
