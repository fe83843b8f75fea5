/* Where a flipped byte goes, by the definitions of docs/isa.md and apart from sim/: which
 * instruction reads it, in which lane, and when it is overwritten. Start at fault_follow(). */
#include "fault_bench.h"

#include <string.h>

typedef struct {
  const fault_bench *b;
  const weft_config *cfg;
  const weft_insn *insn;
  uint32_t at, w, n; /* n: channels of the result that count */
} flow;

/* --- windows --------------------------------------------------------------------------------- */
/* The byte as (row, pixel, byte of the pixel) of an operand. */
typedef struct {
  uint32_t y, x, byte;
} spot;

/* Calls `each` for every spot of rows x pixels x words that is the byte, until it says true. */
static bool any_spot(const flow *f, weft_operand o, uint32_t rows, uint32_t pixels, uint32_t words,
                     uint64_t byte, bool (*each)(const flow *, spot)) {
  for (uint32_t y = 0; y < rows; y++)
    for (uint32_t x = 0; x < pixels; x++) {
      uint64_t word = o.base + (uint64_t)((o.ring_start + y) % o.ring_rows) * o.row_stride +
                      (uint64_t)x * o.pix_stride;
      uint64_t first = word * f->w, last = (word + words) * f->w;
      if (byte >= first && byte < last && each(f, (spot){y, x, (uint32_t)(byte - first)}))
        return true;
    }
  return false;
}

static bool is_there(const flow *f, spot s) {
  (void)f, (void)s;
  return true;
}
static bool in_channels(const flow *f, spot s) {
  return s.byte < f->n;
}

/* Whether outputs, taps and stride reach position `i` of an axis. */
static bool reaches(uint32_t i, uint32_t out, uint32_t stride, uint32_t taps, uint32_t dilation,
                    uint32_t pad) {
  for (uint32_t o = 0; o < out; o++)
    for (uint32_t k = 0; k < taps; k++)
      if ((uint64_t)o * stride + (uint64_t)k * dilation == (uint64_t)i + pad) return true;
  return false;
}

#define REACHES(in, dil_y, dil_x, s)                                                               \
  (reaches((s).y, (in)->out_h, (in)->stride_y, (in)->kh, dil_y, (in)->pad_top) &&                  \
   reaches((s).x, (in)->out_w, (in)->stride_x, (in)->kw, dil_x, (in)->pad_left))

static bool dw_sweeps(const flow *f, spot s) {
  return REACHES(&f->insn->DW, 1, 1, s);
}
static bool dw_meets(const flow *f, spot s) {
  return dw_sweeps(f, s) && in_channels(f, s);
}
static bool pool_sweeps(const flow *f, spot s) {
  return REACHES(&f->insn->VPOOL, 1, 1, s);
}
static bool pool_meets(const flow *f, spot s) {
  return pool_sweeps(f, s) && in_channels(f, s);
}

/* --- GEMM ------------------------------------------------------------------------------------ */
static const uint8_t *memory(const flow *f, int mem) {
  size_t n;
  return weft_sim_memory(f->b->sim, mem, &n);
}

static bool gemm_sweeps(const flow *f, spot s) {
  const weft_insn_GEMM *in = &f->insn->GEMM;
  uint32_t first = in->a_block * f->cfg->rows, last = first + in->k_blocks * f->cfg->rows;
  return s.byte >= first && s.byte < last && REACHES(in, in->dil_y, in->dil_x, s);
}

/* Some weight that the channel meets is not zero. */
static bool gemm_meets(const flow *f, spot s) {
  const weft_insn_GEMM *in = &f->insn->GEMM;
  if (!gemm_sweeps(f, s)) return false;
  const uint32_t c = f->cfg->cols, depth = in->k_blocks * f->cfg->rows, taps = in->kh * in->kw;
  const uint8_t *weight = memory(f, WEFT_MEM_WEIGHT);
  uint32_t k = s.byte - in->a_block * f->cfg->rows;
  for (uint32_t block = 0; block < in->n_blocks; block++)
    for (uint32_t t = 0; t < taps; t++)
      for (uint32_t j = 0; j < c; j++)
        if (weight[((size_t)in->w_base + (size_t)(block * taps + t) * depth + k) * c + j])
          return true;
  return false;
}

