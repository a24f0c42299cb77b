/* compare.c - what the memory models show of generated programs, against what the axioms allow.
 *
 *   compare [-m sc|tso|c11] [-e EXECUTIONS] [-s] [-f FIRST] [-n PROGRAMS] [-v]
 *
 * -s: the rings of conflicting accesses, each decorated (SHAPES x DECORATIONS numbers, of which some are no
 * program), else random programs; -f, -n: which of them; -e: executions of each, at most (it stops when all was
 * seen). Nothing may be shown that is not allowed (c11: by each text); how much of what is allowed was not shown is printed (-v: of
 * which programs), and fails where it is more than the model promises.
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

static void compare(const struct program *p, enum model model, unsigned executions, unsigned number,
                    bool verbose, struct total *total)
{
    struct outcomes allowed = {0}, strict = {0}, shown = {0};
    const struct outcomes *possible = model == MODEL_C11 ? &strict : &allowed;
    uint64_t random = number;
    unsigned n = 0, impossible = 0;

    axioms_allow(p, model, &allowed);
    if (model == MODEL_C11)
        axioms_allow(p, MODEL_C11_STRICT, &strict);
    for (; n < executions && shown.count < allowed.count; n++) {
        uint64_t key = machine_run(p, model, &random);
        if (outcomes_have(possible, key)) {
            outcomes_add(&shown, key);
        } else if (!impossible++) {
            printf("impossible: program %u\n", number);
            program_print(p, stdout);
            outcome_print(p, key, stdout);
        }
    }
    total->programs++;
    total->allowed += allowed.count;
    total->shown += shown.count;
    total->impossible += impossible > 0;
    total->incomplete += shown.count < allowed.count;
    total->executions += n;
    if (verbose && shown.count < allowed.count) {
        printf("program %u: %u of %u shown; not\n", number, shown.count, allowed.count);
        program_print(p, stdout);
        for (uint32_t i = 0; i < allowed.room; i++)
            if (allowed.key[i] && !outcomes_have(&shown, allowed.key[i]))
                outcome_print(p, allowed.key[i], stdout);
    }
    outcomes_free(&allowed);
    outcomes_free(&strict);
    outcomes_free(&shown);
}

static void usage(void)
{
    fprintf(stderr,
            "usage: compare [-m sc|tso|c11] [-e EXECUTIONS] [-s] [-f FIRST] [-n PROGRAMS] [-v]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    unsigned executions = 20000, first = 0, programs = 100, batch = 8;
    bool shapes = false, verbose = false;
    enum model model = MODEL_C11;
    struct total total = {0};

    for (int c; (c = getopt(argc, argv, "m:e:sf:n:v")) >= 0;)
        if (c == 'm') {
            for (model = MODEL_SC; strcmp(models[model].name, optarg) != 0;)
                if (++model > MODEL_C11)
                    usage();
        } else if (c == 'e') {
            executions = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 's') {
            shapes = true;
        } else if (c == 'f') {
            first = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 'n') {
            programs = (unsigned)strtoul(optarg, NULL, 10);
        } else if (c == 'v') {
            verbose = true;
        } else {
            usage();
        }
    /* a thread's clock ends after 4 million releases: a process for each few programs */
    for (unsigned i = 0; i < programs; i += batch) {
        int ends[2], status;
        struct total part = {0};
        fflush(stdout);
        if (pipe(ends))
            return 3;
        pid_t child = fork();
        if (child < 0)
            return 3;
        if (!child) {
            machine_start();
            for (unsigned j = i; j < i + batch && j < programs; j++) {
                struct program p;
                unsigned number = first + j;
                if (!shapes)
                    program_random(&p, number);
                else if (!program_shape(&p, number / DECORATIONS, number % DECORATIONS))
                    continue;
                compare(&p, model, executions, number, verbose, &part);
            }
            fflush(stdout);
            _exit(write(ends[1], &part, sizeof part) != sizeof part);
        }
        close(ends[1]);
        ssize_t got = read(ends[0], &part, sizeof part);
        close(ends[0]);
        if (waitpid(child, &status, 0) != child || status || got != sizeof part) {
            printf("the programs from %u on did not come to their end\n", first + i);
            return 1;
        }
        total.programs += part.programs;
        total.allowed += part.allowed;
        total.shown += part.shown;
        total.impossible += part.impossible;
        total.incomplete += part.incomplete;
        total.executions += part.executions;
    }
    double percent = total.allowed ? 100.0 * total.shown / total.allowed : 0;
    printf(
        "%s: %u programs, %llu executions; allowed %u outcomes, shown %u (%.2f %%), not all of %u "
        "programs; impossible in %u\n",
        models[model].name, total.programs, (unsigned long long)total.executions, total.allowed,
        total.shown, percent, total.incomplete, total.impossible);
    return total.impossible || percent < models[model].shown;
}
