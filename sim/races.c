/* The race detector: happens-before over semaphores, by vector clocks.
 *
 * An instruction is ordered after another if a chain of tokens (or a fence) says so; times play no
 * part, so a program that passes is free of races at any latency. For every word of every on-chip
 * memory and every byte of DRAM the last writer and the last reader per unit are kept (FastTrack's
 * idea), for every scratchpad bank the last user of each port. Rules, for instruction j after i in
 * program order on the same word:
 *   different units, at least one writes       j must be ordered after i
 *   same unit, i writes, j reads               too (post to itself): results drain after the start
 *   different units, same bank, same port      too: ports are owned, not arbitrated
 *   a word is read that nothing wrote          WEFT_ERROR_UNINIT
 * The n-th token taken must be posted earlier in program order: then program order is one of the
 * orders that the machine may take, and the function can be computed in it. */
#include <stdlib.h>
#include <string.h>

#include "state.h"

typedef struct {
  uint32_t at[WEFT_UNITS]; /* per unit: how many of its instructions are complete */
} clock_vec;

typedef struct {
  uint32_t writer_seq, reader_seq[WEFT_UNITS];
  uint8_t writer;
} shadow;

typedef struct {
  uint32_t user_seq[WEFT_UNITS];
} port;

typedef struct {
  clock_vec *v;
  size_t head, count, size;
} clock_fifo;

typedef struct {
  weft_sim *s;
  weft_err *err;
  unsigned cause;
  clock_vec now[WEFT_UNITS];
  uint32_t seq[WEFT_UNITS];
  clock_fifo token[WEFT_UNITS][WEFT_UNITS];
  shadow *mem[6]; /* per WEFT_MEM_* */
  shadow *acc;
  uint32_t *stored, *loaded; /* per DRAM byte: last STORE, last LOAD */
  port *read_port, *write_port;
  int unit;      /* of the instruction at hand */
  bool in_place; /* it may write exactly where it reads now */
} races;

static const char *const memory_name[] = {"scratchpad",       "weight buffer", "parameter",
                                          "depthwise buffer", "table",         "exponent table"};

static void report(races *r, unsigned cause, const char *what, const char *memory, size_t word) {
  if (r->cause) return;
  r->cause = cause;
  weft_fail(r->err, WEFT_EDEVICE, "%s %s word %zu", what, memory, word);
}

static bool ordered(const races *r, int other, uint32_t seq) {
  return seq <= r->now[r->unit].at[other];
}

static void touch_read(races *r, shadow *w, const char *memory, size_t index) {
  if (!w->writer_seq) report(r, WEFT_ERROR_UNINIT, "reads", memory, index);
  if (!ordered(r, w->writer, w->writer_seq))
    report(r, WEFT_ERROR_RACE, "reads, not ordered after its writer,", memory, index);
  /* in place, the write of the same word speaks for the read as well */
  if (!r->in_place) w->reader_seq[r->unit] = r->seq[r->unit];
}

static void touch_write(races *r, shadow *w, const char *memory, size_t index) {
  if (w->writer != r->unit && !ordered(r, w->writer, w->writer_seq))
    report(r, WEFT_ERROR_RACE, "writes, not ordered after its writer,", memory, index);
  for (int v = 0; v < WEFT_UNITS; v++)
    if (v != r->unit && !ordered(r, v, w->reader_seq[v]))
      report(r, WEFT_ERROR_RACE, "writes, not ordered after a reader,", memory, index);
  if (w->reader_seq[r->unit] == r->seq[r->unit])
    report(r, WEFT_ERROR_RACE, "writes over its own input,", memory, index);
  w->writer = (uint8_t)r->unit;
  w->writer_seq = r->seq[r->unit];
}

static void touch(races *r, int mem, size_t first, size_t n, bool write) {
  for (size_t i = first; i < first + n; i++)
    if (write)
      touch_write(r, &r->mem[mem][i], memory_name[mem], i);
    else
      touch_read(r, &r->mem[mem][i], memory_name[mem], i);
  if (mem != WEFT_MEM_SPAD || !n) return;
  size_t bank_words = weft_bank_words(&r->s->cfg);
  for (size_t b = first / bank_words; b <= (first + n - 1) / bank_words; b++) {
    port *p = write ? &r->write_port[b] : &r->read_port[b];
    for (int v = 0; v < WEFT_UNITS; v++)
      if (v != r->unit && !ordered(r, v, p->user_seq[v]))
        report(r, WEFT_ERROR_RACE,
               write ? "write port in use by another unit:" : "read port in use by another unit:",
               "bank of scratchpad", first);
    p->user_seq[r->unit] = r->seq[r->unit];
  }
}

