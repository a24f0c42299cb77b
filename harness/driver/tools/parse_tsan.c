/* parse_tsan.c - ThreadSanitizer's text reports into findings.
 *
 * A report runs from its headline ("WARNING: ThreadSanitizer: KIND (pid=N)") to its SUMMARY line or
 * the next ruler. Inside, a line indented by two opens a section (an access, a mutex, a thread, the
 * place), a line "    #N ..." is a frame of the open section. Lines of any other form are the
 * program's own output and are passed over. A report without any frame was not understood.
 */
#include "tool_log.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/span.h"

/* "(module+0x12) (BuildId: ..)" at the end of a frame: cut off s, module and offset filled. */
static void cut_module(struct span *s, char **module, uint64_t *offset)
{
    size_t at;
    if (span_find(*s, LITERAL(" (BuildId: "), &at))
        s->n = at;
    if (s->n == 0 || s->p[s->n - 1] != ')')
        return;
    size_t open = s->n;
    while (open > 0 && !(s->p[open - 1] == '(' && (open == 1 || s->p[open - 2] == ' ')))
        open--;
    if (open == 0)
        return;
    struct span inside = {s->p + open, s->n - 1 - open};
    size_t plus = inside.n;
    while (plus > 0 && inside.p[plus - 1] != '+')
        plus--;
    struct span number = {inside.p + plus, inside.n - plus};
    if (plus == 0 || !span_eat(&number, LITERAL("0x")) || !span_number(&number, 16, offset) ||
        number.n)
        return;
    *module = span_text((struct span){inside.p, plus - 1});
    s->n = open - 1;
    while (s->n && s->p[s->n - 1] == ' ')
        s->n--;
}

/* "file.c:12:3", "file.c:12" or "file.c". */
static void read_place(struct span s, struct span *file, unsigned *line, unsigned *column)
{
    uint64_t number[2] = {0, 0};
    int have = 0;
    while (have < 2) {
        size_t digits = s.n;
        while (digits > 0 && s.p[digits - 1] >= '0' && s.p[digits - 1] <= '9')
            digits--;
        struct span tail = {s.p + digits, s.n - digits};
        if (tail.n == 0 || digits < 2 || s.p[digits - 1] != ':' ||
            !span_number(&tail, 10, &number[have]))
            break;
        s.n = digits - 1;
        have++;
    }
    *file = s;
    *line = (unsigned)(have == 2 ? number[1] : number[0]);
    *column = (unsigned)(have == 2 ? number[0] : 0);
}

/* "FUNCTION FILE:LINE:COLUMN": function names of C++ hold spaces, absolute file names may, too. */
static void split_frame(struct span s, struct span *function, struct span *place)
{
    size_t at = 0;
    if (!span_find(s, LITERAL(" /"), &at)) {
        at = s.n;
        while (at > 0 && s.p[at - 1] != ' ')
            at--;
        if (at > 0)
            at--;
        else
            at = s.n;
    }
    *function = (struct span){s.p, at};
    *place = at < s.n ? (struct span){s.p + at + 1, s.n - at - 1} : (struct span){s.p, 0};
}

static bool is_unknown(struct span s)
{
    return s.n == 0 || (s.n == 6 && memcmp(s.p, "<null>", 6) == 0) ||
           (s.n == 2 && memcmp(s.p, "??", 2) == 0);
}