/* Some activation that channel k of tap t meets is not zero. */
static bool activations(const flow *f, uint32_t t, uint32_t k) {
  const weft_insn_GEMM *in = &f->insn->GEMM;
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  const uint8_t *spad = memory(f, WEFT_MEM_SPAD);
  for (uint32_t oy = 0; oy < in->out_h; oy++)
    for (uint32_t ox = 0; ox < in->out_w; ox++) {
      int64_t y = (int64_t)oy * in->stride_y + (int64_t)(t / in->kw) * in->dil_y - in->pad_top;
      int64_t x = (int64_t)ox * in->stride_x + (int64_t)(t % in->kw) * in->dil_x - in->pad_left;
      int value = in->pad_value;
      if (y >= 0 && y < in->in_h && x >= 0 && x < in->in_w) {
        uint64_t word = a.base +
                        (uint64_t)((a.ring_start + (uint64_t)y) % a.ring_rows) * a.row_stride +
                        (uint64_t)x * a.pix_stride;
        value = spad[word * f->w + in->a_block * f->cfg->rows + k];
      }
      if (value) return true;
    }
  return false;
}

/* A weight: read at all, and in a column that counts against anything but zeros. */
static bool weight_read(const flow *f, uint64_t byte, bool *met) {
  const weft_insn_GEMM *in = &f->insn->GEMM;
  const uint32_t c = f->cfg->cols, depth = in->k_blocks * f->cfg->rows, taps = in->kh * in->kw;
  uint64_t row = byte / c, rows = (uint64_t)in->n_blocks * taps * depth;
  if (row < in->w_base || row >= in->w_base + rows) return false;
  row -= in->w_base;
  uint32_t block = (uint32_t)(row / (taps * depth)), k = (uint32_t)(row % depth);
  uint32_t t = (uint32_t)(row / depth % taps);
  *met |= block * c + byte % c < f->n && activations(f, t, k);
  return true;
}

/* Parameters are 12 bytes a channel, of which 9 mean something, the multiplier 31 bits. */
static bool means_something(const fault_bench *b, uint64_t byte) {
  uint64_t i = byte % WEFT_PARAM_BYTES;
  return i < 9 && !(i == 7 && b->fault->flip == 0x80);
}

static bool param_read(const flow *f, uint64_t byte, bool *met) {
  const weft_insn_GEMM *in = &f->insn->GEMM;
  uint64_t channel = byte / WEFT_PARAM_BYTES, first = (uint64_t)in->p_base * f->cfg->cols;
  if (in->acc_out || channel < first || channel >= first + (uint64_t)in->n_blocks * f->cfg->cols)
    return false;
  *met |= channel - first < f->n && means_something(f->b, byte);
  return true;
}

static bool dwbuf_read(const flow *f, uint64_t byte, bool *met) {
  const weft_insn_DW *in = &f->insn->DW;
  uint64_t block = (uint64_t)f->w * (WEFT_PARAM_BYTES + in->kh * in->kw);
  uint64_t first = (uint64_t)in->p_base * f->w;
  if (byte < first || byte >= first + in->c_words * block) return false;
  uint64_t word = (byte - first) / block, i = (byte - first) % block;
  bool param = i < (uint64_t)WEFT_PARAM_BYTES * f->w;
  uint64_t lane = param ? i / WEFT_PARAM_BYTES : i % f->w;
  *met |= word * f->w + lane < f->n && (!param || means_something(f->b, i));
  return true;
}

/* --- one instruction ------------------------------------------------------------------------- */
/* Channels that count: those of the result; of partial sums, those of the chain's end. */
static uint32_t channels_of(const fault_bench *b, uint32_t at) {
  for (uint32_t i = at; i < b->program->step[0].count; i++) {
    if (b->insn[i].opcode != b->insn[at].opcode) continue;
    if (b->insn[i].opcode == WEFT_OP_CODE_GEMM && b->insn[i].GEMM.acc_out) continue;
    return b->program->result[i].tensor < 0 ? UINT32_MAX : b->program->result[i].n;
  }
  return UINT32_MAX;
}