/* A window: the given rows and pixels of an operand; NULL masks mean all. */
static void touch_window(races *r, weft_operand o, uint32_t rows, uint32_t pixels, uint32_t words,
                         const uint8_t *row_used, const uint8_t *pixel_used, bool write) {
  for (uint32_t y = 0; y < rows; y++) {
    if (row_used && !row_used[y]) continue;
    size_t at = weft_row_word(&o, y);
    if (!pixel_used && (o.pix_stride == words || pixels == 1)) {
      touch(r, WEFT_MEM_SPAD, at, (size_t)pixels * words, write);
      continue;
    }
    for (uint32_t x = 0; x < pixels; x++)
      if (!pixel_used || pixel_used[x])
        touch(r, WEFT_MEM_SPAD, at + (size_t)x * o.pix_stride, words, write);
  }
}

/* Which of `valid` input positions a window sweep reads. */
static void mark(uint8_t *used, uint32_t valid, uint32_t out, uint32_t stride, uint32_t taps,
                 uint32_t dilation, uint32_t pad) {
  memset(used, 0, valid);
  for (uint32_t o = 0; o < out; o++)
    for (uint32_t k = 0; k < taps; k++) {
      int64_t i = (int64_t)o * stride + (int64_t)k * dilation - pad;
      if (i >= 0 && i < valid) used[i] = 1;
    }
}

#define SWEEP(r, in, dil_y_, dil_x_, words)                                                        \
  do {                                                                                             \
    uint8_t rows_[4096], pixels_[4096];                                                            \
    mark(rows_, (in)->in_h, (in)->out_h, (in)->stride_y, (in)->kh, dil_y_, (in)->pad_top);         \
    mark(pixels_, (in)->in_w, (in)->out_w, (in)->stride_x, (in)->kw, dil_x_, (in)->pad_left);      \
    touch_window(r, WEFT_OPERAND_OF(*(in), a), (in)->in_h, (in)->in_w, words, rows_, pixels_,      \
                 false);                                                                           \
  } while (0)

