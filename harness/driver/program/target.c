/* target.c - see target.h */
#include "target.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/alloc.h"

static const char *machine_name(unsigned machine, char *buffer, size_t bytes)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_X86_64:
        return "x86-64";
    case EM_ARM:
        return "ARM";
    case EM_AARCH64:
        return "AArch64";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC64";
    case EM_S390:
        return "S/390";
    case EM_MIPS:
        return "MIPS";
    default:
        snprintf(buffer, bytes, "machine type %u", machine);
        return buffer;
    }
}

/* As execvp() looks: PATH when the name has no slash. NULL = not found. */
static char *find_in_path(const char *program)
{
    if (strchr(program, '/'))
        return mem_copy(program);
    const char *path = getenv("PATH");
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    char *blocked = NULL;
    while (*path) {
        size_t n = strcspn(path, ":");
        char *file = mem_format("%.*s/%s", n ? (int)n : 1, n ? path : ".", program);
        struct stat st;
        if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            if (access(file, X_OK) == 0) {
                free(blocked);
                return file;
            }
            if (!blocked) {
                blocked = file;
                file = NULL;
            }
        }
        free(file);
        path += n;
        path += *path == ':';
    }
    return blocked;
}

/* Does the program define these functions itself? */
static bool defines(Elf *elf, const char *first, const char *second)
{
    bool have[2] = {false, false};
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr head;
        if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_DYNSYM || !head.sh_entsize)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        for (size_t i = 0; data && i < head.sh_size / head.sh_entsize; i++) {
            GElf_Sym sym;
            if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
                continue;
            const char *name = elf_strptr(elf, head.sh_link, sym.st_name);
            have[0] |= name && strcmp(name, first) == 0;
            have[1] |= name && strcmp(name, second) == 0;
        }
    }
    return have[0] && have[1];
}

/* The needed library whose name begins so, or NULL; lives as long as elf. */
static const char *needs(Elf *elf, const char *library)
{
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr head;
        if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_DYNAMIC || !head.sh_entsize)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        for (size_t i = 0; data && i < head.sh_size / head.sh_entsize; i++) {
            GElf_Dyn dyn;
            if (!gelf_getdyn(data, (int)i, &dyn) || dyn.d_tag != DT_NEEDED)
                continue;
            const char *name = elf_strptr(elf, head.sh_link, dyn.d_un.d_val);
            if (name && strncmp(name, library, strlen(library)) == 0)
                return name;
        }
    }
    return NULL;
}

static bool is_position_independent_program(Elf *elf)
{
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr head;
        if (!gelf_getshdr(scn, &head) || head.sh_type != SHT_DYNAMIC || !head.sh_entsize)
            continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        for (size_t i = 0; data && i < head.sh_size / head.sh_entsize; i++) {
            GElf_Dyn dyn;
            if (gelf_getdyn(data, (int)i, &dyn) && dyn.d_tag == DT_FLAGS_1)
                return dyn.d_un.d_val & DF_1_PIE;
        }
    }
    return false;
}

