/* report_text.c - see report_text.h */
#include "report_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "findings/suppress.h"
#include "findings/phrase.h"
#include "explored.h"
#include "headline.h"
#include "page.h"
#include "source_place.h"
#include "symbols/source.h"
#include "symbols/symbol.h"
#include "util/alloc.h"
#include "util/fault_words.h"
#include "util/quantity.h"
#include "util/shell.h"
#include "worth.h"

/* So many lines of a stack that only repeat what stands above them are one line instead. */
#define REPEATED_FRAMES 4

/* The page that is written. */
static struct page page;

/* ---- the cycle ---- */

/* What the thread of the next row has to do with a wait. */
static const char *relation(const struct finding *f, const struct note *wait)
{
    return wait->kind == HD_EV_THREAD_JOIN ? "" : report_partner(f, wait) ? "needs " : "held by ";
}

static void draw_cycle(FILE *to, const struct finding *f)
{
    const struct note *cycle[HDP_NOTES];
    char *what[HDP_NOTES];
    size_t n = report_cycle(f, cycle, HDP_NOTES);
    if (n < 2 || f->kind == HD_FK_SELF_DEADLOCK)
        return;
    int widest = 0, thread = 0, line = 0;
    for (size_t i = 0; i < n; i++) {
        bool joins = cycle[i]->kind == HD_EV_THREAD_JOIN;
        const char *next = cycle[(i + 1) % n]->thread;
        what[i] = joins ? mem_format("waits for the end of %s", next)
                        : phrase_wait(cycle[i]->kind, cycle[i]->object);
        int w = (int)strlen(what[i]);
        widest = w > widest ? w : widest;
        w = (int)strlen(cycle[i]->thread);
        thread = w > thread ? w : thread;
    }
    fputs("\n  Who waits for whom:\n\n", to);
    bool fits = 8 + thread + 1 + widest + 1 + 8 + thread + 5 <= page.width;
    for (size_t i = 0; i < n && !fits; i++) {
        const char *next = cycle[(i + 1) % n]->thread, *how = relation(f, cycle[i]);
        fprintf(to, "    %s %s%s%s%s\n", cycle[i]->thread, what[i], *how ? ", " : "", how,
                *how ? next : "");
        free(what[i]);
    }
    if (!fits)
        return;
    for (size_t i = 0; i < n; i++) {
        const char *next = cycle[(i + 1) % n]->thread, *how = relation(f, cycle[i]);
        line = fprintf(to, "    %s %-*s %-*s %s%s%s\n", i == 0 ? "+->" : "|  ", thread,
                       cycle[i]->thread, widest, what[i], how, *how ? next : "",
                       i + 1 == n ? "  --+" : "");
        free(what[i]);
    }
    fputs("    +", to);
    for (int i = 6; i < line - 1; i++)
        fputc('-', to);
    fputs("+\n", to);
}

/* ---- sides ---- */

/* Words, in lines of their own from `indent` on once the one that is `column` wide is full. */
static void print_words(FILE *to, const char *text, int column, int indent)
{
    bool begins = column == indent;
    for (const char *p = text; *p;) {
        int n = (int)strcspn(p, " \n");
        bool fits = column + !begins + n <= page.width;
        if (!begins)
            fprintf(to, "%s%*s", fits ? " " : "\n", fits ? 0 : indent, "");
        fprintf(to, "%.*s", n, p);
        column = begins ? column + n : fits ? column + 1 + n : indent + n;
        begins = false;
        p += n;
        p += strspn(p, " \n");
    }
    fputc('\n', to);
}

/* As short as an editor still understands it. */
static const char *near_path(const char *file)
{
    static char here[4096];
    static size_t length;
    if (!length) {
        if (!getcwd(here, sizeof here))
            here[0] = '\0';
        length = strlen(here);
    }
    if (length > 1 && strncmp(file, here, length) == 0 && file[length] == '/')
        return file + length + 1;
    return file;
}

/* What stands in the first column: the function, or the place in a file without symbols. */
static const char *frame_name(const struct frame *fr, char *buffer, size_t bytes)
{
    if (fr->function)
        return fr->function;
    if (fr->module)
        snprintf(buffer, bytes, "%s+%#llx", fr->module, (unsigned long long)fr->offset);
    else
        snprintf(buffer, bytes, "%#llx", (unsigned long long)fr->offset);
    return buffer;
}

/* The line of source at a place, with a mark below the column; false: it cannot be read. A tab is one
 * column wide here. */
