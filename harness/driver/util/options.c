/* options.c - see options.h */
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_code.h"
#include "help_text.h"
#include "nearest.h"
#include "quantity.h"

static bool is_last(const struct argp_option *o)
{
    return !o->name && !o->key && !o->doc && !o->group;
}

/* What argp adds. */
static const char *const common[] = {"help", "usage", NULL};

/* The long option of this name, or the first one that it abbreviates. */
static const struct argp_option *named(const struct argp *argp, const char *name, size_t n)
{
    const struct argp_option *begins = NULL;

    for (const struct argp_option *o = argp->options; o && !is_last(o); o++)
        if (o->name && strncmp(o->name, name, n) == 0) {
            if (strlen(o->name) == n)
                return o;
            begins = begins ? begins : o;
        }
    for (const struct argp_child *c = argp->children; !begins && c && c->argp; c++)
        begins = named(c->argp, name, n);
    return begins;
}

static bool is_common(const char *name, size_t n)
{
    for (size_t i = 0; common[i]; i++)
        if (strncmp(common[i], name, n) == 0)
            return true;
    return false;
}

static void try_all(const struct argp *argp, struct nearest *near)
{
    for (const struct argp_option *o = argp->options; o && !is_last(o); o++)
        if (o->name && !(o->flags & OPTION_HIDDEN))
            nearest_try(near, o->name);
    for (const struct argp_child *c = argp->children; c && c->argp; c++)
        try_all(c->argp, near);
}

static void refuse(const struct argp *argp, const char *command, const char *name, size_t n)
{
    char typed[64];
    struct nearest near = {.typed = typed};

    snprintf(typed, sizeof typed, "%.*s", (int)n, name);
    try_all(argp, &near);
    fprintf(stderr, "%s: there is no option --%s", command, typed);
    if (near.word)
        fprintf(stderr, ": did you mean --%s?\n", near.word);
    else
        fprintf(stderr, " (%s --help lists them)\n", command);
    exit(EXIT_USAGE);
}

/* Does the short option at the end of "-qn" want what follows? */
static bool wants_next(const struct argp *argp, const char *cluster)
{
    bool wants = false;

    for (const char *p = cluster; *p; p++)
        for (const struct argp_option *o = argp->options; o && !is_last(o); o++)
            if (o->key == *p && o->arg)
                return !p[1] && !(o->flags & OPTION_ARG_OPTIONAL);
    for (const struct argp_child *c = argp->children; !wants && c && c->argp; c++)
        wants = wants_next(c->argp, cluster);
    return wants;
}

static void help(const struct argp *argp, char *command)
{
    help_print(stdout, argp, command);
    exit(EXIT_SUCCESS);
}

static void check(const struct argp *argp, char *command, int argc, char **argv, unsigned flags)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        if (word[0] != '-' || !word[1]) {
            if (flags & ARGP_IN_ORDER)
                return;
        } else if (strcmp(word, "-?") == 0) {
            help(argp, command);
        } else if (word[1] != '-') {
            i += wants_next(argp, word + 1);
        } else {
            size_t n = strcspn(word + 2, "=");
            const struct argp_option *o = named(argp, word + 2, n);
            if (!o && !is_common(word + 2, n))
                refuse(argp, command, word + 2, n);
            if (!o && n && !word[2 + n] && strncmp("help", word + 2, n) == 0)
                help(argp, command);
            i += o && o->arg && !word[2 + n] && !(o->flags & OPTION_ARG_OPTIONAL);
        }
    }
}

void options_parse(const struct argp *argp, const char *name, int argc, char **argv, unsigned flags,
                   void *input)
{
    static char help[] = "--help", own_name[64];

    argp_err_exit_status = EXIT_USAGE;
    snprintf(own_name, sizeof own_name, "%s", name);
    argv[0] = own_name;
    if (argc == 2 && strcmp(argv[1], "-h") == 0)
        argv[1] = help;
    check(argp, own_name, argc, argv, flags);
    argp_parse(argp, argc, argv, flags, NULL, input);
}

uint64_t option_count(struct argp_state *state, const char *option, const char *text, uint64_t low,
                      uint64_t high)
{
    uint64_t n = 0;

    if (!parse_count(text, low, high, &n))
        argp_failure(state, EXIT_USAGE, 0, "%s wants a whole number from %llu to %llu, not \"%s\"",
                     option, (unsigned long long)low, (unsigned long long)high, text);
    return n;
}

int64_t option_time(struct argp_state *state, const char *option, const char *text)
{
    int64_t ns = 0;

    if (!parse_time(text, &ns))
        argp_failure(state, EXIT_USAGE, 0, "%s wants a time such as 500ms, 30s or 5m, not \"%s\"",
                     option, text);
    return ns;
}
