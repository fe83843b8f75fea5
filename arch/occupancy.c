/* The formulas of docs/microarchitecture.md, section "Occupancy". */
#include "occupancy.h"

static uint64_t max2(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}
static uint64_t ceil_div(uint64_t a, uint64_t b) {
  return (a + b - 1) / b;
}

weft_occupancy weft_gemm_occupancy(const weft_config *c, const weft_insn_GEMM *in) {
  uint64_t m = (uint64_t)in->out_h * in->out_w;
  uint64_t passes = (uint64_t)in->kh * in->kw * in->k_blocks;
  uint64_t out = in->acc_out ? m : m * ceil_div(c->cols, c->output_lanes); /* last pass */
  uint64_t column = (passes - 1) * max2(m, c->rows) + max2(out, c->rows);
  uint64_t release = in->n_blocks * column - max2(out, c->rows);
  return (weft_occupancy){
      .prepare = WEFT_T_ISSUE + c->rows,
      .release = release,
      .stream = release + out,
      .drain =
          WEFT_T_SPAD_READ + c->rows + c->cols + WEFT_T_GEMM_ACC + (in->acc_out ? 0 : WEFT_T_OUT),
  };
}

weft_occupancy weft_dw_occupancy(const weft_config *c, const weft_insn_DW *in) {
  uint64_t beats = weft_word_bytes(c) / c->dw_lanes;
  uint64_t groups = ceil_div(in->kw, c->dw_taps); /* multiplications of a row for one part */
  uint64_t step = in->kh * (max2(groups, in->stride_x) + (beats - 1) * groups);
  int64_t ahead = (int64_t)in->kw - in->pad_left - in->stride_x;
  uint64_t block = in->out_h * (in->kh * (uint64_t)(ahead > 0 ? ahead : 0) + in->out_w * step);
  uint64_t load = WEFT_PARAM_BYTES + in->kh * in->kw;
  uint64_t release = (in->c_words - 1) * max2(block, load);
  return (weft_occupancy){
      .prepare = WEFT_T_ISSUE + load,
      .release = release,
      .stream = release + block,
      .drain = WEFT_T_SPAD_READ + WEFT_T_DW_MAC + WEFT_T_OUT,
  };
}

static weft_occupancy vec(uint64_t stream, uint64_t drain) {
  return (weft_occupancy){
      .prepare = WEFT_T_ISSUE,
      .release = stream,
      .stream = stream,
      .drain = WEFT_T_SPAD_READ + drain,
  };
}

weft_occupancy weft_vew_occupancy(const weft_config *c, const weft_insn_VEW *in) {
  uint64_t beats = weft_word_bytes(c) / c->vec_lanes;
  uint64_t reads = in->op == WEFT_VEW_REQUANT || in->op == WEFT_VEW_COPY ? 1 : 2;
  return vec((uint64_t)in->out_h * in->out_w * in->c_words * max2(beats, reads), WEFT_T_VEC_EW);
}

weft_occupancy weft_vpool_occupancy(const weft_config *c, const weft_insn_VPOOL *in) {
  uint64_t beats = weft_word_bytes(c) / c->vec_lanes;
  return vec((uint64_t)in->out_h * in->out_w * in->c_words * in->kh * in->kw * beats,
             WEFT_T_VEC_POOL);
}

weft_occupancy weft_vrow_occupancy(const weft_config *c, const weft_insn_VROW *in) {
  uint64_t w = weft_word_bytes(c), beats = w / c->vec_lanes;
  uint64_t sweep = ceil_div(in->channels, w) * beats; /* maximum; sum; results */
  return vec((uint64_t)in->out_h * in->out_w * (3 * sweep + WEFT_T_VEC_RECIP), WEFT_T_VEC_EW);
}

weft_occupancy weft_insn_occupancy(const weft_config *c, const weft_insn *in) {
  switch (in->opcode) {
  case WEFT_OP_CODE_GEMM: return weft_gemm_occupancy(c, &in->GEMM);
  case WEFT_OP_CODE_DW: return weft_dw_occupancy(c, &in->DW);
  case WEFT_OP_CODE_VEW: return weft_vew_occupancy(c, &in->VEW);
  case WEFT_OP_CODE_VPOOL: return weft_vpool_occupancy(c, &in->VPOOL);
  default: return weft_vrow_occupancy(c, &in->VROW);
  }
}