static bool unary(const weft_insn_VEW *in) {
  return in->op == WEFT_VEW_REQUANT || in->op == WEFT_VEW_COPY;
}

static bool spad_read(flow *f, uint64_t byte, bool *met) {
  const weft_insn *insn = f->insn;
  bool read = false;
#define READS(o, rows, pixels, words, sweeps, meets)                                               \
  do {                                                                                             \
    read |= any_spot(f, o, rows, pixels, words, byte, sweeps);                                     \
    *met |= any_spot(f, o, rows, pixels, words, byte, meets);                                      \
  } while (0)
  switch (insn->opcode) {
  case WEFT_OP_CODE_STORE: {
    const weft_insn_STORE *s = &insn->STORE;
    f->n = s->pix_bytes;
    READS(WEFT_OPERAND_OF(*s, a), s->rows, s->pixels, (s->pix_bytes + f->w - 1) / f->w, in_channels,
          in_channels);
    break;
  }
  case WEFT_OP_CODE_GEMM: {
    const weft_insn_GEMM *g = &insn->GEMM;
    uint32_t bytes = (g->a_block + g->k_blocks) * f->cfg->rows;
    READS(WEFT_OPERAND_OF(*g, a), g->in_h, g->in_w, (bytes + f->w - 1) / f->w, gemm_sweeps,
          gemm_meets);
    break;
  }
  case WEFT_OP_CODE_DW:
    READS(WEFT_OPERAND_OF(insn->DW, a), insn->DW.in_h, insn->DW.in_w, insn->DW.c_words, dw_sweeps,
          dw_meets);
    break;
  case WEFT_OP_CODE_VEW:
    READS(WEFT_OPERAND_OF(insn->VEW, a), insn->VEW.out_h, insn->VEW.out_w, insn->VEW.c_words,
          is_there, in_channels);
    if (!unary(&insn->VEW))
      READS(WEFT_OPERAND_OF(insn->VEW, b), insn->VEW.out_h, insn->VEW.out_w, insn->VEW.c_words,
            is_there, in_channels);
    break;
  case WEFT_OP_CODE_VPOOL:
    READS(WEFT_OPERAND_OF(insn->VPOOL, a), insn->VPOOL.in_h, insn->VPOOL.in_w, insn->VPOOL.c_words,
          pool_sweeps, pool_meets);
    break;
  case WEFT_OP_CODE_VROW:
    f->n = insn->VROW.channels;
    READS(WEFT_OPERAND_OF(insn->VROW, a), insn->VROW.out_h, insn->VROW.out_w,
          (insn->VROW.channels + f->w - 1) / f->w, in_channels, in_channels);
    break;
  default: break;
  }
#undef READS
  return read;
}

static bool spad_written(const flow *f, uint64_t byte) {
  const weft_insn *insn = f->insn;
#define WRITES(NAME, words)                                                                        \
  any_spot(f, WEFT_OPERAND_OF(insn->NAME, o), insn->NAME.out_h, insn->NAME.out_w, words, byte,     \
           is_there)
  switch (insn->opcode) {
  case WEFT_OP_CODE_GEMM: {
    const weft_insn_GEMM *g = &insn->GEMM;
    if (g->acc_out) return false;
    weft_operand o = WEFT_OPERAND_OF(*g, o);
    uint64_t skip = (uint64_t)g->o_block * f->cfg->cols, n = (uint64_t)g->n_blocks * f->cfg->cols;
    for (uint32_t y = 0; y < g->out_h; y++)
      for (uint32_t x = 0; x < g->out_w; x++) {
        uint64_t word = o.base + (uint64_t)((o.ring_start + y) % o.ring_rows) * o.row_stride +
                        (uint64_t)x * o.pix_stride;
        if (byte >= word * f->w + skip && byte < word * f->w + skip + n) return true;
      }
    return false;
  }
  case WEFT_OP_CODE_DW: return WRITES(DW, insn->DW.c_words);
  case WEFT_OP_CODE_VEW: return WRITES(VEW, insn->VEW.c_words);
  case WEFT_OP_CODE_VPOOL: return WRITES(VPOOL, insn->VPOOL.c_words);
  case WEFT_OP_CODE_VROW: return WRITES(VROW, (insn->VROW.channels + f->w - 1) / f->w);
  default: return false;
  }
#undef WRITES
}

