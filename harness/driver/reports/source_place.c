/* source_place.c - see source_place.h */
#include "source_place.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_document.h"
#include "util/alloc.h"

/* Cut the last part of a path off; false: there is none left. */
static bool go_up(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (!slash || !folder[1])
        return false;
    slash[slash == folder] = '\0';
    return true;
}

const char *source_root(void)
{
    static char root[PATH_MAX];
    char folder[PATH_MAX];

    if (*root || !getcwd(root, sizeof root))
        return *root ? root : "/";
    strcpy(folder, root);
    do {
        char *git = mem_format("%s/.git", folder);
        bool found = access(git, F_OK) == 0;
        free(git);
        if (found) {
            strcpy(root, folder);
            break;
        }
    } while (go_up(folder));
    return root;
}

/* The file below `folder`, or below one that this lies in. */
static char *look_upward(const char *folder, const char *file)
{
    char *at = mem_copy(folder), *real = NULL;

    do {
        char *path = mem_format("%s/%s", at, file);
        real = realpath(path, NULL);
        free(path);
    } while (!real && go_up(at));
    free(at);
    return real;
}

char *source_find(const char *file, const char *program)
{
    char here[PATH_MAX], *folder, *real;

    if (*file == '/')
        return realpath(file, NULL);
    real = realpath(file, NULL);
    if (!real && program && *program == '/') {
        folder = mem_copy(program);
        go_up(folder);
        real = look_upward(folder, file);
        free(folder);
    }
    if (!real && getcwd(here, sizeof here))
        real = look_upward(here, file);
    return real;
}

struct source_place source_place(const char *file, const char *program)
{
    const char *root = source_root();
    char *real = source_find(file, program);
    size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
    struct source_place place = {0};

    if (real && strncmp(real, root, n) == 0 && real[n] == '/') {
        place.path = mem_copy(real + n + 1);
        place.inside = true;
        free(real);
    } else {
        place.path = real ? real : mem_copy(file);
    }
    return place;
}

bool source_place_of(const json_t *stack, const char *program, struct source_place *place)
{
    size_t i;
    json_t *frame;

    json_array_foreach(stack, i, frame)
    {
        const char *file = document_word(frame, "file");
        if (!file)
            continue;
        *place = source_place(file, program);
        place->line = (int)json_integer_value(json_object_get(frame, "line"));
        place->column = (int)json_integer_value(json_object_get(frame, "column"));
        return true;
    }
    return false;
}

bool source_place_finding(const json_t *finding, const char *program, struct source_place *place)
{
    struct source_place outside = {0};
    size_t i;
    json_t *note;

    json_array_foreach(json_object_get(finding, "notes"), i, note)
    {
        struct source_place here;
        if (!source_place_of(json_object_get(note, "stack"), program, &here))
            continue;
        if (here.inside) {
            free(outside.path);
            *place = here;
            return true;
        }
        if (outside.path)
            free(here.path);
        else
            outside = here;
    }
    *place = outside;
    return outside.path != NULL;
}
