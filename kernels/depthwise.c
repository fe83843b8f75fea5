/* DEPTHWISE_CONV_2D: TFLite's reference_integer_ops::DepthwiseConvPerChannel (int8) and
 * reference_ops::DepthwiseConv (uint8). Output channel c reads input channel c / multiplier. */
#include "kernel.h"

const char *weft_ref_DEPTHWISE_CONV_2D(weft_opcode op, const weft_attr *a, int n_in,
                                       const weft_tensor *const *in, int n_out,
                                       weft_tensor *const *outs) {
  (void)n_out;
  const weft_tensor *x = in[0], *w = in[1], *bias = n_in > 2 ? in[2] : NULL;
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->rank == 4 && w->rank == 4 && out->rank == 4, "tensors must have rank 4");
  const char *bad = weft_check_weighted(x, w, bias, out, out->dim[3], 3);
  if (bad) return bad;
  WEFT_REQUIRE(x->dim[0] == out->dim[0], "batch sizes differ");
  WEFT_REQUIRE(w->dim[0] == 1 && w->dim[3] == out->dim[3], "weights must be [1, h, w, channels]");
  WEFT_REQUIRE(x->dim[3] > 0 && out->dim[3] % x->dim[3] == 0,
               "output channels must be a multiple of input channels");
  WEFT_REQUIRE(a->stride_h > 0 && a->stride_w > 0, "stride must be positive");
  WEFT_REQUIRE(a->dilation_h > 0 && a->dilation_w > 0, "dilation must be positive");

  weft_conv_params p = weft_conv_params_of(op, a, x, w, out);
  int xh = x->dim[1], xw = x->dim[2], xc = x->dim[3], kh = w->dim[1], kw = w->dim[2];
  int oh = out->dim[1], ow = out->dim[2], oc = out->dim[3], mult = oc / xc;
  for (int c0 = 0; c0 < oc; c0 += WEFT_BLOCK) {
    weft_channel_block block;
    int nc = oc - c0 < WEFT_BLOCK ? oc - c0 : WEFT_BLOCK;
    weft_load_block(op, x, w, bias, out, c0, nc, &block);
    for (int b = 0; b < x->dim[0]; b++)
      for (int oy = 0; oy < oh; oy++)
        for (int ox = 0; ox < ow; ox++)
          for (int i = 0; i < nc; i++) {
            int c = c0 + i, ic = c / mult;
            int32_t acc = block.bias[i];
            for (int ky = 0; ky < kh; ky++) {
              int y = oy * a->stride_h - a->pad_top + ky * a->dilation_h;
              if (y < 0 || y >= xh) continue;
              for (int kx = 0; kx < kw; kx++) {
                int xx = ox * a->stride_w - a->pad_left + kx * a->dilation_w;
                if (xx < 0 || xx >= xw) continue;
                int32_t v = weft_load8(x, (((size_t)b * xh + y) * xw + xx) * xc + ic);
                int32_t k = weft_load8(w, ((size_t)ky * kw + kx) * oc + c);
                acc = weft_wrap_add(acc, (v - p.x_zero) * (k - block.w_zero[i]));
              }
            }
            size_t o = (((size_t)b * oh + oy) * ow + ox) * oc + c;
            weft_store8(out, o, weft_finish(acc, block.m[i], p.out_zero, p.clamp));
          }
  }
  return NULL;
}