/* --- LOAD ------------------------------------------------------------------------------------ */
static uint64_t unit_bytes(const flow *f, uint32_t mem) {
  switch (mem) {
  case WEFT_MEM_WEIGHT: return f->cfg->cols;
  case WEFT_MEM_PARAM: return (uint64_t)WEFT_PARAM_BYTES * f->cfg->cols;
  case WEFT_MEM_LUT: return WEFT_LUT_BYTES;
  case WEFT_MEM_EXP: return WEFT_EXP_BYTES;
  default: return f->w;
  }
}

/* Whether a LOAD overwrites a byte of an on-chip memory; *from: by which byte of its region, or -1
 * when by padding. */
static bool load_writes(const flow *f, int mem, uint64_t byte, int64_t *from) {
  const weft_insn_LOAD *in = &f->insn->LOAD;
  if ((int)in->dst != mem) return false;
  if (mem != WEFT_MEM_SPAD) {
    uint64_t first = in->o_base * unit_bytes(f, in->dst);
    if (byte < first || byte >= first + in->pix_bytes) return false;
    *from = (int64_t)(in->offset + (byte - first));
    return true;
  }
  weft_operand o = WEFT_OPERAND_OF(*in, o);
  for (uint32_t y = 0; y < in->rows; y++)
    for (uint32_t x = 0; x < in->pixels; x++) {
      uint64_t word = o.base + (uint64_t)((o.ring_start + y) % o.ring_rows) * o.row_stride +
                      (uint64_t)x * o.pix_stride;
      uint64_t first = word * f->w + in->byte_off, end = first + in->pix_bytes;
      if (in->fill) end = (end + f->w - 1) / f->w * f->w;
      if (byte < first || byte >= end) continue;
      int64_t i = (int64_t)(byte - first) + (int64_t)x * in->d_pix_stride - in->lead;
      bool valid = byte < first + in->pix_bytes && i >= 0 && i < (int64_t)in->row_bytes;
      *from = valid ? (int64_t)in->offset + (int64_t)y * in->d_row_stride + i : -1;
      return true;
    }
  return false;
}

/* Copies that the LOAD makes of the flipped constant. */
static void load_copies(fault_bench *b, const flow *f) {
  const weft_insn_LOAD *in = &f->insn->LOAD;
  if (b->fault->kind != FAULT_IN_CONSTANTS || in->region != WEFT_REGION_CONST) return;
  int64_t from;
  if (in->dst != WEFT_MEM_SPAD) {
    if (b->fault->at < in->offset || b->fault->at >= (uint64_t)in->offset + in->pix_bytes) return;
    uint64_t at = in->o_base * unit_bytes(f, in->dst) + (b->fault->at - in->offset);
    b->outcome->loaded = true;
    if (b->n_copies < FAULT_COPIES) b->copy[b->n_copies++] = (fault_copy){(int)in->dst, at};
    return;
  }
  for (uint64_t byte = 0; byte < b->spad_bytes; byte++)
    if (load_writes(f, WEFT_MEM_SPAD, byte, &from) && from == (int64_t)b->fault->at) {
      b->outcome->loaded = true;
      if (b->n_copies < FAULT_COPIES) b->copy[b->n_copies++] = (fault_copy){WEFT_MEM_SPAD, byte};
    }
}

/* Tables: who reads the table at all; whether the entry was looked up, only the result says. */
static bool table_read(const flow *f, int mem, uint64_t byte) {
  const weft_insn *insn = f->insn;
  if (mem == WEFT_MEM_EXP)
    return insn->opcode == WEFT_OP_CODE_VROW && insn->VROW.exp_slot == byte / WEFT_EXP_BYTES;
#define LOOKS(NAME)                                                                                \
  case WEFT_OP_CODE_##NAME: return insn->NAME.lut_en && insn->NAME.lut_slot == byte / WEFT_LUT_BYTES
  switch (insn->opcode) {
    LOOKS(GEMM);
    LOOKS(DW);
    LOOKS(VEW);
    LOOKS(VPOOL);
    LOOKS(VROW);
  default: return false;
  }
#undef LOOKS
}

