/* See directed_programs.h. The list is at the end. What an instruction reads and nobody wrote is
 * loaded before it (random_emit), its result is stored after it. */
#include "directed_programs.h"
#include "random_program_gen.h"

#include <stdlib.h>

/* --- pieces ----------------------------------------------------------------------------------- */
/* A dense place at the beginning of a bank. */
static weft_operand dense(const random_maker *g, uint32_t bank, uint32_t rows, uint32_t pixels,
                          uint32_t words) {
  return (weft_operand){bank % g->p->cfg.scratchpad_banks * weft_bank_words(&g->p->cfg),
                        pixels * words, words, rows, 0};
}

static void store(random_maker *g, weft_operand a, uint32_t rows, uint32_t pixels, uint32_t words) {
  weft_insn x = random_blank(WEFT_OP_CODE_STORE);
  x.STORE.region = 2;
  x.STORE.rows = rows;
  x.STORE.pixels = pixels;
  x.STORE.pix_bytes = x.STORE.d_pix_stride = words * g->w;
  x.STORE.d_row_stride = pixels * words * g->w;
  WEFT_SET_OPERAND(x.STORE, a, a);
  (void)random_emit(g, &x);
}

static void fence(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_FENCE);
  (void)random_emit(g, &x);
}

enum { H = 4, PIXELS = 5 };

static weft_insn plain_load(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  const weft_operand o = dense(g, 1, H, PIXELS, 1);
  x.LOAD.region = 1;
  x.LOAD.rows = H;
  x.LOAD.pixels = PIXELS;
  x.LOAD.pix_bytes = x.LOAD.d_pix_stride = g->w;
  x.LOAD.row_bytes = x.LOAD.d_row_stride = PIXELS * g->w;
  x.LOAD.pad_value = 77;
  WEFT_SET_OPERAND(x.LOAD, o, o);
  return x;
}

static weft_insn plain_store(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_STORE);
  const weft_operand a = dense(g, 0, H, PIXELS, 1);
  x.STORE.region = 2;
  x.STORE.rows = H;
  x.STORE.pixels = PIXELS;
  x.STORE.pix_bytes = x.STORE.d_pix_stride = g->w;
  x.STORE.d_row_stride = PIXELS * g->w;
  WEFT_SET_OPERAND(x.STORE, a, a);
  return x;
}

#define SET_PLAIN(in)                                                                              \
  do {                                                                                             \
    const weft_operand a_ = dense(g, 0, H, PIXELS, 1), o_ = dense(g, 1, H, PIXELS, 1);             \
    (in)->out_h = H;                                                                               \
    (in)->out_w = PIXELS;                                                                          \
    (in)->clamp_min = -128;                                                                        \
    (in)->clamp_max = 127;                                                                         \
    WEFT_SET_OPERAND(*(in), a, a_);                                                                \
    WEFT_SET_OPERAND(*(in), o, o_);                                                                \
  } while (0)

static weft_insn plain_gemm(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_GEMM);
  SET_PLAIN(&x.GEMM);
  x.GEMM.in_h = H;
  x.GEMM.in_w = PIXELS;
  x.GEMM.pad_value = -5;
  return x;
}

static weft_insn plain_dw(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_DW);
  SET_PLAIN(&x.DW);
  x.DW.in_h = H;
  x.DW.in_w = PIXELS;
  x.DW.pad_value = -5;
  return x;
}

static weft_insn plain_vew(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_VEW);
  const weft_operand b = dense(g, 2, H, PIXELS, 1);
  SET_PLAIN(&x.VEW);
  WEFT_SET_OPERAND(x.VEW, b, b);
  x.VEW.op = WEFT_VEW_ADD;
  x.VEW.a_zp = 3;
  x.VEW.b_zp = -7;
  x.VEW.left_shift = 20;
  x.VEW.a_mult = 0x60000000;
  x.VEW.b_mult = 0x50000001;
  x.VEW.o_mult = 0x7000abcd;
  x.VEW.o_shift = -19;
  return x;
}

