/* What one schedule leaves outside of the process is found by the next, and nobody sees it made: kept_outside
 * WHAT TWIN. A wrong one fails where it finds it; a right one takes it away. */
#include "case.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void kept_file(void)
{
    long fd = syscall(SYS_openat, AT_FDCWD, "kept", O_CREAT | O_EXCL | O_RDWR, 0600);

    assert(fd != -1);
    close((int)fd);
    if (!wrong)
        syscall(SYS_unlink, "kept");
}

static void kept_folder(void)
{
    assert(syscall(SYS_mkdir, "kept", 0700) == 0);
    if (!wrong)
        syscall(SYS_rmdir, "kept");
}

/* The program's own exit code says it. */
static void kept_and_said(void)
{
    if (syscall(SYS_mkdir, "kept", 0700) != 0)
        exit(3);
    if (!wrong)
        syscall(SYS_rmdir, "kept");
}

static const struct variant keeps[] = {VARIANT(kept, file), VARIANT(kept, folder),
                                       VARIANT(kept, and_said)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    finish(start(run, PICK(keeps, argv[1])));
    return 0;
}