static bool print_source(FILE *to, const struct frame *fr, int indent)
{
    char *path = fr->file && fr->line ? source_find(fr->file, NULL) : NULL;
    const char *line = path ? source_line(path, fr->line) : NULL;
    unsigned blanks = line && *line ? source_indent(path, fr->line) : 0;
    int room = page.width - indent - 8, n = line ? (int)strlen(line) : 0;
    free(path);
    if (n == 0)
        return false;
    if (n > room)
        for (n = room; n > 0 && ((unsigned char)line[n] & 0xc0) == 0x80;)
            n--;
    fprintf(to, "%*s%s%5u |%s ", indent, "", page_style(&page, PAGE_DIM), fr->line,
            page_style(&page, PAGE_PLAIN));
    for (int i = 0; i < n; i++)
        fputc(line[i] == '\t' ? ' ' : line[i], to);
    fputc('\n', to);
    if (fr->column > blanks && (int)(fr->column - blanks) <= n)
        fprintf(to, "%*s%s      |%s %*s%s^%s\n", indent, "", page_style(&page, PAGE_DIM),
                page_style(&page, PAGE_PLAIN), (int)(fr->column - blanks) - 1, "",
                page_style(&page, PAGE_RED), page_style(&page, PAGE_PLAIN));
    return true;
}

/* `with_source`: below the innermost frame whose file is there. */
static void print_stack(FILE *to, const struct stack *s, int indent, bool with_source)
{
    char buffer[128];
    int widest = 0;
    for (size_t i = 0; i < s->count; i++) {
        int n = (int)strlen(frame_name(&s->frame[i], buffer, sizeof buffer));
        if (s->frame[i].file && n > widest)
            widest = n < 40 ? n : 40;
    }
    for (size_t i = 0; i < s->count; i++) {
        const struct frame *fr = &s->frame[i];
        const char *name = frame_name(fr, buffer, sizeof buffer);
        if (fr->file)
            fprintf(to, "%*s%-*s  %s:%u%s\n", indent, "", widest, name, near_path(fr->file),
                    fr->line, fr->inlined ? " (inlined)" : "");
        else if (fr->function && fr->module)
            fprintf(to, "%*s%-*s  %s+%#llx\n", indent, "", widest, name, fr->module,
                    (unsigned long long)fr->offset);
        else
            fprintf(to, "%*s%s\n", indent, "", name);
        if (with_source && print_source(to, fr, indent + 2))
            with_source = false;
        size_t period = 0, again = stack_repeats(s, i + 1, &period);
        if (period * again < REPEATED_FRAMES)
            continue;
        fprintf(to, "%*s... the last ", indent, "");
        if (period > 1)
            fprintf(to, "%zu lines ", period);
        else
            fputs("line ", to);
        fprintf(to, "%zu times more\n", again);
        i += period * again;
    }
}

void report_stack(FILE *to, const struct stack *s, int indent)
{
    print_stack(to, s, indent, false);
}

static const char *or_it(const char *text)
{
    return text ? text : "it";
}

static char *with_at(char *text)
{
    char *whole = mem_format("%s at", text);
    free(text);
    return whole;
}

/* What the thread did that brought it about. */
static char *here_text(const struct note *n, enum hd_finding_kind kind)
{
    const char *object = n->object;
    switch (kind) {
    case HD_FK_CRASH:
        return mem_copy("crashed at");
    case HD_FK_ASSERTION:
        return mem_copy("failed the assertion at");
    case HD_FK_PANIC:
        return object ? mem_format("panicked, using %s, at", object) : mem_copy("panicked at");
    case HD_FK_LEAK_UNJOINED:
        return mem_copy("has ended; it ran");
    case HD_FK_LOCK_AT_EXIT:
        return mem_format("ended without unlocking %s; it ran", or_it(object));
    case HD_FK_COND_TWO_MUTEXES:
    case HD_FK_COND_NOT_LOCKED:
        if (n->kind == HD_EV_COND_WAIT)
            return mem_format("began to wait on %s at", or_it(object));
        break;
    case HD_FK_EXIT_CODE:
        return mem_copy(n->stack.count ? "ended the program at" : "ended the program");
    case HD_FK_JOIN_MISUSE:
        return mem_format("wanted to %s %s at",
                          n->kind == HD_EV_THREAD_DETACH   ? "detach"
                          : n->kind == HD_EV_THREAD_JOIN   ? "join"
                          : n->kind == HD_EV_THREAD_CANCEL ? "cancel"
                          : n->kind == HD_EV_THREAD_KILL   ? "send a signal to"
                                                           : "use",
                          object ? object : "a thread");
    default:
        break;
    }
    return n->kind == HD_EV_NONE && !object ? mem_copy("was here:")
                                            : with_at(phrase_did(n->kind, object));
}

/* "a value from channel CH1, or a receiver or room in channel CH2"; NULL: it is no select. */
static char *cases_of(const struct finding *f, const struct note *wait)
{
    char *text = NULL;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_CASE || &f->note[n->link] != wait || !n->object)
            continue;
        char *one = phrase_case(n->kind, n->object);
        char *more = text ? mem_format("%s, or %s", text, one) : mem_copy(one);
        free(text);
        free(one);
        text = more;
    }
    return text;
}

static char *waits_text(const struct finding *f, const struct note *n)
{
    if (f->kind == HD_FK_LIVELOCK && !n->object)
        return mem_format("keeps %s at", event_doing(n->kind));
    char *cases = cases_of(f, n), *text;
    if (!cases)
        return with_at(phrase_wait(n->kind, n->object));
    text = mem_format("waits in a select for %s, at", cases);
    free(cases);
    return text;
}

