/* Checks of element-wise operators, reductions, softmax and conversions between types. */
#include "graph_check.h"

#include <math.h>

/* --- two operands ----------------------------------------------------------------------------- */

static weft_status check_broadcast(const weft_check *c) {
  const weft_tensor *a = weft_check_in(c, 0), *b = weft_check_in(c, 1);
  int rank = a->rank > b->rank ? a->rank : b->rank;
  int32_t dim[WEFT_MAX_RANK];
  for (int i = 0; i < rank; i++) {
    int ia = i - (rank - a->rank), ib = i - (rank - b->rank);
    int32_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
    if (da != db && da != 1 && db != 1)
      return weft_check_fail(c, WEFT_EINPUT, b,
                             "cannot be broadcast: dimension %d is %d against %d", i, db, da);
    dim[i] = da > db ? da : db;
  }
  return weft_check_shape(c, weft_check_out(c, 0), rank, dim);
}

static weft_status check_binary(const weft_check *c) {
  WEFT_TRY(weft_check_q8(c, weft_check_out(c, 0)));
  for (int i = 0; i < 2; i++) {
    WEFT_TRY(weft_check_q8(c, weft_check_in(c, i)));
    WEFT_TRY(weft_check_same_type(c, weft_check_in(c, i)));
  }
  return check_broadcast(c);
}

/* Codes are compared as they are. */
static weft_status check_min_max(const weft_check *c) {
  WEFT_TRY(check_binary(c));
  WEFT_TRY(weft_check_same_quant(c, weft_check_in(c, 0)));
  return weft_check_same_quant(c, weft_check_in(c, 1));
}

weft_status weft_check_ADD(const weft_check *c) {
  return check_binary(c);
}
weft_status weft_check_SUB(const weft_check *c) {
  return check_binary(c);
}
weft_status weft_check_MUL(const weft_check *c) {
  return check_binary(c);
}
weft_status weft_check_SQUARED_DIFFERENCE(const weft_check *c) {
  return check_binary(c);
}
weft_status weft_check_MINIMUM(const weft_check *c) {
  return check_min_max(c);
}
weft_status weft_check_MAXIMUM(const weft_check *c) {
  return check_min_max(c);
}

weft_status weft_check_PRELU(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0);
  WEFT_TRY(check_binary(c)); /* the slopes are broadcast, never the input */
  return weft_check_shape(c, weft_check_out(c, 0), x->rank, x->dim);
}

/* --- one operand ------------------------------------------------------------------------------ */

static weft_status check_unary(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  return weft_check_shape(c, out, x->rank, x->dim);
}

/* Operators whose output scale the format fixes: 1/`steps`, and the zero point of an int8 tensor
 * (a uint8 one's is 128 more). */
static weft_status check_fixed_output(const weft_check *c, float steps, int zero) {
  const weft_tensor *out = weft_check_out(c, 0);
  if (out->dtype == WEFT_UINT8) zero += 128;
  if (out->quant.scale[0] == 1 / steps && out->quant.zero_point[0] == zero) return WEFT_OK;
  return weft_check_fail(
      c, WEFT_EUNSUPP, out, "has scale %g and zero point %d; must be 1/%g and %d",
      (double)out->quant.scale[0], out->quant.zero_point[0], (double)steps, zero);
}

weft_status weft_check_LOGISTIC(const weft_check *c) {
  WEFT_TRY(check_unary(c));
  return check_fixed_output(c, 256, -128);
}

weft_status weft_check_TANH(const weft_check *c) {
  WEFT_TRY(check_unary(c));
  return check_fixed_output(c, 128, 0);
}

weft_status weft_check_SOFTMAX(const weft_check *c) {
  float beta = c->n->attr.beta;
  WEFT_TRY(check_unary(c));
  if (weft_check_in(c, 0)->rank < 1)
    return weft_check_fail(c, WEFT_EINPUT, weft_check_in(c, 0), "is a scalar");
  if (!isfinite(beta) || beta <= 0)
    return weft_check_fail(c, WEFT_EINPUT, NULL, "has beta %g; must be positive", (double)beta);
  return check_fixed_output(c, 256, -128);
}

weft_status weft_check_LEAKY_RELU(const weft_check *c) {
  if (!isfinite(c->n->attr.alpha))
    return weft_check_fail(c, WEFT_EINPUT, NULL, "has an alpha that is not finite");
  return check_unary(c);
}

/* The reference first rescales by 1/128 of the ratio of the scales, which must be below 1. */
weft_status weft_check_HARD_SWISH(const weft_check *c) {
  WEFT_TRY(check_unary(c));
  float in = weft_check_in(c, 0)->quant.scale[0], out = weft_check_out(c, 0)->quant.scale[0];
  if ((1.0f / 128.0f) * in / out < 1) return WEFT_OK;
  return weft_check_fail(c, WEFT_EUNSUPP, weft_check_out(c, 0),
                         "has scale %g, below 1/128 of the input's %g", (double)out, (double)in);
}

weft_status weft_check_RELU(const weft_check *c) {
  return check_unary(c);
}
weft_status weft_check_RELU6(const weft_check *c) {
  return check_unary(c);
}
weft_status weft_check_RELU_N1_TO_1(const weft_check *c) {
  return check_unary(c);
}
weft_status weft_check_GELU(const weft_check *c) {
  return check_unary(c);
}
weft_status weft_check_RSQRT(const weft_check *c) {
  return check_unary(c);
}

/* --- conversions ------------------------------------------------------------------------------ */

weft_status weft_check_QUANTIZE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  if (x->dtype != WEFT_FLOAT32) WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  return weft_check_shape(c, out, x->rank, x->dim);
}

weft_status weft_check_DEQUANTIZE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  if (out->dtype != WEFT_FLOAT32)
    return weft_check_fail(c, WEFT_EUNSUPP, out, "is %s; must be float32",
                           weft_dtype_name(out->dtype));
  return weft_check_shape(c, out, x->rank, x->dim);
}

/* --- reductions ------------------------------------------------------------------------------- */

static weft_status check_reduce(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *axes = weft_check_in(c, 1);
  const weft_tensor *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  WEFT_TRY(weft_check_const_index(c, axes, -1, "axes"));
  size_t n = weft_tensor_elements(axes);
  if (n < 1 || n > WEFT_MAX_RANK)
    return weft_check_fail(c, WEFT_EINPUT, axes, "has %zu axes; accepted: 1 to %d", n,
                           WEFT_MAX_RANK);
  bool reduced[WEFT_MAX_RANK] = {false};
  for (int i = 0; i < (int)n; i++) {
    int axis = weft_check_axis(weft_check_index(axes, i), x->rank);
    if (axis < 0)
      return weft_check_fail(c, WEFT_EINPUT, axes, "holds the axis %lld; the input has rank %d",
                             (long long)weft_check_index(axes, i), x->rank);
    reduced[axis] = true;
  }
  int32_t dim[WEFT_MAX_RANK];
  int rank = 0;
  for (int i = 0; i < x->rank; i++)
    if (!reduced[i])
      dim[rank++] = x->dim[i];
    else if (c->n->attr.keep_dims)
      dim[rank++] = 1;
  return weft_check_shape(c, out, rank, dim);
}

weft_status weft_check_MEAN(const weft_check *c) {
  return check_reduce(c);
}
weft_status weft_check_SUM(const weft_check *c) {
  return check_reduce(c);
}