static void on_load(races *r, const weft_insn_LOAD *in) {
  const weft_sim *s = r->s;
  size_t last = (size_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  last = last > in->lead ? last - in->lead : 0;
  if (last > in->row_bytes) last = in->row_bytes;
  bool gaps = in->d_pix_stride > in->pix_bytes; /* between pixels: bytes that are not read */
  for (uint32_t y = 0; y < in->rows; y++) {
    size_t at = s->base[in->region] + in->offset + (size_t)y * in->d_row_stride;
    for (size_t i = 0; i < last; i++) {
      if (gaps && (i + in->lead) % in->d_pix_stride >= in->pix_bytes) continue;
      if (!ordered(r, WEFT_UNIT_STORE, r->stored[at + i]))
        report(r, WEFT_ERROR_RACE, "LOAD, not ordered after the STORE,", "DRAM byte", at + i);
      r->loaded[at + i] = r->seq[r->unit];
    }
  }
  weft_operand o = WEFT_OPERAND_OF(*in, o);
  size_t n = in->pix_bytes, c = s->cfg.cols;
  switch (in->dst) {
  case WEFT_MEM_SPAD: {
    uint32_t off = in->byte_off / s->w;
    uint32_t words = (uint32_t)((in->byte_off + n + s->w - 1) / s->w) - off;
    o.base += off;
    touch_window(r, o, in->rows, in->pixels, words, NULL, NULL, true);
    break;
  }
  case WEFT_MEM_WEIGHT: touch(r, in->dst, o.base, (n + c - 1) / c, true); break;
  case WEFT_MEM_PARAM:
    touch(r, in->dst, o.base, (n + c * WEFT_PARAM_BYTES - 1) / (c * WEFT_PARAM_BYTES), true);
    break;
  case WEFT_MEM_DWBUF: touch(r, in->dst, o.base, (n + s->w - 1) / s->w, true); break;
  case WEFT_MEM_LUT:
    touch(r, in->dst, o.base, (n + WEFT_LUT_BYTES - 1) / WEFT_LUT_BYTES, true);
    break;
  default: touch(r, in->dst, o.base, (n + WEFT_EXP_BYTES - 1) / WEFT_EXP_BYTES, true);
  }
}

static void on_store(races *r, const weft_insn_STORE *in) {
  uint32_t w = r->s->w, off = in->byte_off / w;
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  a.base += off;
  touch_window(r, a, in->rows, in->pixels, (in->byte_off + in->pix_bytes + w - 1) / w - off, NULL,
               NULL, false);
  for (uint32_t y = 0; y < in->rows; y++)
    for (uint32_t x = 0; x < in->pixels; x++) {
      size_t at = r->s->base[in->region] + in->offset + (size_t)y * in->d_row_stride +
                  (size_t)x * in->d_pix_stride;
      for (size_t i = at; i < at + in->pix_bytes; i++) {
        if (!ordered(r, WEFT_UNIT_LOAD, r->loaded[i]))
          report(r, WEFT_ERROR_RACE, "STORE, not ordered after the LOAD,", "DRAM byte", i);
        r->stored[i] = r->seq[r->unit];
      }
    }
}

static void read_table(races *r, uint32_t enabled, uint32_t slot) {
  if (enabled) touch(r, WEFT_MEM_LUT, slot, 1, false);
}

static void on_gemm(races *r, const weft_insn_GEMM *in) {
  const weft_sim *s = r->s;
  uint32_t w = s->w, c = s->cfg.cols, rr = s->cfg.rows;
  size_t pixels = (size_t)in->out_h * in->out_w;
  SWEEP(r, in, in->dil_y, in->dil_x, ((in->a_block + in->k_blocks) * rr + w - 1) / w);
  touch(r, WEFT_MEM_WEIGHT, in->w_base, (size_t)in->kh * in->kw * in->k_blocks * in->n_blocks * rr,
        false);
  if (in->acc_in || in->acc_out)
    for (size_t i = in->acc_base; i < in->acc_base + pixels * in->n_blocks; i++) {
      if (in->acc_in && !r->acc[i].writer_seq)
        report(r, WEFT_ERROR_UNINIT, "adds to", "accumulator", i);
      r->acc[i].writer_seq = in->acc_out; /* sums that went out are gone */
    }
  else if ((size_t)in->kh * in->kw * in->k_blocks > 1) /* working rows: what they held is gone */
    for (size_t i = in->acc_base; i < in->acc_base + pixels; i++) r->acc[i].writer_seq = 0;
  if (in->acc_out) return;
  touch(r, WEFT_MEM_PARAM, in->p_base, in->n_blocks, false);
  read_table(r, in->lut_en, in->lut_slot);
  touch_window(r, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w,
               ((in->o_block + in->n_blocks) * c + w - 1) / w, NULL, NULL, true);
}

static void on_dw(races *r, const weft_insn_DW *in) {
  SWEEP(r, in, 1, 1, in->c_words);
  touch(r, WEFT_MEM_DWBUF, in->p_base, (size_t)in->c_words * (WEFT_PARAM_BYTES + in->kh * in->kw),
        false);
  read_table(r, in->lut_en, in->lut_slot);
  touch_window(r, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words, NULL, NULL, true);
}

static bool same_operand(weft_operand a, weft_operand b) {
  return a.base == b.base && a.row_stride == b.row_stride && a.pix_stride == b.pix_stride &&
         a.ring_rows == b.ring_rows && a.ring_start == b.ring_start;
}

static void on_vew(races *r, const weft_insn_VEW *in) {
  const weft_operand a = WEFT_OPERAND_OF(*in, a), b = WEFT_OPERAND_OF(*in, b),
                     o = WEFT_OPERAND_OF(*in, o);
  const bool unwrapped = in->out_h <= in->o_ring_rows; /* no row is written, then read */
  r->in_place = unwrapped && same_operand(a, o);
  touch_window(r, a, in->out_h, in->out_w, in->c_words, NULL, NULL, false);
  r->in_place = unwrapped && same_operand(b, o);
  if (in->op != WEFT_VEW_REQUANT && in->op != WEFT_VEW_COPY)
    touch_window(r, b, in->out_h, in->out_w, in->c_words, NULL, NULL, false);
  r->in_place = false;
  read_table(r, in->lut_en, in->lut_slot);
  touch_window(r, o, in->out_h, in->out_w, in->c_words, NULL, NULL, true);
}

static void on_vpool(races *r, const weft_insn_VPOOL *in) {
  SWEEP(r, in, 1, 1, in->c_words);
  read_table(r, in->lut_en, in->lut_slot);
  touch_window(r, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, in->c_words, NULL, NULL, true);
}

static void on_vrow(races *r, const weft_insn_VROW *in) {
  uint32_t words = (in->channels + r->s->w - 1) / r->s->w;
  touch_window(r, WEFT_OPERAND_OF(*in, a), in->out_h, in->out_w, words, NULL, NULL, false);
  touch(r, WEFT_MEM_EXP, in->exp_slot, 1, false);
  read_table(r, in->lut_en, in->lut_slot);
  touch_window(r, WEFT_OPERAND_OF(*in, o), in->out_h, in->out_w, words, NULL, NULL, true);
}

static void join(clock_vec *a, const clock_vec *b) {
  for (int v = 0; v < WEFT_UNITS; v++)
    if (b->at[v] > a->at[v]) a->at[v] = b->at[v];
}

static void take(races *r, const weft_insn *in) {
  for (int p = 0; p < WEFT_UNITS; p++) {
    if (!(in->wait >> p & 1)) continue;
    clock_fifo *f = &r->token[p][r->unit];
    if (!f->count) {
      report(r, WEFT_ERROR_RACE, "takes a token that is posted later in program order, from",
             weft_unit_name(p), 0);
      return;
    }
    join(&r->now[r->unit], &f->v[f->head++]);
    f->count--;
  }
}

static void give(races *r, const weft_insn *in) {
  clock_vec done = r->now[r->unit];
  done.at[r->unit] = r->seq[r->unit];
  for (int v = 0; v < WEFT_UNITS; v++) {
    if (!(in->post >> v & 1)) continue;
    clock_fifo *f = &r->token[r->unit][v];
    if (f->head + f->count == f->size) {
      f->size = f->size ? 2 * f->size : 256;
      if (!(f->v = realloc(f->v, f->size * sizeof *f->v))) abort();
    }
    f->v[f->head + f->count++] = done;
  }
}

static void fence(races *r) {
  for (int u = 0; u < WEFT_UNITS; u++) memcpy(r->now[u].at, r->seq, sizeof r->seq);
}

static void visit(races *r, const weft_insn *in) {
  r->unit = weft_insn_unit(in->opcode);
  if (r->unit == WEFT_UNIT_FETCH) {
    fence(r);
    return;
  }
  r->seq[r->unit]++;
  r->in_place = false;
  take(r, in);
  if (r->cause) return;
  switch (in->opcode) {
  case WEFT_OP_CODE_LOAD: on_load(r, &in->LOAD); break;
  case WEFT_OP_CODE_STORE: on_store(r, &in->STORE); break;
  case WEFT_OP_CODE_GEMM: on_gemm(r, &in->GEMM); break;
  case WEFT_OP_CODE_DW: on_dw(r, &in->DW); break;
  case WEFT_OP_CODE_VEW: on_vew(r, &in->VEW); break;
  case WEFT_OP_CODE_VPOOL: on_vpool(r, &in->VPOOL); break;
  case WEFT_OP_CODE_VROW: on_vrow(r, &in->VROW); break;
  default: break;
  }
  give(r, in);
}

static void *zeros(size_t n, size_t each) {
  void *p = calloc(n ? n : 1, each);
  if (!p) abort();
  return p;
}

unsigned weft_check_races(weft_sim *s, size_t *insn, weft_err *err) {
  races *r = zeros(1, sizeof *r);
  size_t c = s->cfg.cols;
  const size_t words[6] = {s->size[WEFT_MEM_SPAD] / s->w,
                           s->size[WEFT_MEM_WEIGHT] / c,
                           weft_param_blocks(&s->cfg),
                           s->size[WEFT_MEM_DWBUF] / s->w,
                           s->cfg.lut_slots,
                           s->cfg.exp_slots};
  r->s = s;
  r->err = err;
  for (int m = 0; m < 6; m++) r->mem[m] = zeros(words[m], sizeof(shadow));
  r->acc = zeros(s->acc_rows, sizeof(shadow));
  r->stored = zeros(s->dram_bytes, sizeof *r->stored);
  r->loaded = zeros(s->dram_bytes, sizeof *r->loaded);
  r->read_port = zeros(s->cfg.scratchpad_banks, sizeof(port));
  r->write_port = zeros(s->cfg.scratchpad_banks, sizeof(port));
  for (size_t i = 0; i < s->n_insn && !r->cause; i++) {
    visit(r, &s->insn[i]);
    *insn = i;
  }
  unsigned cause = r->cause;
  for (int m = 0; m < 6; m++) free(r->mem[m]);
  for (int p = 0; p < WEFT_UNITS; p++)
    for (int u = 0; u < WEFT_UNITS; u++) free(r->token[p][u].v);
  free(r->acc);
  free(r->stored);
  free(r->loaded);
  free(r->read_port);
  free(r->write_port);
  free(r);
  return cause;
}