static weft_insn plain_vpool(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_VPOOL);
  SET_PLAIN(&x.VPOOL);
  x.VPOOL.in_h = H;
  x.VPOOL.in_w = PIXELS;
  x.VPOOL.o_mult = 0x40001234;
  x.VPOOL.o_shift = -2;
  x.VPOOL.bias = 100;
  return x;
}

static weft_insn plain_vrow(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_VROW);
  SET_PLAIN(&x.VROW);
  x.VROW.channels = g->w;
  x.VROW.out_zp = -128;
  return x;
}

/* The instruction, then its result to DRAM. */
static void run(random_maker *g, weft_insn *x, weft_operand o, uint32_t rows, uint32_t pixels,
                uint32_t words) {
  if (random_emit(g, x)) store(g, o, rows, pixels, words);
}

static void run_gemm(random_maker *g, weft_insn *x) {
  const weft_insn_GEMM *in = &x->GEMM;
  run(g, x, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w,
      in->n_blocks * g->p->cfg.cols % g->w ? 1 : in->n_blocks * g->p->cfg.cols / g->w);
}

static void run_dw(random_maker *g, weft_insn *x) {
  run(g, x, WEFT_OPERAND_OF(x->DW, o), x->DW.out_h, x->DW.out_w, x->DW.c_words);
}

/* --- LOAD and STORE --------------------------------------------------------------------------- */
/* Filled before, so that bytes that keep their value are known. */
static void load_modes(random_maker *g, int variant) {
  weft_insn before = plain_load(g), x = before;
  weft_insn_LOAD *in = &x.LOAD;
  const uint32_t w = g->w;
  (void)random_emit(g, &before);
  in->offset = 1000;
  switch (variant) {
  case 1: in->fill = 1, in->pix_bytes = in->d_pix_stride = w - 1; break;
  case 2: in->pix_bytes = in->d_pix_stride = w - 1; break;
  case 3: in->byte_off = 1, in->pix_bytes = in->d_pix_stride = w - 2; break;
  case 4: in->d_pix_stride = w + 3, in->row_bytes = PIXELS * (w + 3); break;
  case 5: in->d_pix_stride = 1, in->lead = 2; break;
  case 6: in->d_pix_stride = w - 1, in->row_bytes = 2 * w; break;
  case 7: in->lead = w + 1; break;
  case 8: in->row_bytes = 0; break;
  case 9: in->flip = 1; break;
  case 10: in->d_row_stride = 3; break;
  case 11: in->o_ring_start = 2, in->o_ring_rows = 3; break;
  case 12: in->offset = 255, in->region = 5; break;
  case 13: in->d_pix_stride = 300, in->row_bytes = PIXELS * 300; break;
  default: break;
  }
  if (variant == 4 || variant == 13) in->d_row_stride = in->row_bytes;
  run(g, &x, WEFT_OPERAND_OF(before.LOAD, o), H, PIXELS, 1);
}

/* Flat runs are seen in what reads them; here that they arrive at all, in odd lengths. */
static void flat_runs(random_maker *g, int variant) {
  const int memory = 1 + variant % 5;
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  x.LOAD.region = 1;
  x.LOAD.dst = (uint32_t)memory;
  x.LOAD.offset = memory == WEFT_MEM_EXP ? PROGRAM_EXPS : 3;
  x.LOAD.pix_bytes = x.LOAD.row_bytes = variant < 5 ? 1 : memory >= WEFT_MEM_LUT ? 256 : 307;
  (void)random_emit(g, &x);
}

static void store_modes(random_maker *g, int variant) {
  weft_insn x = plain_store(g);
  weft_insn_STORE *in = &x.STORE;
  const weft_operand large = dense(g, 0, 1, 400, 1), four = dense(g, 0, H, PIXELS, 4);
  switch (variant) {
  case 1: in->flip = 1; break;
  case 2: in->pix_bytes = in->d_pix_stride = g->w - 1; break;
  case 3: in->byte_off = 1, in->pix_bytes = in->d_pix_stride = 2; break;
  case 4: in->d_pix_stride = g->w + 1, in->d_row_stride = 90 + PIXELS * g->w; break;
  case 5: in->offset = 255; break;
  case 6: in->offset = 254, in->region = 3; break;
  case 7: in->rows = in->pixels = in->pix_bytes = 1; break;
  case 8: in->d_pix_stride = 300, in->d_row_stride = 1500; break;
  case 9: in->d_pix_stride = 1; break;
  case 10:
    in->rows = 1, in->pixels = 400;
    WEFT_SET_OPERAND(*in, a, large);
    break;
  case 11:
    in->byte_off = 2 * g->w + 1, in->pix_bytes = g->w;
    WEFT_SET_OPERAND(*in, a, four);
    break;
  default: break;
  }
  (void)random_emit(g, &x);
}

