/* table.h - the table of a suite, made from its scenarios.inc, and its main(). Included once. */
#include "suite.h"

#define SCENARIO(name, family, flags, expect, covers, why) void name(void);
#include "scenarios.inc"
#undef SCENARIO

static const struct scenario scenarios[] = {
#define SCENARIO(name, family, flags, expect, covers, why)                                         \
    {#name, #family, flags, expect, covers, why, name},
#include "scenarios.inc"
#undef SCENARIO
};

int main(int argc, char **argv)
{
    return suite_main(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
