/* scene.c - see scene.h
 *
 * The program writes the region, and may be broken: every index and length is checked.
 */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

const struct hdp_thread *scene_thread_entry(const struct hdp_region *r, uint32_t hash)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (r->thread[i].hash == hash)
            return &r->thread[i];
    return NULL;
}

/* The thread that an object stands for, or NULL. */
const struct hdp_thread *scene_thread_of(const struct hdp_region *r, uint32_t id)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (thread_object(r->thread[i].hash) == id)
            return &r->thread[i];
    return NULL;
}

const struct hdp_object *scene_object_entry(const struct hdp_region *r, uint32_t id)
{
    for (uint32_t i = 0; i < r->object_count && i < HDP_OBJECTS; i++)
        if (r->object[i].id == id)
            return &r->object[i];
    return NULL;
}

char *scene_thread(const struct scene *scene, uint32_t hash)
{
    const struct hdp_thread *t = scene_thread_entry(scene->region, hash);
    if (!t)
        return mem_format("thread %08x", hash);
    if (t->label[0])
        return mem_format("%.31s (%.31s)", t->name, t->label);
    if (t == scene->region->thread)
        return mem_format("%.31s (main)", t->name);
    char *start = t->start ? symbols_function(scene->symbols, t->start) : NULL;
    char *text = start ? mem_format("%.31s (%s)", t->name, start) : mem_format("%.31s", t->name);
    free(start);
    return text;
}

void scene_thread_names(const struct hdp_region *r, struct names *threads)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++) {
        char name[sizeof r->thread[i].name + 1];
        uint32_t taken;
        snprintf(name, sizeof name, "%.31s", r->thread[i].name);
        if (name[0] && !names_text(threads, r->thread[i].hash) &&
            !names_number(threads, name, &taken))
            names_add(threads, r->thread[i].hash, name);
    }
}

/* "line.c:12" of a site, or NULL. */
static char *line_of(const struct scene *scene, uint64_t site)
{
    struct stack s = {0};
    symbols_frames(scene->symbols, site, true, &s);
    char *text = NULL;
    if (s.count && s.frame[0].file)
        text = mem_format("%s:%u", base_name(s.frame[0].file), s.frame[0].line);
    stack_clear(&s);
    return text;
}

/* The variable that an object is, or NULL; free() it. */
char *scene_variable(const struct scene *scene, const struct hdp_object *o)
{
    char *text = o->addr ? symbols_variable(scene->symbols, o->addr) : NULL;
    /* plain accesses are known by their word of eight bytes: the variable may begin within it */
    for (unsigned i = 1; !text && o->addr && o->kind == HD_OB_MEMORY && i < 8; i++)
        text = symbols_variable(scene->symbols, o->addr + i);
    return text;
}

char *scene_word(const struct scene *scene, const struct hdp_object *o)
{
    char *text = scene_variable(scene, o);
    size_t part = text ? strcspn(text, "[+") : 0, whole = text ? strcspn(text, "[+.") : 0;
    for (unsigned i = 1; text && i < 8; i++) {
        char *next = symbols_variable(scene->symbols, o->addr + i), *both = NULL;
        if (next && (strncmp(next, text, whole) != 0 || strcspn(next, "[+.") != whole))
            both = mem_format("%s or %s", text, next);
        else if (next && (strncmp(next, text, part) != 0 || strcspn(next, "[+") != part))
            both = mem_format("%.*s", (int)whole, text);
        free(next);
        if (both) {
            free(text);
            return both;
        }
    }
    return text;
}

char *scene_home(const struct scene *scene, const struct hdp_object *o)
{
    const struct hdp_region *r = scene->region;
    if (o->label[0])
        return mem_format("\"%.31s\"", o->label);
    char *text = scene_variable(scene, o);
    if (text)
        return text;
    for (uint32_t i = 0; o->addr && i < r->thread_count && i < HDP_THREADS; i++) {
        const struct hdp_thread *t = &r->thread[i];
        if (o->addr >= t->stack_low && o->addr < t->stack_high)
            return mem_format("on the stack of %.31s", t->name);
    }
    /* A descriptor is known from its first call on; where it was opened a finding says itself. */
    bool made = o->created_site && o->kind != HD_OB_FD;
    char *line = made ? line_of(scene, o->created_site) : NULL;
    if (!line)
        return NULL;
    text = mem_format("made at %s", line);
    free(line);
    return text;
}

/* The kind of the object of an event, as far as it is known. */
enum hd_object scene_kind_of(const struct hdp_object *o, unsigned event)
{
    return o && o->kind < HD_OB_COUNT ? (enum hd_object)o->kind
                                      : object_of_event((enum hd_event)event);
}

enum hd_object scene_kind(const struct scene *scene, uint32_t id, unsigned event)
{
    return scene_thread_of(scene->region, id)
               ? HD_OB_THREAD
               : scene_kind_of(scene_object_entry(scene->region, id), event);
}

char *scene_object(const struct scene *scene, uint32_t id, enum hd_object what)
{
    const struct hdp_object *o = scene_object_entry(scene->region, id);
    const struct hdp_thread *t = what == HD_OB_THREAD ? scene_thread_of(scene->region, id) : NULL;
    if (t)
        return scene_thread(scene, t->hash);
    const char *name = names_object(scene->objects, id, what);
    char *home = o ? scene_home(scene, o) : NULL;
    char *text = home ? mem_format("%s %s (%s)", object_word(what), name, home)
                      : mem_format("%s %s", object_word(what), name);
    free(home);
    return text;
}

/* A thread that starts has no return address: its site is the start routine itself. */
bool scene_starts_at(const struct hdp_region *r, uint64_t site)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (r->thread[i].start == site)
            return true;
    return false;
}

void scene_place(const struct scene *scene, uint64_t site, struct stack *to)
{
    symbols_frames(scene->symbols, site, !scene_starts_at(scene->region, site), to);
}
