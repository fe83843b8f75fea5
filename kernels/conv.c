/* CONV_2D and TRANSPOSE_CONV, and what they share with the other weighted operators.
 *
 * CONV_2D is TFLite's reference_integer_ops::ConvPerChannel (int8) and reference_ops::Conv (uint8);
 * TRANSPOSE_CONV is TransposeConv of the same folders. params.h has the formula. */
#include "kernel.h"

void weft_load_block(weft_opcode op, const weft_tensor *x, const weft_tensor *w,
                     const weft_tensor *bias, const weft_tensor *out, int c0, int n,
                     weft_channel_block *block) {
  for (int i = 0; i < n; i++) {
    block->m[i] = weft_conv_multiplier(op, x, w, out, c0 + i);
    block->w_zero[i] = weft_weight_zero(w, c0 + i);
    block->bias[i] = bias ? ((const int32_t *)bias->data)[c0 + i] : 0;
  }
}

const char *weft_check_weighted(const weft_tensor *x, const weft_tensor *w, const weft_tensor *bias,
                                const weft_tensor *out, int channels, int axis) {
  WEFT_REQUIRE(weft_is_q8(x) && weft_is_q8(out), "input and output must be int8 or uint8");
  WEFT_REQUIRE(x->dtype == out->dtype && w->dtype == x->dtype,
               "input, weights and output must have the same type");
  WEFT_REQUIRE(weft_is_quantized(w), "weights have no valid quantization");
  WEFT_REQUIRE(w->quant.n == 1 || (w->quant.n == channels && w->quant.axis == axis),
               "weights must have one scale, or one per output channel");
  WEFT_REQUIRE(!bias ||
                   (bias->dtype == WEFT_INT32 && weft_tensor_elements(bias) == (size_t)channels),
               "bias must be int32, one per output channel");
  return NULL;
}

static const char *check_geometry(const weft_attr *a, const weft_tensor *x, const weft_tensor *w,
                                  const weft_tensor *out) {
  WEFT_REQUIRE(x->rank == 4 && w->rank == 4 && out->rank == 4, "tensors must have rank 4");
  WEFT_REQUIRE(x->dim[0] == out->dim[0], "batch sizes differ");
  WEFT_REQUIRE(w->dim[0] == out->dim[3], "weights and output differ in channels");
  WEFT_REQUIRE(w->dim[3] > 0, "weights have no input channels");
  WEFT_REQUIRE(a->stride_h > 0 && a->stride_w > 0, "stride must be positive");
  return NULL;
}

const char *weft_ref_CONV_2D(weft_opcode op, const weft_attr *a, int n_in,
                             const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)n_out;
  const weft_tensor *x = in[0], *w = in[1], *bias = n_in > 2 ? in[2] : NULL;
  weft_tensor *out = outs[0];
  const char *bad = check_geometry(a, x, w, out);
  if (!bad) bad = weft_check_weighted(x, w, bias, out, out->dim[3], 0);
  if (bad) return bad;
  WEFT_REQUIRE(x->dim[3] % w->dim[3] == 0, "weights' input channels must divide the input's");
  int groups = x->dim[3] / w->dim[3];
  WEFT_REQUIRE(groups > 0 && out->dim[3] % groups == 0, "groups must divide output channels");
  WEFT_REQUIRE(a->dilation_h > 0 && a->dilation_w > 0, "dilation must be positive");

  weft_conv_params p = weft_conv_params_of(op, a, x, w, out);
  int xh = x->dim[1], xw = x->dim[2], xc = x->dim[3];
  int kh = w->dim[1], kw = w->dim[2], kc = w->dim[3];
  int oh = out->dim[1], ow = out->dim[2], oc = out->dim[3], group_oc = oc / groups;
  for (int c0 = 0; c0 < oc; c0 += WEFT_BLOCK) {
    weft_channel_block block;
    int nc = oc - c0 < WEFT_BLOCK ? oc - c0 : WEFT_BLOCK;
    weft_load_block(op, x, w, bias, out, c0, nc, &block);
    for (int b = 0; b < x->dim[0]; b++)
      for (int oy = 0; oy < oh; oy++)
        for (int ox = 0; ox < ow; ox++) {
          size_t o = (((size_t)b * oh + oy) * ow + ox) * oc + c0;
          for (int i = 0; i < nc; i++) {
            int c = c0 + i, ic0 = c / group_oc * kc;
            int32_t acc = block.bias[i];
            for (int ky = 0; ky < kh; ky++) {
              int y = oy * a->stride_h - a->pad_top + ky * a->dilation_h;
              if (y < 0 || y >= xh) continue;
              for (int kx = 0; kx < kw; kx++) {
                int xx = ox * a->stride_w - a->pad_left + kx * a->dilation_w;
                if (xx < 0 || xx >= xw) continue;
                size_t xi = (((size_t)b * xh + y) * xw + xx) * xc + ic0;
                size_t wi = (((size_t)c * kh + ky) * kw + kx) * kc;
                int32_t dot = weft_dot(x, xi, w, wi, kc, p.x_zero, block.w_zero[i]);
                acc = weft_wrap_add(acc, dot);
              }
            }
            weft_store8(out, o + i, weft_finish(acc, block.m[i], p.out_zero, p.clamp));
          }
        }
  }
  return NULL;
}

