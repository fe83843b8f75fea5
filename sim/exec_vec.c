/* VEC: elementwise operations (VEW) and windows (VPOOL), a word of W channels at a time. */
#include "output_stage.h"

enum { MAX_W = 64 };

static int8_t elementwise(const weft_insn_VEW *in, const weft_output_stage *o, int8_t a, int8_t b) {
  int32_t x = a - in->a_zp, y = b - in->b_zp, v = 0;
  switch (in->op) {
  case WEFT_VEW_ADD:
  case WEFT_VEW_SUB:
    x = weft_scale((int32_t)((uint32_t)x << in->left_shift), (int32_t)in->a_mult, in->a_shift,
                   o->single);
    y = weft_scale((int32_t)((uint32_t)y << in->left_shift), (int32_t)in->b_mult, in->b_shift,
                   o->single);
    v = weft_wrap(in->op == WEFT_VEW_ADD ? (int64_t)x + y : (int64_t)x - y);
    v = weft_scale(v, (int32_t)in->o_mult, in->o_shift, o->single);
    break;
  case WEFT_VEW_MUL: v = weft_scale(x * y, (int32_t)in->o_mult, in->o_shift, o->single); break;
  case WEFT_VEW_REQUANT: v = weft_scale(x, (int32_t)in->o_mult, in->o_shift, o->single); break;
  case WEFT_VEW_MIN: v = a < b ? a : b; break;
  case WEFT_VEW_MAX: v = a > b ? a : b; break;
  default: v = a; break;
  }
  return weft_finish(v, o);
}

void weft_exec_vew(weft_sim *s, const weft_insn_VEW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), b = WEFT_OPERAND_OF(*in, b),
               o = WEFT_OPERAND_OF(*in, o);
  weft_output_stage stage = WEFT_OUTPUT_STAGE_OF(s, in);
  int8_t *spad = (int8_t *)s->mem[WEFT_MEM_SPAD];
  size_t n = (size_t)in->c_words * s->w;
  bool unary = in->op == WEFT_VEW_REQUANT || in->op == WEFT_VEW_COPY;
  int8_t table[256]; /* one operand: 256 codes say it all */
  for (int code = -128; unary && code < 128; code++)
    table[(uint8_t)code] = elementwise(in, &stage, (int8_t)code, 0);
  for (uint32_t y = 0; y < in->out_h; y++)
    for (uint32_t x = 0; x < in->out_w; x++) {
      const int8_t *pa = spad + ((size_t)weft_row_word(&a, y) + (size_t)x * a.pix_stride) * s->w;
      int8_t *po = spad + ((size_t)weft_row_word(&o, y) + (size_t)x * o.pix_stride) * s->w;
      if (unary) {
        for (size_t i = 0; i < n; i++) po[i] = table[(uint8_t)pa[i]];
        continue;
      }
      const int8_t *pb = spad + ((size_t)weft_row_word(&b, y) + (size_t)x * b.pix_stride) * s->w;
      for (size_t i = 0; i < n; i++) po[i] = elementwise(in, &stage, pa[i], pb[i]);
    }
}

static int32_t rounded_quotient(int32_t sum, int32_t count) { /* halves away from zero */
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

static int32_t quotient_up(int32_t sum, int32_t count) { /* floor(sum / count + 1/2) */
  int32_t n = 2 * sum + count, d = 2 * count;
  return n >= 0 ? n / d : -((-n + d - 1) / d);
}

static int8_t window_result(const weft_insn_VPOOL *in, const weft_output_stage *o, int32_t v,
                            int32_t count) {
  if (in->op == WEFT_VPOOL_AVG && count) v = rounded_quotient(v, count);
  if (in->op == WEFT_VPOOL_AVG_UP && count) v = quotient_up(v, count);
  if (in->op == WEFT_VPOOL_MEAN)
    v = weft_scale(weft_wrap((int64_t)v + in->bias), (int32_t)in->o_mult, in->o_shift, o->single);
  return weft_finish(v, o);
}

void weft_exec_vpool(weft_sim *s, const weft_insn_VPOOL *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  weft_output_stage stage = WEFT_OUTPUT_STAGE_OF(s, in);
  int8_t *spad = (int8_t *)s->mem[WEFT_MEM_SPAD];
  for (uint32_t oy = 0; oy < in->out_h; oy++)
    for (uint32_t ox = 0; ox < in->out_w; ox++)
      for (uint32_t cw = 0; cw < in->c_words; cw++) {
        int32_t v[MAX_W], count = 0;
        for (uint32_t i = 0; i < s->w; i++) v[i] = in->op == WEFT_VPOOL_MAX ? -128 : 0;
        for (uint32_t ky = 0; ky < in->kh; ky++) {
          int64_t iy = (int64_t)oy * in->stride_y + ky - in->pad_top;
          if (iy < 0 || iy >= in->in_h) continue;
          const int8_t *row = spad + ((size_t)weft_row_word(&a, (uint32_t)iy) + cw) * s->w;
          for (uint32_t kx = 0; kx < in->kw; kx++) {
            int64_t ix = (int64_t)ox * in->stride_x + kx - in->pad_left;
            if (ix < 0 || ix >= in->in_w) continue;
            const int8_t *p = row + (size_t)ix * a.pix_stride * s->w;
            count++;
            for (uint32_t i = 0; i < s->w; i++)
              v[i] = in->op != WEFT_VPOOL_MAX ? v[i] + p[i] : p[i] > v[i] ? p[i] : v[i];
          }
        }
        int8_t *out =
            spad + ((size_t)weft_row_word(&o, oy) + (size_t)ox * o.pix_stride + cw) * s->w;
        for (uint32_t i = 0; i < s->w; i++) out[i] = window_result(in, &stage, v[i], count);
      }
}
