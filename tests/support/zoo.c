/* Builds the graph of zoo.h. Read zoo_new(): one line or two per operator. */
#include "zoo.h"

#include <stdlib.h>
#include <string.h>

#define DIMS(...)                                                                                  \
  (sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), (int32_t[]) {                              \
    __VA_ARGS__                                                                                    \
  }
#define ONE(g, op, attr, out, ...)                                                                 \
  node(g, WEFT_OP_##op, attr, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)),                   \
       (int[]){__VA_ARGS__}, out)

static const weft_attr no_attr;

/* An int8 tensor. */
static int q8(weft_graph *g, float scale, int32_t zero, size_t rank, const int32_t *dim) {
  char name[32];
  (void)snprintf(name, sizeof name, "t%d", g->n_tensors);
  int t = weft_graph_add_tensor(g, name, WEFT_INT8, (int)rank, dim);
  if (t < 0 || weft_graph_set_quant(g, t, 1, 0, &scale, &zero)) abort();
  return t;
}

/* A plain tensor of any type. */
static int plain(weft_graph *g, weft_dtype dtype, size_t rank, const int32_t *dim) {
  char name[32];
  (void)snprintf(name, sizeof name, "t%d", g->n_tensors);
  int t = weft_graph_add_tensor(g, name, dtype, (int)rank, dim);
  if (t < 0) abort();
  return t;
}

static int constant(weft_graph *g, int t, const void *data) {
  if (weft_graph_set_data(g, t, data)) abort();
  return t;
}

/* int8 constants counting up; int32 vectors. */
static int weights(weft_graph *g, int channel_axis, size_t rank, const int32_t *dim) {
  int t = q8(g, 0.02f, 0, rank, dim);
  size_t n = weft_tensor_elements(&g->tensor[t]);
  int8_t *values = malloc(n);
  for (size_t i = 0; i < n; i++) values[i] = (int8_t)(i * 7 % 251 - 125);
  constant(g, t, values);
  free(values);
  if (channel_axis < 0) return t;
  int channels = dim[channel_axis];
  float scale[64];
  int32_t zero[64] = {0};
  for (int i = 0; i < channels; i++) scale[i] = 0.01f * (float)(i + 1);
  if (weft_graph_set_quant(g, t, channels, channel_axis, scale, zero)) abort();
  return t;
}

static int ints(weft_graph *g, size_t n, const int32_t *value) {
  return constant(g, plain(g, WEFT_INT32, 1, &(int32_t){(int32_t)n}), value);
}

static int scalar(weft_graph *g, int32_t value) {
  return constant(g, plain(g, WEFT_INT32, 0, NULL), &value);
}

static int node(weft_graph *g, weft_opcode op, weft_attr attr, int n_in, const int *in, int out) {
  if (weft_graph_add_node(g, op, &attr, n_in, in, 1, &out) < 0) abort();
  return out;
}

weft_graph *zoo_small(void) {
  weft_graph *g = weft_graph_new("small");
  if (!g) abort();
  int x = q8(g, 0.5f, 3, DIMS(1, 4, 4, 2));
  int w = weights(g, 0, DIMS(3, 3, 3, 2));
  int bias = ints(g, DIMS(10, -20, 30));
  weft_attr conv = {.activation = WEFT_ACT_RELU,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .pad_top = 1,
                    .pad_left = 1,
                    .pad_bottom = 1,
                    .pad_right = 1};
  int y = ONE(g, CONV_2D, conv, q8(g, 0.25f, -5, DIMS(1, 4, 4, 3)), x, w, bias);
  if (weft_graph_set_io(g, 1, &x, 1, &y)) abort();
  return g;
}