/* The line of a frame, or false. */
static bool read_frame(struct span line, struct stack *to)
{
    uint64_t number, pc, offset = 0;
    char *module = NULL;

    while (span_eat(&line, LITERAL(" ")))
        ;
    if (!span_eat(&line, LITERAL("#")) || !span_number(&line, 10, &number) ||
        !span_eat(&line, LITERAL(" ")))
        return false;
    if (span_eat(&line, LITERAL("0x")))
        span_number(&line, 16, &pc);
    while (span_eat(&line, LITERAL(" ")))
        ;
    span_eat(&line, LITERAL("in "));
    cut_module(&line, &module, &offset);
    struct span function, place, file;
    unsigned row, column;
    split_frame(line, &function, &place);
    if (function.n == 0 && place.n == 6)
        function = place;
    span_eat(&function, LITERAL("__interceptor_"));
    read_place(place, &file, &row, &column);
    if (to && to->count < TOOL_LOG_FRAMES) {
        char *name = is_unknown(function) ? NULL : span_text(function);
        char *path = is_unknown(file) ? NULL : span_text(file);
        stack_push(to, name, path, row, column, module, offset);
        free(name);
        free(path);
    }
    free(module);
    return true;
}

/* The report being read. */
struct report {
    struct finding *f;
    struct stack *open; /* of the section that frames belong to; NULL = they are dropped */
    size_t frames;
    struct span whole;
};

static struct note *add_note(struct report *r, enum hd_role role)
{
    if (r->f->notes >= TOOL_LOG_NOTES) {
        r->open = NULL;
        return NULL;
    }
    struct note *n = finding_note(r->f, role);
    r->open = &n->stack;
    return n;
}

/* "main thread", "thread T3" or "thread T3 'name'" into the note. */
static void read_thread(struct span *s, struct note *n)
{
    uint64_t id;
    if (span_eat(s, LITERAL("main thread"))) {
        n->thread = mem_copy("main");
        n->thread_id = 1;
    } else if (span_eat(s, LITERAL("thread T")) || span_eat(s, LITERAL("Thread T"))) {
        if (!span_number(s, 10, &id))
            return;
        n->thread_id = (uint32_t)id + 1;
        struct span name = *s, end;
        size_t at;
        if (span_eat(&name, LITERAL(" '")) && span_find(name, LITERAL("'"), &at)) {
            end = (struct span){name.p, at};
            n->thread = mem_format("T%u (%.*s)", (unsigned)id, (int)(at > 64 ? 64 : at), end.p);
        } else {
            n->thread = mem_format("T%u", (unsigned)id);
        }
    }
}

static void set_object(struct note *n, uint64_t mutex)
{
    n->object = mem_format("mutex M%u", (unsigned)mutex);
    n->object_id = (uint32_t)mutex + 1;
}

/* "(mutexes: write M1, read M2)": one HOLDS note each. */
static void read_held(struct report *r, struct span s, uint32_t of)
{
    uint64_t mutex;
    struct stack *open = r->open;
    size_t access = r->f->notes - 1;

    if (!span_skip_past(&s, LITERAL("(mutexes: ")))
        return;
    while (span_eat(&s, LITERAL(", ")) || s.n) {
        bool shared = span_eat(&s, LITERAL("read M"));
        if (!shared && !span_eat(&s, LITERAL("write M")))
            break;
        if (!span_number(&s, 10, &mutex))
            break;
        struct note *n = add_note(r, HD_ROLE_HOLDS);
        if (!n)
            break;
        set_object(n, mutex);
        n->link = of;
        n->text = mem_copy(shared ? "for reading" : NULL);
        n->thread = mem_copy(r->f->note[access].thread);
        n->thread_id = r->f->note[access].thread_id;
    }
    /* The notes may have moved; frames belong to the access. */
    r->open = open ? &r->f->note[access].stack : NULL;
}

