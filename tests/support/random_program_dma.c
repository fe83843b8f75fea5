/* LOAD and STORE of random programs. */
#include "random_program_gen.h"

/* --- where in DRAM ---------------------------------------------------------------------------- */
/* A region and an offset for `bytes` bytes. */
static uint32_t somewhere(random_maker *g, uint32_t bytes, bool write, uint32_t *region) {
  *region = write || chance(g, 40) ? pick(g, 2, WEFT_REGIONS - 1) : 1;
  const uint32_t size =
      *region == 1 ? PROGRAM_CONSTANTS : PROGRAM_ARENA - device_region_skew(*region);
  const uint32_t room = size > bytes ? size - bytes : 0;
  if (chance(g, 10)) return room; /* up to the region's last byte */
  if (chance(g, 30)) return pick(g, 0, room) / 256 * 256;
  if (*region != 1 && chance(g, 50)) return pick(g, 0, least(room, 700)); /* often the same bytes */
  return pick(g, 0, room);
}

static uint32_t reach_of(const weft_insn_LOAD *in) {
  uint32_t last = (in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  last = last > in->lead ? last - in->lead : 0;
  if (last > in->row_bytes) last = in->row_bytes;
  return (in->rows - 1) * in->d_row_stride + last;
}

static bool emit_load(random_maker *g, weft_insn *insn) {
  insn->LOAD.offset = somewhere(g, reach_of(&insn->LOAD), false, &insn->LOAD.region);
  return random_emit(g, insn);
}

/* --- flat runs -------------------------------------------------------------------------------- */
static size_t unit_of(const random_maker *g, int memory) {
  const size_t c = g->p->cfg.cols;
  const size_t unit[] = {g->w, c, c * WEFT_PARAM_BYTES, g->w, WEFT_LUT_BYTES, WEFT_EXP_BYTES};
  return unit[memory];
}

static bool emit_flat(random_maker *g, int memory, size_t base, size_t bytes) {
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &x.LOAD;
  in->dst = (uint32_t)memory;
  in->o_base = (uint32_t)base;
  in->pix_bytes = in->row_bytes = (uint32_t)bytes;
  in->d_pix_stride = chance(g, 50) ? 0 : in->pix_bytes; /* does not matter with one pixel */
  in->flip = (memory == WEFT_MEM_WEIGHT || memory == WEFT_MEM_LUT) && chance(g, 25);
  const size_t c = g->p->cfg.cols;
  if (memory == WEFT_MEM_EXP) { /* anything else would not be exponents */
    in->region = 1;
    in->offset = PROGRAM_EXPS + pick(g, 0, PROGRAM_N_EXPS - 1) * WEFT_EXP_BYTES;
    return random_emit(g, &x);
  }
  const bool params = memory == WEFT_MEM_PARAM || memory == WEFT_MEM_DWBUF;
  if (params && bytes + WEFT_PARAM_BYTES * c < PROGRAM_EXPS - PROGRAM_PARAMS && chance(g, 85)) {
    const uint32_t room = PROGRAM_EXPS - PROGRAM_PARAMS - (uint32_t)bytes;
    in->region = 1;
    in->offset = PROGRAM_PARAMS + pick(g, 0, room / WEFT_PARAM_BYTES) * WEFT_PARAM_BYTES;
    return random_emit(g, &x);
  }
  return emit_load(g, &x);
}

/* A depthwise block's parameters, then its taps, so that both make sense: the caller's range is
 * as long as the first block. */
static bool fill_flat(random_maker *g, int memory, size_t first, size_t last) {
  const size_t unit = unit_of(g, memory), base = first / unit;
  const size_t bytes = last + 1 - base * unit, params = (size_t)WEFT_PARAM_BYTES * g->w;
  if (memory != WEFT_MEM_DWBUF || bytes <= params || chance(g, 40))
    return emit_flat(g, memory, base, bytes);
  if (!emit_flat(g, memory, base, params)) return false;
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  x.LOAD.dst = WEFT_MEM_DWBUF;
  x.LOAD.o_base = (uint32_t)base + WEFT_PARAM_BYTES;
  x.LOAD.pix_bytes = x.LOAD.row_bytes = (uint32_t)(bytes - params);
  x.LOAD.flip = chance(g, 30);
  return emit_load(g, &x);
}

void random_flat(random_maker *g) {
  const weft_config *c = &g->p->cfg;
  const int memory = random_range(&g->r, WEFT_MEM_WEIGHT, WEFT_MEM_EXP);
  const size_t count[] = {
      0,           weft_weight_rows(c), weft_param_blocks(c), weft_dwbuf_words(c), c->lut_slots,
      c->exp_slots};
  const size_t unit = unit_of(g, memory);
  const size_t base = pick(g, 0, (uint32_t)count[memory] - 1);
  const size_t room = (count[memory] - base) * unit;
  (void)emit_flat(g, memory, base, pick(g, 1, least((uint32_t)room, 700)));
}

/* --- pixels ----------------------------------------------------------------------------------- */
/* Whole words [first, last] of the scratchpad: as one row, or as rows of a dense tensor, of whole
 * pixels or of channels that are filled up. */
static bool fill_words(random_maker *g, uint32_t first, uint32_t last) {
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &x.LOAD;
  const uint32_t n = last + 1 - first;
  uint32_t words = chance(g, 30) ? pick(g, 1, least(n, 4)) : 1;
  uint32_t rows = chance(g, 40) ? pick(g, 1, least(n, 6)) : 1;
  if (n % words) words = 1;
  if (n / words % rows) rows = 1;
  const uint32_t full = words * g->w;
  in->rows = rows;
  in->pixels = n / words / rows;
  in->fill = chance(g, 50);
  in->pix_bytes = in->fill ? pick(g, full - g->w + 1, full) : full;
  in->d_pix_stride = in->pix_bytes;
  if (full <= WEFT_LOAD_WINDOW && chance(g, 15)) in->d_pix_stride = pick(g, 0, in->pix_bytes);
  const uint32_t row = (in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  in->lead = chance(g, 20) ? pick(g, 0, least(row, 40)) : 0;
  in->row_bytes = chance(g, 15) ? pick(g, 0, row) : row;
  in->d_row_stride = chance(g, 50) ? in->row_bytes : pick(g, 0, row + 20);
  in->pad_value = (int32_t)pick(g, 0, 255) - 128;
  in->flip = chance(g, 25);
  const weft_operand o = {first, in->pixels * words, words, rows + pick(g, 0, 2), 0};
  WEFT_SET_OPERAND(*in, o, o);
  return emit_load(g, &x);
}

bool random_fill_memory(random_maker *g, int memory, size_t first, size_t last) {
  enum { MOST = 6000 }; /* the rest comes next time */
  if (memory == WEFT_MEM_SPAD && last - first > MOST) last = first + MOST;
  if (memory != WEFT_MEM_SPAD) return fill_flat(g, memory, first, last);
  return fill_words(g, (uint32_t)(first / g->w), (uint32_t)(last / g->w));
}

/* Pixels of bytes that lie apart, follow each other or overlap. */
static void choose_source(random_maker *g, weft_insn_LOAD *in) {
  const uint32_t b = in->pix_bytes;
  const int kind = random_range(&g->r, 0, 9);
  in->d_pix_stride = kind < 4 ? b : kind < 7 ? b + pick(g, 1, 300) : pick(g, 0, b);
  if (b > WEFT_LOAD_WINDOW && in->d_pix_stride < b) in->d_pix_stride = b;
  if ((in->pixels - 1) * in->d_pix_stride > 2500) in->d_pix_stride = b;
  const uint32_t row = (in->pixels - 1) * in->d_pix_stride + b;
  in->row_bytes = row;
  if (in->pixels > 1 && in->d_pix_stride > b) { /* gaps: no padding */
    in->row_bytes += pick(g, 0, 9);
  } else {
    if (chance(g, 40)) in->lead = pick(g, 0, chance(g, 80) ? b : least(row + 5, 300));
    if (chance(g, 40)) in->row_bytes = pick(g, 0, row + 5);
  }
  const uint32_t most = 4000 / in->rows;
  in->d_row_stride = chance(g, 40)   ? in->row_bytes
                     : chance(g, 20) ? pick(g, 0, 8)
                                     : in->row_bytes + pick(g, 0, 300);
  if (in->d_row_stride > most) in->d_row_stride = pick(g, 0, most);
}

void random_load(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &x.LOAD;
  const uint32_t size = (uint32_t)g->profile->size;
  uint32_t rows = pick(g, 1, size), pixels = pick(g, 1, 2 * size), words = pick(g, 1, 4);
  const weft_operand o = random_place(g, WEFT_UNIT_LOAD, true, &rows, &pixels, &words);
  WEFT_SET_OPERAND(*in, o, o);
  in->rows = rows;
  in->pixels = pixels;
  if (chance(g, 40)) in->byte_off = pick(g, 0, least(255, words * g->w - 1));
  in->pix_bytes = pick(g, 1, words * g->w - in->byte_off);
  in->fill = chance(g, 60);
  in->flip = chance(g, 30);
  in->pad_value = (int32_t)pick(g, 0, 255) - 128;
  choose_source(g, in);
  if (emit_load(g, &x)) random_result(g, o, rows, pixels, words);
}

void random_joined(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &x.LOAD;
  uint32_t rows = pick(g, 2, 12), pixels = pick(g, 2, 24), words = 1;
  const weft_operand o = random_place(g, WEFT_UNIT_LOAD, true, &rows, &pixels, &words);
  WEFT_SET_OPERAND(*in, o, o);
  in->rows = rows;
  in->pixels = pixels;
  in->fill = 1;
  in->pix_bytes = in->d_pix_stride = pick(g, least(g->w, 3), words * g->w);
  in->row_bytes = in->d_row_stride = pixels * in->pix_bytes;
  if (emit_load(g, &x)) random_result(g, o, rows, pixels, words);
}

void random_store(random_maker *g) {
  weft_insn x = random_blank(WEFT_OP_CODE_STORE);
  weft_insn_STORE *in = &x.STORE;
  const uint32_t size = (uint32_t)g->profile->size;
  uint32_t rows = size, pixels = 2 * size, words = 4;
  const weft_operand a = random_input_place(g, WEFT_UNIT_STORE, &rows, &pixels, &words);
  WEFT_SET_OPERAND(*in, a, a);
  in->rows = rows;
  in->pixels = pixels;
  if (chance(g, 30)) in->byte_off = pick(g, 0, least(255, words * g->w - 1));
  const uint32_t most = words * g->w - in->byte_off;
  in->pix_bytes = chance(g, 60) ? most : pick(g, 1, most);
  const int kind = random_range(&g->r, 0, 9);
  in->d_pix_stride = kind < 6   ? in->pix_bytes
                     : kind < 9 ? in->pix_bytes + pick(g, 1, 80)
                                : pick(g, 0, in->pix_bytes);
  const uint32_t row = (pixels - 1) * in->d_pix_stride + in->pix_bytes;
  in->d_row_stride = chance(g, 50) ? row : row + pick(g, 0, 100);
  in->flip = chance(g, 30);
  while (in->rows > 1 && in->rows * in->d_row_stride > PROGRAM_ARENA / 2) in->rows--;
  in->offset = somewhere(g, (in->rows - 1) * in->d_row_stride + row, true, &in->region);
  (void)random_emit(g, &x);
}
