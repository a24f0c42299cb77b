/* calling_context.c - the tree of calling contexts: nodes in one array, children found by hash. */
#include "core/control.h"
#include "calling_context.h"

#define NODES (1u << 20)
#define HEADS (1u << 16)

struct node {
    uint64_t pc;
    uint32_t parent, next;
};

static struct node *nodes;
static uint32_t *heads;
static uint32_t used = 1;

uint32_t hdi_context_child(uint32_t parent, uint64_t pc)
{
    if (!nodes) {
        nodes = hdi_alloc_lasting(NODES * sizeof *nodes);
        heads = hdi_alloc_lasting(HEADS * sizeof *heads);
    }
    /* neighbours stay neighbours: a schedule touches few pages of the table */
    uint32_t *head = &heads[(pc + (uint64_t)parent * 37) & (HEADS - 1)];
    for (uint32_t i = *head; i; i = nodes[i].next)
        if (nodes[i].pc == pc && nodes[i].parent == parent)
            return i;
    if (used == NODES)
        return 0;
    nodes[used] = (struct node){.pc = pc, .parent = parent, .next = *head};
    return *head = used++;
}

/* What is noted of a context is a node above it, with a mark that no program counter has. */
#define LOCKS ((uint64_t)1 << 63)
#define STEP ((uint64_t)1 << 62)

static uint32_t noted(uint32_t context, uint64_t mark)
{
    return context && nodes[context].pc & mark ? (uint32_t)nodes[context].pc : 0;
}

uint32_t hdi_context_noted(uint32_t context, uint32_t locks, uint32_t step)
{
    if (locks)
        context = hdi_context_child(context, LOCKS | locks);
    /* a step is used once: it must not take the room that stacks need */
    if (step && used < NODES / 2)
        context = hdi_context_child(context, STEP | step);
    return context;
}

uint32_t hdi_context_step(uint32_t context)
{
    return noted(context, STEP);
}

uint32_t hdi_context_locks(uint32_t context)
{
    if (hdi_context_step(context))
        context = nodes[context].parent;
    return noted(context, LOCKS);
}

uint32_t hdi_context_pcs(uint32_t context, uint64_t *pcs, uint32_t max)
{
    uint32_t n = 0;
    while (context && nodes[context].pc & (LOCKS | STEP))
        context = nodes[context].parent;
    for (; context && n < max; context = nodes[context].parent)
        pcs[n++] = nodes[context].pc;
    return n;
}
