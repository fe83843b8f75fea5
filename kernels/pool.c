/* AVERAGE_POOL_2D and MAX_POOL_2D: TFLite's reference_integer_ops / reference_ops pools.
 *
 * Only elements inside the image count. Average: with n of them,
 *   (sum + n/2) / n for a positive sum, (sum - n/2) / n otherwise,   both truncating toward zero:
 * the mean rounded with halves away from zero, of the codes themselves (scales must be equal, so
 * zero points play no part). Both clamp to the fused activation's range. */
#include "kernel.h"

static const char *check(const weft_attr *a, const weft_tensor *x, const weft_tensor *out) {
  WEFT_REQUIRE(weft_is_q8(x) && weft_is_q8(out) && x->dtype == out->dtype,
               "input and output must both be int8 or both uint8");
  WEFT_REQUIRE(x->rank == 4 && out->rank == 4, "tensors must have rank 4");
  WEFT_REQUIRE(x->dim[0] == out->dim[0] && x->dim[3] == out->dim[3],
               "batch or channels differ between input and output");
  WEFT_REQUIRE(a->stride_h > 0 && a->stride_w > 0, "stride must be positive");
  WEFT_REQUIRE(a->filter_h > 0 && a->filter_w > 0, "filter must be positive");
  return NULL;
}

/* The part of a window that lies inside the image. */
static void window(int o, int stride, int pad, int filter, int size, int *from, int *to) {
  *from = o * stride - pad;
  *to = *from + filter;
  if (*from < 0) *from = 0;
  if (*to > size) *to = size;
}

static int32_t average(int32_t sum, int32_t n) {
  return sum > 0 ? (sum + n / 2) / n : (sum - n / 2) / n;
}

static const char *pool(bool mean, const weft_attr *a, const weft_tensor *x, weft_tensor *out) {
  const char *bad = check(a, x, out);
  if (bad) return bad;
  weft_range clamp = weft_activation_range(a->activation, out);
  int xh = x->dim[1], xw = x->dim[2], channels = x->dim[3], oh = out->dim[1], ow = out->dim[2];
  for (int b = 0; b < x->dim[0]; b++)
    for (int oy = 0; oy < oh; oy++)
      for (int ox = 0; ox < ow; ox++) {
        int y0, y1, x0, x1;
        window(oy, a->stride_h, a->pad_top, a->filter_h, xh, &y0, &y1);
        window(ox, a->stride_w, a->pad_left, a->filter_w, xw, &x0, &x1);
        WEFT_REQUIRE(y0 < y1 && x0 < x1, "a window lies outside the image");
        for (int c = 0; c < channels; c++) {
          int32_t sum = 0, most = INT32_MIN;
          for (int y = y0; y < y1; y++)
            for (int xx = x0; xx < x1; xx++) {
              int32_t code = weft_load8(x, (((size_t)b * xh + y) * xw + xx) * channels + c);
              sum += code;
              if (code > most) most = code;
            }
          int32_t code = mean ? average(sum, (y1 - y0) * (x1 - x0)) : most;
          weft_store8(out, (((size_t)b * oh + oy) * ow + ox) * channels + c,
                      weft_clamp(code, clamp.lo, clamp.hi));
        }
      }
  return NULL;
}

const char *weft_ref_AVERAGE_POOL_2D(weft_opcode op, const weft_attr *attr, int n_in,
                                     const weft_tensor *const *in, int n_out,
                                     weft_tensor *const *out) {
  (void)op, (void)n_in, (void)n_out;
  return pool(true, attr, in[0], out[0]);
}

const char *weft_ref_MAX_POOL_2D(weft_opcode op, const weft_attr *attr, int n_in,
                                 const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)op, (void)n_in, (void)n_out;
  return pool(false, attr, in[0], out[0]);
}
