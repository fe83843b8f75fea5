/* A graph with every operator of kernels/ops.def, each valid and with attributes that differ from
 * their defaults where it has any: for round trips, and for breaking one thing at a time. */
#ifndef WEFT_TEST_ZOO_H
#define WEFT_TEST_ZOO_H

#include "graph.h"

/* The whole zoo; one node per operator at least. The caller frees. */
weft_graph *zoo_new(void);
/* A convolution of 2 channels with relu: the smallest model that is worth damaging. */
weft_graph *zoo_small(void);

/* The first node with this operator. */
weft_node *zoo_node(weft_graph *g, weft_opcode op);
/* Its input or output `i`. */
weft_tensor *zoo_in(weft_graph *g, weft_opcode op, int i);
weft_tensor *zoo_out(weft_graph *g, weft_opcode op, int i);

#endif
