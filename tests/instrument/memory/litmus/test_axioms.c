/* test_axioms.c - the axioms, held against what the literature says of well-known programs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "memory/race/detector.h"
#include "litmus.h"

/* An outcome, and which models allow it. Of a program's threads, between bars: x=1 stores, x loads, x+1 adds,
 * x?0>1 and x~0>1 compare and exchange (~: weakly), f is a fence; relaxed, or with acq, rel, ar, sc behind it.
 * Of an outcome: what was read, then memory. */
static const struct known {
    const char *name, *program, *outcome, *allowed;
} known[] = {
    {"store buffering", "x=1 y | y=1 x", "0 0 1 1", "tso c11 strict"},
    {"of seq_cst", "x=1 sc y sc | y=1 sc x sc", "0 0 1 1", ""},
    {"of release and acquire", "x=1 rel y acq | y=1 rel x acq", "0 0 1 1", "tso c11 strict"},
    {"with fences", "x=1 f sc y | y=1 f sc x", "0 0 1 1", ""},
    {"with one", "x=1 f sc y | y=1 f ar x", "0 0 1 1", "tso c11 strict"},
    {"a fence, and seq_cst", "x=1 sc y sc | y=1 f sc x", "0 0 1 1", ""},
    {"of updates", "x+1 y | y+1 x", "0 0 0 0 1 1", "c11 strict"},
    {"own stores read back", "x=1 x y | y=1 y x", "1 0 1 0 1 1", "tso c11 strict"},
    {"message passing", "x=1 y=1 | y x", "1 0 1 1", "c11 strict"},
    {"by release and acquire", "x=1 y=1 rel | y acq x", "1 0 1 1", ""},
    {"by fences", "x=1 f rel y=1 | y f acq x", "1 0 1 1", ""},
    {"by one", "x=1 f rel y=1 | y x", "1 0 1 1", "c11 strict"},
    {"load buffering", "x y=1 | y x=1", "1 1 1 1", ""},
    {"2+2W", "x=1 rel y=2 rel | y=1 rel x=2 rel", "1 1", "c11 strict"},
    {"2+2W of seq_cst", "x=1 sc y=2 sc | y=1 sc x=2 sc", "1 1", ""},
    {"R", "x=1 y=1 | y=2 x", "0 1 2", "tso c11 strict"},
    {"S", "x=2 y=1 | y x=1", "1 2 1", "c11 strict"},
    {"S by release and acquire", "x=2 y=1 rel | y acq x=1", "1 2 1", ""},
    {"coherence", "x=1 x=2 | x x", "2 1 2", ""},
    {"through happens-before", "x=1 | x y=1 rel | y acq x", "1 1 0 1 1", ""},
    {"write to read causality", "x=1 | x y=1 | y acq x", "1 1 0 1 1", "c11 strict"},
    {"independent reads", "x=1 rel | y=1 rel | x acq y acq | y acq x acq", "1 0 1 0 1 1",
     "c11 strict"},
    {"of seq_cst", "x=1 sc | y=1 sc | x sc y sc | y sc x sc", "1 0 1 0 1 1", ""},
    {"of relaxed stores, seq_cst", "x=1 | y=1 | x sc y sc | y sc x sc", "1 0 1 0 1 1", "c11"},
    {"with fences", "x=1 | y=1 | x f sc y | y f sc x", "1 0 1 0 1 1", ""},
    {"read to write causality", "x=1 | x f sc y | y=1 f sc x", "1 0 0 1 1", ""},
    {"Z6.U", "x=1 sc y=1 rel | y+1 sc y | y=3 sc x sc", "1 3 0 1 3", "c11"},
    {"release, then store", "x=1 y=1 rel y=2 | y acq x", "2 0 1 2", "c11 strict"},
    {"release, then update", "x=1 y=1 rel | y+1 | y acq x", "1 2 0 1 2", ""},
    {"updates are atomic", "x+1 | x+1", "0 0 1", ""},
    {"failure for no reason", "x~0>1", "0 0", "c11 strict"},
    {"failure for none", "x?0>1", "0 0", ""},
    {"failure on an old value", "x=1 y=1 | y x?5>6", "1 0 1 1", "c11 strict"},
};

