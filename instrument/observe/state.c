/* state.c - what is followed of the program, and who the calling thread is. */
#include "observe.h"

bool follow_on, follow_leaks, follow_orders, follow_dumps, follow_usr1, follow_sends;
struct hdi_lockgraph *follow_graph;
__thread struct follower *follow_self_;
