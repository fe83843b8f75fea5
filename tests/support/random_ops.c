/* Random operators other than convolutions: element-wise, pools, tables, moves. A generator that
 * cannot do anything with what it picked adds nothing; another one follows. */
#include "random_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void one(random_build *b, weft_opcode op, const weft_attr *a, int n_in, const int *in,
                int y) {
  random_node(b, op, a, n_in, in, 1, &y);
}

/* --- two operands ---------------------------------------------------------------------------- */
static double scale_of(const random_build *b, int t) {
  return random_tensor(b, t)->quant.scale[0];
}

/* The result's scale for codes that fill the range, now and then far from it. */
static double binary_scale(random_build *b, weft_opcode op, int x, int z) {
  double spread = random_chance(&b->r, 10) ? 24 : 1.5;
  double s = op == WEFT_OP_MUL ? scale_of(b, x) * scale_of(b, z) * 100
                               : fmax(scale_of(b, x), scale_of(b, z));
  return s * exp2(random_real(&b->r, -spread, spread));
}

void random_binary(random_build *b) {
  static const weft_opcode ops[] = {WEFT_OP_ADD, WEFT_OP_SUB,     WEFT_OP_MUL,
                                    WEFT_OP_MUL, WEFT_OP_MINIMUM, WEFT_OP_MAXIMUM};
  random_source *r = &b->r;
  weft_opcode op = ops[random_range(r, 0, 5)];
  int x = random_pick(b, random_chance(r, 80) ? 4 : 0), how = random_range(r, 0, 4), z;
  weft_tensor t = *random_tensor(b, x);
  if (t.rank < 1) return;
  bool same = op == WEFT_OP_MINIMUM || op == WEFT_OP_MAXIMUM;
  int32_t last[4] = {1, 1, 1, t.dim[t.rank - 1]}, scalar[1] = {1};
  double scale = scale_of(b, x) * exp2(random_real(r, -6, 6));
  if (how == 0) { /* another activation of that shape, or itself */
    z = x;
    for (int i = 0; i < b->n_live; i++) {
      const weft_tensor *u = random_tensor(b, b->live[i]);
      bool fits = u->rank == t.rank && u->dtype == t.dtype &&
                  !memcmp(u->dim, t.dim, sizeof *t.dim * (size_t)t.rank);
      if (fits && random_chance(r, 60)) z = b->live[i];
    }
    if (same && z != x) return;
  } else { /* a constant: per channel, as a vector or an image; of full shape; one value */
    int rank = how == 2 ? t.rank : how == 3 || t.rank < 4 ? 1 : 4;
    const int32_t *dim = how == 2 ? t.dim : rank == 1 ? last + 3 : last;
    if (how == 4 && random_chance(r, 40)) rank = 1, dim = scalar;
    int32_t zero = random_zero(b, t.dtype);
    z = same ? random_like(b, x, rank, dim) : random_tensor8(b, t.dtype, rank, dim, scale, zero);
    random_fill(b, z);
  }
  bool swap = random_chance(r, 25);
  int in[2] = {swap ? z : x, swap ? x : z};
  weft_attr a = {.activation = same ? WEFT_ACT_NONE : (weft_activation)random_range(r, 0, 3)};
  int y = same ? random_like(b, x, t.rank, t.dim)
               : random_tensor8(b, t.dtype, t.rank, t.dim, binary_scale(b, op, x, z),
                                random_zero(b, t.dtype));
  one(b, op, &a, 2, in, y);
}

void random_gate(random_build *b) {
  int x = random_pick(b, 4);
  weft_tensor t = *random_tensor(b, x);
  const int axes = random_ints(b, 2, (int32_t[]){1, 2});
  int m = random_tensor8(b, t.dtype, 4, (int32_t[]){t.dim[0], 1, 1, t.dim[3]},
                         scale_of(b, x) * exp2(random_real(&b->r, -2, 1)), random_zero(b, t.dtype));
  one(b, WEFT_OP_MEAN, &(weft_attr){.keep_dims = true}, 2, (int[]){x, axes}, m);
  int y = random_tensor8(b, t.dtype, 4, t.dim, binary_scale(b, WEFT_OP_MUL, x, m),
                         random_zero(b, t.dtype));
  one(b, WEFT_OP_MUL, &(weft_attr){0}, 2, (int[]){x, m}, y);
}

