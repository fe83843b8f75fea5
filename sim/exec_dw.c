/* DW: depthwise convolution, W channels at a time, through an output stage of its own. */
#include "output_stage.h"
#include "simd.h"

enum { MAX_W = 64 };

/* One output word: sums of W channels over the valid part of the window; pad pixels count with the
 * pad value. */
WEFT_CLONES static void accumulate(int32_t *acc, const int8_t *a, const int8_t *w, int n) {
  for (int i = 0; i < n; i++) acc[i] += (int32_t)a[i] * w[i];
}

void weft_exec_dw(weft_sim *s, const weft_insn_DW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  weft_output_stage stage = WEFT_OUTPUT_STAGE_OF(s, in);
  int8_t *spad = (int8_t *)s->mem[WEFT_MEM_SPAD];
  uint32_t w = s->w, words = WEFT_PARAM_BYTES + in->kh * in->kw;
  int8_t pad[MAX_W];
  memset(pad, in->pad_value, sizeof pad);
  for (uint32_t cw = 0; cw < in->c_words; cw++) {
    const uint8_t *block = s->mem[WEFT_MEM_DWBUF] + ((size_t)in->p_base + cw * words) * w;
    const int8_t *taps = (const int8_t *)block + (size_t)WEFT_PARAM_BYTES * w;
    weft_param param[MAX_W];
    for (uint32_t i = 0; i < w; i++) param[i] = weft_param_read(block + i * WEFT_PARAM_BYTES);
    for (uint32_t oy = 0; oy < in->out_h; oy++) {
      const int8_t *row[256];
      for (uint32_t ky = 0; ky < in->kh; ky++) {
        int64_t iy = (int64_t)oy * in->stride_y + ky - in->pad_top;
        row[ky] = iy >= 0 && iy < in->in_h
                      ? spad + ((size_t)weft_row_word(&a, (uint32_t)iy) + cw) * w
                      : NULL;
      }
      int8_t *out = spad + ((size_t)weft_row_word(&o, oy) + cw) * w;
      for (uint32_t ox = 0; ox < in->out_w; ox++) {
        int32_t acc[MAX_W] = {0};
        for (uint32_t ky = 0; ky < in->kh; ky++)
          for (uint32_t kx = 0; kx < in->kw; kx++) {
            int64_t ix = (int64_t)ox * in->stride_x + kx - in->pad_left;
            const int8_t *p =
                row[ky] && ix >= 0 && ix < in->in_w ? row[ky] + (size_t)ix * a.pix_stride * w : pad;
            accumulate(acc, p, taps + (size_t)(ky * in->kw + kx) * w, (int)w);
          }
        weft_requantize_row(acc, param, (int)w, &stage, out + (size_t)ox * o.pix_stride * w);
      }
    }
  }
}