/* "  Previous atomic write of size 4 at 0x1234 by thread T1 (mutexes: ...):" */
static bool read_access(struct report *r, struct span line)
{
    bool previous = span_eat(&line, LITERAL("Previous ")), atomic, write;
    uint64_t size, addr;

    atomic = span_eat(&line, LITERAL("Atomic ")) || span_eat(&line, LITERAL("atomic "));
    if (span_eat(&line, LITERAL("Write of size ")) || span_eat(&line, LITERAL("write of size ")))
        write = true;
    else if (span_eat(&line, LITERAL("Read of size ")) || span_eat(&line, LITERAL("read of size ")))
        write = false;
    else
        return false;
    if (!span_number(&line, 10, &size) || !span_eat(&line, LITERAL(" at 0x")) ||
        !span_number(&line, 16, &addr) || !span_eat(&line, LITERAL(" by ")))
        return false;
    bool freed = previous && r->f->kind == HD_FK_USE_AFTER_FREE;
    struct note *n =
        add_note(r, freed ? HD_ROLE_FREED : (previous ? HD_ROLE_PREVIOUS_ACCESS : HD_ROLE_ACCESS));
    if (!n)
        return true;
    n->kind = atomic ? (write ? HD_EV_ATOMIC_STORE : HD_EV_ATOMIC_LOAD)
                     : (write ? HD_EV_WRITE : HD_EV_READ);
    n->addr = addr;
    n->extra = ((uint32_t)size & HD_ACCESS_SIZE) | (write ? HD_ACCESS_WRITE : 0) |
               (atomic ? HD_ACCESS_ATOMIC : 0);
    if (freed)
        n->kind = HD_EV_FREE;
    else
        n->text = mem_format("%s%s of %u byte%s", atomic ? "atomic " : "", write ? "write" : "read",
                             (unsigned)size, size == 1 ? "" : "s");
    read_thread(&line, n);
    read_held(r, line, n->link);
    return true;
}

static bool read_location(struct report *r, struct span line)
{
    if (!span_eat(&line, LITERAL("Location is ")))
        return false;
    size_t end = line.n;
    if (!span_find(line, LITERAL(" at 0x"), &end) && end && line.p[end - 1] == '.')
        end--;
    struct span what = {line.p, end};
    r->open = NULL;
    size_t null;
    /* TSan names a location twice when two of its maps know it; the first is the better one. */
    bool named = r->f->text[0] != '\0', unknown = span_find(what, LITERAL("'<null>'"), &null);
    if (!named && !unknown) {
        free(r->f->text);
        r->f->text = span_text(what);
    }
    if (span_starts(line, "heap block")) {
        struct note *n = add_note(r, HD_ROLE_ALLOCATED);
        if (n && span_skip_past(&line, LITERAL(" allocated by ")))
            read_thread(&line, n);
    } else if (span_starts(line, "file descriptor")) {
        struct note *n = add_note(r, HD_ROLE_CREATED);
        if (n && span_skip_past(&line, LITERAL(" created by ")))
            read_thread(&line, n);
    }
    return true;
}

/* "  Mutex M2 acquired here while holding mutex M1 in thread T1:",
 * "  Mutex M1 previously acquired by the same thread here:", "  Mutex M1 (0x12) created at:" */
static bool read_mutex(struct report *r, struct span line)
{
    uint64_t mutex, other;
    struct note *n;

    if (!span_eat(&line, LITERAL("Mutex M")) || !span_number(&line, 10, &mutex))
        return false;
    if (span_eat(&line, LITERAL(" acquired here while holding mutex M"))) {
        /* The held side comes first, so that both stand in the order of their happening. */
        uint32_t held = (uint32_t)r->f->notes;
        bool known = span_number(&line, 10, &other) && span_eat(&line, LITERAL(" in "));
        if ((n = add_note(r, HD_ROLE_EDGE_HELD)) && known) {
            set_object(n, other);
            struct span who = line;
            read_thread(&who, n);
        }
        if ((n = add_note(r, HD_ROLE_EDGE_TOOK))) {
            n->kind = HD_EV_MUTEX_LOCK;
            n->link = held;
            set_object(n, mutex);
            read_thread(&line, n);
        }
    } else if (span_eat(&line, LITERAL(" previously acquired by the same thread here"))) {
        r->open = NULL;
        for (size_t i = r->f->notes; i-- > 0;)
            if (r->f->note[i].role == HD_ROLE_EDGE_HELD &&
                r->f->note[i].object_id == (uint32_t)mutex + 1 && r->f->note[i].stack.count == 0) {
                r->open = &r->f->note[i].stack;
                break;
            }
    } else if ((n = add_note(r, HD_ROLE_CREATED))) {
        set_object(n, mutex);
    }
    return true;
}

