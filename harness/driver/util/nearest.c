/* nearest.c - see nearest.h */
#include "nearest.h"

#include <string.h>

#define LONGEST 40

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau's distance: each pair of letters is swapped once at most. */
static size_t distance(const char *a, const char *b)
{
    size_t d[LONGEST + 1][LONGEST + 1], n = strlen(a), m = strlen(b);

    for (size_t i = 0; i <= n; i++)
        for (size_t k = 0; k <= m; k++) {
            if (!i || !k) {
                d[i][k] = i + k;
                continue;
            }
            d[i][k] = least(d[i - 1][k - 1] + (a[i - 1] != b[k - 1]),
                            least(d[i - 1][k], d[i][k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                d[i][k] = least(d[i][k], d[i - 2][k - 2] + 1);
        }
    return d[n][m];
}

void nearest_try(struct nearest *n, const char *word)
{
    size_t length = strlen(n->typed), far = length / 3 ? length / 3 : 1, d;

    if (length > LONGEST || strlen(word) > LONGEST)
        return;
    d = distance(n->typed, word);
    if (d <= far && (!n->word || d < n->distance)) {
        n->word = word;
        n->distance = d;
    }
}
