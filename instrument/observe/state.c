/* state.c - what is followed of the program, and who the calling thread is. */
#include "observe.h"

bool observe_on, observe_leaks, observe_orders, observe_dumps, follow_usr1, observe_sends;
struct hdi_lockgraph *observe_graph;
__thread struct follower *observe_self_;
