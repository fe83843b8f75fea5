/* The network as the compiler sees it: tensors and operators in execution order.
 *
 * Importers build a graph (tflite.h), the reference executor runs it (exec.h), the compiler lowers
 * it. Tensor indices are those of the model file, so that golden outputs can be compared by index.
 */
#ifndef WEFT_GRAPH_H
#define WEFT_GRAPH_H

#include "err.h"
#include "op.h"
#include "tensor.h"

typedef struct {
  weft_opcode op;
  weft_attr attr;
  int n_in, n_out;
  int *in;  /* tensor indices; -1 = optional input that is absent */
  int *out; /* tensor indices */
} weft_node;

typedef struct {
  char *name; /* the model file's name without folder and extension */
  int n_tensors;
  weft_tensor *tensor; /* constants own their data; activations have data == NULL */
  int n_nodes;
  weft_node *node; /* in execution order: every input is a graph input, a constant, or an
                      output of an earlier node */
  int n_inputs, n_outputs;
  int *input, *output; /* tensor indices */
} weft_graph;

weft_graph *weft_graph_new(const char *name);
/* Appends a tensor; copies `name`; takes no data. Returns its index, or -1 when out of memory. */
int weft_graph_add_tensor(weft_graph *g, const char *name, weft_dtype dtype, int rank,
                          const int32_t *dim);
/* Sets the quantization of a tensor (copied). Returns 0, or -1 when out of memory. */
int weft_graph_set_quant(weft_graph *g, int tensor, int n, int axis, const float *scale,
                         const int32_t *zero_point);
/* Makes a tensor a constant: copies weft_tensor_bytes() bytes. Returns 0, or -1. */
int weft_graph_set_data(weft_graph *g, int tensor, const void *data);
/* Appends a node (arrays copied). Returns its index, or -1. */
int weft_graph_add_node(weft_graph *g, weft_opcode op, const weft_attr *attr, int n_in,
                        const int *in, int n_out, const int *out);
/* Sets the graph's inputs and outputs (copied). Returns 0, or -1. */
int weft_graph_set_io(weft_graph *g, int n_in, const int *in, int n_out, const int *out);
/* Checks shapes, types, quantization and order of every node; one clear line on failure that names
 * the tensor. Importers call it last: a checked graph never makes a kernel read out of bounds. */
weft_status weft_graph_check(const weft_graph *g, const char *file, weft_err *err);
void weft_graph_free(weft_graph *g);

/* True when nothing writes the tensor: it has data in the model file. */
static inline bool weft_is_const(const weft_tensor *t) {
  return t->data != NULL;
}

#endif
