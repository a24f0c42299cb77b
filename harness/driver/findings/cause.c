/* cause.c - findings that one mistake makes, and which of them is the mistake.
 *
 * Races of one variable lack the same lock, and so do those between the same two functions where no
 * lock is held. A misuse of an object
 * leaves it in a state that makes misuse of what others do with it.
 */
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "util/alloc.h"

static bool is_race(const struct finding *f)
{
    return f->kind == HD_FK_DATA_RACE || f->kind == HD_FK_PREDICTED_RACE;
}

static const struct note *side(const struct finding *f, enum hd_role role)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == role)
            return &f->note[i];
    return NULL;
}

static bool at_one_place(const struct note *a, const struct note *b)
{
    if (!a || !b || !a->stack.count || !b->stack.count)
        return false;
    const struct frame *x = &a->stack.frame[0], *y = &b->stack.frame[0];
    return x->file && y->file && x->line == y->line && strcmp(x->file, y->file) == 0;
}

/* ---- races ---- */

static int by_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : !b - !a;
}

/* Functions and files of one name may be several. */
static int by_function(const struct frame *a, const struct frame *b)
{
    int order = by_text(a->function, b->function);
    order = order ? order : by_text(a->file, b->file);
    return order ? order : by_text(a->module, b->module);
}

static bool is_access(const struct note *n)
{
    return n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS;
}

/* Where the two sides of a race are, in order of the functions; false: they are not both known. */
static bool functions_of(const struct finding *f, const struct frame *side[2])
{
    size_t n = 0;

    for (size_t i = 0; i < f->notes && n < 2; i++)
        if (is_access(&f->note[i]) && f->note[i].stack.count && f->note[i].stack.frame[0].function)
            side[n++] = &f->note[i].stack.frame[0];
    if (n == 2 && by_function(side[0], side[1]) > 0) {
        const struct frame *first = side[1];
        side[1] = side[0];
        side[0] = first;
    }
    return n == 2;
}

static bool between_the_same_functions(const struct finding *f, const struct finding *g)
{
    const struct frame *of_f[2], *of_g[2];

    return functions_of(f, of_f) && functions_of(g, of_g) && by_function(of_f[0], of_g[0]) == 0 &&
           by_function(of_f[1], of_g[1]) == 0;
}

static bool is_guarded(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++)
        if (is_access(&f->note[i]) && f->note[i].with_lock)
            return true;
    return false;
}

/* What nothing guards is one section, whichever variables are in it. With a lock held it may be that
 * each variable has its own, and one of them is the wrong one. */
static bool lack_one_lock(const struct finding *f, const struct finding *g)
{
    enum variables variables;

    if (!is_race(f) || !is_race(g))
        return false;
    variables = finding_variables(f, g);
    return variables == VARIABLES_SAME ||
           (between_the_same_functions(f, g) &&
            (variables == VARIABLES_UNKNOWN || (!is_guarded(f) && !is_guarded(g))));
}

/* ---- misuse ---- */

static bool is_unlock(const struct finding *f)
{
    return f->kind == HD_FK_UNLOCK_NOT_HELD || f->kind == HD_FK_UNLOCK_NOT_OWNER;
}

static uint32_t object_of(const struct finding *f, enum hd_role role)
{
    const struct note *n = side(f, role);
    return n ? n->object_id : 0;
}

/* Where the object of a misuse was destroyed. */
static const struct note *destroyed(const struct finding *f)
{
    return f->kind == HD_FK_DESTROY_IN_USE      ? side(f, HD_ROLE_HERE)
           : f->kind == HD_FK_USE_AFTER_DESTROY ? side(f, HD_ROLE_EARLIER)
                                                : NULL;
}

/* Is g what comes of f? Of two that are alike the one that was found first is. */
static bool follows(const struct finding *f, const struct finding *g)
{
    uint32_t object = object_of(g, HD_ROLE_HERE);
    if (!object)
        return false;
    if (f->kind == HD_FK_COND_NOT_LOCKED && is_unlock(g))
        return object_of(f, HD_ROLE_WITH) == object;
    if (object_of(f, HD_ROLE_HERE) != object)
        return false;
    if (is_unlock(f) && g->kind == HD_FK_UNLOCK_NOT_HELD)
        return at_one_place(side(f, HD_ROLE_HERE), side(g, HD_ROLE_EARLIER));
    if (destroyed(f) && destroyed(g))
        return at_one_place(destroyed(f), destroyed(g));
    return f->kind == HD_FK_JOIN_MISUSE && g->kind == HD_FK_JOIN_MISUSE;
}

/* ---- groups ---- */

static void join(struct findings *all, const struct finding *cause, struct finding *f)
{
    for (size_t i = 0; i < all->count; i++) {
        struct finding *of_it = all->list[i];
        if (of_it != f && (!of_it->same_cause || strcmp(of_it->same_cause, f->name) != 0))
            continue;
        free(of_it->same_cause);
        of_it->same_cause = mem_copy(cause->name);
    }
}

static bool may_join(const struct finding *f, const struct finding *g)
{
    return f != g && !f->same_as && !g->same_as && !f->same_cause && !g->same_cause &&
           !g->doubtful == !f->doubtful && f->known == g->known && f->fails == g->fails;
}

void findings_group(struct findings *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->count; k++) {
            struct finding *f = all->list[i], *g = all->list[k];
            if (may_join(f, g) && (follows(f, g) || (i < k && lack_one_lock(f, g))))
                join(all, f, g);
        }
}
