/* watch_restart.c - HEDDLE=leaks,lockorder,dump ./prog: a program linked with this library that
 * wants to be followed. Who follows must be there before the C library's functions are bound, so
 * the program begins anew, with it loaded, before its main() and with the same arguments. */
#include "watch_restart.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "happens_before.h"

#define LIBRARY "libheddle-watch.so"

extern __typeof__(dlsym) dlsym __attribute__((weak)); /* a static program has neither */
extern __typeof__(dladdr) dladdr __attribute__((weak));

static void say(const char *wanted, const char *why)
{
    fprintf(stderr, "heddle: HEDDLE=%s has no effect: %s\n", wanted, why);
}

/* The first word of the list that means nothing; "" if all do. */
static const char *unknown_word(const char *list)
{
    static const char *const known[] = {"leaks", "lockorder", "dump", "usr1"};
    while (*list) {
        size_t n = strcspn(list, ","), i = 0;
        while (i < 4 && !(strlen(known[i]) == n && memcmp(known[i], list, n) == 0))
            i++;
        if (i == 4)
            return list;
        list += n + (list[n] == ',');
    }
    return "";
}

/* folder/LIBRARY, if it is there. */
static bool lies_in(const char *folder, size_t bytes, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%.*s/" LIBRARY, (int)bytes, folder);
    return n > 0 && n < PATH_MAX && access(path, R_OK) == 0;
}

static bool lies_beside(const char *file, char path[PATH_MAX])
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    return slash && lies_in(file, (size_t)(slash - file), path);
}

/* Beside the runtime that the user names, beside this library, or where it is installed. */
static bool find_library(char path[PATH_MAX])
{
    Dl_info self;
    return lies_beside(getenv("HEDDLE_RUNTIME"), path) ||
           (dladdr && dladdr((void *)&hdi_seam, &self) && lies_beside(self.dli_fname, path)) ||
           lies_in(HEDDLE_FULL_LIBDIR, strlen(HEDDLE_FULL_LIBDIR), path);
}

/* The program's arguments as they lie in the process, or NULL. Kept for ever. */
static char **arguments(void)
{
    size_t used = 0, room = 4096, count = 0;
    char *text = malloc(room), **argv;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    for (ssize_t n; text && fd >= 0 && (n = read(fd, text + used, room - used)) > 0;) {
        used += (size_t)n;
        if (used == room) {
            char *larger = realloc(text, room *= 2);
            if (!larger)
                free(text);
            text = larger;
        }
    }
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; text && i < used; i++)
        count += text[i] == '\0';
    argv = count ? calloc(count + 1, sizeof *argv) : NULL;
    for (size_t i = 0, at = 0; argv && i < count; at += strlen(text + at) + 1)
        argv[i++] = text + at;
    if (!argv)
        free(text);
    return argv;
}

static const char *begin_anew(const char *library)
{
    const char *others = getenv("LD_PRELOAD");
    char program[PATH_MAX], **argv = arguments();
    size_t bytes = strlen(library) + (others ? strlen(others) : 0) + 2;
    char *preload = malloc(bytes);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (!argv || !preload || n <= 0)
        return "the program's own name and arguments could not be read";
    program[n] = '\0';
    snprintf(preload, bytes, "%s%s%s", library, others && *others ? ":" : "", others ? others : "");
    setenv("LD_PRELOAD", preload, 1);
    execv(program, argv);
    if (others)
        setenv("LD_PRELOAD", others, 1);
    else
        unsetenv("LD_PRELOAD");
    return strerror(errno);
}

void hdi_be_followed(void)
{
    const char *wanted = secure_getenv("HEDDLE"), *preload = getenv("LD_PRELOAD");
    char library[PATH_MAX];
    if (!wanted || !*wanted)
        return;
    if (*unknown_word(wanted))
        say(wanted, "it is a list of leaks, lockorder, dump and usr1");
    else if (!dlsym)
        say(wanted, "the program is linked statically");
    else if (hdi_watchers || dlsym(RTLD_DEFAULT, "__asan_init"))
        say(wanted, "the program runs under a sanitizer or Valgrind");
    else if (preload && strstr(preload, LIBRARY))
        say(wanted, LIBRARY " could not be loaded");
    else if (!find_library(library))
        say(wanted, LIBRARY " was not found: `heddle watch -- PROGRAM` knows where it is, "
                            "LD_PRELOAD=PATH/" LIBRARY " says it");
    else
        say(wanted, begin_anew(library));
}
