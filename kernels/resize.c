/* RESIZE_NEAREST_NEIGHBOR (any type) and RESIZE_BILINEAR (int8, uint8).
 *
 * int8 bilinear is reference_ops::ResizeBilinearInteger, positions in 1/1024 pixel; uint8 bilinear
 * is reference_ops::ResizeBilinear, in single precision; nearest is
 * reference_ops::ResizeNearestNeighbor. The output's shape is that of the output tensor. */
#include "kernel.h"

#include <math.h>

static const char *check(const weft_attr *a, const weft_tensor *x, const weft_tensor *out) {
  WEFT_REQUIRE(x->dtype == out->dtype, "input and output differ in type");
  WEFT_REQUIRE(x->rank == 4 && out->rank == 4, "tensors must have rank 4");
  WEFT_REQUIRE(x->dim[0] == out->dim[0] && x->dim[3] == out->dim[3],
               "batch or channels differ between input and output");
  for (int d = 1; d < 3; d++)
    WEFT_REQUIRE(x->dim[d] > 0 && out->dim[d] > 0 && x->dim[d] <= 1 << 20 && out->dim[d] <= 1 << 20,
                 "image is empty or too large");
  WEFT_REQUIRE(!(a->align_corners && a->half_pixel_centers),
               "align_corners and half_pixel_centers exclude each other");
  return NULL;
}

/* floor or round of (o + offset) * scale in single precision, cut to the image. */
static int nearest(const weft_attr *a, int o, int in, int out) {
  float scale =
      a->align_corners && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
  float at = ((float)o + (a->half_pixel_centers ? 0.5f : 0.0f)) * scale;
  int i = (int)(a->align_corners ? roundf(at) : floorf(at));
  return i < 0 ? 0 : i > in - 1 ? in - 1 : i;
}

const char *weft_ref_RESIZE_NEAREST_NEIGHBOR(weft_opcode op, const weft_attr *a, int n_in,
                                             const weft_tensor *const *in, int n_out,
                                             weft_tensor *const *outs) {
  (void)op, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  const char *bad = check(a, x, out);
  if (bad) return bad;
  size_t run = (size_t)x->dim[3] * weft_dtype_size(x->dtype);
  char *o = out->data;
  for (int b = 0; b < x->dim[0]; b++)
    for (int y = 0; y < out->dim[1]; y++) {
      int iy = nearest(a, y, x->dim[1], out->dim[1]);
      for (int xx = 0; run && xx < out->dim[2]; xx++, o += run) {
        int ix = nearest(a, xx, x->dim[2], out->dim[2]);
        size_t pixel = ((size_t)b * x->dim[1] + iy) * x->dim[2] + ix;
        memcpy(o, (const char *)x->data + pixel * run, run);
      }
    }
  return NULL;
}

/* Two neighbours of a position and the weight of the second: in 1/1024, or as a float. */
typedef struct {
  int lo, hi;
  int64_t part;
  float fpart;
} sample;

static sample sample_integer(const weft_attr *a, int o, int in, int out) {
  int64_t scale = (INT64_C(1024) * in + out / 2) / out;
  if (a->align_corners && out > 1) scale = (INT64_C(1024) * (in - 1) + (out - 1) / 2) / (out - 1);
  int64_t at = o * scale + (a->half_pixel_centers ? scale / 2 - 512 : 0);
  sample s = {0};
  int64_t lo = at / 1024, hi = (at + 1023) / 1024;
  s.lo = (int)(lo < 0 ? 0 : lo > in - 1 ? in - 1 : lo);
  s.hi = (int)(hi > in - 1 ? in - 1 : hi);
  s.part = at - INT64_C(1024) * s.lo;
  return s;
}

static sample sample_float(const weft_attr *a, int o, int in, int out) {
  float scale =
      a->align_corners && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
  float at = a->half_pixel_centers ? ((float)o + 0.5f) * scale - 0.5f : (float)o * scale;
  int lo = (int)floorf(at), hi = (int)ceilf(at);
  sample s = {0};
  s.lo = lo < 0 ? 0 : lo > in - 1 ? in - 1 : lo;
  s.hi = hi > in - 1 ? in - 1 : hi;
  s.fpart = at - (float)s.lo;
  return s;
}

static int32_t blend_integer(sample y, sample x, const int32_t v[2][2]) {
  int64_t y1 = y.part, y0 = 1024 - y1, x1 = x.part, x0 = 1024 - x1;
  int64_t sum = v[0][0] * y0 * x0 + v[1][0] * y1 * x0 + v[0][1] * y0 * x1 + v[1][1] * y1 * x1;
  return (int32_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

static int32_t blend_float(sample y, sample x, const int32_t v[2][2]) {
  float y1 = y.fpart, y0 = 1 - y1, x1 = x.fpart, x0 = 1 - x1;
  return (int32_t)((float)v[0][0] * y0 * x0 + (float)v[1][0] * y1 * x0 + (float)v[0][1] * y0 * x1 +
                   (float)v[1][1] * y1 * x1 + 0.5f);
}

const char *weft_ref_RESIZE_BILINEAR(weft_opcode op, const weft_attr *a, int n_in,
                                     const weft_tensor *const *in, int n_out,
                                     weft_tensor *const *outs) {
  (void)op, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  const char *bad = check(a, x, out);
  if (bad) return bad;
  WEFT_REQUIRE(weft_is_8bit(x), "input must be int8 or uint8");
  bool integer = x->dtype == WEFT_INT8;
  weft_range codes = weft_code_range(x->dtype);
  int xh = x->dim[1], xw = x->dim[2], channels = x->dim[3], oh = out->dim[1], ow = out->dim[2];
  size_t o = 0;
  for (int b = 0; b < x->dim[0]; b++)
    for (int oy = 0; oy < oh; oy++) {
      sample y = integer ? sample_integer(a, oy, xh, oh) : sample_float(a, oy, xh, oh);
      size_t row[2] = {((size_t)b * xh + y.lo) * xw, ((size_t)b * xh + y.hi) * xw};
      for (int ox = 0; ox < ow; ox++) {
        sample h = integer ? sample_integer(a, ox, xw, ow) : sample_float(a, ox, xw, ow);
        for (int c = 0; c < channels; c++) {
          int32_t v[2][2];
          for (int r = 0; r < 2; r++) {
            v[r][0] = weft_load8(x, (row[r] + h.lo) * channels + c);
            v[r][1] = weft_load8(x, (row[r] + h.hi) * channels + c);
          }
          int32_t code = integer ? blend_integer(y, h, v) : blend_float(y, h, v);
          weft_store8(out, o++, weft_clamp(code, codes.lo, codes.hi));
        }
      }
    }
  return NULL;
}
