/* What an instruction reads and writes, byte by byte: written from docs/isa.md, apart from the race
 * detector of the model (sim/races.c), which judges the outcome. */
#include "random_program.h"

#include <string.h>

typedef struct {
  const weft_config *cfg;
  access_fn fn;
  void *user;
  size_t w;
} visit;

static void words(const visit *v, size_t first, size_t n, bool write) {
  v->fn(v->user, WEFT_MEM_SPAD, first * v->w, n * v->w, write);
}

static size_t at(const weft_operand *o, uint32_t row, uint32_t pixel) {
  return o->base + (size_t)((o->ring_start + row) % o->ring_rows) * o->row_stride +
         (size_t)pixel * o->pix_stride;
}

/* Bytes [byte, byte + n) of every pixel. */
static void whole(const visit *v, weft_operand o, uint32_t rows, uint32_t pixels, size_t byte,
                  size_t n, bool write) {
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < pixels; x++)
      v->fn(v->user, WEFT_MEM_SPAD, at(&o, y, x) * v->w + byte, n, write);
}

typedef struct {
  uint32_t valid, out, stride, taps, dilation, pad;
} sweep;

/* Which of `valid` input positions a window sweep reads. */
static void mark(uint8_t *used, sweep s) {
  memset(used, 0, s.valid);
  for (uint32_t o = 0; o < s.out; o++)
    for (uint32_t k = 0; k < s.taps; k++) {
      int64_t i = (int64_t)o * s.stride + (int64_t)k * s.dilation - s.pad;
      if (i >= 0 && i < s.valid) used[i] = 1;
    }
}

static void swept(const visit *v, weft_operand a, sweep sy, sweep sx, size_t n_words) {
  static uint8_t row[4096], pixel[4096];
  mark(row, sy);
  mark(pixel, sx);
  for (uint32_t y = 0; y < sy.valid; y++)
    for (uint32_t x = 0; x < sx.valid; x++)
      if (row[y] && pixel[x]) words(v, at(&a, y, x), n_words, false);
}

#define SWEPT(v, in, dil_y_, dil_x_, n_words)                                                      \
  swept(v, WEFT_OPERAND_OF(*(in), a),                                                              \
        (sweep){(in)->in_h, (in)->out_h, (in)->stride_y, (in)->kh, dil_y_, (in)->pad_top},         \
        (sweep){(in)->in_w, (in)->out_w, (in)->stride_x, (in)->kw, dil_x_, (in)->pad_left},        \
        n_words)

static void table(const visit *v, uint32_t enabled, uint32_t slot) {
  if (enabled) v->fn(v->user, WEFT_MEM_LUT, (size_t)slot * WEFT_LUT_BYTES, WEFT_LUT_BYTES, false);
}