static char *holds_text(const struct note *n)
{
    const char *at = n->stack.count ? ", at" : "";
    if (n->kind == HD_EV_CHAN_SEND)
        return mem_format("sent what fills %s%s", or_it(n->object), at);
    if (n->kind == HD_EV_CHAN_RECV)
        return mem_format("received what is missing in %s%s", or_it(n->object), at);
    bool reads = n->kind == HD_EV_RWLOCK_RDLOCK || n->kind == HD_EV_HD_RWMUTEX_RLOCK;
    return mem_format("holds %s%s%s", or_it(n->object), reads ? " for reading" : "",
                      n->stack.count ? ", taken at" : "");
}

/* `before` and `after` what it did. */
static char *did_text(const char *before, const struct note *n, const char *after)
{
    char *did = phrase_did(n->kind, n->object);
    char *text = mem_format("%s%s%s", before, did, after);
    free(did);
    return text;
}

static char *waker_text(const struct finding *f, const struct note *n)
{
    const struct note *wait = &f->note[n->link];
    bool known = wait->role == HD_ROLE_WAITS && wait->thread;
    char *before =
        mem_format("could have woken %.*s: last ", known ? report_short_name(wait->thread) : 2,
                   known ? wait->thread : "it");
    char *text = did_text(before, n, " at");
    free(before);
    return text;
}

static char *would_text(const struct finding *f, const struct note *n)
{
    const struct note *wait = &f->note[n->link];
    if (n->in_vain)
        return mem_copy("signalled it when nobody waited, at");
    return mem_format("%s %s for %.*s%s", n->extra & HD_WOULD_PERHAPS ? "could" : "would",
                      phrase_would(n->kind), report_short_name(wait->thread),
                      wait->thread ? wait->thread : "",
                      n->stack.count ? ", as it did before at" : "");
}

static bool is_made_by_a_call(enum hd_finding_kind kind)
{
    return finding_is_leak(kind) || kind == HD_FK_JOIN_MISUSE;
}

/* The sentence of a note, without its thread. */
static char *side_text(const struct finding *f, const struct note *n)
{
    const char *object = n->object;
    switch (n->role) {
    case HD_ROLE_HERE:
        return here_text(n, f->kind);
    case HD_ROLE_WAITS:
        return waits_text(f, n);
    case HD_ROLE_HOLDS:
        return holds_text(n);
    case HD_ROLE_CREATED: /* a static object is known from its first use */
        if (f->kind == HD_FK_DESCRIPTOR_RACE)
            return with_at(phrase_did(n->kind, object));
        return mem_format(is_made_by_a_call(f->kind) ? "made %s at" : "made, or first used, %s at",
                          or_it(object));
    case HD_ROLE_COULD_WAKE:
        return waker_text(f, n);
    case HD_ROLE_EARLIER:
        return did_text("had ", n, " before, at");
    case HD_ROLE_ACCESS:
    case HD_ROLE_PREVIOUS_ACCESS:
        return mem_format("%s%s%s%s", n->role == HD_ROLE_ACCESS ? "" : "earlier ",
                          n->text ? n->text : "access", object ? ", " : "", object ? object : "");
    case HD_ROLE_ALLOCATED:
        return mem_copy("allocated the memory at");
    case HD_ROLE_FREED:
        return mem_copy("freed the memory at");
    case HD_ROLE_EDGE_HELD:
        return mem_format("held %s, taken at", or_it(object));
    case HD_ROLE_EDGE_TOOK:
        return mem_format("then took %s at", or_it(object));
    case HD_ROLE_WAITED:
        return did_text("and meanwhile ", n, " at");
    case HD_ROLE_NEEDED:
        return mem_format("took %s, too, at", or_it(object));
    case HD_ROLE_WOKE:
        return did_text("and only after that ", n,
                        n->kind == HD_EV_THREAD_EXIT ? "; it ran" : " at");
    case HD_ROLE_INTERRUPTED:
        return mem_format("was interrupted %s%s%s, at", event_doing(n->kind), object ? " " : "",
                          object ? object : "");
    case HD_ROLE_WITH:
        return mem_format(f->kind == HD_FK_COND_NOT_LOCKED || f->kind == HD_FK_SIGNAL_UNLOCKED
                              ? "without holding %s, the mutex of the wait"
                              : "with %s",
                          or_it(object));
    case HD_ROLE_LAST_OP:
        if (n->kind == HD_EV_NONE)
            return mem_copy("is at");
        return did_text("was last seen when it ", n, " at");
    case HD_ROLE_WOULD_WAKE:
        return would_text(f, n);
    case HD_ROLE_CASE:
    case HD_ROLE_COUNT:
        break;
    }
    return mem_copy("");
}

static bool told_before(const struct finding *f, const struct note *n)
{
    for (const struct note *before = f->note; before < n; before++)
        if (before->history && before->object_id == n->object_id)
            return true;
    return false;
}