/* --- GEMM and DW ------------------------------------------------------------------------------ */
static void gemm_modes(random_maker *g, int variant) {
  weft_insn x = plain_gemm(g);
  weft_insn_GEMM *in = &x.GEMM;
  const weft_operand a2 = dense(g, 0, H, PIXELS, 2), o2 = dense(g, 1, H, PIXELS, 3);
  switch (variant) {
  case 1: in->kh = 3, in->pad_top = 1; break;
  case 2: in->kw = 3, in->pad_left = 1; break;
  case 3:
    in->k_blocks = 2;
    WEFT_SET_OPERAND(*in, a, a2);
    break;
  case 4:
    in->n_blocks = 3;
    WEFT_SET_OPERAND(*in, o, o2);
    break;
  case 5: in->out_h = in->out_w = 1; break;
  case 6: in->out_h = in->out_w = in->kh = in->kw = 2; break;
  case 7: in->stride_y = in->stride_x = 2, in->out_h = 2, in->out_w = 3; break;
  case 8: in->kh = in->kw = 2, in->dil_y = 2, in->dil_x = 3; break;
  case 9: in->round_single = 1; break;
  case 10: in->lut_en = 1, in->lut_slot = g->p->cfg.lut_slots - 1; break;
  case 11: in->clamp_min = -3, in->clamp_max = 50, in->out_zp = 9; break;
  case 12: in->a_ring_start = 3, in->o_ring_rows = 6, in->o_ring_start = 5; break;
  case 13: in->kh = in->kw = 3, in->pad_top = in->pad_left = 3; break;
  case 14: in->out_h = 1, in->out_w = g->p->cfg.rows, in->pad_left = 2; break;
  default: break;
  }
  run_gemm(g, &x);
}

static void gemm_sums(random_maker *g, int variant) {
  const weft_operand o = dense(g, 1, H, PIXELS, 2);
  for (int piece = 0; piece < 3; piece++) {
    weft_insn x = plain_gemm(g);
    x.GEMM.acc_in = piece > 0;
    x.GEMM.acc_out = piece < 2;
    x.GEMM.acc_base = 7;
    x.GEMM.w_base = (uint32_t)piece * 40;
    x.GEMM.n_blocks = variant == 1 ? 2 : 1;
    x.GEMM.kw = variant == 2 ? 2 : 1;
    if (variant == 3) x.GEMM.out_h = x.GEMM.out_w = 1;
    if (variant == 4) {
      x.GEMM.acc_base = weft_acc_rows(&g->p->cfg) - H * PIXELS;
      x.GEMM.w_base = weft_weight_rows(&g->p->cfg) - g->p->cfg.rows;
    }
    WEFT_SET_OPERAND(x.GEMM, o, o);
    if (piece < 2)
      (void)random_emit(g, &x);
    else
      run_gemm(g, &x);
  }
}

/* Sums that go on right behind the instruction that leaves them: its last rows are read again 1 to
 * 4 cycles after they came from the array. */
static void sums_at_once(random_maker *g, int variant) {
  weft_insn x = plain_gemm(g);
  x.GEMM.out_h = 1;
  x.GEMM.out_w = 2 * g->p->cfg.rows; /* long enough for the next tile to be there */
  x.GEMM.acc_out = 1;
  weft_insn next = x, last = x;
  next.GEMM.acc_in = last.GEMM.acc_in = 1;
  last.GEMM.acc_out = 0;
  next.GEMM.out_w = last.GEMM.out_w = (uint32_t)variant + 1;
  next.GEMM.acc_base = last.GEMM.acc_base = x.GEMM.out_w - 1 - (uint32_t)variant;
  weft_insn load_first = x;
  load_first.GEMM.acc_base = 2 * x.GEMM.out_w; /* what the others will not write again */
  (void)random_emit(g, &load_first);
  fence(g);
  (void)random_emit(g, &x);
  (void)random_emit(g, &next);
  run_gemm(g, &last);
}

