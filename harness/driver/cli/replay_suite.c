/* replay_suite.c - see replay_suite.h */
#include "replay_suite.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "campaign/campaign.h"
#include "reports/report_text.h"
#include "util/alloc.h"
#include "util/exit_code.h"

/* ---- which files ---- */

static void add(struct schedule_files *files, char *path)
{
    files->path = mem_grow(files->path, files->count, sizeof *files->path);
    files->path[files->count++] = path;
}

static int is_schedule(const struct dirent *e)
{
    const char *ending = strrchr(e->d_name, '.');

    return ending && e->d_name[0] != '.' && strcmp(ending, ".schedule") == 0;
}

static char *add_folder(struct schedule_files *files, const char *folder)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, is_schedule, alphasort);

    if (n < 0)
        return mem_format("%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        add(files, mem_format("%s/%s", folder, entry[i]->d_name));
        free(entry[i]);
    }
    free(entry);
    return n ? NULL : mem_format("there is no schedule file in %s", folder);
}

char *schedule_files_find(const char *const *named, size_t count, struct schedule_files *files)
{
    char *why = NULL;

    *files = (struct schedule_files){.many = count > 1};
    for (size_t i = 0; i < count && !why; i++) {
        struct stat s;
        bool is_folder = stat(named[i], &s) == 0 && S_ISDIR(s.st_mode);
        files->many |= is_folder;
        if (is_folder)
            why = add_folder(files, named[i]);
        else
            add(files, mem_copy(named[i]));
    }
    return why;
}

void schedule_files_free(struct schedule_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->path[i]);
    free(files->path);
}

/* ---- how they went ---- */

enum how { PASSES, FAILS, STALE, UNKNOWN, HOWS };
static const char *const how_word[HOWS] = {"passes", "FAILS", "stale", "not run"};

static void tell(enum how how, const char *file, const char *what)
{
    printf("%-7s  %s%s%s\n", how_word[how], file, what && *what ? ": " : "", what ? what : "");
    fflush(stdout);
}

static enum how tell_replayed(const struct replayed *o, const char *file)
{
    char *what = NULL;
    enum how how = o->finding             ? FAILS
                   : replayed_is_stale(o) ? STALE
                   : o->unknown           ? UNKNOWN
                                          : PASSES;

    if (o->finding) {
        char *headline = report_headline(o->finding);
        what = mem_format("%s%s", o->same ? "" : "another finding now: ", headline);
        free(headline);
    } else if (how == STALE) {
        what =
            mem_copy(o->divergence ? o->divergence : "nothing of what it names is in this program");
    } else if (how == UNKNOWN) {
        what = mem_copy(o->unknown);
    } else if (o->suppressed) {
        what = mem_copy("what it shows is suppressed");
    } else if (o->is_edited) {
        what = mem_format("%u of its %u events happened in their order, and %u schedules near it "
                          "pass",
                          o->followed, o->followed + o->left_out, o->around);
    }
    tell(how, file, what);
    free(what);
    return how;
}

/* The program came to no thread, or the user wants to stop. */
static enum how tell_start(const struct campaign *c, const char *file)
{
    char *headline = c->findings.count ? report_headline(c->findings.list[0]) : NULL;
    enum how how = headline ? FAILS : UNKNOWN;

    tell(how, file,
         headline        ? headline
         : c->trouble    ? c->trouble
         : campaign_stop ? "interrupted"
                         : "the program's process was killed");
    free(headline);
    return how;
}

static enum how replay_one(struct replaying *r, uint64_t around)
{
    struct replayed o;
    uint32_t attempt = 0, tried = 0;
    enum how how;

    if (!r->w)
        return tell_start(&r->c, r->options->file);
    if (r->changed && identity_known(&r->schedule))
        attempt = replaying_way(r, around, &tried);
    o = replaying_once(r, attempt);
    o.around = tried;
    how = o.ran ? tell_replayed(&o, r->options->file) : tell_start(&r->c, r->options->file);
    replayed_free(&o);
    return how;
}

static void summarise(const unsigned *n)
{
    const char *before = "";

    printf("\n%u schedule%s: ", n[PASSES] + n[FAILS] + n[STALE] + n[UNKNOWN],
           n[PASSES] + n[FAILS] + n[STALE] + n[UNKNOWN] == 1 ? "" : "s");
    for (enum how how = PASSES; how < HOWS; how++)
        if (n[how]) {
            printf("%s%u %s", before, n[how],
                   how == PASSES  ? n[how] == 1 ? "passes" : "pass"
                   : how == FAILS ? n[how] == 1 ? "fails" : "fail"
                                  : how_word[how]);
            before = ", ";
        }
    putchar('\n');
    if (n[STALE])
        puts("A stale one says nothing about this program any more: remove it, or explore afresh "
             "(heddle run).");
}

int replay_suite(const struct schedule_files *files, const struct replay_options *options,
                 uint64_t around)
{
    unsigned n[HOWS] = {0};
    bool bad_file = false;

    for (size_t i = 0; i < files->count && !campaign_stop; i++) {
        struct replay_options o = *options;
        struct replaying r;
        int code;
        o.file = files->path[i];
        o.quiet = true;
        char *why = replaying_open(&r, &o, &code);
        bool foreign = why && code == EXIT_USAGE && r.is_file;
        if (foreign) {
            free(why);
            why = mem_format("not written by you on this machine, it would run %s (--trust runs "
                             "it)",
                             r.schedule.program);
        }
        bad_file |= why && code == EXIT_USAGE;
        if (why)
            tell(UNKNOWN, o.file, why);
        n[why ? UNKNOWN : replay_one(&r, around)]++;
        free(why);
        replaying_close(&r);
    }
    summarise(n);
    return n[FAILS]                 ? EXIT_FOUND
           : campaign_stop          ? 128 + campaign_stop
           : bad_file               ? EXIT_USAGE
           : n[STALE] || n[UNKNOWN] ? EXIT_CANNOT
                                    : EXIT_NOTHING;
}
