/* GEMM, DW and the vector unit's instructions of random programs. */
#include "random_program_gen.h"

enum { MOST_CYCLES = 1500, MOST_WEIGHTS = 8000 };

/* --- what they share -------------------------------------------------------------------------- */
static int32_t zero_point(random_maker *g) {
  static const int32_t often[] = {0, 0, -128, 127, 128, -256, 255};
  return chance(g, 60) ? often[pick(g, 0, 6)] : random_range(&g->r, -256, 255);
}

static uint32_t multiplier(random_maker *g) {
  if (chance(g, 12)) return chance(g, 50) ? 0x7fffffffu : pick(g, 0, 1);
  return (uint32_t)(random_next(&g->r) & 0x3fffffff) | 0x40000000u;
}

/* Around `middle`, sometimes anything. */
static int32_t exponent(random_maker *g, int middle) {
  if (chance(g, 6)) return chance(g, 50) ? -31 : 31;
  if (chance(g, 10)) return random_range(&g->r, -31, 31);
  return middle + random_range(&g->r, -3, 3);
}

static void clamps(random_maker *g, int32_t *lo, int32_t *hi) {
  *lo = -128;
  *hi = 127;
  if (!chance(g, 30)) return;
  *lo = random_range(&g->r, -128, 127);
  *hi = random_range(&g->r, *lo, 127);
}

#define CHOOSE_STAGE(g, in)                                                                        \
  do {                                                                                             \
    (in)->out_zp = zero_point(g);                                                                  \
    clamps(g, &(in)->clamp_min, &(in)->clamp_max);                                                 \
    (in)->round_single = chance(g, 40);                                                            \
    (in)->lut_en = chance(g, 25);                                                                  \
    (in)->lut_slot = pick(g, 0, (in)->lut_en ? (g)->p->cfg.lut_slots - 1 : 15);                    \
  } while (0)

/* One direction of a sliding window. */
typedef struct {
  uint32_t in, pad, taps, stride, dilation, out;
} span;

static span choose_span(random_maker *g, uint32_t in, uint32_t taps, uint32_t stride,
                        uint32_t dilation) {
  span s = {.in = in};
  s.taps = chance(g, 30) ? 1 : pick(g, 1, taps);
  s.stride = chance(g, 50) ? 1 : pick(g, 1, stride);
  s.dilation = chance(g, 60) ? 1 : pick(g, 1, dilation);
  const uint32_t reach = (s.taps - 1) * s.dilation + 1;
  s.pad = chance(g, 40) ? pick(g, 0, reach + (chance(g, 10) ? 3 : 0)) : 0;
  const uint32_t padded = in + s.pad + (chance(g, 40) ? pick(g, 0, reach) : 0);
  s.out = padded > reach ? (padded - reach) / s.stride + 1 : 1;
  if (chance(g, 15)) s.out = pick(g, 1, (uint32_t)g->profile->size);
  return s;
}

#define SET_WINDOW(in_, y, x)                                                                      \
  ((in_)->in_h = (y).in, (in_)->in_w = (x).in, (in_)->pad_top = (y).pad,                           \
   (in_)->pad_left = (x).pad, (in_)->kh = (y).taps, (in_)->kw = (x).taps,                          \
   (in_)->stride_y = (y).stride, (in_)->stride_x = (x).stride, (in_)->out_h = (y).out,             \
   (in_)->out_w = (x).out)

/* A place for the result; sets the sizes, which may have become smaller. */
#define PLACE_RESULT(g, unit, in, words_)                                                          \
  do {                                                                                             \
    uint32_t w_ = (words_);                                                                        \
    const weft_operand o_ = random_place(g, unit, true, &(in)->out_h, &(in)->out_w, &w_);          \
    WEFT_SET_OPERAND(*(in), o, o_);                                                                \
  } while (0)
#define RESULT(g, in, words)                                                                       \
  random_result(g, WEFT_OPERAND_OF(*(in), o), (in)->out_h, (in)->out_w, words)

/* --- GEMM ------------------------------------------------------------------------------------- */
static uint32_t passes(const weft_insn_GEMM *in) {
  return in->kh * in->kw * in->k_blocks;
}

