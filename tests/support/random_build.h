/* What the files of random_graph.h share: the graph under construction. */
#ifndef WEFT_TEST_RANDOM_BUILD_H
#define WEFT_TEST_RANDOM_BUILD_H

#include "random_graph.h"

enum { RANDOM_MAX_LIVE = 128 };

typedef struct {
  random_source r;
  random_graph_options options;
  weft_graph *g;
  weft_dtype dtype; /* of new inputs */
  int budget;       /* nodes that may still be added */
  int n_live, n_inputs;
  int live[RANDOM_MAX_LIVE]; /* activations so far; the last ones are the newest */
  int input[RANDOM_MAX_LIVE];
} random_build;

/* --- random_graph.c -------------------------------------------------------------------------- */
static inline weft_tensor *random_tensor(const random_build *b, int t) {
  return &b->g->tensor[t];
}
/* A new 8-bit tensor; out-of-range scales are brought back. */
int random_tensor8(random_build *b, weft_dtype dtype, int rank, const int32_t *dim, double scale,
                   int32_t zero);
/* One with the quantization of `like`. */
int random_like(random_build *b, int like, int rank, const int32_t *dim);
int32_t random_zero(random_build *b, weft_dtype dtype);
/* A constant of int32. */
int random_ints(random_build *b, int n, const int32_t *value);
/* A constant of the tensor's type with random codes. */
void random_fill(random_build *b, int t);
/* Adds a node; its outputs become live. */
void random_node(random_build *b, weft_opcode op, const weft_attr *attr, int n_in, const int *in,
                 int n_out, const int *out);
/* An activation of that rank (0: any); a new graph input when there is none, or at random. */
int random_pick(random_build *b, int rank);
/* A new graph input. */
int random_input(random_build *b, int rank, const int32_t *dim);
int random_channels(random_build *b);

/* --- random_conv.c, random_ops.c: each adds one operator or a small group --------------------- */
void random_conv(random_build *b);
void random_depthwise(random_build *b);
void random_bottleneck(random_build *b);
void random_fully_connected(random_build *b);
void random_residual(random_build *b);

void random_binary(random_build *b);
void random_gate(random_build *b); /* MEAN, then MUL by one value per channel */
void random_pool(random_build *b);
void random_mean(random_build *b);
void random_unary(random_build *b);
void random_softmax(random_build *b);
void random_quantize(random_build *b);
void random_reshape(random_build *b);
void random_pad(random_build *b);
void random_concatenation(random_build *b);
void random_slice(random_build *b);
void random_split(random_build *b);
void random_transpose(random_build *b);

#endif