static void one_copy(fault_bench *b, flow *f, fault_copy *c) {
  const uint32_t op = f->insn->opcode;
  bool met = false, read = false;
  int64_t from;
  if (c->mem == WEFT_MEM_SPAD) read = spad_read(f, c->at, &met);
  if (c->mem == WEFT_MEM_WEIGHT && op == WEFT_OP_CODE_GEMM) read = weight_read(f, c->at, &met);
  if (c->mem == WEFT_MEM_PARAM && op == WEFT_OP_CODE_GEMM) read = param_read(f, c->at, &met);
  if (c->mem == WEFT_MEM_DWBUF && op == WEFT_OP_CODE_DW) read = dwbuf_read(f, c->at, &met);
  if (c->mem == WEFT_MEM_LUT || c->mem == WEFT_MEM_EXP) read = met = table_read(f, c->mem, c->at);
  b->outcome->read |= read;
  b->outcome->met |= met;
  bool gone = op == WEFT_OP_CODE_LOAD ? load_writes(f, c->mem, c->at, &from)
                                      : c->mem == WEFT_MEM_SPAD && spad_written(f, c->at);
  if (gone) c->mem = -1;
}

static flow flow_of(const fault_bench *b, uint32_t at) {
  const weft_config *cfg = &b->program->config;
  return (flow){b, cfg, &b->insn[at], at, weft_word_bytes(cfg), channels_of(b, at)};
}

void fault_follow(fault_bench *b, uint32_t at) {
  flow f = flow_of(b, at);
  int live = 0;
  for (int i = 0; i < b->n_copies; i++) {
    one_copy(b, &f, &b->copy[i]);
    if (b->copy[i].mem >= 0) b->copy[live++] = b->copy[i];
  }
  b->n_copies = live;
  if (f.insn->opcode == WEFT_OP_CODE_LOAD) load_copies(b, &f);
}

bool fault_pick_operand(const fault_bench *b, uint32_t at, uint64_t random, uint64_t *byte) {
  const weft_insn *insn = &b->insn[at];
  weft_operand o;
  uint32_t rows, pixels, bytes = weft_word_bytes(&b->program->config);
  switch (insn->opcode) {
  case WEFT_OP_CODE_GEMM:
    o = WEFT_OPERAND_OF(insn->GEMM, a), rows = insn->GEMM.in_h, pixels = insn->GEMM.in_w;
    break;
  case WEFT_OP_CODE_DW:
    o = WEFT_OPERAND_OF(insn->DW, a), rows = insn->DW.in_h, pixels = insn->DW.in_w;
    break;
  case WEFT_OP_CODE_VEW:
    o = WEFT_OPERAND_OF(insn->VEW, a), rows = insn->VEW.out_h, pixels = insn->VEW.out_w;
    break;
  case WEFT_OP_CODE_VPOOL:
    o = WEFT_OPERAND_OF(insn->VPOOL, a), rows = insn->VPOOL.in_h, pixels = insn->VPOOL.in_w;
    break;
  case WEFT_OP_CODE_STORE:
    o = WEFT_OPERAND_OF(insn->STORE, a), rows = insn->STORE.rows, pixels = insn->STORE.pixels;
    if (insn->STORE.pix_bytes < bytes) bytes = insn->STORE.pix_bytes;
    break;
  default: return false;
  }
  uint32_t y = (uint32_t)(random % rows), x = (uint32_t)((random >> 16) % pixels);
  uint64_t word = o.base + (uint64_t)((o.ring_start + y) % o.ring_rows) * o.row_stride +
                  (uint64_t)x * o.pix_stride;
  *byte = word * weft_word_bytes(&b->program->config) + (random >> 32) % bytes;
  return true;
}