/* What happened to what is waited for; of a select, to each of its cases. */
static void print_history(FILE *to, const struct finding *f, const struct note *wait)
{
    if (wait->history && wait->role != HD_ROLE_WAITS && wait->role != HD_ROLE_CASE) {
        fprintf(to, "%*s", 6, "");
        print_words(to, wait->history, 6, 6);
    }
    for (size_t i = 0; wait->role == HD_ROLE_WAITS && i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (!n->history || told_before(f, n) ||
            (n != wait && (n->role != HD_ROLE_CASE || &f->note[n->link] != wait)))
            continue;
        fprintf(to, "%*s", 6, "");
        print_words(to, n->history, 6, 6);
    }
}

/* Is its innermost place the same as that of a note before it? Then its source is there already. */
static bool is_shown(const struct finding *f, const struct note *n)
{
    const struct frame *mine = n->stack.count ? &n->stack.frame[0] : NULL;
    for (const struct note *before = f->note; mine && before < n; before++) {
        const struct frame *fr = before->stack.count ? &before->stack.frame[0] : NULL;
        if (fr && fr->file && mine->file && fr->line == mine->line &&
            strcmp(fr->file, mine->file) == 0)
            return true;
    }
    return false;
}

static void print_side(FILE *to, const struct finding *f, const struct note *n, bool same_thread)
{
    char *side = side_text(f, n);
    size_t length = strlen(side);
    if (!n->stack.count && length > 3 && strcmp(side + length - 3, " at") == 0)
        side[length - 3] = 0; /* in code of ours alone */
    if (!n->thread)
        fprintf(to, "\n  %s\n", side);
    else if (same_thread)
        fprintf(to, "    %s\n", side);
    else
        fprintf(to, "\n  %s%s %s\n", n->thread,
                n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS ? ":" : "", side);
    if (n->text && n->role != HD_ROLE_ACCESS && n->role != HD_ROLE_PREVIOUS_ACCESS)
        fprintf(to, "      %s\n", n->text);
    print_stack(to, &n->stack, 6, !is_shown(f, n));
    print_history(to, f, n);
    free(side);
}

static bool is_repeated(const struct finding *f, size_t i)
{
    const struct note *n = &f->note[i];
    if (n->role == HD_ROLE_CASE)
        return true; /* the wait that it belongs to says it */
    for (size_t k = 0; k < i && n->thread_id && n->object_id; k++)
        if (f->note[k].role == n->role && f->note[k].thread_id == n->thread_id &&
            f->note[k].object_id == n->object_id && f->note[k].kind == n->kind)
            return true;
    return false;
}

/* What a thread has to do with it stands together, what it waits for first. */
static void print_thread(FILE *to, const struct finding *f, uint32_t thread)
{
    bool any = false;
    for (int waits = 1; waits >= 0; waits--)
        for (size_t i = 0; i < f->notes; i++)
            if (f->note[i].thread_id == thread && (f->note[i].role == HD_ROLE_WAITS) == waits &&
                !is_repeated(f, i)) {
                print_side(to, f, &f->note[i], any);
                any = true;
            }
}

static void print_sides(FILE *to, const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++) {
        uint32_t thread = f->note[i].thread_id;
        bool shown = false;
        for (size_t k = 0; thread && k < i; k++)
            shown |= f->note[k].thread_id == thread;
        if (!thread)
            print_side(to, f, &f->note[i], false);
        else if (!shown)
            print_thread(to, f, thread);
    }
}

/* ---- the interleaving ---- */

enum { COLUMNS = 6 };

static void print_moments(FILE *to, const struct finding *f)
{
    const char *column[COLUMNS];
    size_t columns = 0;
    int cell = 0;
    if (!f->moments)
        return;
    for (size_t i = 0; i < f->moments; i++) {
        int w = (int)strlen(f->moment[i].what);
        cell = w > cell ? w : cell;
    }
    for (size_t i = 0; i < f->moments; i++) {
        size_t c = 0;
        while (c < columns && strcmp(column[c], f->moment[i].thread) != 0)
            c++;
        if (c == COLUMNS) { /* too many for columns: a list */
            columns = 0;
            break;
        }
        if (c == columns)
            column[columns++] = f->moment[i].thread;
    }
    for (size_t i = 1; i < columns; i++) /* in the order of their names */
        for (size_t k = i; k > 0 && strverscmp(column[k - 1], column[k]) > 0; k--) {
            const char *t = column[k];
            column[k] = column[k - 1];
            column[k - 1] = t;
        }
    if (cell > 30)
        cell = 30;
    size_t place = 0;
    for (size_t i = 0; page.folds && i < f->moments; i++) {
        size_t w = f->moment[i].place ? strlen(f->moment[i].place) : 0;
        place = w > place ? w : place;
    }
    if (columns && (size_t)(cell + 2) * columns + place > (size_t)page.width - 12)
        columns = 0;
    fprintf(to, "\n  How it came about (the last decisions about it%s):\n\n      step  ",
            columns ? ", a column for each thread" : "");
    for (size_t c = 0; c < columns; c++)
        fprintf(to, "%-*s  ", cell, column[c]);
    if (columns)
        fputs("where\n", to);
    else
        fprintf(to, "%-6s %-*s  where\n", "who", cell, "what");
    for (size_t i = 0; i < f->moments; i++) {
        const struct moment *m = &f->moment[i];
        if (m->step)
            fprintf(to, "    %6u  ", m->step);
        else
            fputs("       end  ", to);
        if (!columns)
            fprintf(to, "%-6s %-*.*s  ", m->thread, cell, cell, m->what);
        for (size_t c = 0; c < columns; c++)
            fprintf(to, "%-*.*s  ", cell, cell, strcmp(column[c], m->thread) == 0 ? m->what : "");
        fprintf(to, "%s\n", m->place ? m->place : "");
    }
}

