/* What the device checks before it executes an instruction: that every field names memory which
 * this configuration has. Nothing an accepted instruction does can leave the memories. */
#include <string.h>

#include "state.h"

#define REQUIRE(ok, ...)                                                                           \
  do {                                                                                             \
    if (!(ok)) {                                                                                   \
      weft_fail(err, WEFT_EDEVICE, __VA_ARGS__);                                                   \
      return WEFT_ERROR_ILLEGAL;                                                                   \
    }                                                                                              \
  } while (0)
#define CHECK(call)                                                                                \
  do {                                                                                             \
    unsigned cause_ = (call);                                                                      \
    if (cause_) return cause_;                                                                     \
  } while (0)

/* Every word of `words` per pixel of a rows x pixels window lies in the scratchpad. */
static unsigned check_window(const weft_sim *s, const weft_operand *o, const char *name,
                             uint64_t rows, uint64_t pixels, uint64_t words, weft_err *err) {
  REQUIRE(o->ring_start < o->ring_rows, "operand %s: ring_start %u is not below ring_rows %u", name,
          o->ring_start, o->ring_rows);
  uint64_t touched = o->ring_start + rows; /* highest ring row used, plus one */
  if (touched > o->ring_rows) touched = o->ring_rows;
  uint64_t last = o->base + (touched - 1) * o->row_stride + (pixels - 1) * o->pix_stride + words;
  REQUIRE(last <= weft_spad_words(&s->cfg),
          "operand %s: reaches scratchpad word %llu, there are %u", name, (unsigned long long)last,
          weft_spad_words(&s->cfg));
  return WEFT_ERROR_NONE;
}

/* The same for a result: its pixels and rows must lie apart, or what is in memory afterwards would
 * depend on the order in which a unit works. */
static unsigned check_result(const weft_sim *s, const weft_operand *o, uint64_t rows,
                             uint64_t pixels, uint64_t words, weft_err *err) {
  uint64_t row = (pixels - 1) * o->pix_stride + words;
  REQUIRE(pixels == 1 || o->pix_stride >= words,
          "operand o: pixels of %llu words are %u words apart", (unsigned long long)words,
          o->pix_stride);
  REQUIRE(rows == 1 || o->ring_rows == 1 || o->row_stride >= row,
          "operand o: rows of %llu words are %u words apart", (unsigned long long)row,
          o->row_stride);
  return check_window(s, o, "o", rows, pixels, words, err);
}

static unsigned check_dram(weft_sim *s, const char *what, uint32_t region, uint64_t from,
                           uint64_t bytes, weft_err *err) {
  if (from + bytes > s->limit[region] || s->base[region] > s->dram_bytes ||
      from + bytes > s->dram_bytes - s->base[region]) {
    weft_fail(err, WEFT_EDEVICE, "%s: bytes %llu to %llu of region %u, which has %llu", what,
              (unsigned long long)from, (unsigned long long)(from + bytes), region,
              (unsigned long long)s->limit[region]);
    s->error_addr = s->base[region] + from;
    return WEFT_ERROR_WINDOW;
  }
  return WEFT_ERROR_NONE;
}

static unsigned check_stage(const weft_sim *s, uint32_t lut_en, uint32_t slot, weft_err *err) {
  REQUIRE(!lut_en || slot < s->cfg.lut_slots, "lut_slot is %u, there are %u", slot,
          s->cfg.lut_slots);
  return WEFT_ERROR_NONE;
}

