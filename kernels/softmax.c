/* SOFTMAX along the last dimension: TFLite's reference_ops::Softmax for int8 and uint8.
 *
 * Per row, with d = x - max(row) and only the d >= diff_min taking part:
 *   e(d)  = exp as Q0 of the Q5 number weft_high_mul(d << shift, multiplier)
 *   sum   = sum weft_round_shift(e(d), 12)                                     as Q12
 *   recip = mantissa of 1 / sum, over_unit its exponent (weft_fixed_reciprocal)
 *   o     = lowest code + weft_round_shift(weft_high_mul(recip, e(d)), over_unit + 23), clamped
 * The output's scale must be 1/256 and its zero point the lowest code. */
#include "fixed.h"
#include "kernel.h"

static int32_t exponential(int32_t d, weft_multiplier m) {
  return weft_fixed_exp(weft_high_mul(weft_wrap_shl(d, m.shift), m.multiplier), 5);
}

const char *weft_ref_SOFTMAX(weft_opcode op, const weft_attr *attr, int n_in,
                             const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)op, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(weft_is_q8(x) && weft_is_q8(out) && x->dtype == out->dtype,
               "input and output must both be int8 or both uint8");
  WEFT_REQUIRE(x->rank >= 1 && weft_same_shape(x, out), "input and output differ in shape");
  weft_range codes = weft_code_range(out->dtype);
  WEFT_REQUIRE(weft_zero(out) == codes.lo && weft_scale(out) == 1.0f / 256,
               "output must have scale 1/256 and the lowest code as zero point");
  weft_softmax_params p = weft_softmax_params_of(attr, x);
  WEFT_REQUIRE(p.m.shift >= 0, "beta * scale is too small");

  size_t depth = (size_t)x->dim[x->rank - 1], n = weft_tensor_elements(x);
  for (size_t row = 0; row < n; row += depth) {
    int32_t most = INT32_MIN, sum = 0;
    for (size_t i = row; i < row + depth; i++)
      if (weft_load8(x, i) > most) most = weft_load8(x, i);
    for (size_t i = row; i < row + depth; i++) {
      int32_t d = weft_load8(x, i) - most;
      if (d >= p.diff_min) sum = weft_wrap_add(sum, weft_round_shift(exponential(d, p.m), 12));
    }
    int over_unit;
    int32_t recip = weft_fixed_reciprocal(sum, 12, &over_unit);
    for (size_t i = row; i < row + depth; i++) {
      int32_t d = weft_load8(x, i) - most, code = codes.lo;
      if (d >= p.diff_min) {
        int32_t q0 = weft_high_mul(recip, exponential(d, p.m));
        code = weft_clamp(codes.lo + weft_round_shift(q0, over_unit + 23), codes.lo, codes.hi);
      }
      weft_store8(out, i, code);
    }
  }
  return NULL;
}
