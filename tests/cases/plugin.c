/* Threads that are made while a plugin is being loaded: plugin WHERE TWIN. */
#include "case.h"
#include <dlfcn.h>

/* By the plugin's own constructor; its destructor joins it. A wrong one fails after that. */
static void made_constructor(void)
{
    void *plugin = dlopen("$ORIGIN/plugin_thread.so", RTLD_NOW);

    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    assert(dlclose(plugin) == 0);
    if (wrong)
        abort();
}

static const struct variant mades[] = {VARIANT(made, constructor)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(mades, argv[1])->run();
    return 0;
}
