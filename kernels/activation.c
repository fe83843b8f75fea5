/* Unary operators on 8-bit codes. Each is a function of one code, tabulated by weft_unary_lut; the
 * kernels apply the table. Start at weft_unary_lut, at the end.
 *
 *   LOGISTIC, TANH      reference_integer_ops::Logistic / Tanh (int8), reference_ops (uint8)
 *   HARD_SWISH          reference_ops::HardSwish
 *   LEAKY_RELU          reference_ops::QuantizeLeakyRelu
 *   RELU, RELU6, ...    reference_ops::ReluX
 *   GELU                LUTPopulate over reference_ops::Gelu
 *   RSQRT               RsqrtEvalQuantized of TFLite Micro's elementwise.cc
 *   QUANTIZE 8 -> 8 bit reference_ops::Requantize                                             */
#include "fixed.h"
#include "kernel.h"

#include <math.h>

/* What the functions below get: the operator, its tensors, everything derived from them. */
typedef struct {
  weft_opcode op;
  const weft_attr *attr;
  const weft_tensor *in, *out;
  weft_rescale_params rescale; /* sX / sO */
  weft_multiplier second;      /* LEAKY_RELU: float(sX * alpha / sO); RSQRT: 1 / (sqrt(sX) * sO) */
  weft_range act;              /* the activation's clamp */
  int32_t radius;              /* LOGISTIC, TANH: inputs this far from zero saturate */
} unary;

/* v = x - z; |v| >= radius saturates; otherwise the Q4 number RQ(v, m), m from sX * 2^27, goes
 * through the function, and the Q0 result is rounded to 8 (LOGISTIC) or 7 (TANH) fraction bits. */
static int32_t sigmoid_like(const unary *u, int32_t v) {
  weft_range codes = weft_code_range(u->out->dtype);
  if (v <= -u->radius) return codes.lo;
  if (v >= u->radius) return codes.hi;
  int32_t q4 = weft_requant(v, u->second);
  int32_t code = u->op == WEFT_OP_LOGISTIC ? weft_round_shift(weft_fixed_logistic(q4), 23)
                                           : weft_round_shift(weft_fixed_tanh(q4), 24);
  return weft_clamp(code + weft_zero(u->out), codes.lo, codes.hi);
}