static struct program parsed(const char *text)
{
    static const char *const orders[] = {"", "", "acq", "rel", "ar", "sc"};
    struct program p = {.threads = 1, .locations = 1};
    char copy[100], *rest, *word;
    struct op *op = NULL;

    snprintf(copy, sizeof copy, "%s", text);
    for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        unsigned order = HDI_ACQUIRE;
        while (order <= HDI_SEQ_CST && strcmp(orders[order], word) != 0)
            order++;
        if (*word == '|') {
            p.threads++;
        } else if (order <= HDI_SEQ_CST) {
            op->order = (uint8_t)order;
        } else {
            unsigned t = p.threads - 1;
            op = &p.op[t][p.ops[t]++];
            *op = (struct op){.kind = FENCE};
            if (*word == 'f')
                continue;
            op->location = (uint8_t)(*word - 'x');
            if (op->location >= p.locations)
                p.locations = op->location + 1u;
            op->kind = word[1] == '='   ? STORE
                       : word[1] == '+' ? ADD
                       : word[1] == '?' ? COMPARE
                       : word[1] == '~' ? COMPARE_WEAK
                                        : LOAD;
            op->value = (uint8_t)(word[1] ? word[strlen(word) - 1] - '0' : 0);
            op->expected = (uint8_t)(word[1] ? word[2] - '0' : 0);
        }
    }
    return p;
}

static uint64_t key_of(const struct program *p, const char *outcome)
{
    struct outcome o = {0};
    uint32_t memory[LOCATIONS];

    for (unsigned t = 0; t < p->threads; t++)
        for (unsigned i = 0; i < p->ops[t]; i++)
            if (reads(p->op[t][i].kind)) {
                outcome_read(&o, (unsigned)(*outcome - '0'), false);
                outcome += 2;
            }
    for (unsigned i = 0; i < p->locations; i++)
        memory[i] = (uint32_t)(outcome[2 * i] - '0');
    return outcome_key(&o, p->locations, memory);
}

static void known_programs(void **state)
{
    static const char *const models[] = {"sc", "tso", "c11", "strict"};

    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        for (unsigned model = MODEL_SC; model <= MODEL_C11_STRICT; model++) {
            struct program p = parsed(known[i].program);
            struct outcomes allowed = {0};
            axioms_allow(&p, model, &allowed);
            if (outcomes_have(&allowed, key_of(&p, known[i].outcome)) !=
                (strstr(known[i].allowed, models[model]) != NULL))
                fail_msg("%s (%s) in %s", known[i].name, known[i].program, models[model]);
            outcomes_free(&allowed);
        }
}

/* Whatever a stronger model allows, a weaker one does. */
static void models_contain_each_other(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct program p;
        struct outcomes allowed[4] = {0};
        program_random(&p, seed);
        for (unsigned model = MODEL_SC; model <= MODEL_C11_STRICT; model++)
            axioms_allow(&p, model, &allowed[model]);
        assert_true(allowed[MODEL_SC].count > 0);
        static const enum model weaker[] = {MODEL_TSO, MODEL_C11_STRICT, MODEL_C11, MODEL_C11};
        for (unsigned model = MODEL_SC; model <= MODEL_C11_STRICT; model++)
            for (uint32_t i = 0; i < allowed[model].room; i++)
                if (allowed[model].key[i])
                    assert_true(outcomes_have(&allowed[weaker[model]], allowed[model].key[i]));
        for (unsigned model = MODEL_SC; model <= MODEL_C11_STRICT; model++)
            outcomes_free(&allowed[model]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_programs),
        cmocka_unit_test(models_contain_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
