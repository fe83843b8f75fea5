/* The integer parameters of every quantized operator, derived from its tensors' scales exactly as
 * the reference kernels derive them (the kernels call these functions themselves). The compiler
 * encodes what these return; nothing else may turn a scale into a multiplier.
 *
 * Notation in the comments: s = scale, z = zero point, X = operand, O = output, W = weights;
 * RQ(v, m) = weft_requant(v, m): double rounding. float(...) marks an expression that is evaluated
 * in single precision, as TFLite does, before it becomes a double. All tensors passed in must carry
 * per-tensor quantization (quant.n == 1), except weights, which may carry one scale per channel.
 */
#ifndef WEFT_PARAMS_H
#define WEFT_PARAMS_H

#include "op.h"
#include "requant.h"
#include "tensor.h"

/* Codes lo..hi, both included. */
typedef struct {
  int32_t lo, hi;
} weft_range;

/* All codes of an integer type: -128..127 for int8, 0..255 for uint8. */
weft_range weft_code_range(weft_dtype dtype);

/* Codes that a fused activation lets through (CalculateActivationRangeQuantized):
 * q(r) = z + round(float(r / s)), halves away from zero;
 * RELU: [q(0), max]; RELU6: [q(0), q(6)]; RELU_N1_TO_1: [q(-1), q(1)]; cut to the type's codes. */
weft_range weft_activation_range(weft_activation act, const weft_tensor *out);

static inline float weft_scale(const weft_tensor *t) {
  return t->quant.scale[0];
}
static inline int32_t weft_zero(const weft_tensor *t) {
  return t->quant.zero_point[0];
}

/* CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, BATCH_MATMUL (W = second operand):
 *   acc = bias[c] + sum (x - x_zero) * (w - w_zero[c])            wraps modulo 2^32
 *   o   = clamp(out_zero + RQ(acc, multiplier[c]))                double rounding
 * Padding contributes 0 to the sum. The bias is not folded with the zero points here. */
typedef struct {
  int channels;
  int32_t x_zero, out_zero;
  weft_range clamp;
} weft_conv_params;
weft_conv_params weft_conv_params_of(weft_opcode op, const weft_attr *attr, const weft_tensor *x,
                                     const weft_tensor *w, const weft_tensor *out);
/* Zero point of output channel c of the weights (0 for every symmetric scheme). */
int32_t weft_weight_zero(const weft_tensor *w, int c);
/* multiplier[c] from
 *   double(sX) * double(sW[c]) / double(sO)   convolutions; FULLY_CONNECTED per channel
 *   double(float(sX * sW)) / double(sO)       FULLY_CONNECTED per tensor; BATCH_MATMUL
 * TFLite's own Prepare also takes the float product for uint8 convolutions; the golden outputs of
 * the uint8 models were made with the double product, which is what is used here. The two differ by
 * one code in about one element of 10^5. */
weft_multiplier weft_conv_multiplier(weft_opcode op, const weft_tensor *x, const weft_tensor *w,
                                     const weft_tensor *out, int c);

/* ADD, SUB, SQUARED_DIFFERENCE (left_shift 20, 20, 7):
 *   t = 2 * max(s0, s1)
 *   v[i] = RQ((x[i] - z[i]) << left_shift, in[i])     in[i] from s[i] / t, never shifted left
 *   ADD, SUB:           o = clamp(out_zero + RQ(v[0] +- v[1], out))   out: t / (2^20 * sO)
 *   SQUARED_DIFFERENCE: o = clamp(out_zero + RQ((v[0] - v[1])^2, out))  out: t*t / float(2^14 * sO)
 * double rounding at all three multiplications. */
typedef struct {
  int left_shift;
  int32_t zero[2], out_zero;
  weft_multiplier in[2], out;
  weft_range clamp;
} weft_add_params;
weft_add_params weft_add_params_of(weft_opcode op, const weft_attr *attr, const weft_tensor *a,
                                   const weft_tensor *b, const weft_tensor *out);

/* MUL: o = clamp(out_zero + RQ((a - z0) * (b - z1), m)), double rounding.
 * m from double(s0) * double(s1) / double(sO) for int8, float(s0 * s1 / sO) for uint8. */
typedef struct {
  int32_t zero[2], out_zero;
  weft_multiplier m;
  weft_range clamp;
} weft_mul_params;
weft_mul_params weft_mul_params_of(const weft_attr *attr, const weft_tensor *a,
                                   const weft_tensor *b, const weft_tensor *out);

/* MEAN and SUM over `count` elements:
 *   o = clamp(out_zero + RQ(sum(x) - count * x_zero, m)), double rounding.
 * m from sX / sO; for MEAN 1/count is folded in by integer division: with
 * k = min(floor(log2 count), 32, 31 + shift): multiplier = (multiplier << k) / count, shift -= k,
 * so the multiplier may be below 2^30. */
typedef struct {
  int32_t x_zero, out_zero;
  int64_t count;
  weft_multiplier m;
  weft_range clamp;
} weft_mean_params;
weft_mean_params weft_mean_params_of(weft_opcode op, const weft_tensor *x, const weft_tensor *out,
                                     int64_t count);

/* SOFTMAX: d = x - max(row); if d < diff_min the output is the type's lowest code; otherwise its
 * exponent's argument in Q5 is weft_high_mul(d << m.shift, m.multiplier). See softmax.c.
 * m from min(beta * sX * 2^26, 2^31 - 1); diff_min = -floor(31 * 2^26 / 2^m.shift). */
typedef struct {
  weft_multiplier m;
  int32_t diff_min;
} weft_softmax_params;
weft_softmax_params weft_softmax_params_of(const weft_attr *attr, const weft_tensor *x);

/* QUANTIZE between 8-bit types, and the identity branch of the ReLUs:
 *   o = clamp(out_zero + RQ(x - x_zero, m)), double rounding; m from double(sX) / double(sO). */
typedef struct {
  int32_t x_zero, out_zero;
  weft_multiplier m;
  weft_range clamp;
} weft_rescale_params;
weft_rescale_params weft_rescale_params_of(const weft_tensor *x, const weft_tensor *out);

/* PRELU: x >= zero[0] ? RQ(x - zero[0], positive)
 *                     : RQ((x - zero[0]) * (alpha - zero[1]), negative), + out_zero, clamp.
 * positive: sX / sO; negative: sX * sAlpha / sO (doubles). */
typedef struct {
  int32_t zero[2], out_zero;
  weft_multiplier positive, negative;
  weft_range clamp;
} weft_prelu_params;
weft_prelu_params weft_prelu_params_of(const weft_tensor *x, const weft_tensor *alpha,
                                       const weft_tensor *out);

/* The whole function of a unary 8-bit operator: lut[(uint8_t)input byte] = output byte, both read
 * as the bytes in memory. Works for LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU, RELU, RELU6,
 * RELU_N1_TO_1, GELU, RSQRT, and for QUANTIZE between 8-bit types. Returns NULL, or why not. RSQRT
 * is undefined for negative numbers: there the table holds the highest code. */
const char *weft_unary_lut(weft_opcode op, const weft_attr *attr, const weft_tensor *in,
                           const weft_tensor *out, uint8_t lut[256]);

#endif