static void dw_modes(random_maker *g, int variant) {
  weft_insn x = plain_dw(g);
  weft_insn_DW *in = &x.DW;
  const weft_operand a2 = dense(g, 0, H, PIXELS, 2), o2 = dense(g, 1, H, PIXELS, 2);
  switch (variant) {
  case 1: in->kh = in->kw = 3, in->pad_top = in->pad_left = 1; break;
  case 2: in->kh = in->kw = 3, in->out_h = 2, in->out_w = 3; break;
  case 3: in->kh = in->kw = WEFT_DW_MAX_KERNEL; break;
  case 4: in->stride_y = in->stride_x = WEFT_DW_MAX_STRIDE, in->out_h = 1, in->out_w = 2; break;
  case 5: in->kw = 5, in->pad_left = 2; break;
  case 6: in->kh = 4, in->pad_top = 3; break;
  case 7: in->round_single = in->lut_en = 1; break;
  case 8: in->out_h = in->out_w = 1; break;
  default: break;
  }
  if (variant >= 7 || variant == 2) {
    in->c_words = 2;
    WEFT_SET_OPERAND(*in, a, a2);
    WEFT_SET_OPERAND(*in, o, o2);
  }
  if (variant == 9) in->a_pix_stride = 1; /* pixels that share words */
  run_dw(g, &x);
}

/* --- VEC -------------------------------------------------------------------------------------- */
static void vew_modes(random_maker *g, int variant) {
  weft_insn x = plain_vew(g);
  weft_insn_VEW *in = &x.VEW;
  in->op = (uint32_t)variant % 7;
  in->round_single = variant >= 7;
  if (in->op == WEFT_VEW_MUL || in->op == WEFT_VEW_REQUANT) in->o_shift = -1;
  if (variant >= 14) in->lut_en = 1;
  if (variant == 21) in->o_shift = -31;
  if (variant == 22 || variant == 23) in->left_shift = 31;
  run(g, &x, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words);
}

static void vpool_modes(random_maker *g, int variant) {
  weft_insn x = plain_vpool(g);
  weft_insn_VPOOL *in = &x.VPOOL;
  in->op = (uint32_t)variant % 4;
  if (variant >= 4) in->kh = in->kw = 3, in->pad_top = in->pad_left = 1;
  if (variant >= 8) in->stride_y = in->stride_x = 2;
  if (variant >= 12) in->pad_top = 4;
  if (variant >= 16) in->op = WEFT_VPOOL_MEAN;
  if (variant == 16) in->bias = INT32_MAX;
  if (variant == 17) in->bias = INT32_MIN;
  run(g, &x, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words);
}

static void vrow_modes(random_maker *g, int variant) {
  weft_insn x = plain_vrow(g);
  weft_insn_VROW *in = &x.VROW;
  const uint32_t channels[] = {g->w, 1, 2 * g->w, g->w + 1, 3 * g->w - 1};
  in->channels = channels[variant % 5];
  in->lut_en = variant >= 5;
  const uint32_t words = (in->channels + g->w - 1) / g->w;
  const weft_operand a = dense(g, 0, H, PIXELS, words), o = dense(g, 1, H, PIXELS, words);
  WEFT_SET_OPERAND(*in, a, a);
  WEFT_SET_OPERAND(*in, o, o);
  if (variant == 10) in->a_pix_stride = 0;
  run(g, &x, o, in->out_h, in->out_w, words);
}