/* ---- whole findings ---- */

char *report_reproduced(const struct finding *f)
{
    if (f->kind == HD_FK_NONDETERMINISM)
        return mem_copy("found by running it twice");
    if (!f->replays)
        return mem_copy("not replayed");
    if (f->reproduced == f->replays)
        return mem_format("reproduced %u of %u", f->reproduced, f->replays);
    return mem_format("%s %u of %u%s", f->reproduced ? "reproduced only" : "not reproduced,",
                      f->reproduced, f->replays,
                      f->why_not == WHY_OUTSIDE  ? ": more than the schedule decides"
                      : f->why_not == WHY_REPLAY ? ", but each time when run anew from its seed"
                                                 : "");
}

static void print_advice(FILE *to, const struct finding *f)
{
    const char *advice = finding_advice(f);
    if (!*advice)
        return;
    fputs("\n  Usually fixed so:", to);
    print_words(to, advice, 19, 4);
}

void report_waits(FILE *to, const struct finding *f)
{
    page_begin(&page, to, false);
    draw_cycle(page.to, f);
    print_sides(page.to, f);
    print_advice(page.to, f);
    page_end(&page);
}

/* Libraries keep threads on purpose. */
static void print_way_out(FILE *to, const struct finding *f)
{
    char *line =
        f->kind == HD_FK_LEAK_BLOCKED || f->kind == HD_FK_LEAK_UNJOINED ? suppress_line(f) : NULL;
    if (!line)
        return;
    fprintf(
        to,
        "\n  If it is kept on purpose: --suppressions=FILE with the line below in FILE leaves it "
        "out,\n  --no-leaks all threads that are left at the end, --reach=off those that nobody "
        "reaches.\n"
        "\n    %s\n",
        line);
    free(line);
}

static void print_fault(FILE *to, const struct finding *f, bool final)
{
    if (!f->fault)
        return;
    fprintf(to, "  with a fault: %s", f->fault);
    if (final && f->faultless)
        fprintf(to, "; it needs none: %llu of the schedules that showed it had none",
                (unsigned long long)f->faultless);
    fputc('\n', to);
}

static void print_finding(FILE *to, const struct finding *f, bool final)
{
    char *headline = report_headline(f), *reproduced = report_reproduced(f);
    char tools[64];
    fprintf(to, "%s%s  %s%s\n", page_style(&page, PAGE_BOLD),
            f->name ? f->name : finding_word(f->kind), headline, page_style(&page, PAGE_PLAIN));
    print_fault(to, f, final);
    fputs("  ", to);
    if (f->earlier)
        fputs("shown by a schedule of an earlier run, ", to);
    else if (!f->first && !f->replays)
        fputs("before the first thread was created, ", to);
    if (f->first)
        fprintf(to, "schedule %llu%s%s%s, ", (unsigned long long)f->first, f->strategy ? " (" : "",
                f->strategy ? f->strategy : "", f->strategy ? ")" : "");
    if (final && (f->earlier ? f->count > 0 : f->count > 1))
        fprintf(to, "seen in %llu %s, ", (unsigned long long)f->count,
                f->earlier && f->count == 1 ? "schedule of this one"
                : f->earlier                ? "schedules of this one"
                : f->first                  ? "schedules"
                                            : "starts");
    fputs(reproduced, to);
    if (f->tools != TOOL_HEDDLE)
        fprintf(to, ", seen by %s", finding_tools(f->tools, tools, sizeof tools));
    fputc('\n', to);
    if ((f->kind == HD_FK_DATA_RACE || f->kind == HD_FK_PREDICTED_RACE) && *f->text)
        fprintf(to, "  %s\n", f->text);
    if (f->doubtful)
        fprintf(to, "  DOUBTFUL: %s\n", f->doubtful);
    draw_cycle(to, f);
    print_sides(to, f);
    if (f->raw)
        fprintf(to, "\n%s\n", f->raw);
    print_moments(to, f);
    print_advice(to, f);
    print_way_out(to, f);
    if (f->output_file || f->error_file)
        fprintf(to, "\n  The program printed: %s%s%s\n", f->output_file ? f->output_file : "",
                f->output_file && f->error_file ? ", " : "", f->error_file ? f->error_file : "");
    if (f->schedule_file) {
        fprintf(to, "%s  Replay:  heddle replay %s", f->output_file || f->error_file ? "" : "\n",
                f->unstamped ? "--trust " : "");
        shell_quote(to, f->schedule_file);
        fputc('\n', to);
    }
    if (f->shrunk.file) {
        fprintf(to, "  Shrunk:  heddle replay %s", f->unstamped ? "--trust " : "");
        shell_quote(to, f->shrunk.file);
        fprintf(to, " (%u preemption%s instead of %u: the one above)\n", f->shrunk.preemptions,
                f->shrunk.preemptions == 1 ? "" : "s", f->shrunk.preemptions_found);
    }
    if (f->schedule_text && final)
        fprintf(to,
                "\n  The schedule could not be saved. These lines, in a file, are for heddle "
                "replay FILE:\n\n%s",
                f->schedule_text);
    free(headline);
    free(reproduced);
}