/* Output row y gets weight row ky from input row (y + pad - ky) / stride, where that is whole and
 * inside; -1 otherwise. */
static int source(int y, int pad, int k, int stride, int size) {
  int at = y + pad - k;
  return at >= 0 && at % stride == 0 && at / stride < size ? at / stride : -1;
}

const char *weft_ref_TRANSPOSE_CONV(weft_opcode op, const weft_attr *a, int n_in,
                                    const weft_tensor *const *in, int n_out,
                                    weft_tensor *const *outs) {
  (void)n_out;
  const weft_tensor *w = in[1], *x = in[2], *bias = n_in > 3 ? in[3] : NULL;
  weft_tensor *out = outs[0];
  const char *bad = check_geometry(a, x, w, out);
  if (!bad) bad = weft_check_weighted(x, w, bias, out, out->dim[3], 0);
  if (bad) return bad;
  WEFT_REQUIRE(x->dim[3] == w->dim[3], "weights and input differ in channels");

  weft_conv_params p = weft_conv_params_of(op, a, x, w, out);
  int xh = x->dim[1], xw = x->dim[2], kh = w->dim[1], kw = w->dim[2], kc = w->dim[3];
  int oh = out->dim[1], ow = out->dim[2], oc = out->dim[3];
  for (int c0 = 0; c0 < oc; c0 += WEFT_BLOCK) {
    weft_channel_block block;
    int nc = oc - c0 < WEFT_BLOCK ? oc - c0 : WEFT_BLOCK;
    weft_load_block(op, x, w, bias, out, c0, nc, &block);
    for (int b = 0; b < x->dim[0]; b++)
      for (int oy = 0; oy < oh; oy++)
        for (int ox = 0; ox < ow; ox++)
          for (int i = 0; i < nc; i++) {
            int32_t acc = block.bias[i];
            for (int ky = 0; ky < kh; ky++) {
              int y = source(oy, a->pad_top, ky, a->stride_h, xh);
              for (int kx = 0; y >= 0 && kx < kw; kx++) {
                int xx = source(ox, a->pad_left, kx, a->stride_w, xw);
                if (xx < 0) continue;
                size_t xi = (((size_t)b * xh + y) * xw + xx) * kc;
                size_t wi = (((size_t)(c0 + i) * kh + ky) * kw + kx) * kc;
                int32_t dot = weft_dot(x, xi, w, wi, kc, p.x_zero, block.w_zero[i]);
                acc = weft_wrap_add(acc, dot);
              }
            }
            size_t o = (((size_t)b * oh + oy) * ow + ox) * oc + c0 + i;
            weft_store8(out, o, weft_finish(acc, block.m[i], p.out_zero, p.clamp));
          }
  }
  return NULL;
}
