/* run.c - a litmus program as a real one, with threads, under heddle run.
 *
 *   run sc|tso|c11 shape|random NUMBER
 *
 * Aborts in each schedule whose outcome that model does not allow.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "litmus.h"

static struct program program;
static struct result result[THREADS][OPS];
static struct {
    _Alignas(64) uint32_t value;
} memory[LOCATIONS];

static void *body(void *arg)
{
    unsigned t = *(const unsigned *)arg;

    for (unsigned i = 0; i < program.ops[t]; i++)
        result[t][i] = op_execute(&program.op[t][i], &memory[program.op[t][i].location].value);
    return NULL;
}

int main(int argc, char **argv)
{
    static const unsigned number[THREADS] = {0, 1, 2, 3};
    struct outcomes allowed = {0};
    pthread_t thread[THREADS];
    uint32_t last[LOCATIONS];

    if (argc != 4)
        return 2;
    unsigned n = (unsigned)strtoul(argv[3], NULL, 10);
    if (strcmp(argv[2], "random") == 0)
        program_random(&program, n);
    else if (!program_shape(&program, n / DECORATIONS, n % DECORATIONS))
        return 2;
    axioms_allow(&program,
                 strcmp(argv[1], "c11") == 0   ? MODEL_C11_STRICT
                 : strcmp(argv[1], "tso") == 0 ? MODEL_TSO
                                               : MODEL_SC,
                 &allowed);
    for (unsigned t = 0; t < program.threads; t++)
        if (pthread_create(&thread[t], NULL, body, (void *)&number[t]))
            return 2;
    for (unsigned t = 0; t < program.threads; t++)
        pthread_join(thread[t], NULL);
    for (unsigned i = 0; i < LOCATIONS; i++)
        last[i] = memory[i].value;
    uint64_t key = outcome_of(&program, result, last);
    if (!outcomes_have(&allowed, key)) {
        program_print(&program, stderr);
        outcome_print(&program, key, stderr);
        abort();
    }
    return 0;
}