static char *check_elf(Elf *elf, const char *program, struct target *t)
{
    GElf_Ehdr head;
    if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head))
        return mem_format("%s is not an executable program (no ELF file)", program);
    char number[32];
    if (head.e_ident[EI_CLASS] != ELFCLASS64)
        return mem_format("%s is a 32-bit program (%s): Heddle controls 64-bit programs only",
                          program, machine_name(head.e_machine, number, sizeof number));
    if (head.e_machine != EM_X86_64)
        return mem_format("%s is a program for %s, but this machine is an x86-64", program,
                          machine_name(head.e_machine, number, sizeof number));
    if (head.e_type == ET_REL)
        return mem_format("%s is an object file: link it to a program first", program);
    if (head.e_type == ET_CORE)
        return mem_format("%s is a core dump, not a program", program);
    size_t segments = 0;
    if (elf_getphdrnum(elf, &segments) != 0)
        return mem_format("%s is damaged: its program header cannot be read", program);
    bool dynamic = false;
    for (size_t i = 0; i < segments; i++) {
        GElf_Phdr ph;
        if (!gelf_getphdr(elf, (int)i, &ph))
            return mem_format("%s is damaged: its program header cannot be read", program);
        dynamic |= ph.p_type == PT_INTERP;
    }
    if (!dynamic) {
        if (head.e_type == ET_DYN && !is_position_independent_program(elf))
            return mem_format("%s is a shared library, not a program", program);
        return mem_format(
            "%s is statically linked: Heddle is loaded by the dynamic linker, so link "
            "the program without -static",
            program);
    }
    const void *id;
    ssize_t bytes = dwelf_elf_gnu_build_id(elf, &id);
    for (ssize_t i = 0; i < bytes && (size_t)i * 2 + 2 < sizeof t->build_id; i++)
        snprintf(t->build_id + 2 * i, 3, "%02x", ((const unsigned char *)id)[i]);
    /* Our own hooks bear some of TSan's names, too: a sanitizer's interface tells them apart. */
    t->tsan_shared = needs(elf, "libtsan.") != NULL;
    const char *asan = needs(elf, "libasan.");
    if (asan)
        snprintf(t->asan, sizeof t->asan, "%s", asan);
    t->asan_inside = asan || defines(elf, "__asan_init", "__sanitizer_set_report_path");
    t->tsan = t->tsan_shared || defines(elf, "__tsan_init", "__sanitizer_set_report_path");
    return NULL;
}

static char *check_script(int fd, const char *program)
{
    char line[128] = "";
    ssize_t n = pread(fd, line, sizeof line - 1, 0);
    if (n < 2 || line[0] != '#' || line[1] != '!')
        return NULL;
    line[n] = '\0';
    char *interpreter = line + 2 + strspn(line + 2, " \t");
    interpreter[strcspn(interpreter, " \t\r\n")] = '\0';
    return mem_format("%s is a script for %s: name the program that it runs instead", program,
                      interpreter);
}

char *target_open(const char *program, struct target *t)
{
    *t = (struct target){0};
    if (!*program)
        return mem_copy("the name of the program is empty");
    char *file = find_in_path(program);
    char real[PATH_MAX];
    struct stat st;
    if (!file && stat(program, &st) == 0 && S_ISREG(st.st_mode))
        return mem_format("%s: no such program in PATH, but here is one: name it ./%s", program,
                          program);
    if (!file)
        return mem_format("%s: no such program in PATH", program);
    char *why = NULL;
    if (!realpath(file, real) || stat(real, &st) != 0)
        why = mem_format("%s: %s", program, errno == ENOENT ? "no such file" : strerror(errno));
    else if (S_ISDIR(st.st_mode))
        why = mem_format("%s is a folder, not a program", program);
    else if (!S_ISREG(st.st_mode))
        why = mem_format("%s is not a regular file", program);
    else if (access(real, X_OK) != 0)
        why = mem_format("%s is not executable (chmod +x would make it so)", program);
    else if (st.st_mode & (S_ISUID | S_ISGID))
        why =
            mem_format("%s is a set-%s-ID program, into which the system loads nothing: use a copy "
                       "without that bit",
                       program, st.st_mode & S_ISUID ? "user" : "group");
    else if (getxattr(real, "security.capability", NULL, 0) > 0 && geteuid() != 0)
        why = mem_format("%s has file capabilities, and the system loads nothing into such "
                         "programs: use a copy without them",
                         program);
    free(file);
    if (why)
        return why;
    int fd = open(real, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return mem_format("%s cannot be read: %s", program, strerror(errno));
    why = check_script(fd, program);
    if (!why) {
        elf_version(EV_CURRENT);
        Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
        why = elf ? check_elf(elf, program, t)
                  : mem_format("%s is not an executable program (no ELF file)", program);
        elf_end(elf);
    }
    close(fd);
    if (!why)
        t->path = mem_copy(real);
    return why;
}

void target_free(struct target *t)
{
    free(t->path);
    *t = (struct target){0};
}