/* Makes it small enough for the buffers and for patience. */
static void fit_gemm(const weft_config *c, weft_insn_GEMM *in) {
  const uint32_t beats = (c->cols + c->output_lanes - 1) / c->output_lanes;
  const uint32_t acc = weft_acc_rows(c), rows = weft_weight_rows(c);
  for (;;) {
    const uint32_t m = in->out_h * in->out_w, tiles = passes(in) * in->n_blocks;
    if (m * beats * tiles <= MOST_CYCLES && tiles * c->rows * beats <= 2 * MOST_CYCLES &&
        m * in->n_blocks <= acc / 2 && tiles * c->rows <= rows / 2 &&
        tiles * c->rows * c->cols <= MOST_WEIGHTS)
      return;
    if (in->n_blocks > 1)
      in->n_blocks--;
    else if (in->out_h > 1)
      in->out_h--;
    else if (in->out_w > 1)
      in->out_w--;
    else if (in->kh > 1)
      in->kh--;
    else if (in->kw > 1)
      in->kw--;
    else if (in->k_blocks > 1)
      in->k_blocks--;
    else
      return;
  }
}

static weft_insn choose_gemm(random_maker *g) {
  const weft_config *c = &g->p->cfg;
  weft_insn x = random_blank(WEFT_OP_CODE_GEMM);
  weft_insn_GEMM *in = &x.GEMM;
  const uint32_t size = (uint32_t)g->profile->size;
  uint32_t rows = size, pixels = size, words = 3;
  const weft_operand a = random_input_place(g, WEFT_UNIT_GEMM, &rows, &pixels, &words);
  const span y = choose_span(g, rows, size > 2 ? 3 : 2, 3, 3),
             h = choose_span(g, pixels, size > 2 ? 4 : 2, 3, 3);
  WEFT_SET_OPERAND(*in, a, a);
  SET_WINDOW(in, y, h);
  in->dil_y = y.dilation;
  in->dil_x = h.dilation;
  const uint32_t blocks = g->w / c->rows;
  in->a_block = pick(g, 0, blocks - 1);
  in->k_blocks = pick(g, 1, words * blocks - in->a_block);
  in->n_blocks = chance(g, 50) ? 1 : pick(g, 1, 4);
  in->o_block = pick(g, 0, g->w / c->cols - 1);
  in->pad_value = random_range(&g->r, -128, 127);
  in->w_stride = chance(g, 20) ? pick(g, 0, 65535) : 0; /* of another weight source */
  fit_gemm(c, in);
  in->n_blocks = least(in->n_blocks, weft_param_blocks(c) / 2 + 1);
  in->p_base = pick(g, 0, least(weft_param_blocks(c) - in->n_blocks, 6));
  CHOOSE_STAGE(g, in);
  PLACE_RESULT(g, WEFT_UNIT_GEMM, in, ((in->o_block + in->n_blocks) * c->cols + g->w - 1) / g->w);
  const uint32_t acc = in->out_h * in->out_w * in->n_blocks;
  in->acc_base = pick(g, 0, weft_acc_rows(c) - acc);
  if (chance(g, 15)) in->acc_base = weft_acc_rows(c) - acc;
  const uint32_t tiles = passes(in) * in->n_blocks * c->rows;
  in->w_base = chance(g, 50) ? 0 : pick(g, 0, weft_weight_rows(c) - tiles);
  if (chance(g, 10)) in->w_base = weft_weight_rows(c) - tiles;
  return x;
}

static void gemm_result(random_maker *g, const weft_insn_GEMM *in) {
  const uint32_t c = g->p->cfg.cols;
  if (in->acc_out || in->o_block || in->n_blocks * c % g->w) return;
  RESULT(g, in, in->n_blocks * c / g->w);
}

void random_gemm(random_maker *g) {
  weft_insn x = choose_gemm(g);
  x.GEMM.acc_out = chance(g, 6);
  if (random_emit(g, &x)) gemm_result(g, &x.GEMM);
}

