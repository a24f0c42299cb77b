/* Any bytes as a log of ThreadSanitizer (libFuzzer; start from tests/harness/tools/logs). */
#include <stddef.h>
#include <stdint.h>

#include "tools/tool_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct tool_log log = {0};

    parse_tsan((const char *)data, bytes, &log);
    for (size_t i = 0; i < log.count; i++)
        finding_fingerprint(log.finding[i]);
    tool_log_free(&log);
    return 0;
}
