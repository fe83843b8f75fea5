/* Random convolutions and matrix products. Their scales are chosen so that most results spread over
 * the codes, some drown in the shift and some saturate. */
#include "random_build.h"

#include <math.h>
#include <stdlib.h>

enum {
  MAX_MACS = 2000000, /* of one operator, so that a thousand networks take seconds */
  MAX_CHANNELS = 1024
};

static int filter_size(random_build *b) {
  int k = random_range(&b->r, 0, 9);
  if (b->options.simple) return k < 5 ? 1 : 3;
  return k < 4 ? 1 : k < 7 ? 3 : random_range(&b->r, 1, 7);
}

static int out_size(int in, int pad, int stride, int dilation, int filter) {
  int reach = (filter - 1) * dilation + 1;
  return in + pad < reach ? 0 : (in + pad - reach) / stride + 1;
}

/* Stride, dilation and padding along one axis; returns the number of outputs, 0: none. */
static int axis_window(random_build *b, int in, int filter, int how, int *stride, int *dilation,
                       int *before, int *after) {
  random_source *r = &b->r;
  *stride = random_chance(r, 60) ? 1 : random_range(r, 1, b->options.simple ? 2 : 3);
  *dilation = !b->options.simple && *stride == 1 && random_chance(r, 12) ? 2 : 1;
  *before = *after = 0;
  int reach = (filter - 1) * *dilation + 1;
  if (how == 0) { /* SAME */
    int all = ((in + *stride - 1) / *stride - 1) * *stride + reach - in;
    *before = all > 0 ? all / 2 : 0;
    *after = all > 0 ? all - all / 2 : 0;
  } else if (how == 2) {
    *before = random_range(r, 0, filter);
    *after = random_range(r, 0, filter + 1);
  }
  return out_size(in, *before + *after, *stride, *dilation, filter);
}

static bool choose_window(random_build *b, const weft_tensor *x, int kh, int kw, weft_attr *a,
                          int32_t *oh, int32_t *ow) {
  int how = random_chance(&b->r, 55) ? 0 : random_chance(&b->r, 70) ? 1 : 2;
  if (b->options.simple) how = 0;
  *oh =
      axis_window(b, x->dim[1], kh, how, &a->stride_h, &a->dilation_h, &a->pad_top, &a->pad_bottom);
  *ow =
      axis_window(b, x->dim[2], kw, how, &a->stride_w, &a->dilation_w, &a->pad_left, &a->pad_right);
  return *oh > 0 && *ow > 0;
}

static weft_activation activation(random_build *b) {
  int k = random_range(&b->r, 0, b->options.simple ? 6 : 9);
  return k < 4   ? WEFT_ACT_NONE
         : k < 7 ? WEFT_ACT_RELU
         : k < 9 ? WEFT_ACT_RELU6
                 : WEFT_ACT_RELU_N1_TO_1;
}

/* Weights with one scale, or one per index of `axis` (int8). */
static int weights(random_build *b, int x, int axis, int rank, const int32_t *dim) {
  weft_dtype dtype = random_tensor(b, x)->dtype;
  double scale = pow(10, random_real(&b->r, -4, -1));
  int t =
      random_tensor8(b, dtype, rank, dim, scale, dtype == WEFT_UINT8 ? random_zero(b, dtype) : 0);
  random_fill(b, t);
  if (dtype == WEFT_UINT8 || dim[axis] == 1 || random_chance(&b->r, 30)) return t;
  double spread = b->options.simple ? 0.5 : 3;
  float s[MAX_CHANNELS];
  int32_t zero[MAX_CHANNELS] = {0};
  for (int i = 0; i < dim[axis]; i++)
    s[i] = (float)(scale * exp2(random_real(&b->r, -spread, spread)));
  if (weft_graph_set_quant(b->g, t, dim[axis], axis, s, zero)) abort();
  return t;
}

/* An int32 vector, or -1: none. */
static int bias(random_build *b, int channels, int depth) {
  random_source *r = &b->r;
  int mode = random_range(r, 0, 9);
  if (mode == 0) return -1;
  int32_t value[MAX_CHANNELS];
  int32_t most = (int32_t)((b->options.simple ? 400 : 4000) * sqrt(depth));
  if (mode == 1 && !b->options.simple) most = INT32_MAX;
  for (int i = 0; i < channels; i++)
    value[i] = (int32_t)((int64_t)(random_next(r) % (2 * (uint64_t)most + 1)) - most);
  return random_ints(b, channels, value);
}

/* The output's scale, from the factor that the sums of `depth` products shall have. */
static double out_scale(random_build *b, int x, int w, int depth) {
  int how = random_range(&b->r, 0, 19);
  double factor = 60 / (5000 * sqrt(depth)) * exp2(random_real(&b->r, -1, 1));
  if (how == 0 && !b->options.simple) factor = exp2(random_real(&b->r, -1, 8));
  if (how == 1 && !b->options.simple) factor = exp2(random_real(&b->r, -42, -8));
  return (double)random_tensor(b, x)->quant.scale[0] * random_tensor(b, w)->quant.scale[0] / factor;
}

static void finish(random_build *b, weft_opcode op, const weft_attr *a, int x, int w, int rank,
                   const int32_t *dim, int depth) {
  weft_dtype dtype = random_tensor(b, x)->dtype;
  int in[3] = {x, w, bias(b, dim[rank - 1], depth)};
  int y = random_tensor8(b, dtype, rank, dim, out_scale(b, x, w, depth), random_zero(b, dtype));
  random_node(b, op, a, in[2] < 0 && random_chance(&b->r, 50) ? 2 : 3, in, 1, &y);
}

