/* kernels.c - CPU-bound work on private memory: what instrumentation costs where nothing can race.
 *
 *   kernels main      run in the main thread, no other exists
 *   kernels prefix    the same, then a thread is made: what heddle needs to have something to
 * schedule kernels watched   run in a second thread while main waits: every access is checked One
 * line per kernel: name, microseconds of CPU time (asked of the kernel directly), to
 * standard output or the file that HEDDLE_KERNELS_OUT names.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed = 88172645463325252u;

static uint32_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32);
}

#define N 160
static double a[N][N], b[N][N], c[N][N];

static uint64_t matrix_multiply(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = i + j;
            b[i][j] = i - j;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
    return (uint64_t)c[N / 2][N / 3];
}

struct entry {
    uint64_t key, value;
};
#define SLOTS (1u << 18)

static uint64_t hash_map(void)
{
    struct entry *map = calloc(SLOTS, sizeof *map);
    uint64_t found = 0;
    for (int i = 0; i < 120000; i++) {
        uint64_t key = draw() % 90000 + 1;
        uint32_t at = (uint32_t)(key * 0x9e3779b97f4a7c15u >> 46);
        while (map[at].key && map[at].key != key)
            at = (at + 1) % SLOTS;
        found += map[at].key == key;
        map[at].key = key;
        map[at].value++;
    }
    free(map);
    return found;
}

static void sort(int *v, int low, int high)
{
    while (low < high) {
        int pivot = v[(low + high) / 2], i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i <= j) {
                int t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        sort(v, low, j);
        low = i;
    }
}

static uint64_t quicksort(void)
{
    enum { COUNT = 200000 };
    int *v = malloc(COUNT * sizeof *v);
    for (int i = 0; i < COUNT; i++)
        v[i] = (int)draw();
    sort(v, 0, COUNT - 1);
    uint64_t middle = (uint64_t)v[COUNT / 2];
    free(v);
    return middle;
}

/* Greedy LZ77 with a table of the last place of each four bytes. */
static uint64_t compress_mebibyte(void)
{
    enum { BYTES = 1 << 20, TABLE = 1 << 14 };
    unsigned char *in = malloc(BYTES), *out = malloc(BYTES * 2);
    uint32_t *last = calloc(TABLE, sizeof *last);
    for (int i = 0; i < BYTES; i++)
        in[i] = (unsigned char)("the quick brown fox jumps "[draw() % 26 * (draw() % 3 != 0)]);
    size_t o = 0;
    for (uint32_t i = 0; i + 4 < BYTES;) {
        uint32_t word;
        memcpy(&word, in + i, 4);
        uint32_t h = word * 2654435761u >> 18, from = last[h];
        last[h] = i;
        uint32_t n = 0;
        while (from < i && i + n < BYTES && n < 255 && in[from + n] == in[i + n])
            n++;
        if (n >= 4) {
            out[o++] = (unsigned char)n;
            out[o++] = (unsigned char)(i - from);
            i += n;
        } else {
            out[o++] = 0;
            out[o++] = in[i++];
        }
    }
    free(in);
    free(out);
    free(last);
    return o;
}

static int64_t now_us(void)
{
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *run_all(void *arg)
{
    static const struct {
        const char *name;
        uint64_t (*run)(void);
    } kernels[] = {{"matrix", matrix_multiply},
                   {"hashmap", hash_map},
                   {"quicksort", quicksort},
                   {"compress", compress_mebibyte}};
    const char *path = getenv("HEDDLE_KERNELS_OUT");
    FILE *out = path ? fopen(path, "w") : stdout;
    if (!out)
        return NULL;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        int64_t best = INT64_MAX;
        for (int round = 0; round < 3; round++) {
            int64_t start = now_us();
            volatile uint64_t result = kernels[i].run();
            (void)result;
            int64_t took = now_us() - start;
            if (took < best)
                best = took;
        }
        fprintf(out, "%s %lld\n", kernels[i].name, (long long)best);
    }
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (!strncmp(line, "VmHWM:", 6))
            fprintf(out, "peak_kib %ld\n", strtol(line + 6, NULL, 10));
    if (status)
        fclose(status);
    if (out != stdout)
        fclose(out);
    return arg;
}

static void *nothing(void *arg)
{
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;
    if (argc > 1 && !strcmp(argv[1], "watched")) {
        pthread_create(&t, NULL, run_all, NULL);
        pthread_join(t, NULL);
    } else {
        run_all(NULL);
        if (argc > 1 && !strcmp(argv[1], "prefix")) {
            pthread_create(&t, NULL, nothing, NULL);
            pthread_join(t, NULL);
        }
    }
    return 0;
}
