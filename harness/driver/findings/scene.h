/* scene.h - what a schedule left in shared memory, and what its threads, objects and places are called. */
#ifndef HEDDLE_DRIVER_SCENE_H
#define HEDDLE_DRIVER_SCENE_H

#include "symbols/numbering.h"
#include "symbols/stack.h"
#include "symbols/symbol.h"
#include "wire/protocol.h"

/* All borrowed. The region must hold a schedule that has ended. */
struct scene {
    const struct hdp_region *region;
    struct symbols *symbols;            /* with the map of the region's process */
    struct names *objects;              /* of the campaign; gets new ones */
    const struct running_thread *stuck; /* threads that were seen when a hang was ended, or NULL */
    size_t stuck_count;
};

/* "T1 (consumer)": a thread as reports call it; free() it. */
char *scene_thread(const struct scene *scene, uint32_t hash);
/* Where an object lives, as the user would call it; NULL = no better than its number. free() it. */
char *scene_home(const struct scene *scene, const struct hdp_object *o);
/* What kind an object is, as far as it or an event about it tells, and how reports call it; free() it. */
enum hd_object scene_kind(const struct scene *scene, uint32_t id, unsigned event);
char *scene_object(const struct scene *scene, uint32_t id, enum hd_object kind);
/* Append the frames of a site. */
void scene_place(const struct scene *scene, uint64_t site, struct stack *to);
/* The names of all threads of the region, for schedule_describe(). */
void scene_thread_names(const struct hdp_region *r, struct names *threads);

/* Entries of the region's tables; NULL: there is none. scene_thread_of: of the object that stands for
 * a thread. */
const struct hdp_thread *scene_thread_entry(const struct hdp_region *r, uint32_t hash);
const struct hdp_thread *scene_thread_of(const struct hdp_region *r, uint32_t id);
const struct hdp_object *scene_object_entry(const struct hdp_region *r, uint32_t id);
/* A thread that starts has no return address: its site is the start routine itself. */
bool scene_starts_at(const struct hdp_region *r, uint64_t site);
/* The variable that an object is, or NULL; free() it. */
char *scene_variable(const struct scene *scene, const struct hdp_object *o);
/* The same of a plain access, which is known by its word of eight bytes: "a or b" where two
 * share it, the whole variable where two of its parts do. */
char *scene_word(const struct scene *scene, const struct hdp_object *o);
/* The kind of the object of an event, as far as it is known. */
enum hd_object scene_kind_of(const struct hdp_object *o, unsigned event);

#endif /* HEDDLE_DRIVER_SCENE_H */
