/* QUANTIZE and DEQUANTIZE.
 *
 *   float -> 8 bit: reference_ops::AffineQuantize: clamp(z + round(float(x / s))), halves away from
 *                   zero
 *   8 -> 8 bit:     reference_ops::Requantize, any mix of int8 and uint8: weft_rescale_params
 *   8 bit -> float: reference_ops::Dequantize: s * (x - z), rounded to float once */
#include "kernel.h"

#include <math.h>

const char *weft_ref_QUANTIZE(weft_opcode op, const weft_attr *attr, int n_in,
                              const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(weft_is_q8(out), "output must be int8 or uint8 with one scale");
  WEFT_REQUIRE(weft_tensor_elements(x) == weft_tensor_elements(out),
               "input and output differ in shape");
  size_t n = weft_tensor_elements(out);
  if (x->dtype == WEFT_FLOAT32) {
    weft_range codes = weft_code_range(out->dtype);
    for (size_t i = 0; i < n; i++) {
      float q = roundf(((const float *)x->data)[i] / weft_scale(out));
      double code = (double)q + weft_zero(out);
      /* the comparisons are written so that NaN becomes the lowest code */
      weft_store8(out, i,
                  !(code > codes.lo) ? codes.lo
                  : code > codes.hi  ? codes.hi
                                     : (int32_t)code);
    }
    return NULL;
  }
  uint8_t lut[256];
  const char *bad = weft_unary_lut(op, attr, x, out, lut);
  if (bad) return bad;
  for (size_t i = 0; i < n; i++) ((uint8_t *)out->data)[i] = lut[((const uint8_t *)x->data)[i]];
  return NULL;
}

const char *weft_ref_DEQUANTIZE(weft_opcode op, const weft_attr *attr, int n_in,
                                const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)op, (void)attr, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(weft_is_q8(x) && out->dtype == WEFT_FLOAT32,
               "input must be int8 or uint8 with one scale, output float32");
  WEFT_REQUIRE(weft_tensor_elements(x) == weft_tensor_elements(out),
               "input and output differ in shape");
  size_t n = weft_tensor_elements(x);
  for (size_t i = 0; i < n; i++) {
    float v = (float)(weft_load8(x, i) - weft_zero(x));
    ((float *)out->data)[i] = (float)((double)weft_scale(x) * v);
  }
  return NULL;
}