static int16_t high_mul16(int16_t a, int16_t b) {
  if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
  int32_t ab = (int32_t)a * b;
  return (int16_t)((ab + (ab >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

static int16_t saturate16(int64_t x) {
  return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

/* A multiplier in 16 bits: the upper half, rounded. */
static int16_t half_multiplier(double real, int *shift) {
  int32_t m;
  weft_quantize_multiplier(real, &m, shift);
  return m >= INT32_MAX - (1 << 15) ? INT16_MAX : (int16_t)((m + (1 << 15)) >> 16);
}

/* x * relu6(x + 3) / 6 in 16-bit steps: the input on the output's scale times a "reluish" factor
 * in [0, 1] on a 2^15 scale. */
static int32_t hard_swish(const unary *u, int32_t v) {
  float hires = (1.0f / 128.0f) * weft_scale(u->in), reluish_scale = 3.0f / 32768.0f;
  int out_shift, relu_shift;
  int16_t out_m = half_multiplier((double)(hires / weft_scale(u->out)), &out_shift);
  int16_t relu_m = half_multiplier((double)(hires / reluish_scale), &relu_shift);
  int16_t x = (int16_t)(v * 128);
  int16_t on_output = high_mul16(x, out_m);
  int16_t r = x;
  if (relu_shift > 0) r = saturate16((int64_t)r * (INT64_C(1) << (relu_shift - 1)));
  r = high_mul16(r, relu_m);
  if (relu_shift > 0) r = saturate16((int64_t)r * 2);
  if (relu_shift < 0) r = (int16_t)weft_round_shift(r, -relu_shift);
  r = (int16_t)((r + (1 << 15)) >> 1);
  int16_t product = (int16_t)((int32_t)r * on_output / (1 << 15)); /* truncates toward zero */
  int32_t code = weft_round_shift(product, -out_shift) + weft_zero(u->out);
  return weft_clamp(code, u->rescale.clamp.lo, u->rescale.clamp.hi);
}

static int32_t rescale(const unary *u, int32_t v) {
  return weft_finish(v, u->rescale.m, u->rescale.out_zero, u->act);
}

static int32_t leaky_relu(const unary *u, int32_t v) {
  return weft_finish(v, v >= 0 ? u->rescale.m : u->second, u->rescale.out_zero, u->act);
}

static int32_t rsqrt_code(const unary *u, int32_t v) {
  enum { KEEP = 20 }; /* fraction bits of the intermediate */
  if (v <= 0) return u->act.hi;
  weft_multiplier inverse = weft_fixed_inv_sqrt(v), m = u->second;
  inverse.shift += KEEP;
  m.shift -= KEEP;
  return weft_finish(weft_requant(1, inverse), m, u->rescale.out_zero, u->act);
}

static int32_t gelu(const unary *u, int32_t v) {
  float x = weft_scale(u->in) * (float)v, y;
  if (u->attr->approximate) {
    const float sqrt_2_pi = (float)(M_2_SQRTPI * M_SQRT1_2);
    y = 0.5f * x * (1.0f + tanhf(sqrt_2_pi * (x + 0.044715f * x * x * x)));
  } else {
    y = 0.5f * x * erfcf(x * -(float)M_SQRT1_2);
  }
  float code = roundf(y * (1.0f / weft_scale(u->out))) + (float)weft_zero(u->out);
  if (!(code > (float)u->act.lo)) return u->act.lo;
  return code > (float)u->act.hi ? u->act.hi : (int32_t)code;
}

static weft_activation activation_of(weft_opcode op) {
  switch (op) {
  case WEFT_OP_RELU: return WEFT_ACT_RELU;
  case WEFT_OP_RELU6: return WEFT_ACT_RELU6;
  case WEFT_OP_RELU_N1_TO_1: return WEFT_ACT_RELU_N1_TO_1;
  default: return WEFT_ACT_NONE;
  }
}

static const char *prepare(unary *u) {
  float si = weft_scale(u->in), so = weft_scale(u->out);
  u->rescale = weft_rescale_params_of(u->in, u->out);
  u->act = weft_activation_range(activation_of(u->op), u->out);
  bool is_int8 = u->out->dtype == WEFT_INT8;
  switch (u->op) {
  case WEFT_OP_LOGISTIC:
    WEFT_REQUIRE(weft_zero(u->out) == (is_int8 ? -128 : 0) && so == 1.0f / 256,
                 "output must have scale 1/256 and the lowest code as zero point");
    break;
  case WEFT_OP_TANH:
    WEFT_REQUIRE(weft_zero(u->out) == (is_int8 ? 0 : 128) && so == 1.0f / 128,
                 "output must have scale 1/128 and the middle code as zero point");
    break;
  case WEFT_OP_HARD_SWISH:
    WEFT_REQUIRE((1.0f / 128.0f) * si / so < 1, "output scale is too small for the input's");
    break;
  case WEFT_OP_RELU:
  case WEFT_OP_RELU6:
  case WEFT_OP_RELU_N1_TO_1: u->rescale.m = weft_multiplier_of((double)(si / so)); break;
  case WEFT_OP_LEAKY_RELU:
    u->rescale.m = weft_multiplier_of((double)(si / so));
    u->second = weft_multiplier_of((double)(si * u->attr->alpha / so));
    break;
  case WEFT_OP_RSQRT: u->second = weft_multiplier_of(1.0 / (sqrt(si) * so)); break;
  default: break;
  }
  if (u->op == WEFT_OP_LOGISTIC || u->op == WEFT_OP_TANH) {
    u->second = weft_multiplier_of((double)si * (1 << 27));
    double radius = floor(ldexp(15.0 * (1 << 27), -u->second.shift));
    u->radius = radius > INT32_MAX ? INT32_MAX : (int32_t)radius;
  }
  return NULL;
}

const char *weft_unary_lut(weft_opcode op, const weft_attr *attr, const weft_tensor *in,
                           const weft_tensor *out, uint8_t lut[256]) {
  WEFT_REQUIRE(weft_is_q8(in) && weft_is_q8(out), "tensors must be int8 or uint8 with one scale");
  WEFT_REQUIRE(in->dtype == out->dtype || op == WEFT_OP_QUANTIZE, "tensors differ in type");
  int32_t (*f)(const unary *, int32_t) = NULL;
  switch (op) {
  case WEFT_OP_LOGISTIC:
  case WEFT_OP_TANH: f = sigmoid_like; break;
  case WEFT_OP_HARD_SWISH: f = hard_swish; break;
  case WEFT_OP_LEAKY_RELU: f = leaky_relu; break;
  case WEFT_OP_RELU:
  case WEFT_OP_RELU6:
  case WEFT_OP_RELU_N1_TO_1:
  case WEFT_OP_QUANTIZE: f = rescale; break;
  case WEFT_OP_GELU: f = gelu; break;
  case WEFT_OP_RSQRT: f = rsqrt_code; break;
  default: return "not a unary operator on 8-bit codes";
  }
  unary u = {.op = op, .attr = attr, .in = in, .out = out};
  const char *bad = prepare(&u);
  if (bad) return bad;
  for (int byte = 0; byte < 256; byte++) {
    int32_t code = in->dtype == WEFT_INT8 ? (int8_t)byte : byte;
    lut[byte] = (uint8_t)f(&u, code - weft_zero(in));
  }
  return NULL;
}

static const char *apply(weft_opcode op, const weft_attr *attr, const weft_tensor *in,
                         weft_tensor *out) {
  WEFT_REQUIRE(weft_tensor_elements(in) == weft_tensor_elements(out),
               "input and output differ in shape");
  uint8_t lut[256];
  const char *bad = weft_unary_lut(op, attr, in, out, lut);
  if (bad) return bad;
  const uint8_t *x = in->data;
  uint8_t *o = out->data;
  size_t n = weft_tensor_elements(in);
  if (op == WEFT_OP_RSQRT)
    for (size_t i = 0; i < n; i++)
      WEFT_REQUIRE(weft_load8(in, i) >= weft_zero(in), "RSQRT of a negative number");
  for (size_t i = 0; i < n; i++) o[i] = lut[x[i]];
  return NULL;
}

#define UNARY(name)                                                                                \
  const char *weft_ref_##name(weft_opcode op, const weft_attr *attr, int n_in,                     \
                              const weft_tensor *const *in, int n_out, weft_tensor *const *out) {  \
    (void)n_in, (void)n_out;                                                                       \
    return apply(op, attr, in[0], out[0]);                                                         \
  }
UNARY(LOGISTIC)
UNARY(TANH)
UNARY(HARD_SWISH)
UNARY(LEAKY_RELU)
UNARY(RELU)
UNARY(RELU6)
UNARY(RELU_N1_TO_1)
UNARY(GELU)
UNARY(RSQRT)