void report_finding(FILE *to, const struct finding *f, bool bold, bool final)
{
    page_begin(&page, to, bold);
    print_finding(page.to, f, final);
    page_end(&page);
}

void report_seen_also(FILE *to, bool first, const char *name, const char *headline,
                      const struct finding *f)
{
    char *reproduced = report_reproduced(f);

    page_begin(&page, to, false);
    fprintf(page.to, "%s    %-18s %s, %s\n", first ? REPORT_SEEN_ALSO : "", name, headline,
            reproduced);
    page_end(&page);
    free(reproduced);
}

void report_same_cause(FILE *to, const struct findings *all, const struct finding *f)
{
    bool any = false;

    for (size_t i = 0; i < all->count; i++) {
        const struct finding *g = all->list[i];
        if (!g->same_cause || strcmp(g->same_cause, f->name) != 0)
            continue;
        char *headline = report_headline(g);
        report_seen_also(to, !any, g->name, headline, g);
        free(headline);
        any = true;
    }
}

/* ---- the summary ---- */

static void print_same_cause(FILE *to, const struct findings *all, const struct finding *f)
{
    size_t n = 0, races = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct finding *g = all->list[i];
        if (!g->same_cause || strcmp(g->same_cause, f->name) != 0)
            continue;
        n++;
        races += g->kind == HD_FK_DATA_RACE || g->kind == HD_FK_PREDICTED_RACE;
    }
    if (n)
        fprintf(to, "  %-18s seen also as %zu more %s%s\n", "", n, races == n ? "race" : "finding",
                n == 1 ? "" : "s");
}

static void print_names(FILE *to, const struct names *n)
{
    for (size_t i = 0; i < n->count && i < 8; i++) {
        uint32_t number;
        fprintf(to, "%s%s", i ? ", " : "", names_at(n, i, &number));
    }
    if (n->count > 8)
        fprintf(to, " and %zu more", n->count - 8);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* Which strategies do not let schedules come to their end. */
static void print_cut(FILE *to, const struct stats *s)
{
    const char *before = ": ";
    char a[32], b[32];
    for (unsigned i = 0; i < HDP_STRATEGIES; i++)
        if (s->strategy[i].cut) {
            fprintf(to, "%s%s %s of %s", before, s->strategy[i].name,
                    show_count(s->strategy[i].cut, a), show_count(s->strategy[i].schedules, b));
            before = ", ";
        }
    fputc('\n', to);
}

static void print_dropped(FILE *to, const struct stats *s)
{
    const char *before = "  note: not kept, as there were so many in one schedule: ";
    char a[32];
    bool any = false;
    for (unsigned i = 0; i < HD_FK_COUNT; i++)
        if (s->findings_dropped[i]) {
            fprintf(to, "%s%s times %s", any ? ", " : before, show_count(s->findings_dropped[i], a),
                    finding_word((enum hd_finding_kind)i));
            any = true;
        }
    if (any)
        fputc('\n', to);
}

static void print_engine(FILE *to, const struct in_place_stats *s, uint64_t schedules)
{
    char a[32], b[32];
    if (!s->wanted || (!s->batches && (!s->why_not || s->by_itself)))
        return;
    if (s->off && !s->schedules && s->why_not) {
        fprintf(to, "  engine: a process for each schedule: %s\n", s->why_not);
        return;
    }
    fprintf(to, "  engine: %s of %s schedules in place", show_count(s->schedules, a),
            show_count(schedules, b));
    if (s->compared)
        fprintf(to, ", %s compared with the fork engine", show_count(s->compared, a));
    if (s->news + s->died)
        fprintf(to, "; %s did not pass there", show_count(s->news + s->died, a));
    if (s->cannot)
        fprintf(to, "; %s left", show_count(s->cannot, a));
    if (s->why_not)
        fprintf(to, "%s %s", s->off || !s->cannot ? ", no more since" : ", the first since",
                s->why_not);
    fputc('\n', to);
    if (s->unconfirmed)
        fprintf(to,
                "  note: %s schedule%s failed in place and passed in a process of %s own, the "
                "first is %s: no finding, but a "
                "fault of this engine, or of a program whose behaviour depends on addresses\n",
                show_count(s->unconfirmed, a), plural(s->unconfirmed),
                s->unconfirmed == 1 ? "its" : "their", show_count(s->first_unconfirmed, b));
}

static void print_faults(FILE *to, const struct fault_stats *s)
{
    const char *before = "";
    char a[32], b[32];
    if (!s->wanted)
        return;
    fputs("  faults: ", to);
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++) {
        const char *option = fault_words[i].option;
        if (!(s->wanted >> i & 1) || !fault_begins_option(i))
            continue;
        fprintf(to, "%s%s %s of %s point%s tried", before, option,
                show_count(fault_sum(s->tried, option), a),
                show_count(fault_sum(s->points, option), b), plural(fault_sum(s->points, option)));
        before = ", ";
    }
    fprintf(to, "; some in %s schedule%s\n", show_count(s->schedules, a), plural(s->schedules));
    for (unsigned i = 0; i < HDP_FAULT_KINDS; i++)
        if (s->wanted >> i & 1 && fault_begins_option(i) &&
            !fault_sum(s->points, fault_words[i].option))
            fprintf(to, "  note: --faults=%s had no effect: %s while threads ran\n",
                    fault_words[i].option, fault_words[i].none);
    if (s->missed)
        fprintf(to, "  note: %s schedule%s did not come to the fault that %s to have\n",
                show_count(s->missed, a), plural(s->missed),
                s->missed == 1 ? "it was" : "they were");
    if (s->forgotten)
        fprintf(to, "  note: there were too many points of faults: %s are not counted or tried\n",
                show_count(s->forgotten, a));
}

