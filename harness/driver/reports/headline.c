/* headline.c - see headline.h */
#include "headline.h"

#include <stdlib.h>
#include <string.h>

#include "findings/phrase.h"
#include "report_text.h"
#include "symbols/symbol.h"
#include "util/alloc.h"

/* The first word of "T1 (worker)". */
int report_short_name(const char *thread)
{
    return thread ? (int)strcspn(thread, " ") : 0;
}

static const struct note *wait_of(const struct finding *f, uint32_t thread)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_WAITS && f->note[i].thread_id == thread)
            return &f->note[i];
    return NULL;
}

const struct note *report_partner(const struct finding *f, const struct note *wait)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_WOULD_WAKE && &f->note[f->note[i].link] == wait)
            return &f->note[i];
    return NULL;
}

/* Whom a wait is for: who holds its object, is joined, or would end it. 0 = nobody known. */
static uint32_t holder_of(const struct finding *f, const struct note *wait)
{
    const struct note *partner = report_partner(f, wait);
    if (partner)
        return partner->thread_id;
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_HOLDS && f->note[i].object_id == wait->object_id &&
            f->note[i].thread_id != wait->thread_id)
            return f->note[i].thread_id;
    for (size_t i = 0; wait->kind == HD_EV_THREAD_JOIN && i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_WAITS &&
            thread_object(f->note[i].thread_id) == wait->object_id)
            return f->note[i].thread_id;
    return 0;
}

/* A cycle of waits as an array of notes; returns its length, 0 = there is none. */
size_t report_cycle(const struct finding *f, const struct note **cycle, size_t room)
{
    for (size_t start = 0; start < f->notes; start++) {
        if (f->note[start].role != HD_ROLE_WAITS)
            continue;
        size_t n = 0;
        const struct note *at = &f->note[start];
        while (at && n < room) {
            cycle[n++] = at;
            uint32_t next = holder_of(f, at);
            if (next && next == f->note[start].thread_id)
                return n;
            at = next ? wait_of(f, next) : NULL;
        }
    }
    return 0;
}

/* ---- names ---- */

/* "mutex accounts" of "mutex M1 (accounts)"; of an object that is no variable and has no label,
 * "mutex M1". free() it; NULL: there is none. */
static char *thing(const struct note *n)
{
    const char *text = n->object, *home = text ? strstr(text, " (") : NULL;
    if (!home || n->object_kind == HD_OB_THREAD)
        return mem_copy(text);
    if (strncmp(home, " (made at ", 10) == 0 || strncmp(home, " (on the stack", 14) == 0)
        return mem_format("%.*s", (int)(home - text), text);
    const char *name = home;
    while (name > text && name[-1] != ' ')
        name--;
    int inside = (int)strlen(home + 2) - 1;
    return mem_format("%.*s%.*s", (int)(name - text), text, inside, home + 2);
}

static char *waits(const struct note *n)
{
    char *object = thing(n), *text = phrase_wait(n->kind, object);
    free(object);
    return text;
}

static char *did(const struct note *n)
{
    char *object = thing(n), *text = phrase_did(n->kind, object);
    free(object);
    return text;
}

static const struct note *find(const struct finding *f, enum hd_role role)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == role && f->note[i].thread)
            return &f->note[i];
    return NULL;
}

/* What to call first of all that wait: joins and groups wait for the others. */
static const struct note *telling_wait(const struct finding *f)
{
    const struct note *best = NULL;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_WAITS || !n->thread)
            continue;
        if (n->kind != HD_EV_THREAD_JOIN && n->kind != HD_EV_HD_WAITGROUP_WAIT)
            return n;
        if (!best || n->kind != HD_EV_THREAD_JOIN) /* main, which waits for all, comes first */
            best = n;
    }
    return best;
}

/* ---- standstills ---- */

/* "a, b and c", one after another. */
static void list_more(char **list, const char *text, bool last)
{
    char *more = mem_format("%s%s%s", *list, !**list ? "" : last ? " and " : ", ", text);
    free(*list);
    *list = more;
}

#define NAMED_IN_CYCLE 4u

/* What a standstill has beside it, behind what it is. */
static char *with_text(char *line, const struct finding *f)
{
    if (!*f->text)
        return line;
    char *whole = mem_format("%s; %s", line, f->text);
    free(line);
    return whole;
}

