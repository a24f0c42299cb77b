/* fuzz_schedule.c - any bytes as a schedule file (libFuzzer; tests/fuzz/run builds it).
 *
 * What is accepted must come out of the writer in a form that is accepted again, the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedules/schedule.h"

static char *rewrite(const struct schedule *s, size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);
    schedule_write(out, s, NULL);
    fclose(out);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schedule s, t;
    char *why = schedule_parse("input", (const char *)data, size, &s);
    if (!why) {
        size_t first_bytes, second_bytes;
        char *first = rewrite(&s, &first_bytes);
        char *again = schedule_parse("rewritten", first, first_bytes, &t);
        if (again) {
            fprintf(stderr, "%s\n%s", again, first);
            abort();
        }
        char *second = rewrite(&t, &second_bytes);
        if (first_bytes != second_bytes || memcmp(first, second, first_bytes) != 0)
            abort();
        free(first);
        free(second);
        schedule_free(&t);
    }
    free(why);
    schedule_free(&s);
    return 0;
}