static unsigned check_load(weft_sim *s, const weft_insn_LOAD *in, weft_err *err) {
  static const uint32_t flat_unit[] = {0, 1, WEFT_PARAM_BYTES, 1, 0, 0}; /* times cols or W */
  REQUIRE(in->decoder == WEFT_DEC_RAW, "decoder %u is not part of this version", in->decoder);
  weft_operand o = WEFT_OPERAND_OF(*in, o);
  if (in->dst == WEFT_MEM_SPAD) {
    REQUIRE(in->d_pix_stride >= in->pix_bytes || in->pix_bytes <= WEFT_LOAD_WINDOW,
            "overlapping windows of %u bytes, at most %d", in->pix_bytes, WEFT_LOAD_WINDOW);
    REQUIRE(in->pixels == 1 || in->d_pix_stride <= in->pix_bytes ||
                (in->lead == 0 &&
                 (uint64_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes <= in->row_bytes),
            "pixels with gaps between them cannot be padded");
    uint64_t words = ((uint64_t)in->byte_off + in->pix_bytes + s->w - 1) / s->w;
    CHECK(check_result(s, &o, in->rows, in->pixels, words, err));
  } else {
    REQUIRE(in->rows == 1 && in->pixels == 1 && in->lead == 0 && in->row_bytes == in->pix_bytes &&
                in->byte_off == 0 && !in->fill,
            "a flat run has one row, one pixel, no padding");
    uint64_t unit = in->dst == WEFT_MEM_LUT     ? WEFT_LUT_BYTES
                    : in->dst == WEFT_MEM_EXP   ? WEFT_EXP_BYTES
                    : in->dst == WEFT_MEM_DWBUF ? s->w
                                                : (uint64_t)flat_unit[in->dst] * s->cfg.cols;
    REQUIRE(o.base * unit + in->pix_bytes <= s->size[in->dst],
            "flat run reaches byte %llu of memory %u, which has %llu",
            (unsigned long long)(o.base * unit + in->pix_bytes), in->dst,
            (unsigned long long)s->size[in->dst]);
  }
  uint64_t last = (uint64_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  last = last > in->lead ? last - in->lead : 0;
  if (last > in->row_bytes) last = in->row_bytes;
  if (last)
    CHECK(check_dram(s, "LOAD", in->region, in->offset,
                     (uint64_t)(in->rows - 1) * in->d_row_stride + last, err));
  return WEFT_ERROR_NONE;
}

static unsigned check_store(weft_sim *s, const weft_insn_STORE *in, weft_err *err) {
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  uint64_t words = ((uint64_t)in->byte_off + in->pix_bytes + s->w - 1) / s->w;
  CHECK(check_window(s, &a, "a", in->rows, in->pixels, words, err));
  return check_dram(s, "STORE", in->region, in->offset,
                    (uint64_t)(in->rows - 1) * in->d_row_stride +
                        (uint64_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes,
                    err);
}

/* Rows of the input that a window sweep touches, at most all valid ones. */
static uint64_t swept(uint64_t out, uint64_t stride, uint64_t reach, uint64_t pad, uint64_t valid) {
  uint64_t last = (out - 1) * stride + reach;
  last = last > pad ? last - pad : 1;
  return last < valid ? last : valid;
}

static unsigned check_gemm(weft_sim *s, const weft_insn_GEMM *in, weft_err *err) {
  uint64_t r = s->cfg.rows, c = s->cfg.cols, m = (uint64_t)in->out_h * in->out_w;
  uint64_t passes = (uint64_t)in->kh * in->kw * in->k_blocks;
  REQUIRE(in->sparsity == 0, "sparsity mode %u is not part of this version", in->sparsity);
  REQUIRE(in->w_src == 0, "weight source %u is not part of this version", in->w_src);
  REQUIRE(in->a_zp == 0 && in->w_zp == 0, "run-time zero points are not part of this version");
  REQUIRE(in->a_block * r < s->w && in->o_block * c < s->w, "a_block or o_block leaves the word");
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  CHECK(check_window(
      s, &a, "a",
      swept(in->out_h, in->stride_y, (uint64_t)(in->kh - 1) * in->dil_y + 1, in->pad_top, in->in_h),
      swept(in->out_w, in->stride_x, (uint64_t)(in->kw - 1) * in->dil_x + 1, in->pad_left,
            in->in_w),
      ((in->a_block + in->k_blocks) * r + s->w - 1) / s->w, err));
  REQUIRE(in->w_base + passes * in->n_blocks * r <= weft_weight_rows(&s->cfg),
          "weights reach row %llu of the weight buffer, which has %u",
          (unsigned long long)(in->w_base + passes * in->n_blocks * r), weft_weight_rows(&s->cfg));
  bool kept = in->acc_in || in->acc_out;
  uint64_t acc = kept ? m * in->n_blocks : passes > 1 ? m : 0;
  REQUIRE(in->acc_base + acc <= s->acc_rows, "sums reach accumulator row %llu, there are %u",
          (unsigned long long)(in->acc_base + acc), s->acc_rows);
  if (in->acc_out) return WEFT_ERROR_NONE;
  REQUIRE(in->p_base + in->n_blocks <= weft_param_blocks(&s->cfg),
          "parameters reach block %u, there are %u", in->p_base + in->n_blocks,
          weft_param_blocks(&s->cfg));
  CHECK(check_stage(s, in->lut_en, in->lut_slot, err));
  return check_result(s, &o, in->out_h, in->out_w,
                      ((in->o_block + in->n_blocks) * c + s->w - 1) / s->w, err);
}

static unsigned check_dw(weft_sim *s, const weft_insn_DW *in, weft_err *err) {
  REQUIRE(s->cfg.dw_lanes, "this configuration has no depthwise engine");
  REQUIRE(in->kh <= WEFT_DW_MAX_KERNEL && in->kw <= WEFT_DW_MAX_KERNEL,
          "kernel %u x %u, at most %d x %d", in->kh, in->kw, WEFT_DW_MAX_KERNEL,
          WEFT_DW_MAX_KERNEL);
  REQUIRE(in->stride_y <= WEFT_DW_MAX_STRIDE && in->stride_x <= WEFT_DW_MAX_STRIDE,
          "stride %u x %u, at most %d", in->stride_y, in->stride_x, WEFT_DW_MAX_STRIDE);
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  CHECK(check_window(s, &a, "a", swept(in->out_h, in->stride_y, in->kh, in->pad_top, in->in_h),
                     swept(in->out_w, in->stride_x, in->kw, in->pad_left, in->in_w), in->c_words,
                     err));
  uint64_t words = in->p_base + (uint64_t)in->c_words * (WEFT_PARAM_BYTES + in->kh * in->kw);
  REQUIRE(words <= weft_dwbuf_words(&s->cfg), "parameters reach word %llu, there are %u",
          (unsigned long long)words, weft_dwbuf_words(&s->cfg));
  CHECK(check_stage(s, in->lut_en, in->lut_slot, err));
  return check_result(s, &o, in->out_h, in->out_w, in->c_words, err);
}

static unsigned check_vew(weft_sim *s, const weft_insn_VEW *in, weft_err *err) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), b = WEFT_OPERAND_OF(*in, b),
               o = WEFT_OPERAND_OF(*in, o);
  REQUIRE(in->a_shift >= -31 && in->b_shift >= -31 && in->o_shift >= -31, "shift is -32");
  CHECK(check_window(s, &a, "a", in->out_h, in->out_w, in->c_words, err));
  if (in->op != WEFT_VEW_REQUANT && in->op != WEFT_VEW_COPY)
    CHECK(check_window(s, &b, "b", in->out_h, in->out_w, in->c_words, err));
  CHECK(check_stage(s, in->lut_en, in->lut_slot, err));
  return check_result(s, &o, in->out_h, in->out_w, in->c_words, err);
}

static unsigned check_vpool(weft_sim *s, const weft_insn_VPOOL *in, weft_err *err) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  REQUIRE((in->op != WEFT_VPOOL_AVG && in->op != WEFT_VPOOL_AVG_UP) ||
              in->kh * in->kw <= WEFT_AVG_MAX_WINDOW,
          "average over %u x %u pixels, at most %d", in->kh, in->kw, WEFT_AVG_MAX_WINDOW);
  REQUIRE(in->o_shift >= -31, "shift is -32");
  CHECK(check_window(s, &a, "a", swept(in->out_h, in->stride_y, in->kh, in->pad_top, in->in_h),
                     swept(in->out_w, in->stride_x, in->kw, in->pad_left, in->in_w), in->c_words,
                     err));
  CHECK(check_stage(s, in->lut_en, in->lut_slot, err));
  return check_result(s, &o, in->out_h, in->out_w, in->c_words, err);
}

