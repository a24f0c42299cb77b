/* generate COUNT SEED: a C program on stdout that is COUNT random small programs; its argument says
 * which. Each has two or three threads, two locks, two variables and an atomic one; what a thread
 * does may depend on what it read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state += 0x9e3779b97f4a7c15ull;
    uint64_t x = state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)((x ^ x >> 31) % n);
}

static void print_access(unsigned program)
{
    unsigned variable = below(2), value = 1 + below(5);

    switch (below(6)) {
    case 0:
    case 1:
        printf("    v[%u][%u] = %u;\n", program, variable, value);
        break;
    case 2:
        printf("    seen += v[%u][%u];\n", program, variable);
        break;
    case 3:
        printf("    v[%u][%u]++;\n", program, variable);
        break;
    case 4:
        printf("    if (v[%u][%u] %% 2)\n        v[%u][%u] = %u;\n", program, variable, program,
               1 - variable, value);
        break;
    default:
        if (below(2))
            printf("    atomic_fetch_add(&a[%u], 1);\n", program);
        else
            printf("    seen += atomic_load(&a[%u]);\n", program);
        break;
    }
}

static void print_thread(unsigned program, unsigned thread)
{
    int held = -1;

    printf("static void *t%u_%u(void *arg)\n{\n    int seen = 0;\n", program, thread);
    for (unsigned ops = 3 + below(4); ops > 0; ops--)
        if (below(5) < 2 && held < 0) {
            held = below(4) == 0;
            printf("    pthread_mutex_lock(&m[%u][%d]);\n", program, held);
        } else if (below(2) && held >= 0) {
            printf("    pthread_mutex_unlock(&m[%u][%d]);\n", program, held);
            held = -1;
        } else {
            print_access(program);
        }
    if (held >= 0)
        printf("    pthread_mutex_unlock(&m[%u][%d]);\n", program, held);
    printf("    return seen > 1000 ? NULL : arg;\n}\n\n");
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    unsigned *threads = calloc(count + 1, sizeof *threads);

    if (!threads)
        return 1;
    printf("#include <pthread.h>\n#include <stdatomic.h>\n#include <stdlib.h>\n\n"
           "static int v[%u][2];\nstatic atomic_int a[%u];\nstatic pthread_mutex_t m[%u][2];\n\n",
           count, count, count);
    for (unsigned i = 0; i < count; i++) {
        threads[i] = 2 + below(2);
        for (unsigned t = 0; t < threads[i]; t++)
            print_thread(i, t);
    }
    printf("static void *(*const start[%u][3])(void *) = {\n", count);
    for (unsigned i = 0; i < count; i++) {
        printf("    {t%u_0, t%u_1", i, i);
        if (threads[i] == 3)
            printf(", t%u_2", i);
        puts("},");
    }
    puts("};\n\n"
         "int main(int argc, char **argv)\n{\n"
         "    unsigned which = argc > 1 ? (unsigned)atoi(argv[1]) : 0;\n"
         "    pthread_t t[3];\n"
         "    for (int i = 0; i < 3 && start[which][i]; i++)\n"
         "        pthread_create(&t[i], NULL, start[which][i], NULL);\n"
         "    for (int i = 0; i < 3 && start[which][i]; i++)\n"
         "        pthread_join(t[i], NULL);\n"
         "    return 0;\n}");
    free(threads);
    return 0;
}
