/* bench_tools.c - what control does for other tools: a table and the speed.
 *
 *   bench_tools [-n RUNS] [-v RUNS] [NAME...]   races and right twins x (ThreadSanitizer native and
 *       controlled, Helgrind native and controlled): in how many of RUNS runs (-n 20 for TSan, -v 4
 * for Helgrind) the race was seen; for the twins, how many findings there were. Exits 1 when a twin
 *       has a finding, or control sees less than plain repetition does.
 *   bench_tools -s   schedules/s of the three-thread program beside plain repetition under the same
 *       tool, in real time and in CPU time
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "scratch.h"

/* What one campaign said. */
struct said {
    bool ran;
    long seen; /* runs that showed the finding that most runs show */
    long sure; /* findings that are not doubtful */
    long doubtful;
    double schedules, seconds, cpu;
};

static double children_cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_CHILDREN, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static struct said ask(const char *options, const char *program)
{
    struct said s = {0};
    char command[3 * sizeof scratch_folder];
    double cpu = children_cpu();

    scratch_check();
    snprintf(command, sizeof command,
             "'%s' run %s --json -q -o '%s/out' -- '%s' 2>/dev/null; rm -rf '%s/out'",
             HEDDLE_COMMAND, options, scratch_folder, program, scratch_folder);
    FILE *in = popen(command, "r");
    if (!in)
        return s;
    json_t *doc = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL), *f;
    pclose(in);
    scratch_check();
    s.cpu = children_cpu() - cpu;
    size_t i;
    json_t *stats = json_object_get(doc, "statistics");
    s.ran = doc && json_is_null(json_object_get(doc, "trouble")) &&
            json_integer_value(json_object_get(stats, "schedules")) > 0;
    s.schedules = (double)json_integer_value(json_object_get(stats, "schedules"));
    s.seconds = json_real_value(json_object_get(stats, "seconds"));
    json_array_foreach(json_object_get(doc, "findings"), i, f)
    {
        const char *kind = json_string_value(json_object_get(f, "kind"));
        long count = (long)json_integer_value(json_object_get(f, "schedules"));
        bool race = kind && (strstr(kind, "race") || strstr(kind, "use-after-free"));
        if (json_is_string(json_object_get(f, "doubtful")))
            s.doubtful++;
        else
            s.sure++;
        if (race && count > s.seen)
            s.seen = count;
    }
    json_decref(doc);
    return s;
}

enum { COLUMNS = 4 };

static const struct {
    const char *title, *options;
    bool tsan, native;
} column[COLUMNS] = {
    {"TSan native", "--tool=tsan --schedule=native --replays=0", true, true},
    {"TSan control", "--tool=tsan --replays=0", true, false},
    {"Helgrind nat.", "--tool=helgrind --schedule=native --replays=0", false, true},
    {"Helgrind ctrl", "--tool=helgrind --replays=0", false, false},
};

static struct said ask_column(int c, long runs, const char *name, int right)
{
    char options[256], program[512];

    snprintf(options, sizeof options, "%s -n %ld", column[c].options, runs);
    snprintf(program, sizeof program, "%s/tools_%s_%d%s", HEDDLE_RACE_DIR, name, right,
             column[c].tsan ? "_tsan" : "");
    return ask(options, program);
}

/* One row. Counts what should not be. */
static void row(const char *name, const long runs[COLUMNS], long total[COLUMNS],
                long *false_reports, long *lost)
{
    struct said racy[COLUMNS], right[COLUMNS];

    printf("%-20s", name);
    for (int c = 0; c < COLUMNS; c++) {
        racy[c] = ask_column(c, runs[c], name, 0);
        right[c] = ask_column(c, runs[c], name, 1);
        total[c] += racy[c].seen > 0;
        *false_reports += right[c].sure;
        if (racy[c].ran)
            printf("  %5ld/%-3ld %3ld%s", racy[c].seen, runs[c], right[c].sure,
                   right[c].doubtful ? "d" : " ");
        else
            printf("  %-14s", "could not run");
        fflush(stdout);
    }
    bool less = (racy[0].seen && !racy[1].seen) || (racy[2].seen && !racy[3].seen);
    *lost += less;
    puts(less ? "  control sees less" : "");
}

static int table(const long runs[COLUMNS], char **names)
{
    long total[COLUMNS] = {0}, rows = 0, false_reports = 0, lost = 0;
    char all[] = HEDDLE_RACES;

    printf("%-20s", "race (runs, twin)");
    for (int c = 0; c < COLUMNS; c++)
        printf("  %-14s", column[c].title);
    putchar('\n');
    for (char *name = strtok(all, ","); name; name = strtok(NULL, ",")) {
        bool wanted = !*names;
        for (char **n = names; *n; n++)
            wanted |= strcmp(*n, name) == 0;
        if (!wanted)
            continue;
        row(name, runs, total, &false_reports, &lost);
        rows++;
    }
    printf("%-20s", "races found");
    for (int c = 0; c < COLUMNS; c++)
        printf("  %5ld of %-5ld", total[c], rows);
    printf("\nfindings on right twins: %ld; races that control lost: %ld\n", false_reports, lost);
    return false_reports || lost ? 1 : 0;
}

static int speed(void)
{
    static const struct {
        const char *tool, *program;
        int native, controlled;
    } job[] = {{"tsan", HEDDLE_RACE_DIR "/three_threads_tsan", 100, 1000},
               {"helgrind", HEDDLE_THREE, 6, 40},
               {"drd", HEDDLE_THREE, 6, 40}};

    printf("%-10s %-12s %10s %12s %14s\n", "tool", "schedule", "runs", "runs/s", "runs/CPU-s");
    for (size_t i = 0; i < sizeof job / sizeof *job; i++) {
        struct said s[2];
        for (int controlled = 0; controlled < 2; controlled++) {
            char options[128];
            snprintf(options, sizeof options, "--tool=%s -n %d%s", job[i].tool,
                     controlled ? job[i].controlled : job[i].native,
                     controlled ? "" : " --schedule=native");
            s[controlled] = ask(options, job[i].program);
            if (!s[controlled].ran) {
                printf("%-10s could not run\n", job[i].tool);
                break;
            }
            printf("%-10s %-12s %10.0f %12.1f %14.1f\n", job[i].tool,
                   controlled ? "controlled" : "native", s[controlled].schedules,
                   s[controlled].schedules / s[controlled].seconds,
                   s[controlled].schedules / s[controlled].cpu);
            if (controlled)
                printf("%-10s controlled is %.1f x plain repetition in real time, %.1f x in CPU "
                       "time\n",
                       "", s[1].schedules / s[1].seconds / (s[0].schedules / s[0].seconds),
                       s[1].schedules / s[1].cpu / (s[0].schedules / s[0].cpu));
            fflush(stdout);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    long tsan = 20, valgrind = 4;
    bool fast = false;
    int option;

    while ((option = getopt(argc, argv, "n:v:s")) != -1)
        if (option == 'n')
            tsan = strtol(optarg, NULL, 10);
        else if (option == 'v')
            valgrind = strtol(optarg, NULL, 10);
        else if (option == 's')
            fast = true;
        else
            return 2;
    if (tsan < 1 || valgrind < 1) {
        fputs("bench_tools: -n and -v want a number from 1 on\n", stderr);
        return 2;
    }
    scratch_make("heddle-bench-tools");
    long runs[COLUMNS] = {tsan, tsan, valgrind, valgrind};
    return fast ? speed() : table(runs, argv + optind);
}
