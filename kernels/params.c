/* Integer parameters from scales; params.h defines each. */
#include "params.h"

#include <math.h>

weft_range weft_code_range(weft_dtype dtype) {
  switch (dtype) {
  case WEFT_INT8: return (weft_range){INT8_MIN, INT8_MAX};
  case WEFT_UINT8: return (weft_range){0, UINT8_MAX};
  case WEFT_INT16: return (weft_range){INT16_MIN, INT16_MAX};
  default: return (weft_range){INT32_MIN, INT32_MAX};
  }
}

/* The code of a real number, cut to the type's codes. */
static int32_t code_of(float real, const weft_tensor *t, weft_range codes) {
  double code = weft_zero(t) + (double)roundf(real / weft_scale(t));
  return code <= codes.lo ? codes.lo : code >= codes.hi ? codes.hi : (int32_t)code;
}

weft_range weft_activation_range(weft_activation act, const weft_tensor *out) {
  weft_range all = weft_code_range(out->dtype), r = all;
  switch (act) {
  case WEFT_ACT_NONE: break;
  case WEFT_ACT_RELU: r.lo = code_of(0, out, all); break;
  case WEFT_ACT_RELU6:
    r.lo = code_of(0, out, all);
    r.hi = code_of(6, out, all);
    break;
  case WEFT_ACT_RELU_N1_TO_1:
    r.lo = code_of(-1, out, all);
    r.hi = code_of(1, out, all);
    break;
  }
  return r;
}

static int weight_channels(weft_opcode op, const weft_tensor *w) {
  switch (op) {
  case WEFT_OP_DEPTHWISE_CONV_2D: return w->dim[3];
  case WEFT_OP_BATCH_MATMUL: return 1;
  default: return w->dim[0];
  }
}

weft_conv_params weft_conv_params_of(weft_opcode op, const weft_attr *attr, const weft_tensor *x,
                                     const weft_tensor *w, const weft_tensor *out) {
  weft_activation act = op == WEFT_OP_BATCH_MATMUL ? WEFT_ACT_NONE : attr->activation;
  return (weft_conv_params){
      .channels = weight_channels(op, w),
      .x_zero = weft_zero(x),
      .out_zero = weft_zero(out),
      .clamp = weft_activation_range(act, out),
  };
}

int32_t weft_weight_zero(const weft_tensor *w, int c) {
  return w->quant.zero_point[w->quant.n > 1 ? c : 0];
}

weft_multiplier weft_conv_multiplier(weft_opcode op, const weft_tensor *x, const weft_tensor *w,
                                     const weft_tensor *out, int c) {
  float w_scale = w->quant.scale[w->quant.n > 1 ? c : 0];
  bool matmul = op == WEFT_OP_FULLY_CONNECTED || op == WEFT_OP_BATCH_MATMUL;
  double product = matmul && w->quant.n == 1 ? (double)(weft_scale(x) * w_scale)
                                             : (double)weft_scale(x) * w_scale;
  return weft_multiplier_of(product / weft_scale(out));
}

weft_add_params weft_add_params_of(weft_opcode op, const weft_attr *attr, const weft_tensor *a,
                                   const weft_tensor *b, const weft_tensor *out) {
  bool squared = op == WEFT_OP_SQUARED_DIFFERENCE;
  int left_shift = squared ? 7 : 20;
  double twice = 2.0 * (double)fmaxf(weft_scale(a), weft_scale(b));
  double real_out = squared ? twice * twice / (double)((float)(1 << 14) * weft_scale(out))
                            : twice / ((double)(1 << left_shift) * weft_scale(out));
  return (weft_add_params){
      .left_shift = left_shift,
      .zero = {weft_zero(a), weft_zero(b)},
      .out_zero = weft_zero(out),
      .in = {weft_multiplier_of(weft_scale(a) / twice), weft_multiplier_of(weft_scale(b) / twice)},
      .out = weft_multiplier_of(real_out),
      .clamp = weft_activation_range(squared ? WEFT_ACT_NONE : attr->activation, out),
  };
}

weft_mul_params weft_mul_params_of(const weft_attr *attr, const weft_tensor *a,
                                   const weft_tensor *b, const weft_tensor *out) {
  float sa = weft_scale(a), sb = weft_scale(b), so = weft_scale(out);
  double real = a->dtype == WEFT_UINT8 ? (double)(sa * sb / so) : (double)sa * sb / so;
  return (weft_mul_params){
      .zero = {weft_zero(a), weft_zero(b)},
      .out_zero = weft_zero(out),
      .m = weft_multiplier_of(real),
      .clamp = weft_activation_range(attr->activation, out),
  };
}

weft_mean_params weft_mean_params_of(weft_opcode op, const weft_tensor *x, const weft_tensor *out,
                                     int64_t count) {
  weft_multiplier m = weft_multiplier_of((double)weft_scale(x) / weft_scale(out));
  if (op == WEFT_OP_MEAN && count > 0) {
    int k = 63 - __builtin_clzll((unsigned long long)count);
    if (k > 32) k = 32;
    if (k > 31 + m.shift) k = 31 + m.shift;
    m.multiplier = (int32_t)(((int64_t)m.multiplier * (INT64_C(1) << k)) / count);
    m.shift -= k;
  }
  return (weft_mean_params){
      .x_zero = weft_zero(x),
      .out_zero = weft_zero(out),
      .count = count,
      .m = m,
      .clamp = weft_code_range(out->dtype),
  };
}

weft_softmax_params weft_softmax_params_of(const weft_attr *attr, const weft_tensor *x) {
  double real = (double)attr->beta * weft_scale(x) * (1 << 26);
  double most = (double)((INT64_C(1) << 31) - 1);
  weft_multiplier m = weft_multiplier_of(real < most ? real : most);
  double radius = floor(ldexp(31.0 * (1 << 26), -m.shift));
  return (weft_softmax_params){
      .m = m,
      .diff_min = radius > INT32_MAX ? -INT32_MAX : -(int32_t)radius,
  };
}

weft_rescale_params weft_rescale_params_of(const weft_tensor *x, const weft_tensor *out) {
  return (weft_rescale_params){
      .x_zero = weft_zero(x),
      .out_zero = weft_zero(out),
      .m = weft_multiplier_of((double)weft_scale(x) / weft_scale(out)),
      .clamp = weft_code_range(out->dtype),
  };
}

weft_prelu_params weft_prelu_params_of(const weft_tensor *x, const weft_tensor *alpha,
                                       const weft_tensor *out) {
  double sx = weft_scale(x), so = weft_scale(out);
  return (weft_prelu_params){
      .zero = {weft_zero(x), weft_zero(alpha)},
      .out_zero = weft_zero(out),
      .positive = weft_multiplier_of(sx / so),
      .negative = weft_multiplier_of(sx * weft_scale(alpha) / so),
      .clamp = weft_code_range(out->dtype),
  };
}
