/* GEMM: convolution or matrix product on the array.
 *
 * One instruction is one call: a table of activation pointers per (pixel, tap), the tiles repacked
 * for the host's dot-product instructions, sums per pixel and 16 columns (gemm_kernel.c), then the
 * accumulators or the output stage. Integer sums do not depend on the order, so nothing of the
 * array's schedule is visible here; that is timing.c's business. */
#include "gemm_kernel.h"
#include "output_stage.h"

enum { LANES = WEFT_GEMM_LANES };

/* Points to the activation bytes of every (pixel, tap); outside the image, to the pad vector. */
static void gather(weft_sim *s, const weft_insn_GEMM *in, const int8_t **ptr, const int8_t *pad) {
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  const int8_t *spad = (const int8_t *)s->mem[WEFT_MEM_SPAD];
  size_t block = (size_t)in->a_block * s->cfg.rows;
  for (uint32_t oy = 0; oy < in->out_h; oy++)
    for (uint32_t ox = 0; ox < in->out_w; ox++)
      for (uint32_t ky = 0; ky < in->kh; ky++) {
        int64_t iy = (int64_t)oy * in->stride_y + (int64_t)ky * in->dil_y - in->pad_top;
        const int8_t *row = NULL;
        if (iy >= 0 && iy < in->in_h)
          row = spad + (size_t)weft_row_word(&a, (uint32_t)iy) * s->w + block;
        for (uint32_t kx = 0; kx < in->kw; kx++) {
          int64_t ix = (int64_t)ox * in->stride_x + (int64_t)kx * in->dil_x - in->pad_left;
          *ptr++ = row && ix >= 0 && ix < in->in_w ? row + (size_t)ix * a.pix_stride * s->w : pad;
        }
      }
}

/* Repacks tiles (R rows of C weights, taps then channel blocks inside a column block) into chunks
 * of 16 columns x 4 channels. */
static void pack(const weft_sim *s, const weft_insn_GEMM *in, size_t depth, uint8_t *out) {
  size_t r = s->cfg.rows, c = s->cfg.cols;
  const uint8_t *tiles = s->mem[WEFT_MEM_WEIGHT] + (size_t)in->w_base * c;
  size_t columns = (size_t)in->n_blocks * c, rows = (size_t)in->kh * in->kw * in->k_blocks * r;
  memset(out, 0x80, weft_gemm_packed_bytes(columns, depth)); /* zero weight + 128 */
  for (size_t nb = 0; nb < in->n_blocks; nb++)
    for (size_t k = 0; k < rows; k++) {
      const uint8_t *w = tiles + (nb * rows + k) * c;
      for (size_t j = 0; j < c;) { /* as far as one chunk of columns reaches */
        size_t col = nb * c + j, lane = col % LANES;
        size_t n = LANES - lane < c - j ? LANES - lane : c - j;
        uint8_t *to = out + (col / LANES * (depth / 4) + k / 4) * (4 * LANES) + 4 * lane + k % 4;
        for (size_t i = 0; i < n; i++) to[4 * i] = (uint8_t)(w[j + i] ^ 0x80);
        j += n;
      }
    }
}

void weft_exec_gemm(weft_sim *s, const weft_insn_GEMM *in) {
  size_t c = s->cfg.cols, taps = (size_t)in->kh * in->kw;
  size_t channels = (size_t)in->k_blocks * s->cfg.rows, depth = taps * channels;
  size_t pixels = (size_t)in->out_h * in->out_w, columns = (size_t)in->n_blocks * c;
  size_t padded = (columns + LANES - 1) / LANES * LANES;

  const int8_t **ptr = weft_scratch(s, 0, pixels * taps * sizeof *ptr + channels + 64);
  int8_t *pad = (int8_t *)(ptr + pixels * taps);
  memset(pad, in->pad_value, channels);
  gather(s, in, ptr, pad);
  uint8_t *packed = weft_scratch(s, 1, weft_gemm_packed_bytes(columns, depth));
  pack(s, in, depth, packed);
  int32_t *sum = weft_scratch(s, 2, pixels * padded * sizeof *sum);
  weft_gemm_kernel(!s->opt.portable)(ptr, pixels, taps, channels, packed, padded / LANES, sum);

  weft_operand o = WEFT_OPERAND_OF(*in, o);
  weft_output_stage stage = WEFT_OUTPUT_STAGE_OF(s, in);
  weft_param *param = weft_scratch(s, 3, columns * sizeof *param);
  if (!in->acc_out)
    for (size_t i = 0; i < columns; i++)
      param[i] =
          weft_param_read(s->mem[WEFT_MEM_PARAM] + ((size_t)in->p_base * c + i) * WEFT_PARAM_BYTES);
  for (size_t m = 0; m < pixels; m++) {
    int32_t *v = sum + m * padded;
    if (in->acc_in || in->acc_out)
      for (size_t i = 0; i < columns; i++) {
        int32_t *acc = s->acc + ((size_t)in->acc_base + i / c * pixels + m) * c + i % c;
        if (in->acc_in) v[i] = weft_wrap((int64_t)v[i] + *acc);
        if (in->acc_out) *acc = v[i];
      }
    if (in->acc_out) continue;
    size_t y = m / in->out_w, x = m % in->out_w;
    int8_t *out = (int8_t *)s->mem[WEFT_MEM_SPAD] +
                  ((size_t)weft_row_word(&o, (uint32_t)y) + x * o.pix_stride) * s->w +
                  (size_t)in->o_block * c;
    weft_requantize_row(v, param, (int)columns, &stage, out);
  }
}