static void windows(weft_graph *g, int x) {
  weft_attr conv = {.activation = WEFT_ACT_RELU6,
                    .stride_h = 2,
                    .stride_w = 1,
                    .dilation_h = 1,
                    .dilation_w = 2,
                    .pad_bottom = 1,
                    .pad_left = 2,
                    .pad_right = 2};
  ONE(g, CONV_2D, conv, q8(g, 0.3f, -9, DIMS(1, 4, 8, 6)), x, weights(g, 0, DIMS(6, 3, 3, 4)),
      ints(g, DIMS(1, 2, 3, 4, 5, 6)));
  weft_attr dw = {.activation = WEFT_ACT_RELU_N1_TO_1,
                  .stride_h = 1,
                  .stride_w = 2,
                  .dilation_h = 1,
                  .dilation_w = 1,
                  .depth_multiplier = 2};
  ONE(g, DEPTHWISE_CONV_2D, dw, q8(g, 0.3f, 1, DIMS(1, 6, 3, 8)), x,
      weights(g, 3, DIMS(1, 3, 3, 8)), -1);
  weft_attr up = {.stride_h = 2, .stride_w = 2, .pad_bottom = 1, .pad_right = 1};
  ONE(g, TRANSPOSE_CONV, up, q8(g, 0.4f, 2, DIMS(1, 16, 16, 5)), ints(g, DIMS(1, 16, 16, 5)),
      weights(g, 0, DIMS(5, 3, 3, 4)), x);
  ONE(g, FULLY_CONNECTED, (weft_attr){.activation = WEFT_ACT_RELU}, q8(g, 0.7f, 4, DIMS(1, 10)), x,
      weights(g, -1, DIMS(10, 256)), ints(g, DIMS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)));
  ONE(g, FULLY_CONNECTED, (weft_attr){.keep_dims = true}, q8(g, 0.7f, 4, DIMS(1, 8, 8, 10)), x,
      weights(g, 0, DIMS(10, 4)));
  ONE(g, BATCH_MATMUL, (weft_attr){.adj_y = true}, q8(g, 0.9f, 0, DIMS(1, 8, 8, 3)), x,
      q8(g, 0.1f, 0, DIMS(1, 8, 3, 4)));
  constant(g, g->node[g->n_nodes - 1].in[1], (int8_t[96]){1, 2, 3});
  weft_attr pool = {.stride_h = 2,
                    .stride_w = 3,
                    .filter_h = 3,
                    .filter_w = 4,
                    .pad_bottom = 1,
                    .pad_left = 1,
                    .pad_right = 1};
  ONE(g, AVERAGE_POOL_2D, pool, q8(g, 0.5f, 3, DIMS(1, 4, 3, 4)), x);
  ONE(g, MAX_POOL_2D, pool, q8(g, 0.5f, 3, DIMS(1, 4, 3, 4)), x);
}

static void arithmetic(weft_graph *g, int x) {
  weft_attr relu = {.activation = WEFT_ACT_RELU};
  int row = weights(g, -1, DIMS(1, 8, 4)), same = q8(g, 0.5f, 3, DIMS(4));
  constant(g, same, (int8_t[4]){1, 2, 3, 4});
  ONE(g, ADD, relu, q8(g, 0.6f, 1, DIMS(1, 8, 8, 4)), x, row);
  ONE(g, SUB, relu, q8(g, 0.6f, 2, DIMS(1, 8, 8, 4)), row, x);
  ONE(g, MUL, relu, q8(g, 0.6f, 3, DIMS(1, 8, 8, 4)), x, row);
  ONE(g, MINIMUM, no_attr, q8(g, 0.5f, 3, DIMS(1, 8, 8, 4)), x, same);
  ONE(g, MAXIMUM, no_attr, q8(g, 0.5f, 3, DIMS(1, 8, 8, 4)), x, same);
  ONE(g, SQUARED_DIFFERENCE, no_attr, q8(g, 0.6f, 3, DIMS(1, 8, 8, 4)), x, row);
  ONE(g, PRELU, no_attr, q8(g, 0.6f, 3, DIMS(1, 8, 8, 4)), x, row);
  ONE(g, MEAN, (weft_attr){.keep_dims = true}, q8(g, 0.6f, 3, DIMS(1, 1, 1, 4)), x,
      ints(g, DIMS(1, -2)));
  ONE(g, SUM, no_attr, q8(g, 0.6f, 3, DIMS(1, 8, 8)), x, scalar(g, 3));
  ONE(g, SOFTMAX, (weft_attr){.beta = 0.5f}, q8(g, 1 / 256.0f, -128, DIMS(1, 8, 8, 4)), x);
  int positive = ONE(g, LOGISTIC, no_attr, q8(g, 1 / 256.0f, -128, DIMS(1, 8, 8, 4)), x);
  ONE(g, TANH, no_attr, q8(g, 1 / 128.0f, 0, DIMS(1, 8, 8, 4)), x);
  ONE(g, HARD_SWISH, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, LEAKY_RELU, (weft_attr){.alpha = 0.125f}, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, RELU, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, RELU6, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, RELU_N1_TO_1, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, GELU, (weft_attr){.approximate = true}, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), x);
  ONE(g, RSQRT, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), positive);
  int real = ONE(g, DEQUANTIZE, no_attr, plain(g, WEFT_FLOAT32, DIMS(1, 8, 8, 4)), x);
  ONE(g, QUANTIZE, no_attr, q8(g, 0.4f, 1, DIMS(1, 8, 8, 4)), real);
}

