/* A counter that loses updates, as hd_linear() is to find. */
#include <heddle/linear.h>
#include <stdlib.h>

static void *make(void)
{
    return calloc(1, sizeof(long));
}

static void add(void *counter, struct hd_call *call)
{
    call->result[0] = *(long *)counter += call->arg[0];
}

int main(void)
{
    static const struct hd_linear_op ops[] = {
        {.name = "add", .run = add, .apply = add, .args = 1, .results = 1, .range = {{1, 9}}}};
    static const struct hd_linear_spec counter = {.name = "counter",
                                                  .ops = ops,
                                                  .op_count = 1,
                                                  .make = make,
                                                  .destroy = free,
                                                  .state_bytes = sizeof(long)};

    return hd_linear_print(&counter, NULL);
}
