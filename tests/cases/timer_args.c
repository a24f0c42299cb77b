/* A timer refuses times that are none: timer_args WHICH TWIN. A wrong one expects them to be taken.
 */
#include "case.h"
#include <signal.h>

static void *work(void *arg)
{
    return arg;
}

static const struct {
    const char *name;
    struct itimerspec value;
} times[] = {
    {"second_too_many", {.it_value = {1, 1000000000}}},
    {"negative_ns", {.it_value = {0, -1}}},
    {"negative_seconds", {.it_value = {-1, 0}}},
    {"negative_interval", {.it_value = {1, 0}, .it_interval = {0, -1}}},
};

int main(int argc, char **argv)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    timer_t timer;

    arguments(argc, argv, 1);
    finish(start(work, NULL));
    assert(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (strcmp(times[i].name, argv[1]) == 0) {
            int answer = timer_settime(timer, 0, &times[i].value, NULL);

            assert(wrong ? answer == 0 : answer == -1 && errno == EINVAL);
            return 0;
        }
    return 2;
}