static void moves(weft_graph *g, int x) {
  ONE(g, PAD, no_attr, q8(g, 0.5f, 3, DIMS(1, 9, 11, 4)), x,
      constant(g, plain(g, WEFT_INT32, DIMS(4, 2)), (int32_t[]){0, 0, 0, 1, 2, 1, 0, 0}));
  int value = q8(g, 0.5f, 3, DIMS(1));
  constant(g, value, (int8_t[]){7});
  ONE(g, PADV2, no_attr, q8(g, 0.5f, 3, DIMS(1, 9, 11, 4)), x,
      constant(g, plain(g, WEFT_INT32, DIMS(4, 2)), (int32_t[]){0, 0, 0, 1, 2, 1, 0, 0}), value);
  int flat = ONE(g, RESHAPE, no_attr, q8(g, 0.5f, 3, DIMS(1, 64, 4)), x, ints(g, DIMS(1, -1, 4)));
  ONE(g, SQUEEZE, no_attr, q8(g, 0.5f, 3, DIMS(64, 4)), flat);
  ONE(g, EXPAND_DIMS, no_attr, q8(g, 0.5f, 3, DIMS(1, 64, 4, 1)), flat, scalar(g, -1));
  ONE(g, CONCATENATION, (weft_attr){.axis = -1}, q8(g, 0.5f, 3, DIMS(1, 64, 8)), flat, flat);
  int halves[2] = {q8(g, 0.5f, 3, DIMS(1, 32, 4)), q8(g, 0.5f, 3, DIMS(1, 32, 4))};
  int split_in[2] = {scalar(g, 1), flat};
  if (weft_graph_add_node(g, WEFT_OP_SPLIT, &no_attr, 2, split_in, 2, halves) < 0) abort();
  ONE(g, SLICE, no_attr, q8(g, 0.5f, 3, DIMS(1, 4, 8, 2)), x, ints(g, DIMS(0, 4, 0, 1)),
      ints(g, DIMS(1, 4, -1, 2)));
  weft_attr strided = {.begin_mask = 2, .end_mask = 4, .shrink_axis_mask = 1};
  ONE(g, STRIDED_SLICE, strided, q8(g, 0.5f, 3, DIMS(4, 3, 2)), x, ints(g, DIMS(0, 5, 2, 3)),
      ints(g, DIMS(1, 8, 1, 1)), ints(g, DIMS(1, 2, 2, -1)));
  weft_attr gather = {.axis = 2, .batch_dims = 1};
  int index = constant(g, plain(g, WEFT_INT32, DIMS(1, 3)), (int32_t[]){7, 0, 3});
  ONE(g, GATHER, gather, q8(g, 0.5f, 3, DIMS(1, 8, 3, 4)), x, index);
  ONE(g, TRANSPOSE, no_attr, q8(g, 0.5f, 3, DIMS(1, 4, 64)), flat, ints(g, DIMS(0, 2, 1)));
  ONE(g, RESIZE_NEAREST_NEIGHBOR, (weft_attr){.half_pixel_centers = true},
      q8(g, 0.5f, 3, DIMS(1, 5, 20, 4)), x, ints(g, DIMS(5, 20)));
  ONE(g, RESIZE_BILINEAR, (weft_attr){.align_corners = true}, q8(g, 0.5f, 3, DIMS(1, 16, 4, 4)), x,
      ints(g, DIMS(16, 4)));
  /* to a scalar and back: shapes without dimensions */
  int one = ONE(g, RESHAPE, no_attr, q8(g, 0.5f, 3, DIMS(1, 1)),
                ONE(g, SLICE, no_attr, q8(g, 0.5f, 3, DIMS(1, 1, 1, 1)), x,
                    ints(g, DIMS(0, 0, 0, 0)), ints(g, DIMS(1, 1, 1, 1))));
  ONE(g, RESHAPE, no_attr, q8(g, 0.5f, 3, 0, NULL), one, ints(g, 0, NULL));
}

weft_graph *zoo_new(void) {
  weft_graph *g = weft_graph_new("zoo");
  if (!g) abort();
  int x = q8(g, 0.5f, 3, DIMS(1, 8, 8, 4));
  windows(g, x);
  arithmetic(g, x);
  moves(g, x);
  /* every tensor that nothing reads is an output */
  int *out = calloc((size_t)g->n_tensors, sizeof *out), n = 0;
  for (int k = 0; k < g->n_nodes; k++)
    for (int i = 0; i < g->node[k].n_out; i++) out[n++] = g->node[k].out[i];
  if (weft_graph_set_io(g, 1, &x, n, out)) abort();
  free(out);
  return g;
}

weft_node *zoo_node(weft_graph *g, weft_opcode op) {
  for (int k = 0; k < g->n_nodes; k++)
    if (g->node[k].op == op) return &g->node[k];
  abort();
}

weft_tensor *zoo_in(weft_graph *g, weft_opcode op, int i) {
  return &g->tensor[zoo_node(g, op)->in[i]];
}

weft_tensor *zoo_out(weft_graph *g, weft_opcode op, int i) {
  return &g->tensor[zoo_node(g, op)->out[i]];
}
