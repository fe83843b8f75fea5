/* The arena: every activation gets a byte range for as long as it is alive, and ranges of tensors
 * that are never alive together may overlap. Largest first, each at the lowest offset that is free
 * during its whole life (greedy by size; layers of a group are all alive at once; Pisarchyk & Lee,
 * "Efficient Memory Management for Deep Neural Net Inference", 2020). */
#include <stdlib.h>

#include "lower.h"

enum { ALIGN = 256 };

typedef struct {
  int tensor; /* the one that owns the bytes */
  int first, last;
  uint64_t bytes, offset;
} block;

/* Spatial padding with the zero point, read by convolutions only: their windows can do it. */
static bool folds(const lowering *l, int node) {
  const weft_graph *g = l->graph;
  const weft_node *n = &g->node[node];
  if (n->op != WEFT_OP_PAD || l->no_shortcuts) return false;
  const weft_tensor *x = &g->tensor[n->in[0]], *y = &g->tensor[n->out[0]];
  const weft_tensor *p = &g->tensor[n->in[1]];
  if (!p->data || p->dtype != WEFT_INT32 || x->rank != 4 || weft_is_const(x)) return false;
  if (x->quant.n != 1 || y->quant.n != 1 || x->quant.zero_point[0] != y->quant.zero_point[0])
    return false;
  const int32_t *v = p->data;
  if (v[0] || v[1] || v[6] || v[7] || v[2] > 128 || v[4] > 128) return false;
  for (int i = 0; i < g->n_outputs; i++)
    if (g->output[i] == n->out[0]) return false;
  for (int i = 0; i < g->n_nodes; i++)
    for (int k = 0; k < g->node[i].n_in; k++)
      if (g->node[i].in[k] == n->out[0] && (k > 0 || (g->node[i].op != WEFT_OP_CONV_2D &&
                                                      g->node[i].op != WEFT_OP_DEPTHWISE_CONV_2D)))
        return false;
  return true;
}

static void find_pads(lowering *l) {
  const weft_graph *g = l->graph;
  for (int t = 0; t < g->n_tensors; t++) l->pad_of[t] = -1;
  for (int i = 0; i < g->n_nodes; i++)
    if (folds(l, i)) l->pad_of[g->node[i].out[0]] = i;
}

/* uint8 to int8 with the same scale, zero points 128 apart, for convolutions only: these are the
 * readers that the device never leaves to the host for the sake of a tensor's type. */
static bool only_flips(const lowering *l, const weft_node *n) {
  const weft_graph *g = l->graph;
  const weft_tensor *a = &g->tensor[n->in[0]], *b = &g->tensor[n->out[0]];
  if (l->no_shortcuts || a->dtype != WEFT_UINT8 || b->dtype != WEFT_INT8) return false;
  if (a->quant.n != 1 || b->quant.n != 1 || a->quant.scale[0] != b->quant.scale[0] ||
      a->quant.zero_point[0] - 128 != b->quant.zero_point[0])
    return false;
  for (int i = 0; i < g->n_outputs; i++)
    if (g->output[i] == n->out[0]) return false;
  for (int i = 0; i < g->n_nodes; i++)
    for (int k = 0; k < g->node[i].n_in; k++)
      if (g->node[i].in[k] == n->out[0] && g->node[i].op != WEFT_OP_CONV_2D &&
          !(g->node[i].op == WEFT_OP_PAD && l->pad_of[g->node[i].out[0]] == i))
        return false;
  return true;
}

bool is_view(const lowering *l, const weft_node *n) {
  if (weft_is_const(&l->graph->tensor[n->in[0]])) return false;
  if (n->op == WEFT_OP_QUANTIZE) return only_flips(l, n);
  if (n->op == WEFT_OP_PAD) return l->pad_of[n->out[0]] >= 0;
  return n->op == WEFT_OP_RESHAPE || n->op == WEFT_OP_SQUEEZE || n->op == WEFT_OP_EXPAND_DIMS;
}

/* The tensor whose bytes `t` shows. */
static int owner(const int *alias, int t) {
  while (alias[t] >= 0) t = alias[t];
  return t;
}

