/* Operators that only move elements, whatever their type: RESHAPE, SQUEEZE, EXPAND_DIMS, PAD,
 * PADV2, TRANSPOSE, CONCATENATION, SPLIT. Codes keep their value; only CONCATENATION of uint8
 * converts between scales, as TFLite does. */
#include "copy.h"
#include "kernel.h"

#include <math.h>

static const char *reshape(const weft_tensor *x, weft_tensor *out) {
  WEFT_REQUIRE(x->dtype == out->dtype, "input and output differ in type");
  WEFT_REQUIRE(weft_tensor_elements(x) == weft_tensor_elements(out),
               "input and output differ in number of elements");
  if (weft_tensor_bytes(x)) memcpy(out->data, x->data, weft_tensor_bytes(x));
  return NULL;
}

#define RESHAPE_LIKE(name)                                                                         \
  const char *weft_ref_##name(weft_opcode op, const weft_attr *attr, int n_in,                     \
                              const weft_tensor *const *in, int n_out, weft_tensor *const *out) {  \
    (void)op, (void)attr, (void)n_in, (void)n_out;                                                 \
    return reshape(in[0], out[0]);                                                                 \
  }
RESHAPE_LIKE(RESHAPE)
RESHAPE_LIKE(SQUEEZE)
RESHAPE_LIKE(EXPAND_DIMS)

/* reference_ops::Pad: around the input comes `value`, or 0, which is the output's zero point. */
static const char *pad(const weft_tensor *x, const weft_tensor *pads, const weft_tensor *value,
                       weft_tensor *out) {
  WEFT_REQUIRE(x->dtype == out->dtype, "input and output differ in type");
  WEFT_REQUIRE(x->rank == out->rank, "input and output differ in rank");
  WEFT_REQUIRE(weft_is_index(pads) && weft_tensor_elements(pads) == 2 * (size_t)x->rank,
               "paddings must be int32 [rank, 2]");
  size_t size = weft_dtype_size(x->dtype);
  weft_box box = {.rank = x->rank};
  weft_steps(x, box.from);
  weft_steps(out, box.to);
  ptrdiff_t start = 0;
  for (int d = 0; d < x->rank; d++) {
    int64_t before = weft_load_index(pads, 2 * (size_t)d);
    int64_t after = weft_load_index(pads, 2 * (size_t)d + 1);
    WEFT_REQUIRE(before >= 0 && after >= 0 && before <= INT32_MAX && after <= INT32_MAX &&
                     before + x->dim[d] + after == out->dim[d],
                 "paddings do not add up to the output's shape");
    start += before * box.to[d];
    box.dim[d] = (size_t)x->dim[d];
  }
  unsigned char fill[8] = {0};
  if (value) {
    WEFT_REQUIRE(value->dtype == x->dtype && weft_tensor_elements(value) == 1,
                 "padding value must be one element of the input's type");
    memcpy(fill, value->data, size);
  } else if (weft_is_8bit(out) && out->quant.n) {
    fill[0] = (unsigned char)weft_zero(out);
  }
  char *o = out->data;
  size_t n = weft_tensor_elements(out);
  for (size_t i = 0; i < n; i++) memcpy(o + i * size, fill, size);
  weft_copy_box(&box, size, x->data, o + (weft_tensor_elements(x) ? start : 0));
  return NULL;
}

const char *weft_ref_PAD(weft_opcode op, const weft_attr *attr, int n_in,
                         const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)op, (void)attr, (void)n_in, (void)n_out;
  return pad(in[0], in[1], NULL, out[0]);
}

const char *weft_ref_PADV2(weft_opcode op, const weft_attr *attr, int n_in,
                           const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)op, (void)attr, (void)n_in, (void)n_out;
  return pad(in[0], in[1], in[2], out[0]);
}

const char *weft_ref_TRANSPOSE(weft_opcode op, const weft_attr *attr, int n_in,
                               const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)op, (void)attr, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0], *perm = in[1];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->dtype == out->dtype && x->rank == out->rank,
               "input and output differ in type or rank");
  WEFT_REQUIRE(weft_is_index(perm) && weft_tensor_elements(perm) == (size_t)x->rank,
               "permutation must be int32 [rank]");
  weft_box box = {.rank = x->rank};
  ptrdiff_t step[WEFT_MAX_RANK];
  bool used[WEFT_MAX_RANK] = {false};
  weft_steps(x, step);
  weft_steps(out, box.to);
  for (int d = 0; d < x->rank; d++) {
    int64_t p = weft_load_index(perm, (size_t)d);
    if (p < 0) p += x->rank;
    WEFT_REQUIRE(p >= 0 && p < x->rank && !used[p], "not a permutation");
    WEFT_REQUIRE(out->dim[d] == x->dim[p], "output has the wrong shape");
    used[p] = true;
    box.from[d] = step[p];
    box.dim[d] = (size_t)out->dim[d];
  }
  weft_copy_box(&box, weft_dtype_size(x->dtype), x->data, out->data);
  return NULL;
}