/* The pieces of one sum: as many pixels and column blocks, other taps and channels. */
void random_sums(random_maker *g) {
  const int pieces = random_range(&g->r, 2, 4);
  weft_insn first = choose_gemm(g);
  first.GEMM.acc_out = 1;
  if (!random_emit(g, &first)) return;
  for (int i = 1; i < pieces; i++) {
    if (chance(g, 30)) random_vew(g); /* something else between them */
    weft_insn x = choose_gemm(g);
    const uint32_t tiles = passes(&x.GEMM) * first.GEMM.n_blocks * g->p->cfg.rows;
    if (tiles > weft_weight_rows(&g->p->cfg) || tiles * g->p->cfg.cols > MOST_WEIGHTS) x = first;
    x.GEMM.out_h = first.GEMM.out_h;
    x.GEMM.out_w = first.GEMM.out_w;
    x.GEMM.n_blocks = first.GEMM.n_blocks;
    x.GEMM.acc_base = first.GEMM.acc_base;
    x.GEMM.p_base = first.GEMM.p_base;
    x.GEMM.o_block = first.GEMM.o_block;
    if (x.GEMM.w_base + tiles > weft_weight_rows(&g->p->cfg)) x.GEMM.w_base = 0;
    const weft_operand o = WEFT_OPERAND_OF(first.GEMM, o);
    WEFT_SET_OPERAND(x.GEMM, o, o);
    x.GEMM.acc_in = 1;
    x.GEMM.acc_out = i + 1 < pieces;
    if (!random_emit(g, &x)) return;
    if (!x.GEMM.acc_out) gemm_result(g, &x.GEMM);
  }
}

/* --- DW --------------------------------------------------------------------------------------- */
static void fit_dw(const weft_config *c, weft_insn_DW *in) {
  const uint32_t beats = weft_word_bytes(c) / c->dw_lanes;
  for (;;) {
    const uint32_t taps = (in->kw + c->dw_taps - 1) / c->dw_taps * in->kh * beats;
    const uint32_t step = taps > in->kh * in->stride_x ? taps : in->kh * in->stride_x;
    if (in->out_h * in->out_w * in->c_words * step <= MOST_CYCLES) return;
    if (in->c_words > 1)
      in->c_words--;
    else if (in->out_h > 1)
      in->out_h--;
    else if (in->out_w > 1)
      in->out_w--;
    else
      return;
  }
}

void random_dw(random_maker *g) {
  const weft_config *c = &g->p->cfg;
  if (!c->dw_lanes) return;
  weft_insn x = random_blank(WEFT_OP_CODE_DW);
  weft_insn_DW *in = &x.DW;
  const uint32_t size = (uint32_t)g->profile->size;
  uint32_t rows = size, pixels = size, words = 3;
  const weft_operand a = random_input_place(g, WEFT_UNIT_DW, &rows, &pixels, &words);
  const uint32_t most = size <= 2 ? 2 : chance(g, 15) ? WEFT_DW_MAX_KERNEL : 4;
  const span y = choose_span(g, rows, most, WEFT_DW_MAX_STRIDE, 1),
             h = choose_span(g, pixels, most, WEFT_DW_MAX_STRIDE, 1);
  WEFT_SET_OPERAND(*in, a, a);
  SET_WINDOW(in, y, h);
  in->c_words = words;
  in->pad_value = random_range(&g->r, -128, 127);
  fit_dw(c, in);
  CHOOSE_STAGE(g, in);
  PLACE_RESULT(g, WEFT_UNIT_DW, in, in->c_words);
  const uint32_t block = in->c_words * (WEFT_PARAM_BYTES + in->kh * in->kw);
  in->p_base = chance(g, 50) ? 0 : pick(g, 0, weft_dwbuf_words(c) - block);
  if (random_emit(g, &x)) RESULT(g, in, in->c_words);
}

/* --- VEC -------------------------------------------------------------------------------------- */
static void choose_scales(random_maker *g, weft_insn_VEW *in) {
  const bool sum = in->op <= WEFT_VEW_SUB;
  in->a_zp = zero_point(g);
  in->b_zp = zero_point(g);
  in->left_shift = chance(g, 80) ? 20 : chance(g, 30) ? 31 : pick(g, 0, 31);
  in->a_mult = multiplier(g);
  in->b_mult = multiplier(g);
  in->o_mult = multiplier(g);
  in->a_shift = exponent(g, 0);
  in->b_shift = exponent(g, -1);
  in->o_shift = exponent(g, sum ? 1 - (int)in->left_shift : in->op == WEFT_VEW_MUL ? -6 : 0);
  if (in->o_shift < -31) in->o_shift = -31;
}