static bool read_created_thread(struct report *r, struct span line)
{
    struct span probe = line;
    uint64_t id;

    if (!span_eat(&probe, LITERAL("Thread T")) || !span_number(&probe, 10, &id))
        return false;
    struct note made = {0}, *n = add_note(r, HD_ROLE_CREATED);
    if (n) {
        read_thread(&line, &made);
        n->object = made.thread ? mem_format("thread %s", made.thread) : NULL;
        free(made.thread);
        if (span_skip_past(&line, LITERAL(" created by ")))
            read_thread(&line, n);
    }
    return true;
}

static void read_section(struct report *r, struct span line)
{
    if (read_access(r, line) || read_location(r, line) || read_mutex(r, line) ||
        read_created_thread(r, line))
        return;
    if (line.n == 4 && memcmp(line.p, "and:", 4) == 0)
        add_note(r, HD_ROLE_EARLIER);
    else if (line.n && line.p[line.n - 1] == ':')
        r->open = NULL; /* "As if synchronized via sleep:" and what later versions may add */
}

static const struct {
    const char *title; /* how the headline begins */
    enum hd_finding_kind kind;
} kinds[] = {
    {"data race", HD_FK_DATA_RACE}, /* also "data race on vptr (...)" */
    {"race on external object", HD_FK_DATA_RACE},
    {"Swift access race", HD_FK_DATA_RACE},
    {"heap-use-after-free", HD_FK_USE_AFTER_FREE},
    {"thread leak", HD_FK_LEAK_UNJOINED},
    {"destroy of a locked mutex", HD_FK_DESTROY_IN_USE},
    {"double lock of a mutex", HD_FK_SELF_DEADLOCK},
    {"use of an invalid mutex", HD_FK_USE_AFTER_DESTROY},
    {"unlock of an unlocked mutex", HD_FK_UNLOCK_NOT_HELD},
    {"read lock of a write locked mutex", HD_FK_SELF_DEADLOCK},
    {"read unlock of a write locked mutex", HD_FK_SYNC_MISUSE},
    {"mutex held in the wrong context", HD_FK_SYNC_MISUSE},
    {"lock-order-inversion", HD_FK_LOCK_ORDER},
    {"SEGV", HD_FK_CRASH},
    {"BUS", HD_FK_CRASH},
    {"FPE", HD_FK_CRASH},
    {"ILL", HD_FK_CRASH},
    {"TRAP", HD_FK_CRASH},
    {"ABRT", HD_FK_CRASH},
    {"stack-overflow", HD_FK_CRASH},
};

/* Every other headline ("signal-unsafe call inside of a signal", what later versions add) keeps its
 * words as text. */
static enum hd_finding_kind kind_of(struct span title)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_starts(title, kinds[i].title))
            return kinds[i].kind;
    return HD_FK_SANITIZER;
}

/* What a person reads when the place did not give a text. */
static void give_text(struct finding *f, struct span title)
{
    if (f->text[0] && f->kind != HD_FK_SANITIZER)
        return;
    if (f->kind == HD_FK_DATA_RACE || f->kind == HD_FK_USE_AFTER_FREE ||
        f->kind == HD_FK_LOCK_ORDER || f->kind == HD_FK_LEAK_UNJOINED)
        return; /* the kind says it all */
    free(f->text);
    f->text = span_text(title);
}

/* The frames of a misuse follow the headline at once: the place where it was noticed. */
static bool starts_with_stack(enum hd_finding_kind kind)
{
    return kind != HD_FK_DATA_RACE && kind != HD_FK_USE_AFTER_FREE && kind != HD_FK_LEAK_UNJOINED &&
           kind != HD_FK_LOCK_ORDER;
}

