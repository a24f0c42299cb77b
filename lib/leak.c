/* leak.c - see leak.h. What is left is copied under the lock of the checks, and put into words
 * after: finding the words may take long. */
#include <heddle/leak.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <heddle/errors.h>
#include <heddle/panic.h>

#include "leak_ledger.h"
#include "misuse.h"
#include "park.h"
#include "watch_client.h"

#define KINDS_SHOWN 32u
#define FIRST_PAUSE_NS 50000
#define LAST_PAUSE_NS 20000000

extern __typeof__(dladdr) dladdr __attribute__((weak)); /* a static program may have none */

/* Those that are alike stand together. */
struct kind_of_leak {
    enum hd_object kind;
    enum hd_event event;
    bool ended, goroutine;
    const void *site, *made;
    int64_t since_ns; /* the longest */
    size_t count;
    char name[32], object[32];
};

struct leaks {
    size_t count, kinds;
    struct kind_of_leak kind[KINDS_SHOWN];
};

struct page {
    char *text;
    size_t room, used;
    bool full;
};

static _Atomic int64_t grace_ns = 1000000000;
static size_t (*_Atomic place_of)(const void *address, char *text, size_t bytes);

void hd_leak_grace(int64_t ns)
{
    atomic_store(&grace_ns, ns < 0 ? 0 : ns);
}

void hd_leak_places(size_t (*place)(const void *address, char *text, size_t bytes))
{
    atomic_store(&place_of, place);
}

/* ---- begin ---- */

void hd_leak_check_begin_at(const char *name, const char *file, int line)
{
    struct hdi_check *check;

    if (HDI_TELLS(check_begin)) {
        hdi_seam->check_begin(name, file, line, HDI_SITE());
        return;
    }
    check = calloc(1, sizeof *check);
    if (!check)
        hd_panic_err(hd_out_of_memory);
    hdi_hide(check, sizeof *check);
    atomic_store(&hdi_checking, true);
    check->thread = (unsigned long)pthread_self();
    snprintf(check->name, sizeof check->name, "%s", name ? name : "");
    check->file = file;
    check->line = line;
    check->outer = hdi_check_swap(check);
}

/* ---- what is left ---- */

static bool alike(const struct kind_of_leak *a, const struct kind_of_leak *b)
{
    return a->kind == b->kind && a->event == b->event && a->ended == b->ended &&
           a->site == b->site && a->made == b->made && strcmp(a->object, b->object) == 0;
}

static void note(struct leaks *leaks, const struct kind_of_leak *one)
{
    leaks->count++;
    for (size_t i = 0; i < leaks->kinds; i++)
        if (alike(&leaks->kind[i], one)) {
            leaks->kind[i].count++;
            if (one->since_ns > leaks->kind[i].since_ns)
                leaks->kind[i].since_ns = one->since_ns;
            return;
        }
    if (leaks->kinds < KINDS_SHOWN)
        leaks->kind[leaks->kinds++] = *one;
}

static void note_left(const struct hd_seam_left *left, void *leaks)
{
    struct kind_of_leak one = {.kind = left->kind,
                               .event = left->event,
                               .ended = left->ended != 0,
                               .goroutine = left->goroutine != 0,
                               .site = left->site,
                               .made = left->made,
                               .since_ns = left->since_ns,
                               .count = 1};

    snprintf(one.name, sizeof one.name, "%s", left->name);
    snprintf(one.object, sizeof one.object, "%s", left->object);
    note(leaks, &one);
}

static void note_owed(const struct hdi_owed *owed, struct leaks *leaks, int64_t now_ns)
{
    struct kind_of_leak one = {.kind = owed->kind, .made = owed->site, .since_ns = -1, .count = 1};

    if (owed->kind == HD_OB_THREAD && ((const struct hdi_working *)owed)->thread) {
        const struct hdi_working *work = (const struct hdi_working *)owed;
        struct hd_watch_state state = hdi_watch->state(work->thread);
        one.ended = state.ended != 0;
        one.event = state.ended ? HD_EV_NONE : state.event;
        if (one.event != HD_EV_NONE) {
            one.site = state.site;
            one.since_ns = now_ns - state.since_ns;
        }
        snprintf(one.name, sizeof one.name, "%s", work->name);
    } else if (owed->kind == HD_OB_THREAD) {
        const struct hdi_working *work = (const struct hdi_working *)owed;
        one.goroutine = true;
        one.event = (enum hd_event)atomic_load_explicit(&work->event, memory_order_acquire);
        if (one.event != HD_EV_NONE) {
            one.site = atomic_load_explicit(&work->site, memory_order_relaxed);
            one.since_ns = now_ns - atomic_load_explicit(&work->since_ns, memory_order_relaxed);
        }
        if (work->name[0])
            snprintf(one.name, sizeof one.name, "%s", work->name);
        else
            snprintf(one.name, sizeof one.name, "g%lu", work->number);
    } else if (owed->name) {
        snprintf(one.name, sizeof one.name, "%s", owed->name);
    }
    note(leaks, &one);
}

static bool owes_nothing(const struct hdi_check *check)
{
    bool nothing;

    hdi_lock(&hdi_check_lock);
    nothing = check->owed == NULL;
    hdi_unlock(&hdi_check_lock);
    return nothing;
}

static void wait_for_the_others(const struct hdi_check *check)
{
    int64_t until = hdi_now_ns() + atomic_load(&grace_ns), pause = FIRST_PAUSE_NS;

    while (!owes_nothing(check) && hdi_now_ns() < until) {
        nanosleep(&(struct timespec){0, pause}, NULL);
        pause = pause < LAST_PAUSE_NS ? pause * 2 : LAST_PAUSE_NS;
    }
}