/* What a thread of a circle has to do with the wait of the one before it; the first is its subject. */
static char *known_by(const struct finding *f, const struct note *before, bool later)
{
    const struct note *missing = report_partner(f, before);
    if (missing && missing->in_vain)
        return mem_copy(", who signalled it when nobody waited,");
    if (missing)
        return mem_format(", who %s %s,", missing->extra & HD_WOULD_PERHAPS ? "could" : "would",
                          phrase_would(missing->kind));
    if (before->kind == HD_EV_THREAD_JOIN)
        return mem_copy(", who must end first,");
    char *has = thing(before);
    char *text = mem_format(later ? ", who holds %s," : " holds %s and", has ? has : "it");
    free(has);
    return text;
}

/* "T1 (get) holds mutex outer and waits for a signal to condition variable filled; T2 (put), who would
 * signal it, waits for mutex outer": begins where somebody is missing. NULL: there nobody is. */
static char *circle_by_partner(const struct finding *f, const struct note **cycle, size_t n)
{
    size_t first = 0;
    while (first < n && !report_partner(f, cycle[first]))
        first++;
    if (first == n)
        return NULL;
    char *text = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct note *wait = cycle[(first + i) % n], *before = cycle[(first + i + n - 1) % n];
        char *what = waits(wait), *who = known_by(f, before, i > 0);
        char *more =
            mem_format("%s%s%s%s %s", text ? text : "", text ? "; " : "", wait->thread, who, what);
        free(text);
        free(what);
        free(who);
        text = more;
    }
    return text;
}

static char *deadlock_headline(const struct finding *f)
{
    const struct note *cycle[HDP_NOTES], *wait;
    size_t n = report_cycle(f, cycle, HDP_NOTES);
    char *text;
    if (n < 2) {
        wait = telling_wait(f);
        char *what = wait ? waits(wait) : NULL;
        text = mem_format("%s%s%s%s%s%s%s", finding_title(f->kind), *f->text ? ": " : "", f->text,
                          wait ? ": " : "", wait ? wait->thread : "", wait ? " " : "",
                          what ? what : "");
        free(what);
        return text;
    }
    char *circle = n < NAMED_IN_CYCLE ? circle_by_partner(f, cycle, n) : NULL;
    if (circle) {
        text = mem_format("%s: %s", finding_title(f->kind), circle);
        free(circle);
        return with_text(text, f);
    }
    char *who = mem_copy(""), *what = mem_copy("");
    for (size_t i = 0; i < n; i++) {
        char *name = mem_format("%.*s", report_short_name(cycle[i]->thread), cycle[i]->thread);
        bool joins = cycle[i]->kind == HD_EV_THREAD_JOIN;
        const char *next = cycle[(i + 1) % n]->thread;
        char *object =
            joins ? mem_format("the end of %.*s", report_short_name(next), next) : thing(cycle[i]);
        list_more(&who, name, i + 1 == n);
        list_more(&what, object ? object : "a select", i + 1 == n);
        free(name);
        free(object);
    }
    text = mem_format("deadlock: %s wait for each other%s%s", who,
                      n <= NAMED_IN_CYCLE ? ", for " : "", n <= NAMED_IN_CYCLE ? what : "");
    free(who);
    free(what);
    return with_text(text, f);
}

static bool reads(enum hd_event kind)
{
    return kind == HD_EV_RWLOCK_RDLOCK || kind == HD_EV_HD_RWMUTEX_RLOCK;
}

/* It holds what it waits for; of a lock for readers and writers, in another way, or with a writer
 * between. */
static char *self_deadlock_headline(const struct finding *f)
{
    const struct note *wait = telling_wait(f), *held = NULL, *writer = NULL;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->object_id != wait->object_id)
            continue;
        if (n->role == HD_ROLE_HOLDS && n->thread_id == wait->thread_id)
            held = n;
        if (n->role == HD_ROLE_WAITS && n->thread_id != wait->thread_id && !reads(n->kind))
            writer = n;
    }
    char *what = waits(wait), *object = thing(wait), *text;
    if (wait->kind == HD_EV_THREAD_JOIN)
        text = mem_format("self-deadlock: %s waits for its own end", wait->thread);
    else if (reads(wait->kind) && held && reads(held->kind) && writer && writer->thread)
        text = mem_format("self-deadlock: %s read-locks %s again, behind %s, which waits to write "
                          "until it is unlocked",
                          wait->thread, object ? object : "a lock", writer->thread);
    else
        text = mem_format("self-deadlock: %s %s, which it %s itself", wait->thread, what,
                          held && reads(held->kind)                                 ? "reads"
                          : wait->kind == HD_EV_ONCE || wait->kind == HD_EV_HD_ONCE ? "runs"
                                                                                    : "holds");
    free(what);
    free(object);
    return with_text(text, f);
}

