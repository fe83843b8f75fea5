/* The graph's builder: importers and tests make a weft_graph with these functions, then call
 * weft_graph_check(). Every array is owned by the graph and released by weft_graph_free(). */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more element: arrays grow at powers of two, so that no capacity is stored. */
static void *grow(void *array, int n, size_t size) {
  if (n & (n - 1)) return array;
  size_t capacity = n ? (size_t)n * 2 : 1;
  return realloc(array, capacity * size);
}

/* A copy of `n` bytes; never NULL for n == 0, so that an empty constant is still a constant. */
static void *copy(const void *from, size_t n) {
  void *to = malloc(n ? n : 1);
  if (to && n) memcpy(to, from, n);
  return to;
}

weft_graph *weft_graph_new(const char *name) {
  weft_graph *g = calloc(1, sizeof *g);
  if (!g) return NULL;
  g->name = strdup(name ? name : "");
  if (!g->name) {
    free(g);
    return NULL;
  }
  return g;
}

int weft_graph_add_tensor(weft_graph *g, const char *name, weft_dtype dtype, int rank,
                          const int32_t *dim) {
  if (rank < 0 || rank > WEFT_MAX_RANK || g->n_tensors == INT32_MAX) return -1;
  weft_tensor *grown = grow(g->tensor, g->n_tensors, sizeof *grown);
  if (!grown) return -1;
  g->tensor = grown;
  weft_tensor *t = &grown[g->n_tensors];
  memset(t, 0, sizeof *t);
  t->name = strdup(name ? name : "");
  if (!t->name) return -1;
  t->dtype = dtype;
  t->rank = rank;
  for (int i = 0; i < rank; i++) t->dim[i] = dim[i];
  return g->n_tensors++;
}

static void free_quant(weft_quant *q) {
  free(q->scale);
  free(q->zero_point);
  *q = (weft_quant){0};
}

int weft_graph_set_quant(weft_graph *g, int tensor, int n, int axis, const float *scale,
                         const int32_t *zero_point) {
  if (tensor < 0 || tensor >= g->n_tensors || n < 0) return -1;
  weft_quant q = {.n = n, .axis = axis};
  if (n) {
    q.scale = copy(scale, (size_t)n * sizeof *scale);
    q.zero_point = copy(zero_point, (size_t)n * sizeof *zero_point);
    if (!q.scale || !q.zero_point) {
      free_quant(&q);
      return -1;
    }
  }
  free_quant(&g->tensor[tensor].quant);
  g->tensor[tensor].quant = q;
  return 0;
}

int weft_graph_set_data(weft_graph *g, int tensor, const void *data) {
  if (tensor < 0 || tensor >= g->n_tensors) return -1;
  weft_tensor *t = &g->tensor[tensor];
  void *own = copy(data, weft_tensor_bytes(t));
  if (!own) return -1;
  free(t->data);
  t->data = own;
  return 0;
}

int weft_graph_add_node(weft_graph *g, weft_opcode op, const weft_attr *attr, int n_in,
                        const int *in, int n_out, const int *out) {
  if (n_in < 0 || n_out < 0 || g->n_nodes == INT32_MAX) return -1;
  weft_node *grown = grow(g->node, g->n_nodes, sizeof *grown);
  if (!grown) return -1;
  g->node = grown;
  weft_node *node = &grown[g->n_nodes];
  *node = (weft_node){.op = op, .n_in = n_in, .n_out = n_out};
  if (attr) node->attr = *attr;
  node->in = copy(in, (size_t)n_in * sizeof *in);
  node->out = copy(out, (size_t)n_out * sizeof *out);
  if (!node->in || !node->out) {
    free(node->in);
    free(node->out);
    return -1;
  }
  return g->n_nodes++;
}

int weft_graph_set_io(weft_graph *g, int n_in, const int *in, int n_out, const int *out) {
  if (n_in < 0 || n_out < 0) return -1;
  int *input = copy(in, (size_t)n_in * sizeof *in);
  int *output = copy(out, (size_t)n_out * sizeof *out);
  if (!input || !output) {
    free(input);
    free(output);
    return -1;
  }
  free(g->input);
  free(g->output);
  g->input = input;
  g->output = output;
  g->n_inputs = n_in;
  g->n_outputs = n_out;
  return 0;
}

void weft_graph_free(weft_graph *g) {
  if (!g) return;
  for (int i = 0; i < g->n_tensors; i++) {
    free(g->tensor[i].name);
    free(g->tensor[i].data);
    free_quant(&g->tensor[i].quant);
  }
  for (int i = 0; i < g->n_nodes; i++) {
    free(g->node[i].in);
    free(g->node[i].out);
  }
  free(g->tensor);
  free(g->node);
  free(g->input);
  free(g->output);
  free(g->name);
  free(g);
}