/* Oldest first; from here on they owe nothing more. */
static void collect(struct hdi_check *check, struct leaks *leaks)
{
    int64_t now_ns = hdi_now_ns();
    struct hdi_owed *oldest = NULL;

    hdi_lock(&hdi_check_lock);
    check->over = true;
    while (check->owed) {
        struct hdi_owed *owed = check->owed;
        check->owed = owed->next;
        owed->link = NULL;
        owed->next = oldest;
        oldest = owed;
    }
    for (; oldest; oldest = oldest->next)
        note_owed(oldest, leaks, now_ns);
    hdi_unlock(&hdi_check_lock);
}

/* ---- in words ---- */

static const char *const doing[] = {
#define DOING(name, text, doing, object) doing,
    HD_EVENT_MAP(DOING)
#undef DOING
};
static const char *const nouns[] = {
#define NOUN(name, prefix, word) word,
    HD_OBJECT_MAP(NOUN)
#undef NOUN
};

HD_PRINTF(2, 3) static void add(struct page *page, const char *format, ...)
{
    va_list list;
    int wanted;

    if (page->full)
        return;
    va_start(list, format);
    wanted = vsnprintf(page->text + page->used, page->room - page->used, format, list);
    va_end(list);
    page->full = wanted < 0 || (size_t)wanted >= page->room - page->used;
    page->used = page->full ? page->room - 1 : page->used + (size_t)wanted;
}

static void add_place(struct page *page, const char *what, const void *address)
{
    size_t (*place)(const void *, char *, size_t) = atomic_load(&place_of);
    char text[256] = "";
    Dl_info in = {0};

    if (!address)
        return;
    if (place && place(address, text, sizeof text) > 0)
        add(page, "    %s %s\n", what, text);
    else if (dladdr && dladdr(address, &in) && in.dli_fname)
        add(page, "    %s %s%s%s+%#tx\n", what, in.dli_sname ? in.dli_sname : "",
            in.dli_sname ? "  " : "", in.dli_fname,
            (const char *)address - (const char *)in.dli_fbase);
    else
        add(page, "    %s %p\n", what, address);
}

static void add_state(struct page *page, const struct kind_of_leak *leak)
{
    if (leak->ended)
        add(page, "ended, not joined");
    else if (leak->event == HD_EV_NONE)
        add(page, "running");
    else
        add(page, "%s", doing[leak->event]);
    if (leak->object[0])
        add(page, " \"%s\"", leak->object);
    if (leak->since_ns >= 1000000000)
        add(page, ", %.1f s", (double)leak->since_ns / 1e9);
}

/* What should have been done to an object. */
static const char *never(const struct kind_of_leak *leak)
{
    switch (leak->kind) {
    case HD_OB_CONTEXT:
        return "cancelled";
    case HD_OB_TICKER:
        return "stopped";
    default:
        return strcmp(leak->name, "owner") == 0 ? "ended" : leak->name[0] ? "closed" : "destroyed";
    }
}

static void add_leak(struct page *page, const struct kind_of_leak *leak)
{
    if (leak->kind == HD_OB_THREAD) {
        add(page, "  %s \"%s\" [", leak->goroutine ? "goroutine" : "thread", leak->name);
        add_state(page, leak);
    } else {
        add(page, "  %s [never %s", leak->name[0] ? leak->name : nouns[leak->kind], never(leak));
    }
    add(page, "]");
    if (leak->count > 1)
        add(page, " and %zu more like it", leak->count - 1);
    add(page, "\n");
    add_place(page, "at     ", leak->site);
    add_place(page, "made at", leak->made);
}

static void put_into_words(const struct hdi_check *check, const struct leaks *leaks, char *text,
                           size_t bytes)
{
    struct page page = {.text = text, .room = bytes};
    const char *slash = check->file ? strrchr(check->file, '/') : NULL;
    size_t shown = 0;

    if (bytes == 0)
        return;
    text[0] = '\0';
    if (leaks->count == 0)
        return;
    add(&page, "left by \"%s\"", check->name);
    if (check->file)
        add(&page, " (%s:%d)", slash ? slash + 1 : check->file, check->line);
    add(&page, ": %zu\n", leaks->count);
    for (size_t i = 0; i < leaks->kinds; i++) {
        add_leak(&page, &leaks->kind[i]);
        shown += leaks->kind[i].count;
    }
    if (shown < leaks->count)
        add(&page, "  and %zu more\n", leaks->count - shown);
    if (page.full && bytes > 4)
        memcpy(text + bytes - 4, "...", 4);
}

/* ---- end ---- */

size_t hd_leak_check_end(char *text, size_t bytes)
{
    struct leaks leaks = {0};
    struct hdi_check *check, told = {0};

    if (HDI_TELLS(check_end)) {
        struct hd_seam_check of = {0};
        if (!hdi_seam->check_end(&of, note_left, &leaks, HDI_SITE()))
            hdi_misuse("end of a leak check that was not begun here", NULL, HDI_SITE());
        snprintf(told.name, sizeof told.name, "%s", of.name);
        told.file = of.file;
        told.line = of.line;
        put_into_words(&told, &leaks, text, bytes);
        return leaks.count;
    }
    check = hdi_check_now();
    if (!check || check->over || check->thread != (unsigned long)pthread_self())
        hdi_misuse("end of a leak check that was not begun here", NULL, HDI_SITE());
    wait_for_the_others(check);
    collect(check, &leaks);
    hdi_check_swap(check->outer);
    put_into_words(check, &leaks, text, bytes);
    return leaks.count;
}