static void print_remarks(FILE *to, const struct stats *s)
{
    char a[32], b[32], c[32];
    print_engine(to, &s->in_place, s->schedules);
    print_faults(to, &s->faults);
    if (s->cut)
        fprintf(to, "  note: %s of %s schedule%s reached the step bound and %s cut (--max-steps)",
                show_count(s->cut, a), show_count(s->schedules, b), plural(s->schedules),
                s->cut == 1 ? "was" : "were");
    if (s->cut)
        print_cut(to, s);
    if (s->slow)
        fprintf(to,
                "  note: %s schedule%s still making decisions when the time was up: not judged "
                "(--timeout)\n",
                show_count(s->slow, a), s->slow == 1 ? " was" : "s were");
    if (s->slow && s->slow == s->schedules)
        fputs("        A program that never ends by itself, such as a server, is for `heddle "
              "watch`.\n",
              to);
    if (s->output_cut)
        fprintf(to, "  note: %s schedule%s printed more than 16 MiB: the rest was thrown away\n",
                show_count(s->output_cut, a), plural(s->output_cut));
    if (s->control_lost) {
        fprintf(to, "  note: control was lost %s time%s: a thread blocked or spun for long at ",
                show_count(s->control_lost, a), plural(s->control_lost));
        print_names(to, &s->lost_places);
        fputc('\n', to);
    }
    if (s->unmodelled.count) {
        fputs("  note: not under control: ", to);
        print_names(to, &s->unmodelled);
        fputc('\n', to);
    }
    if (s->shared.count) {
        fputs("  note: made before the first thread, and shared by all schedules: ", to);
        print_names(to, &s->shared);
        fputc('\n', to);
    }
    if (s->server_deaths)
        fprintf(to,
                "  note: the process that starts the schedules was killed %s time%s: what it had "
                "begun was run again\n",
                show_count(s->server_deaths, a), s->server_deaths == 1 ? "" : "s");
    if (s->starts_failed)
        fprintf(to, "  note: %s start%s of the program ended before the first thread was created\n",
                show_count(s->starts_failed, a), s->starts_failed == 1 ? "" : "s");
    print_dropped(to, s);
    if (s->orders_forgotten)
        fprintf(to,
                "  note: %s lock orders were forgotten, as there were so many: not every deadlock "
                "among them is predicted\n",
                show_count(s->orders_forgotten, a));
    if (s->not_understood)
        fprintf(to,
                "  note: %s reports of another tool are shown as they were: they could not be "
                "broken up\n",
                show_count(s->not_understood, a));
    if (s->reports_dropped)
        fprintf(to, "  note: %s reports of another tool were too many for one run: dropped\n",
                show_count(s->reports_dropped, a));
    if (s->predicted.tries)
        fprintf(to, "  note: %s of the schedules %s to bring about what others predicted\n",
                show_count(s->predicted.tries, a), s->predicted.tries == 1 ? "was" : "were");
    if (s->reopened.predictions)
        fprintf(
            to,
            "  note: %s prediction%s that earlier campaigns left open %s steered at again, in %s "
            "tr%s: %s came true\n",
            show_count(s->reopened.predictions, a), s->reopened.predictions == 1 ? "" : "s",
            s->reopened.predictions == 1 ? "was" : "were", show_count(s->reopened.tries, b),
            s->reopened.tries == 1 ? "y" : "ies",
            s->reopened.shown ? show_count(s->reopened.shown, c) : "none");
    if (s->predicted.cut)
        fprintf(to,
                "  note: races were predicted from the beginning of a schedule alone, %s times: it "
                "was too long\n",
                show_count(s->predicted.cut, a));
    if (!s->explored.wanted && s->judged > 1 && s->virtual_ns && !s->elastic &&
        distinct_count(&s->interleavings) == 1)
        fputs("  note: each schedule was the same interleaving; if it is sleeps that order it: "
              "--elastic-sleep, and --patience for those of 100 ms or more\n",
              to);
    if (s->schedules && s->races_wanted && !s->accesses_watched)
        fputs("  note: memory accesses were not watched, so data races were not looked for: build "
              "with "
              "heddle-cc\n",
              to);
    if (s->unhooked.count) {
        fprintf(
            to,
            "  note: %zu of %zu modules were built with heddle-cc; accesses of the others were not "
            "watched: ",
            s->hooked.count, s->hooked.count + s->unhooked.count);
        print_names(to, &s->unhooked);
        fputc('\n', to);
    }
    if (s->shrink.time_up)
        fputs("  note: the time for making schedules plainer was up before all tries were made: "
              "another run may "
              "come to others (--shrink=N with fewer tries does not)\n",
              to);
    if (s->aslr_on)
        fputs("  note: the system does not let address randomisation be turned off; replays may "
              "diverge\n",
              to);
}