static void finish(struct report *r, struct tool_log *log, struct span title)
{
    if (!r->f)
        return;
    if (r->frames == 0) {
        finding_free(r->f);
        tool_log_add_raw(log, TOOL_TSAN, r->whole.p, r->whole.n);
    } else {
        give_text(r->f, title);
        tool_log_add(log, r->f);
    }
    *r = (struct report){0};
}

static void note_trouble(struct tool_log *log, struct span title)
{
    size_t at;
    if (log->trouble)
        return;
    if (span_find(title, LITERAL("unexpected memory mapping"), &at) ||
        span_find(title, LITERAL("failed to mmap"), &at))
        log->trouble = mem_format("ThreadSanitizer cannot take this machine's address layout "
                                  "(%.*s): lower vm.mmap_rnd_bits "
                                  "to 28, or start the program under setarch -R",
                                  (int)(title.n > 120 ? 120 : title.n), title.p);
    else
        log->trouble = mem_format("ThreadSanitizer gave up: %.*s",
                                  (int)(title.n > 200 ? 200 : title.n), title.p);
}

/* A report, or the tool's own end? *title is what stands behind "ThreadSanitizer: ". */
enum headline { NO_HEADLINE, REPORT, FATAL };

static enum headline read_headline(struct span line, struct span *title)
{
    size_t failed;
    struct span s = line;
    if (span_skip_past(&s, LITERAL("WARNING: ThreadSanitizer: ")) ||
        span_skip_past(&s, LITERAL("ERROR: ThreadSanitizer: "))) {
        size_t pid;
        if (span_find(s, LITERAL(" (pid="), &pid))
            s.n = pid;
        *title = s;
        return span_starts(s, "failed to ") ? FATAL : REPORT;
    }
    if (span_skip_past(&s, LITERAL("FATAL: ThreadSanitizer")) ||
        span_skip_past(&s, LITERAL("ThreadSanitizer: CHECK failed")) ||
        span_find(s, LITERAL("ThreadSanitizer: failed to "), &failed) ||
        span_find(s, LITERAL("Flag parsing failed"), &failed)) {
        span_skip_past(&s, LITERAL("ThreadSanitizer: "));
        while (span_eat(&s, LITERAL(":")) || span_eat(&s, LITERAL(" ")))
            ;
        *title = s;
        return FATAL;
    }
    return NO_HEADLINE;
}

static void open_report(struct report *r, struct span title, struct span line)
{
    enum hd_finding_kind kind = kind_of(title);
    r->f = finding_new(kind, TOOL_TSAN, NULL);
    r->f->fatal = kind == HD_FK_CRASH;
    r->whole = line;
    if (starts_with_stack(kind))
        add_note(r, HD_ROLE_HERE);
}

void parse_tsan(const char *text, size_t bytes, struct tool_log *log)
{
    struct span rest = {text, bytes}, line, title = {text, 0};
    struct report r = {0};

    while (span_line(&rest, &line)) {
        struct span s = line, new_title = {text, 0};
        enum headline what = read_headline(line, &new_title);
        if (what != NO_HEADLINE) {
            finish(&r, log, title);
            title = new_title;
            if (what == FATAL)
                note_trouble(log, title);
            else
                open_report(&r, title, line);
            continue;
        }
        if (!r.f)
            continue;
        r.whole.n = (size_t)(line.p + line.n - r.whole.p);
        if (span_eat(&s, LITERAL("SUMMARY: ThreadSanitizer: ")) ||
            span_eat(&s, LITERAL("=========="))) {
            finish(&r, log, title);
        } else if (span_eat(&s, LITERAL("    "))) {
            if (read_frame(line, r.open))
                r.frames++;
        } else if (span_eat(&s, LITERAL("  ")) && s.n && s.p[0] != ' ') {
            read_section(&r, s);
        }
    }
    finish(&r, log, title);
}
