/* result.c - does the code behind a call look at what the call returned?
 *
 * The result is in eax. What follows is read instruction by instruction until eax is overwritten, on every
 * way: then nobody looks. Whatever is not known here, a return included, may look.
 * source: Intel SDM, volume 2, chapter 2 and appendix A (instruction format, opcode map).
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "arch/x86_64/machine.h"

#define INSTRUCTIONS 40 /* looked at, on all ways together */

enum use { GOES_ON, OVERWRITTEN, MAY_LOOK };

/* Operands of a ModRM byte. */
struct operands {
    unsigned reg;  /* register, or which operation it is */
    bool memory;   /* the other one is in memory */
    unsigned rm;   /* else it is this register */
    bool uses_rax; /* for its address */
    unsigned bytes;
};

static struct operands operands_at(const uint8_t *p, uint8_t rex)
{
    unsigned mod = p[0] >> 6, rm = p[0] & 7u, base = rm | (rex & 1u) << 3;
    struct operands o = {.reg = (p[0] >> 3 & 7u) | (rex & 4u) << 1, .memory = mod != 3, .bytes = 1};

    if (mod == 3) {
        o.rm = base;
        return o;
    }
    if (rm == 4) { /* SIB */
        unsigned index = (p[1] >> 3 & 7u) | (rex & 2u) << 2;
        bool has_base = mod != 0 || (p[1] & 7u) != 5;
        base = (p[1] & 7u) | (rex & 1u) << 3;
        o.uses_rax = index == 0 || (has_base && base == 0);
        o.bytes = has_base ? 2 : 6;
    } else if (mod == 0 && rm == 5) {
        o.bytes = 5; /* relative to rip */
    } else {
        o.uses_rax = base == 0;
    }
    o.bytes += mod == 1 ? 1 : mod == 2 ? 4 : 0;
    return o;
}