/* --- places and tokens ------------------------------------------------------------------------ */
#define MOVE(g, x, NAME, how)                                                                      \
  do {                                                                                             \
    weft_insn_##NAME *in = &(x).NAME;                                                              \
    if ((how) == 0) in->a_pix_stride = 0;                                                          \
    if ((how) == 1) in->a_base = 3 * weft_bank_words(&(g)->p->cfg) - 2;                            \
    if ((how) == 2) in->o_ring_rows = 2;                                                           \
    if ((how) == 3) in->o_base = weft_spad_words(&(g)->p->cfg) - H * PIXELS;                       \
    run(g, &(x), WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, 1);                                \
  } while (0)

/* Inputs whose pixels are one, or across two banks; rows of a result over each other, at the end of
 * the scratchpad. */
static void places(random_maker *g, int variant) {
  weft_insn gemm = plain_gemm(g), dw = plain_dw(g), vew = plain_vew(g), vpool = plain_vpool(g),
            vrow = plain_vrow(g), stored = plain_store(g);
  const int how = variant % 4;
  switch (variant / 4) {
  case 0: MOVE(g, gemm, GEMM, how); break;
  case 1: MOVE(g, dw, DW, how); break;
  case 2: MOVE(g, vew, VEW, how); break;
  case 3: MOVE(g, vpool, VPOOL, how); break;
  case 4: MOVE(g, vrow, VROW, how); break;
  default: stored.STORE.a_pix_stride = 0; (void)random_emit(g, &stored);
  }
}

/* Every instruction with a token that it does not need, from any unit. */
static void token_pairs(random_maker *g, int variant) {
  static const random_profile generous = {.name = "directed", .size = 4, .tokens = {100, 20}};
  weft_insn load = plain_load(g), gemm = plain_gemm(g), dw = plain_dw(g), vew = plain_vew(g),
            stored = plain_store(g);
  weft_insn *const each[] = {&load, &gemm, &dw, &vew, &stored};
  g->profile = &generous;
  for (int i = 0; i < 20 + variant; i++) (void)random_emit(g, each[i % 5]);
}

/* --- meetings in time ------------------------------------------------------------------------- */
/* A token that comes about when the instruction that waits for it arrives: `variant` instructions
 * are dispatched between the two. */
static void arrivals(random_maker *g, int variant) {
  weft_insn other = plain_vew(g), pad = plain_load(g);
  const weft_operand word = dense(g, 4, 1, 1, 1);
  other.VEW.op = WEFT_VEW_COPY;
  other.VEW.out_h = other.VEW.out_w = 1;
  do (void)random_emit(g, &other);
  while (g->p->n % 4 != 3);
  fence(g);
  pad.LOAD.rows = pad.LOAD.pixels = 1; /* the shortest that there is: a word of padding */
  pad.LOAD.row_bytes = 0;
  WEFT_SET_OPERAND(pad.LOAD, o, word);
  (void)random_emit(g, &pad);
  for (int i = 0; i < variant; i++) (void)random_emit(g, &other);
  store(g, word, 1, 1, 1);
}

/* An output of `variant` + 1 pixels, then sums that stay: without the output stage they would be
 * complete sooner. */
static void ends_together(random_maker *g, int variant) {
  weft_insn x = plain_gemm(g), sums = x;
  x.GEMM.out_h = 1;
  x.GEMM.out_w = (uint32_t)variant + 1;
  sums.GEMM.out_h = sums.GEMM.out_w = 1;
  sums.GEMM.acc_out = 1;
  weft_insn load_first = sums;
  (void)random_emit(g, &load_first);
  fence(g);
  (void)random_emit(g, &x);
  for (int i = 0; i < 3; i++) (void)random_emit(g, &sums);
}

/* Outputs of one pixel and sums that stay, back to back in every order: bit i of `variant` says
 * which of the two GEMM i is. */
static void ends_in_order(random_maker *g, int variant) {
  weft_insn x = plain_gemm(g);
  x.GEMM.out_h = x.GEMM.out_w = 1;
  weft_insn load_first = x;
  (void)random_emit(g, &load_first);
  fence(g);
  for (int i = 0; i < 6; i++) {
    x.GEMM.acc_out = variant >> i & 1;
    (void)random_emit(g, &x);
  }
}

