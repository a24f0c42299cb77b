/* A library that calls what Heddle models before main, and before Heddle's runtime has begun. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

long early_result = -1;

__attribute__((constructor)) static void early(void)
{
    early_result = syscall(SYS_gettid);
}
