/* What a strategy needs of the runtime when it stands alone. */
#include "turn/rt.h"
#include "core/real.h"

struct rt rt;
struct hdi_real hdi_real;

struct hdi_thread *hdi_self(void)
{
    return NULL;
}