/* Products of the dimensions before and after `axis`. */
static void around(const weft_tensor *t, int axis, size_t *before, size_t *after) {
  *before = *after = 1;
  for (int d = 0; d < axis; d++) *before *= (size_t)t->dim[d];
  for (int d = axis + 1; d < t->rank; d++) *after *= (size_t)t->dim[d];
}

static bool same_quant(const weft_tensor *a, const weft_tensor *b) {
  return weft_scale(a) == weft_scale(b) && weft_zero(a) == weft_zero(b);
}

/* Parts may differ from the whole only along the axis; with `whole` they must fill it. */
static bool parts_fit(const weft_tensor *whole, int axis, int n, const weft_tensor *const *part) {
  int64_t along = 0;
  for (int i = 0; i < n; i++) {
    if (part[i]->rank != whole->rank || part[i]->dtype != whole->dtype) return false;
    for (int d = 0; d < whole->rank; d++)
      if (d != axis && part[i]->dim[d] != whole->dim[d]) return false;
    along += part[i]->dim[axis];
  }
  return along == whole->dim[axis];
}

/* reference_ops::ConcatenationWithScaling: z + round(x * f + b), f = s / sO and b = -z * f in
 * floats (1 / sO is rounded first), halves away from zero. */
static void rescale_u8(const weft_tensor *x, const weft_tensor *out, size_t n, const uint8_t *from,
                       uint8_t *to) {
  float scale = weft_scale(x) * (1.0f / weft_scale(out));
  float bias = (float)-weft_zero(x) * scale;
  for (size_t i = 0; i < n; i++) {
    float v = roundf((float)from[i] * scale + bias) + (float)weft_zero(out);
    to[i] = !(v > 0) ? 0 : v > 255 ? 255 : (uint8_t)v;
  }
}

const char *weft_ref_CONCATENATION(weft_opcode op, const weft_attr *attr, int n_in,
                                   const weft_tensor *const *in, int n_out,
                                   weft_tensor *const *outs) {
  (void)op, (void)n_out;
  weft_tensor *out = outs[0];
  int axis = attr->axis < 0 ? attr->axis + out->rank : attr->axis;
  WEFT_REQUIRE(axis >= 0 && axis < out->rank, "axis out of range");
  WEFT_REQUIRE(parts_fit(out, axis, n_in, in), "inputs do not add up to the output");
  if (weft_is_8bit(out) && out->quant.n == 1)
    for (int i = 0; i < n_in; i++) {
      WEFT_REQUIRE(weft_is_q8(in[i]), "inputs must have one scale each");
      WEFT_REQUIRE(out->dtype == WEFT_UINT8 || same_quant(in[i], out),
                   "int8 inputs must have the output's scale and zero point");
    }
  size_t before, after, size = weft_dtype_size(out->dtype);
  around(out, axis, &before, &after);
  char *o = out->data;
  for (size_t b = 0; b < before; b++)
    for (int i = 0; i < n_in; i++) {
      size_t run = (size_t)in[i]->dim[axis] * after * size;
      if (!run) continue;
      const char *from = (const char *)in[i]->data + b * run;
      if (out->dtype == WEFT_UINT8 && out->quant.n == 1 && !same_quant(in[i], out))
        rescale_u8(in[i], out, run, (const uint8_t *)from, (uint8_t *)o);
      else
        memcpy(o, from, run);
      o += run;
    }
  return NULL;
}

const char *weft_ref_SPLIT(weft_opcode op, const weft_attr *attr, int n_in,
                           const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)op, (void)attr, (void)n_in;
  const weft_tensor *x = in[1];
  WEFT_REQUIRE(weft_is_index(in[0]) && weft_tensor_elements(in[0]) == 1, "axis must be one int32");
  int64_t axis = weft_load_index(in[0], 0);
  if (axis < 0) axis += x->rank;
  WEFT_REQUIRE(axis >= 0 && axis < x->rank, "axis out of range");
  WEFT_REQUIRE(parts_fit(x, (int)axis, n_out, (const weft_tensor *const *)out),
               "outputs do not add up to the input");
  size_t before, after, size = weft_dtype_size(x->dtype);
  around(x, (int)axis, &before, &after);
  const char *from = x->data;
  for (size_t b = 0; b < before; b++)
    for (int i = 0; i < n_out; i++) {
      size_t run = (size_t)out[i]->dim[axis] * after * size;
      if (run) memcpy((char *)out[i]->data + b * run, from, run);
      from += run;
    }
  return NULL;
}