static void extend(block *b, const int *alias, int t, int at) {
  block *x = &b[owner(alias, t)];
  if (at < x->first) x->first = at;
  if (at > x->last) x->last = at;
}

static int larger_first(const void *pa, const void *pb) {
  const block *a = *(block *const *)pa, *b = *(block *const *)pb;
  if (a->bytes != b->bytes) return a->bytes < b->bytes ? 1 : -1;
  return a->tensor - b->tensor;
}

static int by_offset(const void *pa, const void *pb) {
  const block *a = *(block *const *)pa, *b = *(block *const *)pb;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Lowest offset at which `b` fits between the placed blocks that live at the same time. */
static uint64_t lowest(const block *b, block **placed, int n, block **scratch) {
  int m = 0;
  for (int i = 0; i < n; i++)
    if (placed[i]->first <= b->last && b->first <= placed[i]->last) scratch[m++] = placed[i];
  qsort(scratch, (size_t)m, sizeof *scratch, by_offset);
  uint64_t at = 0;
  for (int i = 0; i < m; i++) {
    if (scratch[i]->offset >= at + b->bytes) break;
    uint64_t end = scratch[i]->offset + scratch[i]->bytes;
    if (end > at) at = end;
  }
  return at;
}

void plan_arena(lowering *l) {
  const weft_graph *g = l->graph;
  int nt = g->n_tensors, end = g->n_nodes;
  block *b = calloc((size_t)nt + 1, sizeof *b);
  int *alias = malloc(((size_t)nt + 1) * sizeof *alias);
  block **order = malloc(((size_t)nt + 1) * sizeof *order);
  block **scratch = malloc(((size_t)nt + 1) * sizeof *scratch);
  if (!b || !alias || !order || !scratch) abort();
  find_pads(l);
  for (int t = 0; t < nt; t++) {
    alias[t] = -1;
    b[t] = (block){.tensor = t, .first = end + 1, .last = -1};
    b[t].bytes = (weft_tensor_bytes(&g->tensor[t]) + ALIGN - 1) / ALIGN * ALIGN;
  }
  for (int i = 0; i < g->n_nodes; i++)
    if (is_view(l, &g->node[i])) alias[g->node[i].out[0]] = g->node[i].in[0];
  for (int i = 0; i < g->n_inputs; i++) extend(b, alias, g->input[i], -1);
  for (int i = 0; i < g->n_outputs; i++)
    if (!weft_is_const(&g->tensor[g->output[i]])) extend(b, alias, g->output[i], end);
  for (int i = 0; i < g->n_nodes; i++) {
    const weft_node *n = &g->node[i];
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0 && !weft_is_const(&g->tensor[n->in[k]]))
        extend(b, alias, n->in[k], l->ends[i]);
    for (int k = 0; k < n->n_out; k++) {
      extend(b, alias, n->out[k], l->begins[i]);
      extend(b, alias, n->out[k], l->ends[i]);
    }
  }
  int m = 0;
  for (int t = 0; t < nt; t++)
    if (alias[t] < 0 && b[t].last >= b[t].first && b[t].first <= end) order[m++] = &b[t];
  qsort(order, (size_t)m, sizeof *order, larger_first);
  uint64_t size = 0;
  for (int i = 0; i < m; i++) {
    order[i]->offset = lowest(order[i], order, i, scratch);
    if (order[i]->offset + order[i]->bytes > size) size = order[i]->offset + order[i]->bytes;
  }
  for (int t = 0; t < nt; t++) {
    const block *x = &b[owner(alias, t)];
    bool lives = !weft_is_const(&g->tensor[t]) && x->last >= x->first && x->first <= end;
    l->prog->place[t] = (weft_place){lives && l->pad_of[t] < 0 ? x->offset : WEFT_NOWHERE,
                                     weft_tensor_bytes(&g->tensor[t])};
  }
  for (int t = 0; t < nt; t++) l->owner[t] = owner(alias, t);
  l->prog->arena_bytes = size;
  free(b);
  free(alias);
  free(order);
  free(scratch);
}
