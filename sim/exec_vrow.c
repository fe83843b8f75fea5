/* VROW: operations along the channels of a pixel. Softmax follows docs/numerics.md: a table of 256
 * exponents in Q31, a sum in Q12.19, its reciprocal by three Newton steps (gemmlowp's fixed point).
 */
#include "output_stage.h"

static int32_t saturate(int64_t v) {
  return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

/* High half of the doubled product, rounded to nearest; -1 * -1 saturates. */
static int32_t high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  int64_t p = (int64_t)a * b;
  return (int32_t)((p + (p >= 0 ? (int64_t)1 << 30 : 1 - ((int64_t)1 << 30))) / ((int64_t)1 << 31));
}

/* Division by 2^n to nearest, ties away from zero. */
static int32_t round_shift(int32_t v, int n) {
  if (n == 0) return v;
  if (n > 31) return 0;
  int64_t mask = ((int64_t)1 << n) - 1, rem = v & mask;
  return (int32_t)(((int64_t)v >> n) + (rem > (mask >> 1) + (v < 0)));
}

/* 1 / (1 + x) for x in [0, 1) as Q31, result Q31 (saturating). */
static int32_t reciprocal(int32_t x) {
  const int32_t c48_17 = 1515870810, c_32_17 = -1010580540, one = 1 << 29; /* Q2.29 */
  int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  int32_t r = saturate((int64_t)c48_17 + high_mul(half, c_32_17));
  for (int i = 0; i < 3; i++) {
    int32_t e = saturate((int64_t)one - high_mul(half, r));
    r = saturate((int64_t)r + saturate((int64_t)high_mul(r, e) * 4));
  }
  return saturate((int64_t)r * 2);
}

static void softmax(const weft_sim *s, const weft_insn_VROW *in, const int8_t *x, int8_t *y) {
  const uint8_t *table = s->mem[WEFT_MEM_EXP] + (size_t)in->exp_slot * WEFT_EXP_BYTES;
  weft_output_stage stage = WEFT_OUTPUT_STAGE_OF(s, in);
  int max = -128;
  uint32_t sum = 0;
  for (uint32_t i = 0; i < in->channels; i++) max = x[i] > max ? x[i] : max;
  for (uint32_t i = 0; i < in->channels; i++) {
    int32_t e;
    memcpy(&e, table + 4 * (max - x[i]), 4);
    sum += (uint32_t)round_shift(e, 12);
  }
  int lead = sum ? __builtin_clz(sum) : 31;
  int32_t scale = reciprocal((int32_t)((sum << lead) - ((uint32_t)1 << 31)));
  int right = 12 - lead + 31 - 8;
  for (uint32_t i = 0; i < in->channels; i++) {
    int32_t e;
    memcpy(&e, table + 4 * (max - x[i]), 4);
    y[i] = weft_finish(round_shift(high_mul(scale, e), right < 0 ? 0 : right), &stage);
  }
}

void weft_exec_vrow(weft_sim *s, const weft_insn_VROW *in) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  int8_t *spad = (int8_t *)s->mem[WEFT_MEM_SPAD];
  size_t padded = (in->channels + s->w - 1) / s->w * s->w;
  for (uint32_t y = 0; y < in->out_h; y++)
    for (uint32_t x = 0; x < in->out_w; x++) {
      const int8_t *from = spad + ((size_t)weft_row_word(&a, y) + (size_t)x * a.pix_stride) * s->w;
      int8_t *to = spad + ((size_t)weft_row_word(&o, y) + (size_t)x * o.pix_stride) * s->w;
      softmax(s, in, from, to);
      memset(to + in->channels, 0, padded - in->channels);
    }
}