static char *lost_wakeup_headline(const struct finding *f)
{
    const struct note *wait = telling_wait(f);
    char *what = waits(wait), *text;
    const struct note *signal = NULL;
    for (size_t i = 0; i < f->notes && !signal; i++)
        if (f->note[i].role == HD_ROLE_COULD_WAKE && f->note[i].in_vain && f->note[i].thread &&
            f->note[i].object_id == wait->object_id)
            signal = &f->note[i];
    if (signal) {
        char *sent = did(signal);
        text = mem_format("lost wakeup: %s %s before %s waited for that", signal->thread, sent,
                          wait->thread);
        free(sent);
    } else {
        text =
            mem_format("all threads wait: nobody is left to wake %s, which %s", wait->thread, what);
    }
    free(what);
    return with_text(text, f);
}

static char *leak_headline(const struct finding *f)
{
    const struct note *wait = f->kind == HD_FK_LEAK_BLOCKED ? find(f, HD_ROLE_WAITS) : NULL;
    const struct note *maker = f->kind == HD_FK_LEAK_OBJECT ? find(f, HD_ROLE_CREATED) : NULL;
    if (!wait)
        return mem_format("%s%s%s", f->text, maker ? ", made by " : "", maker ? maker->thread : "");
    char *what = waits(wait), *text = mem_format("%s: %s %s", f->text, wait->thread, what);
    free(what);
    return text;
}

/* ---- accesses ---- */

/* "write at bank.c:12" of one side of a race; free() it. */
static char *side_of_race(const struct note *n)
{
    const struct frame *fr = n->stack.count ? &n->stack.frame[0] : NULL;
    const char *verb = !n->text ? "access" : hdp_access_word(n->extra);
    char *place = !fr        ? mem_copy("an unknown place")
                  : fr->file ? mem_format("%s:%u", base_name(fr->file), fr->line)
                             : mem_copy(fr->function ? fr->function : "an unknown place");
    char *text =
        mem_format("%s%s at %s", n->extra & HD_ACCESS_ATOMIC ? "atomic " : "", verb, place);
    free(place);
    return text;
}

/* "data race on table.count: write at a.c:3, read at a.c:9", or NULL when a side is not known. */
static char *race_headline(const struct finding *f)
{
    const struct note *a = NULL, *b = NULL;
    for (size_t i = 0; i < f->notes; i++) {
        if (f->note[i].role == HD_ROLE_ACCESS && !a)
            a = &f->note[i];
        if (f->note[i].role == HD_ROLE_PREVIOUS_ACCESS && !b)
            b = &f->note[i];
    }
    if (!a || !b || !a->stack.count || !b->stack.count)
        return NULL;
    const char *object = a->object   ? a->object + a->name_at
                         : b->object ? b->object + b->name_at
                                     : NULL;
    const struct note *block = object ? NULL : find(f, HD_ROLE_ALLOCATED);
    const struct frame *made = block && block->stack.count ? &block->stack.frame[0] : NULL;
    char *home = object               ? mem_format(" on %s", object)
                 : made && made->file ? mem_format(" on the block allocated at %s:%u",
                                                   base_name(made->file), made->line)
                                      : mem_copy("");
    char *now = side_of_race(a), *before = side_of_race(b);
    char *text = mem_format("%s%s: %s, %s", finding_title(f->kind), home, before, now);
    free(home);
    free(now);
    free(before);
    return text;
}

/* "memory used after it was freed: T1 (user) locked mutex M2, T2 (owner) freed it" */
static char *freed_headline(const struct finding *f)
{
    const struct note *use = find(f, HD_ROLE_HERE), *owner = find(f, HD_ROLE_FREED);
    const char *title = finding_title(f->kind), *text = f->text;
    if (!use)
        use = find(f, HD_ROLE_ACCESS);
    if (!owner)
        owner = find(f, HD_ROLE_EARLIER);
    if (!use || !owner)
        return mem_format("%s%s%s", title, *text ? ": " : "", text);
    if (use->role == HD_ROLE_HERE && use->object && !*text) {
        char *used = did(use),
             *line = mem_format("%s: %s %s, %s freed it", title, use->thread, used, owner->thread);
        free(used);
        return line;
    }
    return mem_format("%s: %s, by %s; freed by %s", title,
                      use->text ? use->text
                      : *text   ? text
                                : "used",
                      use->thread, owner->thread);
}