/* --- windows --------------------------------------------------------------------------------- */
void random_pool(random_build *b) {
  random_source *r = &b->r;
  int x = random_pick(b, 4);
  weft_tensor t = *random_tensor(b, x);
  weft_attr a = {.filter_h = random_range(r, 1, t.dim[1] < 8 ? t.dim[1] : 8),
                 .filter_w = random_range(r, 1, t.dim[2] < 8 ? t.dim[2] : 8),
                 .stride_h = random_range(r, 1, 3),
                 .stride_w = random_range(r, 1, 3),
                 .activation = (weft_activation)random_range(r, 0, 3)};
  if (random_chance(r, 40)) {
    a.pad_top = random_range(r, 0, a.filter_h - 1);
    a.pad_bottom = random_range(r, 0, a.filter_h - 1);
    a.pad_left = random_range(r, 0, a.filter_w - 1);
    a.pad_right = random_range(r, 0, a.filter_w - 1);
  }
  int h = (t.dim[1] + a.pad_top + a.pad_bottom - a.filter_h) / a.stride_h + 1;
  int w = (t.dim[2] + a.pad_left + a.pad_right - a.filter_w) / a.stride_w + 1;
  int y = random_like(b, x, 4, (int32_t[]){t.dim[0], h, w, t.dim[3]});
  one(b, random_chance(r, 50) ? WEFT_OP_MAX_POOL_2D : WEFT_OP_AVERAGE_POOL_2D, &a, 1, &x, y);
}

void random_mean(random_build *b) {
  int x = random_pick(b, 4);
  weft_tensor t = *random_tensor(b, x);
  bool keep = random_chance(&b->r, 50), spatial = random_chance(&b->r, 85);
  int axes = spatial ? random_ints(b, 2, (int32_t[]){1, 2}) : random_ints(b, 1, (int32_t[]){-1});
  int32_t dim[4] = {t.dim[0], t.dim[3]};
  int rank = 2;
  if (spatial && keep) rank = 4, dim[1] = dim[2] = 1, dim[3] = t.dim[3];
  if (!spatial) {
    memcpy(dim, t.dim, sizeof dim);
    dim[3] = 1;
    rank = keep ? 4 : 3;
  }
  int y = random_tensor8(b, t.dtype, rank, dim, scale_of(b, x) * exp2(random_real(&b->r, -3, 1)),
                         random_zero(b, t.dtype));
  one(b, WEFT_OP_MEAN, &(weft_attr){.keep_dims = keep}, 2, (int[]){x, axes}, y);
}

/* --- one operand ----------------------------------------------------------------------------- */
void random_unary(random_build *b) {
  static const weft_opcode ops[] = {WEFT_OP_LOGISTIC, WEFT_OP_HARD_SWISH, WEFT_OP_RELU,
                                    WEFT_OP_RELU6,    WEFT_OP_LOGISTIC,   WEFT_OP_HARD_SWISH,
                                    WEFT_OP_TANH,     WEFT_OP_LEAKY_RELU, WEFT_OP_RELU_N1_TO_1};
  weft_opcode op = ops[random_range(&b->r, 0, 8)];
  int x = random_pick(b, 0);
  weft_tensor t = *random_tensor(b, x);
  int32_t lowest = t.dtype == WEFT_UINT8 ? 0 : -128, zero = random_zero(b, t.dtype);
  double scale = scale_of(b, x) * exp2(random_real(&b->r, -3, 2));
  if (op == WEFT_OP_LOGISTIC) scale = 1.0 / 256, zero = lowest;
  if (op == WEFT_OP_TANH) scale = 1.0 / 128, zero = lowest + 128;
  int y = random_tensor8(b, t.dtype, t.rank, t.dim, scale, zero);
  one(b, op, &(weft_attr){.alpha = 0.1f}, 1, &x, y);
}

void random_softmax(random_build *b) {
  int x = random_pick(b, random_chance(&b->r, 60) ? 2 : 4);
  weft_tensor t = *random_tensor(b, x);
  weft_attr a = {.beta = random_chance(&b->r, 70) ? 1 : (float)random_real(&b->r, 0.1, 4)};
  if (a.beta * scale_of(b, x) < 0x1p-26) return; /* the reference refuses it */
  int y = random_tensor8(b, t.dtype, t.rank, t.dim, 1.0 / 256, t.dtype == WEFT_UINT8 ? 0 : -128);
  one(b, WEFT_OP_SOFTMAX, &a, 1, &x, y);
}

void random_quantize(random_build *b) {
  int x = random_pick(b, 0);
  weft_tensor t = *random_tensor(b, x);
  weft_dtype to = random_chance(&b->r, 60) == (t.dtype == WEFT_INT8) ? WEFT_UINT8 : WEFT_INT8;
  int32_t zero = random_zero(b, to);
  double scale = scale_of(b, x) * exp2(random_real(&b->r, -2, 2));
  if (to != t.dtype && random_chance(&b->r, 50)) { /* the same numbers */
    scale = scale_of(b, x);
    zero = t.quant.zero_point[0] + (to == WEFT_UINT8 ? 128 : -128);
  }
  int y = random_tensor8(b, to, t.rank, t.dim, scale, zero);
  one(b, WEFT_OP_QUANTIZE, &(weft_attr){0}, 1, &x, y);
}

/* --- moves ----------------------------------------------------------------------------------- */
void random_reshape(random_build *b) {
  int x = random_pick(b, 0);
  weft_tensor t = *random_tensor(b, x);
  int n = (int)weft_tensor_elements(&t), rows = t.rank ? t.dim[0] : 1;
  int32_t flat[2] = {rows, n / rows}, image[4] = {1, 1, 1, n};
  for (int d = 1, left = n; d < 4; d++) { /* split off random factors */
    int f = random_range(&b->r, 1, 12);
    image[d] = d == 3 ? left : left % f ? 1 : f;
    left /= image[d];
  }
  bool two = t.rank == 4 ? random_chance(&b->r, 60) : false;
  int y = random_like(b, x, two ? 2 : 4, two ? flat : image);
  one(b, WEFT_OP_RESHAPE, &(weft_attr){0}, 1, &x, y);
}

