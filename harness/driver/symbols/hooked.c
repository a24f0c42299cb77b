/* hooked.c - see hooked.h */
#include "hooked.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol.h"
#include "util/alloc.h"

/* What every unit with hooks calls when it is loaded. */
#define HOOK "__tsan_init"

/* Does a table of symbols ask for it? */
static bool asks_for_hook(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    GElf_Sym symbol;

    for (size_t i = 0; i < count && gelf_getsym(data, (int)i, &symbol); i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && symbol.st_shndx == SHN_UNDEF && strcmp(name, HOOK) == 0)
            return true;
    }
    return false;
}

static bool is_hooked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    Elf *elf =
        fd >= 0 && elf_version(EV_CURRENT) != EV_NONE ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    bool hooked = false;

    while (elf && !hooked && (section = elf_nextscn(elf, section)))
        hooked = gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM &&
                 asks_for_hook(elf, section, &header);
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return hooked;
}

static bool is_of_user(const char *path)
{
    static const char *const system[] = {"/lib/",       "/lib64/", "/usr/lib/",
                                         "/usr/lib64/", "/dev/",   "/memfd:"};

    if (*path != '/' || strncmp(base_name(path), "libheddle", 9) == 0)
        return false;
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (strncmp(path, system[i], strlen(system[i])) == 0)
            return false;
    return true;
}

void hooked_modules(const char *maps, struct names *with, struct names *without)
{
    uint32_t number = 0, known;

    for (const char *line = maps; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char rights[8] = "";
        int at = 0;
        size_t length = strcspn(line, "\n");
        if (sscanf(line, "%*s %7s %*s %*s %*s %n", rights, &at) < 1 || !at ||
            (size_t)at >= length || !strchr(rights, 'x'))
            continue;
        char *path = mem_format("%.*s", (int)(length - (size_t)at), line + at);
        const char *name = base_name(path);
        if (is_of_user(path) && !names_number(with, name, &known) &&
            !names_number(without, name, &known))
            names_add(is_hooked(path) ? with : without, ++number, name);
        free(path);
    }
}
