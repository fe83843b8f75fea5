/* Network MACs of an operator, from shapes alone. */
#include "runner.h"

uint64_t weft_node_macs(const weft_graph *g, int node) {
  const weft_node *n = &g->node[node];
  if (n->n_out < 1) return 0;
  const weft_tensor *y = &g->tensor[n->out[0]];
  const weft_tensor *x = n->n_in > 0 && n->in[0] >= 0 ? &g->tensor[n->in[0]] : NULL;
  const weft_tensor *w = n->n_in > 1 && n->in[1] >= 0 ? &g->tensor[n->in[1]] : NULL;
  uint64_t out = weft_tensor_elements(y);
  switch (n->op) {
  case WEFT_OP_CONV_2D:
    return out * (uint64_t)w->dim[1] * (uint64_t)w->dim[2] * (uint64_t)w->dim[3];
  case WEFT_OP_DEPTHWISE_CONV_2D: return out * (uint64_t)w->dim[1] * (uint64_t)w->dim[2];
  case WEFT_OP_FULLY_CONNECTED: return out * (uint64_t)w->dim[1];
  case WEFT_OP_TRANSPOSE_CONV: /* every input element meets every tap of every output channel */
    return weft_tensor_elements(&g->tensor[n->in[2]]) * (uint64_t)w->dim[0] * (uint64_t)w->dim[1] *
           (uint64_t)w->dim[2];
  case WEFT_OP_BATCH_MATMUL:
    return out * (uint64_t)x->dim[n->attr.adj_x ? x->rank - 2 : x->rank - 1];
  default: return 0;
  }
}