void random_vew(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_VEW);
  weft_insn_VEW *in = &x.VEW;
  const uint32_t size = (uint32_t)g->profile->size;
  in->out_h = size;
  in->out_w = size;
  in->c_words = 3;
  const weft_operand a = random_input_place(g, WEFT_UNIT_VEC, &in->out_h, &in->out_w, &in->c_words);
  uint32_t h = in->out_h, w = in->out_w, c = in->c_words;
  weft_operand b = random_input_place(g, WEFT_UNIT_VEC, &h, &w, &c);
  in->out_h = least(h, in->out_h);
  in->out_w = least(w, in->out_w);
  in->c_words = least(c, in->c_words);
  if (chance(g, 10)) b = a;
  in->op = pick(g, 0, WEFT_VEW_COPY);
  choose_scales(g, in);
  WEFT_SET_OPERAND(*in, a, a);
  WEFT_SET_OPERAND(*in, b, b);
  CHOOSE_STAGE(g, in);
  PLACE_RESULT(g, WEFT_UNIT_VEC, in, in->c_words);
  const weft_operand *same = chance(g, 50) ? &a : &b;
  const bool lies_apart = same->pix_stride >= in->c_words && in->out_h <= same->ring_rows &&
                          same->row_stride >= (in->out_w - 1) * same->pix_stride + in->c_words;
  if (lies_apart && chance(g, 25)) WEFT_SET_OPERAND(*in, o, *same);
  if (random_emit(g, &x)) RESULT(g, in, in->c_words);
}

void random_vpool(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_VPOOL);
  weft_insn_VPOOL *in = &x.VPOOL;
  const uint32_t size = (uint32_t)g->profile->size;
  uint32_t rows = size, pixels = size, words = 2;
  const weft_operand a = random_input_place(g, WEFT_UNIT_VEC, &rows, &pixels, &words);
  const span y = choose_span(g, rows, size > 2 ? 4 : 2, 3, 1),
             h = choose_span(g, pixels, size > 2 ? 4 : 2, 3, 1);
  WEFT_SET_OPERAND(*in, a, a);
  SET_WINDOW(in, y, h);
  in->op = pick(g, 0, 3);
  in->c_words = words;
  const uint32_t beats = g->w / g->p->cfg.vec_lanes;
  while (in->out_h * in->out_w * in->c_words * in->kh * in->kw * beats > MOST_CYCLES)
    *(in->out_h > 1 ? &in->out_h : in->out_w > 1 ? &in->out_w : &in->c_words) -= 1;
  in->bias = random_range(&g->r, -3000, 3000);
  if (chance(g, 10)) in->bias = chance(g, 50) ? INT32_MAX : INT32_MIN;
  in->o_mult = multiplier(g);
  in->o_shift = exponent(g, -2);
  CHOOSE_STAGE(g, in);
  PLACE_RESULT(g, WEFT_UNIT_VEC, in, in->c_words);
  if (random_emit(g, &x)) RESULT(g, in, in->c_words);
}

void random_vrow(random_maker *g) {
  if (!g->p->cfg.vec_softmax) return;
  weft_insn x = random_blank(WEFT_OP_CODE_VROW);
  weft_insn_VROW *in = &x.VROW;
  uint32_t words = 5;
  in->out_h = 3;
  in->out_w = 3;
  const weft_operand a = random_input_place(g, WEFT_UNIT_VEC, &in->out_h, &in->out_w, &words);
  WEFT_SET_OPERAND(*in, a, a);
  in->channels = chance(g, 40) ? words * g->w : pick(g, 1, words * g->w);
  words = (in->channels + g->w - 1) / g->w;
  in->exp_slot = pick(g, 0, g->p->cfg.exp_slots - 1);
  if (chance(g, 20)) { /* of layer normalization */
    in->a_zp = zero_point(g);
    in->o_mult = multiplier(g);
    in->p_base = pick(g, 0, 65535);
  }
  CHOOSE_STAGE(g, in);
  if (chance(g, 60)) in->out_zp = -128;
  PLACE_RESULT(g, WEFT_UNIT_VEC, in, words);
  if (random_emit(g, &x)) RESULT(g, in, words);
}