static void conv_window(random_build *b, int x, int channels, int kh, int kw) {
  weft_tensor t = *random_tensor(b, x);
  weft_attr a = {.activation = activation(b)};
  int32_t oh, ow;
  if (!choose_window(b, &t, kh, kw, &a, &oh, &ow)) return;
  int depth = kh * kw * t.dim[3];
  if (channels > MAX_CHANNELS || (int64_t)t.dim[0] * oh * ow * depth * channels > MAX_MACS) return;
  int w = weights(b, x, 0, 4, (int32_t[]){channels, kh, kw, t.dim[3]});
  finish(b, WEFT_OP_CONV_2D, &a, x, w, 4, (int32_t[]){t.dim[0], oh, ow, channels}, depth);
}

static void conv_of(random_build *b, int x, int channels) {
  int kh = filter_size(b), kw = random_chance(&b->r, 75) ? kh : filter_size(b);
  if (!b->options.simple && random_chance(&b->r, 4)) kh = 10, kw = 4;
  conv_window(b, x, channels, kh, kw);
}

void random_conv(random_build *b) {
  int x = random_pick(b, 4);
  conv_of(b, x, random_channels(b));
}

static void depthwise_of(random_build *b, int x) {
  weft_tensor t = *random_tensor(b, x);
  bool large = random_chance(&b->r, 10);
  int kh = large ? random_range(&b->r, 1, 7) : random_chance(&b->r, 80) ? 3 : filter_size(b);
  int kw = random_chance(&b->r, 80) ? kh : random_range(&b->r, 1, 7);
  if (b->options.simple) kh = kw = 3;
  weft_attr a = {.activation = activation(b), .depth_multiplier = 1};
  if (!b->options.simple && t.dim[3] <= 40 && random_chance(&b->r, 20))
    a.depth_multiplier = random_range(&b->r, 2, 4);
  int32_t oh, ow, channels = t.dim[3] * a.depth_multiplier;
  if (!choose_window(b, &t, kh, kw, &a, &oh, &ow)) return;
  int64_t macs = (int64_t)t.dim[0] * oh * ow * kh * kw * channels;
  if (channels > MAX_CHANNELS || macs > MAX_MACS) return;
  int w = weights(b, x, 3, 4, (int32_t[]){1, kh, kw, channels});
  finish(b, WEFT_OP_DEPTHWISE_CONV_2D, &a, x, w, 4, (int32_t[]){t.dim[0], oh, ow, channels},
         kh * kw);
}

void random_depthwise(random_build *b) {
  depthwise_of(b, random_pick(b, 4));
}

/* A 1x1 convolution to several times the channels, a depthwise one, and mostly one back. */
void random_bottleneck(random_build *b) {
  int x = random_pick(b, 4), before = b->g->n_nodes;
  int channels = random_tensor(b, x)->dim[3];
  conv_window(b, x, channels * random_range(&b->r, 2, 6), 1, 1);
  if (b->g->n_nodes == before) return;
  before = b->g->n_nodes;
  depthwise_of(b, b->live[b->n_live - 1]);
  if (b->g->n_nodes == before || random_chance(&b->r, 20)) return;
  conv_window(b, b->live[b->n_live - 1], channels, 1, 1);
}

void random_fully_connected(random_build *b) {
  int x = random_pick(b, 0);
  if (random_chance(&b->r, 40) && b->n_inputs < 4)
    x = random_input(b, 2, (int32_t[]){random_range(&b->r, 1, 5), random_range(&b->r, 1, 700)});
  weft_tensor t = *random_tensor(b, x);
  weft_attr a = {.activation = activation(b)};
  int out = random_channels(b), k = 1;
  for (int d = t.rank > 2 ? 1 : t.rank - 1; d < t.rank; d++) k *= t.dim[d];
  if (random_chance(&b->r, 20) && t.rank > 0) k = t.dim[t.rank - 1];
  int rows = (int)(weft_tensor_elements(&t) / (size_t)k);
  if (k > 4000 || rows > 1000 || (int64_t)k * rows * out > MAX_MACS) return;
  int w = weights(b, x, 0, 2, (int32_t[]){out, k});
  int32_t dim[WEFT_MAX_RANK] = {rows, out};
  int rank = 2;
  if (t.rank > 1 && k == t.dim[t.rank - 1] && random_chance(&b->r, 50)) {
    a.keep_dims = true;
    for (rank = 0; rank < t.rank; rank++) dim[rank] = t.dim[rank];
    dim[rank - 1] = out;
  }
  finish(b, WEFT_OP_FULLY_CONNECTED, &a, x, w, rank, dim, k);
}

/* x + conv(x), the block of residual networks. */
void random_residual(random_build *b) {
  int x = random_pick(b, 4);
  weft_tensor t = *random_tensor(b, x);
  int before = b->g->n_nodes;
  conv_of(b, x, t.dim[3]);
  if (b->g->n_nodes == before) return;
  int y = b->live[b->n_live - 1];
  const weft_tensor *u = random_tensor(b, y);
  for (int d = 0; d < 4; d++)
    if (u->dim[d] != t.dim[d]) return;
  weft_attr a = {.activation = activation(b)};
  double scale = fmax(t.quant.scale[0], u->quant.scale[0]) * exp2(random_real(&b->r, -0.5, 1.5));
  int z = random_tensor8(b, t.dtype, 4, t.dim, scale, random_zero(b, t.dtype));
  bool swap = random_chance(&b->r, 50);
  int in[2] = {swap ? y : x, swap ? x : y};
  random_node(b, random_chance(&b->r, 85) ? WEFT_OP_ADD : WEFT_OP_SUB, &a, 2, in, 1, &z);
}