/* Something long for every unit, each in banks of its own. */
static void all_at_once(random_maker *g, int variant) {
  weft_insn gemm = plain_gemm(g), dw = plain_dw(g), vew = plain_vew(g), load = plain_load(g);
  const weft_operand a[] = {dense(g, 0, 12, 12, 1), dense(g, 2, 12, 12, 1), dense(g, 4, 12, 12, 1),
                            dense(g, 6, 12, 12, 1), dense(g, 8, 12, 12, 1)};
  const weft_operand o[] = {dense(g, 1, 12, 12, 1), dense(g, 3, 12, 12, 1), dense(g, 5, 12, 12, 1)};
  vew.VEW.op = WEFT_VEW_COPY;
  for (int pass = 0; pass < 2; pass++) { /* the first brings the operands */
    const uint32_t h = pass ? 12 : 1;
#define LONG(x, NAME, k)                                                                           \
  do {                                                                                             \
    (x).NAME.out_h = h;                                                                            \
    (x).NAME.out_w = 12;                                                                           \
    WEFT_SET_OPERAND((x).NAME, a, a[k]);                                                           \
    WEFT_SET_OPERAND((x).NAME, o, o[k]);                                                           \
  } while (0)
    LONG(gemm, GEMM, 0);
    LONG(dw, DW, 1);
    LONG(vew, VEW, 2);
#undef LONG
    gemm.GEMM.in_h = gemm.GEMM.in_w = dw.DW.in_h = dw.DW.in_w = 12;
    if (!pass) {
      for (int k = 0; k < 5; k++)
        (void)random_fill_memory(g, WEFT_MEM_SPAD, a[k].base * g->w,
                                 (a[k].base + 144) * (size_t)g->w - 1);
      (void)random_emit(g, &gemm);
      (void)random_emit(g, &dw);
      fence(g);
      continue;
    }
    load.LOAD.rows = 12;
    load.LOAD.pixels = 12;
    load.LOAD.d_row_stride = load.LOAD.row_bytes = 12 * g->w;
    WEFT_SET_OPERAND(load.LOAD, o, a[4]);
    (void)random_emit(g, &load);
    store(g, a[3], 12, 12, 1);
    (void)random_emit(g, &gemm);
    (void)random_emit(g, &dw);
    vew.VEW.c_words = 1;
    for (int k = 0; k < 2 + variant; k++) (void)random_emit(g, &vew);
  }
}

/* FENCEs next to each other and next to END. */
static void fences(random_maker *g, int variant) {
  weft_insn x = plain_load(g);
  if (variant & 1) (void)random_emit(g, &x);
  fence(g);
  fence(g);
  if (variant & 2) (void)random_emit(g, &x);
  if (variant & 4) fence(g);
}

/* --- the list --------------------------------------------------------------------------------- */
static const struct {
  const char *name;
  void (*build)(random_maker *g, int variant);
  int variants;
} list[] = {
    {"LOAD", load_modes, 14},
    {"flat LOAD", flat_runs, 10},
    {"STORE", store_modes, 12},
    {"GEMM", gemm_modes, 15},
    {"GEMM sums", gemm_sums, 5},
    {"GEMM sums at once", sums_at_once, 4},
    {"DW", dw_modes, 10},
    {"VEW", vew_modes, 24},
    {"VPOOL", vpool_modes, 18},
    {"VROW", vrow_modes, 11},
    {"places", places, 21},
    {"tokens", token_pairs, 10},
    {"arrivals", arrivals, 10},
    {"GEMM ends together", ends_together, 16},
    {"GEMM ends in order", ends_in_order, 64},
    {"all at once", all_at_once, 3},
    {"FENCE", fences, 8},
};
enum { KINDS = sizeof list / sizeof *list };

int directed_programs(void) {
  int n = 0;
  for (int i = 0; i < KINDS; i++) n += list[i].variants;
  return n;
}

void directed_program_make(random_program *p, const weft_config *cfg, int which) {
  int i = 0;
  const uint64_t seed = 1000003u * (uint64_t)which + 17;
  while (which >= list[i].variants) which -= list[i++].variants;
  random_program_build(p, cfg, seed, list[i].name, list[i].build, which);
}