static void print_predicted_by(FILE *to, const struct finding *f)
{
    fprintf(to, "  %-18s predicted by %s", "", f->name);
    if (f->earlier)
        fputs(" in a schedule of an earlier run", to);
    else if (f->first)
        fprintf(to, " in schedule %llu", (unsigned long long)f->first);
    fputs(", where it did not happen\n", to);
}

void report_summary(FILE *to, const struct findings *all, const struct stats *s, bool bold)
{
    char a[32], b[32], c[32], d[32];
    int64_t took = s->ended_ns - s->started_ns;
    int64_t ran = took - s->shrink.took_ns;
    double rate = ran > 0 ? (double)s->schedules / ((double)ran / 1e9) : 0;
    if (!s->schedules && !all->count && !s->earlier.count && s->hardly_judged)
        return;
    page_begin(&page, to, bold);
    to = page.to;
    if (s->hardly_judged && s->schedules)
        fprintf(to, "%s%s%s%s: %s of %s schedule%s %s\n", all->count ? "\n" : "",
                bold ? "\033[1m" : "", s->judged ? "hardly anything judged" : "nothing judged",
                bold ? "\033[0m" : "", s->judged ? show_count(s->judged, b) : "none",
                show_count(s->schedules, a), s->schedules == 1 ? "" : "s",
                s->no_threads ? "created a thread" : "came to an end");
    size_t bugs = findings_bugs(all), doubtful = 0;
    for (size_t i = 0; i < all->count; i++)
        doubtful += all->list[i]->doubtful && !all->list[i]->same_as && !all->list[i]->same_cause;
    if (doubtful)
        fprintf(to, "\n%s%zu finding%s and %zu doubtful one%s%s in ", bold ? "\033[1m" : "",
                bugs - doubtful, bugs - doubtful == 1 ? "" : "s", doubtful,
                doubtful == 1 ? "" : "s", bold ? "\033[0m" : "");
    else if (all->count)
        fprintf(to, "\n%s%zu finding%s%s in ", bold ? "\033[1m" : "", bugs, bugs == 1 ? "" : "s",
                bold ? "\033[0m" : "");
    else if (s->judged)
        fprintf(to, "%snothing found%s in ", bold ? "\033[1m" : "", bold ? "\033[0m" : "");
    fprintf(to, "%s schedule%s (%s%s distinct) in %s, %s/s", show_count(s->schedules, a),
            s->schedules == 1 ? "" : "s", s->interleavings.full ? "about " : "",
            show_count(distinct_count(&s->interleavings), b), show_time(took, c, sizeof c),
            show_count((uint64_t)rate, d));
    if (s->time_up && s->by_time && !s->interrupted)
        fprintf(to, ", time is up: --seed=%llu -n %llu for as many again\n",
                (unsigned long long)s->seed, (unsigned long long)s->schedules);
    else
        fputs(s->interrupted ? ", interrupted\n"
              : s->time_up   ? ", time is up\n"
              : s->saturated ? ", saturated\n"
                             : "\n",
              to);
    for (size_t i = 0; i < all->count; i++) {
        const struct finding *f = all->list[i];
        if (f->same_as || f->same_cause)
            continue;
        char *headline = report_headline(f);
        fprintf(to, "  %-18s %s%s\n", f->name, headline,
                f->known      ? " (known)"
                : f->doubtful ? " (doubtful)"
                : !f->fails   ? " (does not fail the run)"
                              : "");
        free(headline);
        print_same_cause(to, all, f);
        for (size_t k = 0; k < all->count; k++)
            if (all->list[k]->same_as && strcmp(all->list[k]->same_as, f->name) == 0)
                print_predicted_by(to, all->list[k]);
    }
    earlier_print(to, &s->earlier);
    explored_print(to, s, bugs - doubtful);
    if (!s->explored.wanted)
        worth_print(to, all, s);
    if (page.folds && all->count)
        fprintf(to, "  what it means: heddle explain %s\n", all->list[0]->name);
    print_remarks(to, s);
    page_end(&page);
}
