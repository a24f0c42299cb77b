/* descriptor-race - a file descriptor is closed while another thread uses it, or after another has closed it
 *
 * Means:  A descriptor is a number that the next file to be opened gets: who still uses it then reads, writes or
 *         closes a file that is not his.
 * Found:  In the schedule: a descriptor that is closed while another thread is about to use it, or waits for it; a
 *         number that is used or closed again after that. With heddle-cc also a close that nothing orders behind a
 *         use, or behind the opening of what has the number now.
 * Limits: dup2() over an open descriptor is no close: its users have one that is open. Uses are calls that Heddle
 *         knows: reads and writes, sockets, polls, locks, dup, fcntl, ioctl. Order is that of C11: a number that is
 *         handed on by relaxed atomics alone is not ordered.
 * Build:  cc -g -O1 -pthread
 * Run:    heddle run -- ./program
 */
#include <pthread.h>
#include <unistd.h>

static int ends[2];

static void *logs(void *arg)
{
    (void)!write(ends[1], "x", 1);
    return arg;
}

int main(void)
{
    pthread_t logger;

    if (pipe(ends) != 0)
        return 1;
    pthread_create(&logger, NULL, logs, NULL);
#ifdef RIGHT
    pthread_join(logger, NULL);
    close(ends[1]);
#else
    close(ends[1]);
    pthread_join(logger, NULL);
#endif
    return 0;
}
