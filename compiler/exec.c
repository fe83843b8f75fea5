/* The reference executor. */
#include "exec.h"

#include "ref.h"

#include <stdlib.h>
#include <string.h>

struct weft_exec {
  const weft_graph *graph;
  weft_tensor *tensor; /* the graph's, with `data` of activations filled in */
  void **data;         /* activations by tensor; NULL for constants */
};

void weft_exec_free(weft_exec *e) {
  if (!e) return;
  if (e->data)
    for (int i = 0; i < e->graph->n_tensors; i++) free(e->data[i]);
  free(e->data);
  free(e->tensor);
  free(e);
}

weft_status weft_exec_new(const weft_graph *g, weft_exec **out, weft_err *err) {
  weft_exec *e = calloc(1, sizeof *e);
  size_t n = g->n_tensors > 0 ? (size_t)g->n_tensors : 1;
  if (!e) goto no_memory;
  e->graph = g;
  e->tensor = calloc(n, sizeof *e->tensor);
  e->data = calloc(n, sizeof *e->data);
  if (!e->tensor || !e->data) goto no_memory;
  for (int i = 0; i < g->n_tensors; i++) {
    e->tensor[i] = g->tensor[i];
    if (weft_is_const(&g->tensor[i])) continue;
    size_t bytes = weft_tensor_bytes(&g->tensor[i]);
    e->data[i] = calloc(bytes ? bytes : 1, 1);
    if (!e->data[i]) goto no_memory;
    e->tensor[i].data = e->data[i];
  }
  *out = e;
  return WEFT_OK;
no_memory:
  weft_exec_free(e);
  return weft_fail(err, WEFT_ENOMEM, "%s: no memory for the activations", g->name);
}

const weft_tensor *weft_exec_tensor(const weft_exec *e, int tensor) {
  return tensor >= 0 && tensor < e->graph->n_tensors ? &e->tensor[tensor] : NULL;
}

weft_status weft_exec_set(weft_exec *e, int tensor, const void *data, size_t bytes, weft_err *err) {
  const weft_graph *g = e->graph;
  if (tensor < 0 || tensor >= g->n_tensors || weft_is_const(&g->tensor[tensor]))
    return weft_fail(err, WEFT_EINPUT, "%s: tensor %d is not an activation", g->name, tensor);
  const weft_tensor *t = &g->tensor[tensor];
  if (bytes != weft_tensor_bytes(t))
    return weft_fail(err, WEFT_EINPUT, "%s: tensor %d (%s) takes %zu bytes, got %zu", g->name,
                     tensor, t->name ? t->name : "", weft_tensor_bytes(t), bytes);
  memcpy(e->data[tensor], data, bytes);
  return WEFT_OK;
}

weft_status weft_exec_run_node(weft_exec *e, int node, weft_err *err) {
  return weft_run_node(e->graph, node, e->data, err);
}

weft_status weft_exec_run(weft_exec *e, weft_err *err) {
  for (int i = 0; i < e->graph->n_nodes; i++) {
    weft_status status = weft_exec_run_node(e, i, err);
    if (status) return status;
  }
  return WEFT_OK;
}

/* The node's operands as tensors with data. */
static void bind(const weft_graph *g, int n, const int *index, void *const *data, weft_tensor *copy,
                 weft_tensor **operand) {
  for (int i = 0; i < n; i++) {
    operand[i] = NULL;
    if (index[i] < 0) continue;
    copy[i] = g->tensor[index[i]];
    if (!weft_is_const(&copy[i])) copy[i].data = data[index[i]];
    operand[i] = &copy[i];
  }
}

weft_status weft_run_node(const weft_graph *g, int node, void *const *data, weft_err *err) {
  if (node < 0 || node >= g->n_nodes)
    return weft_fail(err, WEFT_EINPUT, "%s: there is no node %d", g->name, node);
  const weft_node *n = &g->node[node];
  size_t count = (size_t)n->n_in + (size_t)n->n_out + 1;
  weft_tensor *copy = calloc(count, sizeof *copy);
  weft_tensor **operand = calloc(count, sizeof *operand);
  const char *bad = NULL;
  if (copy && operand) {
    bind(g, n->n_in, n->in, data, copy, operand);
    bind(g, n->n_out, n->out, data, copy + n->n_in, operand + n->n_in);
    bad = weft_ref_run(n->op, &n->attr, n->n_in, (const weft_tensor *const *)operand, n->n_out,
                       operand + n->n_in);
  }
  weft_status status = WEFT_OK;
  if (!copy || !operand)
    status = weft_fail(err, WEFT_ENOMEM, "%s: no memory to run node %d", g->name, node);
  else if (bad)
    status = weft_fail(err, WEFT_EUNSUPP, "%s: node %d (%s): %s", g->name, node,
                       weft_op_name(n->op), bad);
  free(copy);
  free(operand);
  return status;
}
