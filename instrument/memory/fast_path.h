/* fast_path.h - the calls for plain accesses, without a detour over the dynamic linker.
 *
 * libheddle-fast-path.a puts them into each instrumented executable and library. While nothing is
 * watched, one is a load and a branch; once the runtime watches memory, it leaves the address of
 * its table in every module's pointer.
 */
#ifndef HEDDLE_FAST_PATH_H
#define HEDDLE_FAST_PATH_H

#include <stdint.h>

/* Of what follows: a module keeps the version that it was linked with. */
#ifndef HDI_FAST_PATH_VERSION
#define HDI_FAST_PATH_VERSION 1
#endif

/* One function per width (1, 2, 4, 8, 16 bytes) and direction; pc: return address of the access. */
#define HDI_WIDTHS 5
struct hdi_fast_path {
    void (*read[HDI_WIDTHS])(uintptr_t addr, uint64_t pc);
    void (*write[HDI_WIDTHS])(uintptr_t addr, uint64_t pc);
};

/* A module tells where its pointer is. By libheddle-hooks natively (does nothing), by the runtime
 * under heddle, which ends a program of another version with a sentence and exit code 3. */
void heddle_fast_path_module(const struct hdi_fast_path **pointer, unsigned version);
/* The module is being unloaded. */
void heddle_fast_path_module_gone(const struct hdi_fast_path **pointer);

#endif /* HEDDLE_FAST_PATH_H */