/* The name that a program calls a function of libc by: "memset" of __memset_avx512_unaligned_erms. */
static char *libc_name(const char *function)
{
    static const char *const variant[] = {"_avx", "_evex", "_sse", "_ssse", "_erms", "_unaligned"};
    if (strncmp(function, "__GI_", 5) == 0)
        function += 5;
    function += strspn(function, "_");
    size_t length = strlen(function);
    for (size_t i = 0; i < sizeof variant / sizeof *variant; i++) {
        const char *at = strstr(function, variant[i]);
        if (at && at > function && (size_t)(at - function) < length)
            length = (size_t)(at - function);
    }
    return mem_format("%.*s", (int)length, function);
}

static bool in_libc(const struct frame *fr)
{
    return fr->module && strncmp(fr->module, "libc.so", 7) == 0;
}

/* "crash: SIGSEGV: invalid memory access in use() at settings.c:33"; libc's own lines say nothing to
 * anybody: "in memset(), called by use() at settings.c:33". */
static char *crash_headline(const struct finding *f)
{
    const struct note *here = find(f, HD_ROLE_HERE);
    const struct frame *fr = here && here->stack.count ? &here->stack.frame[0] : NULL;
    if (!fr || !fr->function)
        return mem_format("%s: %s", finding_title(f->kind), f->text);
    const struct frame *end = fr + here->stack.count, *caller = fr;
    while (caller < end && (in_libc(caller) || !caller->function))
        caller++;
    char *callee = caller > fr && caller < end ? libc_name(fr->function) : NULL;
    if (callee)
        fr = caller;
    const struct note *closer = f->kind == HD_FK_PANIC ? find(f, HD_ROLE_EARLIER) : NULL;
    char *place = fr->file ? mem_format(" at %s:%u", base_name(fr->file), fr->line) : mem_copy("");
    const char *colon = here->text && here->extra & HD_ACCESS_FAULT ? strchr(f->text, ':') : NULL;
    char *what = colon ? mem_format("%.*s: %.*s", (int)(colon - f->text), f->text,
                                    (int)strcspn(here->text, ","), here->text)
                       : mem_copy(f->text);
    char *text = mem_format("%s: %s in %s%s%s()%s%s%s", finding_title(f->kind), what,
                            callee ? callee : "", callee ? "(), called by " : "", fr->function,
                            place, closer ? ", closed by " : "", closer ? closer->thread : "");
    free(callee);
    free(place);
    free(what);
    return text;
}

/* Who did what, to what. */
static char *misuse_headline(const struct finding *f)
{
    const struct note *here = find(f, HD_ROLE_HERE), *before = find(f, HD_ROLE_EARLIER);
    const char *title = finding_title(f->kind);
    char *object = here ? thing(here) : NULL, *line;
    if (!here || !object)
        line = mem_format("%s%s%s%s%s", title, *f->text ? ": " : "", f->text, here ? ", by " : "",
                          here ? here->thread : "");
    else if (*f->text)
        line = mem_format("%s: %s, %s, by %s", title, object, f->text, here->thread);
    else if (f->kind == HD_FK_LOCK_AT_EXIT)
        line = mem_format("%s: %s did not unlock %s", title, here->thread, object);
    else if (f->kind == HD_FK_USE_AFTER_DESTROY && before)
        line = mem_format("%s: %s used %s, which %s had destroyed", title, here->thread, object,
                          before->thread);
    else {
        char *what = did(here);
        line = mem_format("%s: %s %s", title, here->thread, what);
        free(what);
    }
    free(object);
    return line;
}

/* "locks taken in opposite orders: mutex a and mutex b: not confirmed by 30 tries" */
static char *order_headline(const struct finding *f)
{
    char *list = mem_copy("");
    uint32_t seen[NAMED_IN_CYCLE];
    size_t n = 0, named = 0;
    const struct note *locks[NAMED_IN_CYCLE];
    for (size_t i = 0; i < f->notes && n < NAMED_IN_CYCLE; i++) {
        const struct note *lock = &f->note[i];
        bool known = lock->role != HD_ROLE_EDGE_HELD || !lock->object;
        for (size_t k = 0; k < n; k++)
            known |= seen[k] == lock->object_id;
        if (known)
            continue;
        seen[n] = lock->object_id;
        locks[n++] = lock;
    }
    for (; named < n; named++) {
        char *lock = thing(locks[named]);
        list_more(&list, lock, named > 0 && named + 1 == n);
        free(lock);
    }
    const struct note *waiter = f->kind == HD_FK_WAIT_HOLDING_LOCK ? find(f, HD_ROLE_WAITED) : NULL;
    if (waiter) {
        char *more = mem_format("%s, by %s", list, waiter->thread);
        free(list);
        list = more;
    }
    char *line =
        mem_format("%s%s%s%s%s",
                   f->kind == HD_FK_LOCK_ORDER && n == 1 ? "lock read again by who reads it"
                                                         : finding_title(f->kind),
                   n ? ": " : "", list, *f->text ? ": " : "", f->text);
    free(list);
    return line;
}