void random_pad(random_build *b) {
  random_source *r = &b->r;
  int x = random_pick(b, 4), value = -1;
  weft_tensor t = *random_tensor(b, x);
  int32_t p[8] = {0}, dim[4];
  bool all_axes = random_chance(r, 10);
  for (int d = all_axes ? 0 : 1; d < (all_axes ? 4 : 3); d++)
    for (int k = 0; k < 2; k++) p[2 * d + k] = random_range(r, 0, 3);
  for (int d = 0; d < 4; d++) dim[d] = t.dim[d] + p[2 * d] + p[2 * d + 1];
  int paddings = random_ints(b, 8, p);
  if (random_chance(r, 25)) {
    value = random_like(b, x, 1, (int32_t[]){1});
    random_fill(b, value);
  }
  int in[3] = {x, paddings, value}, y = random_like(b, x, 4, dim);
  one(b, value < 0 ? WEFT_OP_PAD : WEFT_OP_PADV2, &(weft_attr){0}, value < 0 ? 2 : 3, in, y);
  if (random_chance(r, 70)) (random_chance(r, 50) ? random_conv : random_depthwise)(b);
}

void random_concatenation(random_build *b) {
  random_source *r = &b->r;
  int x = random_pick(b, 4), in[4] = {x}, n = random_range(r, 2, 4);
  weft_tensor t = *random_tensor(b, x);
  int axis = random_chance(r, 70) ? 3 : random_range(r, 0, 3);
  int32_t dim[4];
  memcpy(dim, t.dim, sizeof dim);
  for (int i = 1; i < n; i++) {
    weft_tensor u = t;
    u.dim[axis] = axis == 3 ? random_channels(b) : random_range(r, 1, 5);
    in[i] = x;
    if (b->n_inputs < 6 && random_chance(r, 50)) { /* a new input with the same quantization */
      in[i] = random_like(b, x, 4, u.dim);
      b->input[b->n_inputs++] = in[i];
    }
    dim[axis] += random_tensor(b, in[i])->dim[axis];
  }
  bool rescaled = t.dtype == WEFT_UINT8 && random_chance(r, 30);
  int y = rescaled
              ? random_tensor8(b, t.dtype, 4, dim, scale_of(b, x) * 1.5, random_zero(b, t.dtype))
              : random_like(b, x, 4, dim);
  one(b, WEFT_OP_CONCATENATION, &(weft_attr){.axis = random_chance(r, 50) ? axis : axis - 4}, n, in,
      y);
}

void random_slice(random_build *b) {
  int x = random_pick(b, 0);
  weft_tensor t = *random_tensor(b, x);
  int32_t begin[WEFT_MAX_RANK], size[WEFT_MAX_RANK], dim[WEFT_MAX_RANK];
  if (t.rank < 1) return;
  for (int d = 0; d < t.rank; d++) {
    begin[d] = random_chance(&b->r, 50) ? 0 : random_range(&b->r, 0, t.dim[d] - 1);
    dim[d] = size[d] = random_range(&b->r, 1, t.dim[d] - begin[d]);
    if (dim[d] == t.dim[d] - begin[d] && random_chance(&b->r, 50)) size[d] = -1;
  }
  int in[3] = {x, random_ints(b, t.rank, begin), random_ints(b, t.rank, size)};
  one(b, WEFT_OP_SLICE, &(weft_attr){0}, 3, in, random_like(b, x, t.rank, dim));
}

void random_split(random_build *b) {
  int x = random_pick(b, 4), axis = random_range(&b->r, 0, 3), y[4];
  weft_tensor t = *random_tensor(b, x);
  int parts = random_range(&b->r, 2, 4);
  if (t.dim[axis] % parts) return;
  t.dim[axis] /= parts;
  int in[2] = {random_ints(b, 1, &axis), x};
  for (int i = 0; i < parts; i++) y[i] = random_like(b, x, 4, t.dim);
  random_node(b, WEFT_OP_SPLIT, &(weft_attr){0}, 2, in, parts, y);
}

void random_transpose(random_build *b) {
  int x = random_pick(b, 4);
  weft_tensor t = *random_tensor(b, x);
  int32_t perm[4] = {0, 1, 2, 3}, dim[4];
  for (int i = 3; i > 0; i--) {
    int k = random_range(&b->r, 0, i);
    int32_t swap = perm[i];
    perm[i] = perm[k];
    perm[k] = swap;
  }
  for (int i = 0; i < 4; i++) dim[i] = t.dim[perm[i]];
  int in[2] = {x, random_ints(b, 4, perm)};
  one(b, WEFT_OP_TRANSPOSE, &(weft_attr){0}, 2, in, random_like(b, x, 4, dim));
}