static unsigned check_vrow(weft_sim *s, const weft_insn_VROW *in, weft_err *err) {
  weft_operand a = WEFT_OPERAND_OF(*in, a), o = WEFT_OPERAND_OF(*in, o);
  REQUIRE(in->op == WEFT_VROW_SOFTMAX && s->cfg.vec_softmax,
          "row operation %u is not part of this device", in->op);
  REQUIRE(in->exp_slot < s->cfg.exp_slots, "exp_slot is %u, there are %u", in->exp_slot,
          s->cfg.exp_slots);
  uint64_t words = (in->channels + s->w - 1) / s->w;
  CHECK(check_window(s, &a, "a", in->out_h, in->out_w, words, err));
  CHECK(check_stage(s, in->lut_en, in->lut_slot, err));
  return check_result(s, &o, in->out_h, in->out_w, words, err);
}

unsigned weft_validate(weft_sim *s, const weft_insn *insn, weft_err *err) {
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: return check_load(s, &insn->LOAD, err);
  case WEFT_OP_CODE_STORE: return check_store(s, &insn->STORE, err);
  case WEFT_OP_CODE_GEMM: return check_gemm(s, &insn->GEMM, err);
  case WEFT_OP_CODE_DW: return check_dw(s, &insn->DW, err);
  case WEFT_OP_CODE_VEW: return check_vew(s, &insn->VEW, err);
  case WEFT_OP_CODE_VPOOL: return check_vpool(s, &insn->VPOOL, err);
  case WEFT_OP_CODE_VROW: return check_vrow(s, &insn->VROW, err);
  default: return WEFT_ERROR_NONE;
  }
}
