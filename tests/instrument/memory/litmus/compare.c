/* compare.c - what the memory models show of generated programs, against what the axioms allow.
 *
 *   compare [-m sc|tso|c11] [-e EXECUTIONS] [-s|-x] [-f FIRST] [-n PROGRAMS] [-v]
 *
 * -s: the rings of conflicting accesses, each decorated (SHAPES x DECORATIONS numbers, of which some are no
 * program); -x: those of two threads, in all combinations of orders, fences and updates; else random programs.
 * -f, -n: which of them; -e: executions of each, at most (it stops when all was seen). Nothing may be shown that
 * is not allowed (c11: by each text); how much of what is allowed was not shown is printed (-v: of which
 * programs), and fails where it is more than the model promises.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "litmus.h"

static const struct {
    const char *name;
    double shown; /* percent, at least */
} models[] = {[MODEL_SC] = {"sc", 100}, [MODEL_TSO] = {"tso", 100}, [MODEL_C11] = {"c11", 98}};

struct total {
    unsigned programs, allowed, shown, impossible, incomplete;
    uint64_t executions;
};

#define ROUND 250000u /* executions of a process: a thread's clock ends after 4 million releases */

static void fail(const char *what)
{
    perror(what);
    exit(3);
}

/* Executes the program until all that is allowed was seen, or often enough; how often. What comes is new in
 * `seen`. */
static unsigned execute(const struct program *p, enum model model, unsigned executions,
                        uint64_t random, const struct outcomes *allowed, struct outcomes *seen)
{
    int ends[2], status;
    uint64_t word = 0;

    fflush(stdout);
    if (pipe(ends))
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (!child) {
        uint64_t n = 0;
        bool written = true;
        for (; n < executions && seen->count < allowed->count && written; n++) {
            word = machine_run(p, model, &random);
            if (outcomes_add(seen, word))
                written = write(ends[1], &word, sizeof word) == sizeof word;
        }
        _exit(!written || write(ends[1], &n, sizeof n) != sizeof n);
    }
    close(ends[1]);
    while (read(ends[0], &word, sizeof word) == sizeof word && word >> 63)
        outcomes_add(seen, word);
    close(ends[0]);
    if (waitpid(child, &status, 0) != child || status || word >> 63) {
        printf("a program did not come to its end\n");
        program_print(p, stdout);
        exit(1);
    }
    return (unsigned)word;
}

static void compare(const struct program *p, enum model model, unsigned executions, unsigned number,
                    bool verbose, struct total *total)
{
    struct outcomes allowed = {0}, strict = {0}, seen = {0};
    const struct outcomes *possible = model == MODEL_C11 ? &strict : &allowed;
    unsigned shown = 0, impossible = 0, n = 0;

    axioms_allow(p, model, &allowed);
    if (model == MODEL_C11)
        axioms_allow(p, MODEL_C11_STRICT, &strict);
    while (n < executions && seen.count < allowed.count) {
        unsigned most = executions - n < ROUND ? executions - n : ROUND;
        n += execute(p, model, most, (uint64_t)number << 32 | n, &allowed, &seen);
    }
    for (uint32_t i = 0; i < seen.room; i++) {
        if (!seen.key[i])
            continue;
        if (outcomes_have(possible, seen.key[i])) {
            shown++;
        } else if (!impossible++) {
            printf("impossible: program %u\n", number);
            program_print(p, stdout);
            outcome_print(p, seen.key[i], stdout);
        }
    }
    total->programs++;
    total->allowed += allowed.count;
    total->shown += shown;
    total->impossible += impossible > 0;
    total->incomplete += shown < allowed.count;
    total->executions += n;
    if (verbose && shown < allowed.count) {
        printf("program %u: %u of %u shown; not\n", number, shown, allowed.count);
        program_print(p, stdout);
        for (uint32_t i = 0; i < allowed.room; i++)
            if (allowed.key[i] && !outcomes_have(&seen, allowed.key[i]))
                outcome_print(p, allowed.key[i], stdout);
    }
    outcomes_free(&allowed);
    outcomes_free(&strict);
    outcomes_free(&seen);
}

static void usage(void)
{
    fprintf(
        stderr,
        "usage: compare [-m sc|tso|c11] [-e EXECUTIONS] [-s|-x] [-f FIRST] [-n PROGRAMS] [-v]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned executions = 20000, first = 0, programs = 100;
    bool shapes = false, every = false, verbose = false;
    enum model model = MODEL_C11;
    struct total total = {0};

    for (int c; (c = getopt(argc, argv, "m:e:sxf:n:v")) >= 0;)
        if (c == 'm') {
            for (model = MODEL_SC; strcmp(models[model].name, optarg) != 0;)
                if (++model > MODEL_C11)
                    usage();
        } else if (c == 'e') {
            executions = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 's') {
            shapes = true;
        } else if (c == 'x') {
            every = true;
        } else if (c == 'f') {
            first = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 'n') {
            programs = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 'v') {
            verbose = true;
        } else {
            usage();
        }
    machine_start();
    for (unsigned number = first; number < first + programs; number++) {
        struct program p;
        bool is_one = true;
        if (every)
            is_one = program_shape(&p, number / DECORATIONS_OF_TWO,
                                   DECORATIONS + number % DECORATIONS_OF_TWO);
        else if (shapes)
            is_one = program_shape(&p, number / DECORATIONS, number % DECORATIONS);
        else
            program_random(&p, number);
        if (is_one)
            compare(&p, model, executions, number, verbose, &total);
    }
    double percent = total.allowed ? 100.0 * total.shown / total.allowed : 0;
    printf(
        "%s: %u programs, %llu executions; allowed %u outcomes, shown %u (%.2f %%), not all of %u "
        "programs; impossible in %u\n",
        models[model].name, total.programs, (unsigned long long)total.executions, total.allowed,
        total.shown, percent, total.incomplete, total.impossible);
    return total.impossible || percent < models[model].shown;
}