static void on_load(const visit *v, const weft_insn_LOAD *in) {
  const size_t c = v->cfg->cols;
  const size_t unit[] = {v->w, c, c * WEFT_PARAM_BYTES, v->w, WEFT_LUT_BYTES, WEFT_EXP_BYTES};
  size_t last = (size_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  last = last > in->lead ? last - in->lead : 0;
  if (last > in->row_bytes) last = in->row_bytes;
  const bool gaps = in->d_pix_stride > in->pix_bytes;
  for (uint32_t y = 0; y < in->rows && last && in->region >= 2; y++) {
    size_t from = device_region_skew(in->region) + in->offset + (size_t)y * in->d_row_stride;
    if (!gaps) v->fn(v->user, ACCESS_ARENA, from, last, false);
    for (uint32_t x = 0; gaps && x < in->pixels; x++)
      if ((size_t)x * in->d_pix_stride < last)
        v->fn(v->user, ACCESS_ARENA, from + (size_t)x * in->d_pix_stride, in->pix_bytes, false);
  }
  if (in->dst != WEFT_MEM_SPAD) {
    v->fn(v->user, (int)in->dst, in->o_base * unit[in->dst], in->pix_bytes, true);
    return;
  }
  size_t end = in->byte_off + in->pix_bytes;
  if (in->fill) end = (end + v->w - 1) / v->w * v->w;
  whole(v, WEFT_OPERAND_OF(*in, o), in->rows, in->pixels, in->byte_off, end - in->byte_off, true);
}

static void on_store(const visit *v, const weft_insn_STORE *in) {
  whole(v, WEFT_OPERAND_OF(*in, a), in->rows, in->pixels, in->byte_off, in->pix_bytes, false);
  for (uint32_t y = 0; y < in->rows; y++)
    for (uint32_t x = 0; x < in->pixels; x++)
      v->fn(v->user, ACCESS_ARENA,
            device_region_skew(in->region) + in->offset + (size_t)y * in->d_row_stride +
                (size_t)x * in->d_pix_stride,
            in->pix_bytes, true);
}

static void on_gemm(const visit *v, const weft_insn_GEMM *in) {
  const size_t r = v->cfg->rows, c = v->cfg->cols;
  const size_t pixels = (size_t)in->out_h * in->out_w;
  const size_t passes = (size_t)in->kh * in->kw * in->k_blocks;
  SWEPT(v, in, in->dil_y, in->dil_x, ((in->a_block + in->k_blocks) * r + v->w - 1) / v->w);
  v->fn(v->user, WEFT_MEM_WEIGHT, in->w_base * c, passes * in->n_blocks * r * c, false);
  if (in->acc_in) v->fn(v->user, ACCESS_ACC, in->acc_base, pixels * in->n_blocks, false);
  if (in->acc_out) {
    v->fn(v->user, ACCESS_ACC, in->acc_base, pixels * in->n_blocks, true);
    return;
  }
  v->fn(v->user, WEFT_MEM_PARAM, in->p_base * c * WEFT_PARAM_BYTES,
        in->n_blocks * c * WEFT_PARAM_BYTES, false);
  table(v, in->lut_en, in->lut_slot);
  whole(v, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->o_block * c, in->n_blocks * c, true);
}

static void on_dw(const visit *v, const weft_insn_DW *in) {
  SWEPT(v, in, 1, 1, in->c_words);
  v->fn(v->user, WEFT_MEM_DWBUF, in->p_base * v->w,
        (size_t)in->c_words * (WEFT_PARAM_BYTES + in->kh * in->kw) * v->w, false);
  table(v, in->lut_en, in->lut_slot);
  whole(v, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, 0, in->c_words * v->w, true);
}

static void on_vew(const visit *v, const weft_insn_VEW *in) {
  const size_t n = in->c_words * v->w;
  whole(v, WEFT_OPERAND_OF(*in, a), in->out_h, in->out_w, 0, n, false);
  if (in->op != WEFT_VEW_REQUANT && in->op != WEFT_VEW_COPY)
    whole(v, WEFT_OPERAND_OF(*in, b), in->out_h, in->out_w, 0, n, false);
  table(v, in->lut_en, in->lut_slot);
  whole(v, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, 0, n, true);
}

static void on_vpool(const visit *v, const weft_insn_VPOOL *in) {
  SWEPT(v, in, 1, 1, in->c_words);
  table(v, in->lut_en, in->lut_slot);
  whole(v, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, 0, in->c_words * v->w, true);
}

static void on_vrow(const visit *v, const weft_insn_VROW *in) {
  const size_t n = (in->channels + v->w - 1) / v->w * v->w;
  whole(v, WEFT_OPERAND_OF(*in, a), in->out_h, in->out_w, 0, n, false);
  v->fn(v->user, WEFT_MEM_EXP, (size_t)in->exp_slot * WEFT_EXP_BYTES, WEFT_EXP_BYTES, false);
  table(v, in->lut_en, in->lut_slot);
  whole(v, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, 0, n, true);
}

void random_accesses(const weft_config *cfg, const weft_insn *insn, access_fn fn, void *user) {
  const visit v = {cfg, fn, user, weft_word_bytes(cfg)};
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: on_load(&v, &insn->LOAD); break;
  case WEFT_OP_CODE_STORE: on_store(&v, &insn->STORE); break;
  case WEFT_OP_CODE_GEMM: on_gemm(&v, &insn->GEMM); break;
  case WEFT_OP_CODE_DW: on_dw(&v, &insn->DW); break;
  case WEFT_OP_CODE_VEW: on_vew(&v, &insn->VEW); break;
  case WEFT_OP_CODE_VPOOL: on_vpool(&v, &insn->VPOOL); break;
  case WEFT_OP_CODE_VROW: on_vrow(&v, &insn->VROW); break;
  default: break;
  }
}