static int32_t offset_at(const uint8_t *p)
{
    int32_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

static bool overwritten(const uint8_t *p, unsigned *left);

/* A stub of the PLT? Of a function of its own module a compiler may know that it leaves eax alone. */
static const uint8_t *stub_at(const uint8_t *p)
{
    if (memcmp(p, endbr64, sizeof endbr64) == 0)
        p += sizeof endbr64;
    if (*p == 0xf2) /* bnd */
        p++;
    return p[0] == 0xff && p[1] == 0x25 ? p : NULL;
}

/* What the stub will call that pushes this index, before its first call. */
static const char *unbound_name(const void *slot, const uint8_t *push)
{
    const Elf64_Rela *relocations = NULL;
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL;
    uint64_t index = (uint32_t)offset_at(push + 1), bytes = 0;
    struct link_map *of_slot = NULL, *of_push = NULL;
    Dl_info info;

    if (!dladdr1(slot, &info, (void **)&of_slot, RTLD_DL_LINKMAP) ||
        !dladdr1(push, &info, (void **)&of_push, RTLD_DL_LINKMAP) || of_slot != of_push)
        return NULL;
    for (const ElfW(Dyn) *d = of_slot->l_ld; d->d_tag != DT_NULL; d++) {
        const void *at = (const void *)d->d_un.d_ptr;
        if (d->d_tag == DT_JMPREL)
            relocations = at;
        else if (d->d_tag == DT_PLTRELSZ)
            bytes = d->d_un.d_val;
        else if (d->d_tag == DT_SYMTAB)
            symbols = at;
        else if (d->d_tag == DT_STRTAB)
            names = at;
    }
    return relocations && symbols && names && index < bytes / sizeof *relocations
               ? names + symbols[ELF64_R_SYM(relocations[index].r_info)].st_name
               : NULL;
}

/* errno says it as well. */
static bool slot_is_errno(const uint8_t *slot)
{
    static const char wanted[] = "__errno_location";
    const uint8_t *target;
    const char *name;

    memcpy(&target, slot, sizeof target);
    if (target == (const uint8_t *)(uintptr_t)__errno_location)
        return true;
    if (memcmp(target, endbr64, sizeof endbr64) == 0)
        target += sizeof endbr64;
    name = *target == 0x68 ? unbound_name(slot, target) : NULL;
    return name && strcmp(name, wanted) == 0;
}

static bool asks_for_errno(const uint8_t *stub)
{
    return slot_is_errno(stub + 6 + offset_at(stub + 2));
}

/* One instruction at *p, which is moved behind it, or to where it goes. */
static enum use look_at(const uint8_t **at, unsigned *left)
{
    const uint8_t *p = *at;
    uint8_t rex = 0, op;
    struct operands o;
    const uint8_t *stub;
    bool short_operand = false;
    enum use whole; /* of 16 bits the others stay */

    while (*p == 0x66 || *p == 0x64 || *p == 0x2e || *p == 0xf2 || *p == 0xf3)
        short_operand |= *p++ == 0x66;
    if ((*p & 0xf0) == 0x40)
        rex = *p++;
    whole = short_operand && !(rex & 8) ? MAY_LOOK : OVERWRITTEN;
    op = *p++;
    switch (op) {
    case 0x0f:
        op = *p++;
        if ((op & 0xf0) == 0x80) { /* a jump, perhaps */
            *at = p + 4;
            return overwritten(p + 4 + offset_at(p), left) ? GOES_ON : MAY_LOOK;
        }
        if (op == 0x1f || (op == 0x1e && *p == 0xfa)) { /* nop, endbr64 */
            *at = p + operands_at(p, rex).bytes;
            return GOES_ON;
        }
        if (op != 0xb6 && op != 0xb7 && op != 0xbe && op != 0xbf)
            return MAY_LOOK;
        o = operands_at(p, rex);
        *at = p + o.bytes;
        if (o.uses_rax || (!o.memory && (o.rm == 0 || (!rex && o.rm == 4))))
            return MAY_LOOK;
        return o.reg == 0 ? whole : GOES_ON;
    case 0xe8:
        *at = p + 4;
        stub = stub_at(p + 4 + offset_at(p));
        return !stub ? GOES_ON : asks_for_errno(stub) ? MAY_LOOK : OVERWRITTEN;
    case 0xe9:
        *at = p + 4 + offset_at(p);
        return GOES_ON;
    case 0xeb:
        *at = p + 1 + (int8_t)*p;
        return GOES_ON;
    case 0x90: /* nop; with r8 it is xchg */
        *at = p;
        return rex & 1 ? MAY_LOOK : GOES_ON;
    case 0xc9: /* leave */
        *at = p;
        return GOES_ON;
    case 0x31: /* xor: of a register with itself it makes 0 */
    case 0x33:
    case 0x01:
    case 0x03:
    case 0x09:
    case 0x0b:
    case 0x21:
    case 0x23:
    case 0x29:
    case 0x2b:
    case 0x39:
    case 0x3b:
    case 0x85:
    case 0x89:
    case 0x8b:
    case 0x8d:
        o = operands_at(p, rex);
        *at = p + o.bytes;
        if (op == 0x31 && !o.memory && o.reg == 0 && o.rm == 0)
            return whole;
        if (o.uses_rax || (!o.memory && o.rm == 0 && op != 0x89))
            return MAY_LOOK;
        if (o.reg == 0)
            return op == 0x8b || op == 0x8d ? whole : MAY_LOOK;
        return !o.memory && o.rm == 0 ? whole : GOES_ON;
    case 0x80:
    case 0x83:
    case 0x81:
    case 0xc6:
    case 0xc7:
        o = operands_at(p, rex);
        *at = p + o.bytes + (op != 0x81 && op != 0xc7 ? 1 : short_operand ? 2 : 4);
        if (o.uses_rax)
            return MAY_LOOK;
        if (!o.memory && o.rm == 0)
            return op == 0xc7 ? whole : MAY_LOOK;
        return !o.memory && op == 0x80 ? MAY_LOOK : GOES_ON;
    case 0xff: /* call through a pointer, inc, dec */
        o = operands_at(p, rex);
        *at = p + o.bytes;
        if (o.uses_rax || (!o.memory && o.rm == 0) || (o.reg & 7) > 2)
            return MAY_LOOK;
        if ((o.reg & 7) != 2)
            return GOES_ON;
        return o.memory && p[0] == 0x15 && slot_is_errno(*at + offset_at(p + 1)) ? MAY_LOOK
                                                                                 : OVERWRITTEN;
    default:
        break;
    }
    if ((op & 0xf8) == 0xb8) { /* mov of a constant */
        *at = p + (rex & 8 ? 8 : short_operand ? 2 : 4);
        return op == 0xb8 && !(rex & 1) && !short_operand ? OVERWRITTEN : GOES_ON;
    }
    if ((op & 0xf0) == 0x50) { /* push, pop */
        *at = p;
        if ((op & 7) != 0 || rex & 1)
            return GOES_ON;
        return op == 0x58 ? whole : MAY_LOOK;
    }
    if ((op & 0xf0) == 0x70) {
        *at = p + 1;
        return overwritten(p + 1 + (int8_t)*p, left) ? GOES_ON : MAY_LOOK;
    }
    return MAY_LOOK;
}

static bool overwritten(const uint8_t *p, unsigned *left)
{
    while (*left) {
        enum use use;
        --*left;
        use = look_at(&p, left);
        if (use != GOES_ON)
            return use == OVERWRITTEN;
    }
    return false;
}

bool hdi_result_is_ignored(uint64_t behind_call)
{
    unsigned left = INSTRUCTIONS;

    return behind_call && overwritten((const uint8_t *)(uintptr_t)behind_call, &left);
}
