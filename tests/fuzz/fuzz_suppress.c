/* fuzz_suppress.c - any bytes as a suppression file (libFuzzer; tests/fuzz/run builds it).
 *
 * What is refused names a place; what is accepted can be asked about any finding.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suppressions *s = suppress_new();
    char *why = suppress_parse(s, "input", (const char *)data, size);
    if (why && strncmp(why, "input:", 6) != 0)
        abort();
    for (unsigned kind = 0; kind < HD_FK_COUNT; kind++) {
        struct finding *f = finding_new((enum hd_finding_kind)kind, TOOL_HEDDLE, NULL);
        struct note *n = finding_note(f, HD_ROLE_HERE);
        n->object = strdup("mutex M1 (table.lock)");
        stack_push(&n->stack, "aab", "src/aab.c", 1, 1, "/lib/b.so", 1);
        stack_push(&n->stack, "foo", "foo.c", 2, 1, "prog", 2);
        suppress_matches(s, f);
        finding_free(f);
    }
    free(why);
    suppress_free(s);
    return 0;
}