/* "failure: exit code 3, but 0 in other schedules: T1 (clean) ended the program" */
static char *exit_headline(const struct finding *f)
{
    const struct note *here = find(f, HD_ROLE_HERE);
    bool by_another = here && strncmp(here->thread, "T0 ", 3) != 0;
    return mem_format("%s: %s%s%s%s", finding_title(f->kind), f->text, by_another ? ": " : "",
                      by_another ? here->thread : "", by_another ? " ended the program" : "");
}

/* "wait on a condition variable without its mutex: T1 (f) waited on condition variable c without mutex m" */
static char *wait_headline(const struct finding *f)
{
    char *line = misuse_headline(f);
    size_t told = 0;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_WITH)
            continue;
        char *mutex = thing(n);
        char *longer = f->kind == HD_FK_COND_NOT_LOCKED || f->kind == HD_FK_SIGNAL_UNLOCKED
                           ? mem_format("%s without holding %s", line, mutex ? mutex : "it")
                           : mem_format("%s%s%s with %s", line, told ? ", " : "",
                                        told && n->thread ? n->thread : "", mutex ? mutex : "one");
        free(mutex);
        free(line);
        line = longer;
        told++;
    }
    return line;
}

/* "livelock: threads run, but only try again and again: T1 (f) keeps yielding at f.c:5" */
static char *livelock_headline(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        const struct frame *fr = n->stack.count ? &n->stack.frame[0] : NULL;
        if (n->role == HD_ROLE_WAITS && n->thread && !n->object && fr && fr->file)
            return mem_format("%s: %s: %s keeps %s at %s:%u", finding_title(f->kind), f->text,
                              n->thread, event_doing(n->kind), base_name(fr->file), fr->line);
    }
    return mem_format("%s: %s", finding_title(f->kind), f->text);
}

static bool is_misuse(enum hd_finding_kind kind)
{
    return kind == HD_FK_JOIN_MISUSE || kind == HD_FK_SYNC_MISUSE;
}

char *report_headline(const struct finding *f)
{
    bool is_race = f->kind == HD_FK_DATA_RACE || f->kind == HD_FK_PREDICTED_RACE;
    char *race = is_race ? race_headline(f) : NULL;
    if (race)
        return race;
    if (f->text_is_all)
        return mem_format("%s: %s", finding_title(f->kind), f->text);
    switch (f->kind) {
    case HD_FK_DEADLOCK:
        return deadlock_headline(f);
    case HD_FK_USE_AFTER_FREE:
    case HD_FK_DOUBLE_FREE:
        return freed_headline(f);
    case HD_FK_LOCK_ORDER:
    case HD_FK_WAIT_HOLDING_LOCK:
        return order_headline(f);
    case HD_FK_SELF_DEADLOCK:
        if (telling_wait(f))
            return self_deadlock_headline(f);
        break;
    case HD_FK_LOST_WAKEUP:
        if (telling_wait(f))
            return lost_wakeup_headline(f);
        break;
    case HD_FK_CRASH:
    case HD_FK_PANIC:
        if (*f->text)
            return crash_headline(f);
        break;
    case HD_FK_EXIT_CODE:
        return exit_headline(f);
    case HD_FK_COND_NOT_LOCKED:
    case HD_FK_SIGNAL_UNLOCKED:
    case HD_FK_COND_TWO_MUTEXES:
        return wait_headline(f);
    case HD_FK_LIVELOCK:
        return livelock_headline(f);
    default:
        break;
    }
    if (!*f->text || is_misuse(f->kind))
        return misuse_headline(f);
    if (finding_is_leak(f->kind)) /* what was left, and by whom: a title would say it again */
        return leak_headline(f);
    return mem_format("%s: %s", finding_title(f->kind), f->text);
}
