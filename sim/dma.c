/* Burst and word sequences of LOAD and STORE. */
#include "dma.h"

/* Valid bytes of row-relative range [from, from + n), lead already taken off. */
static uint64_t clip(int64_t from, int64_t n, int64_t valid, int64_t *start) {
  int64_t lo = from < 0 ? 0 : from, hi = from + n;
  if (hi > valid) hi = valid;
  *start = lo;
  return hi > lo ? (uint64_t)(hi - lo) : 0;
}

static bool by_pixel(const weft_insn_LOAD *in) {
  return in->d_pix_stride > in->pix_bytes;
}

/* The run of (row, pixel): the whole row's when the source has no gaps. */
static uint64_t run_of(const weft_insn_LOAD *in, uint32_t pixel, int64_t *start) {
  int64_t from = (int64_t)pixel * in->d_pix_stride - in->lead;
  int64_t n = by_pixel(in) ? (int64_t)in->pix_bytes
                           : (int64_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes;
  return clip(from, n, in->row_bytes, start);
}

void weft_load_bursts_begin(weft_load_bursts *it, const weft_sim *s, const weft_insn_LOAD *in) {
  *it = (weft_load_bursts){.in = in, .base = s->base[in->region] + in->offset};
}

/* Appends following runs while they continue the current one without a gap. */
static void extend(weft_load_bursts *it) {
  const weft_insn_LOAD *in = it->in;
  while (it->row < in->rows) {
    int64_t start;
    uint64_t n = run_of(in, it->pixel, &start);
    uint64_t addr = it->base + (uint64_t)it->row * in->d_row_stride + (uint64_t)start;
    if (n && it->left && addr != it->addr + it->left) return;
    if (n && !it->left) it->addr = addr;
    it->left += n;
    if (by_pixel(in) && ++it->pixel < in->pixels) {
      if (it->left >= 2 * WEFT_BURST_BYTES) return; /* enough to cut the next burst */
      continue;
    }
    it->pixel = 0;
    it->row++;
    if (it->left >= 2 * WEFT_BURST_BYTES) return;
  }
}

bool weft_load_bursts_next(weft_load_bursts *it, weft_burst *out) {
  extend(it);
  if (!it->left) return false;
  uint64_t room = WEFT_BURST_BYTES - it->addr % WEFT_BURST_BYTES;
  uint32_t n = (uint32_t)(it->left < room ? it->left : room);
  *out = (weft_burst){it->addr, n};
  it->addr += n;
  it->left -= n;
  return true;
}

static uint32_t memory_word(const weft_sim *s, unsigned dst) {
  switch (dst) {
  case WEFT_MEM_WEIGHT: return s->cfg.cols;
  case WEFT_MEM_PARAM: return WEFT_PARAM_BYTES;
  default: return s->w;
  }
}

/* Memory words that a pixel's bytes touch. */
static uint32_t pixel_words(const weft_insn_LOAD *in, uint32_t unit) {
  return (uint32_t)(((uint64_t)in->byte_off + in->pix_bytes + unit - 1) / unit -
                    in->byte_off / unit);
}

void weft_load_words_begin(weft_load_words *it, const weft_sim *s, const weft_insn_LOAD *in) {
  uint32_t unit = memory_word(s, in->dst);
  *it = (weft_load_words){.in = in, .unit = unit, .words = pixel_words(in, unit)};
}

bool weft_load_words_next(weft_load_words *it, uint64_t *need) {
  const weft_insn_LOAD *in = it->in;
  if (it->row == in->rows) return false;
  /* the word ends after byte `end` of the pixel's window */
  uint64_t end = (uint64_t)(it->word + 1 + in->byte_off / it->unit) * it->unit - in->byte_off;
  if (end > in->pix_bytes) end = in->pix_bytes;
  int64_t from = (int64_t)it->pixel * in->d_pix_stride - in->lead, start;
  uint64_t got = clip(from, (int64_t)end, in->row_bytes, &start);
  if (got) {
    uint64_t upto = it->row_start + got;
    if (!by_pixel(in)) { /* the stream is the row's run: count from its first byte */
      int64_t first;
      run_of(in, 0, &first);
      upto = it->row_start + (uint64_t)(start - first) + got;
    }
    if (upto > it->need) it->need = upto;
  }
  *need = it->need;
  if (++it->word < it->words) return true;
  it->word = 0;
  int64_t s0;
  if (by_pixel(in)) it->row_start += run_of(in, it->pixel, &s0);
  if (++it->pixel == in->pixels) {
    it->pixel = 0;
    if (!by_pixel(in)) it->row_start += run_of(in, 0, &s0);
    it->row++;
  }
  return true;
}

void weft_store_words_begin(weft_store_words *it, const weft_sim *s, const weft_insn_STORE *in) {
  *it = (weft_store_words){.in = in, .base = s->base[in->region] + in->offset, .w = s->w};
}

bool weft_store_words_next(weft_store_words *it, uint64_t *addr, uint32_t *bytes) {
  const weft_insn_STORE *in = it->in;
  if (it->row == in->rows) return false;
  uint32_t room = it->w - (in->byte_off + it->byte) % it->w;
  uint32_t left = in->pix_bytes - it->byte;
  *bytes = left < room ? left : room;
  *addr = it->base + (uint64_t)it->row * in->d_row_stride + (uint64_t)it->pixel * in->d_pix_stride +
          it->byte;
  it->byte += *bytes;
  if (it->byte == in->pix_bytes) {
    it->byte = 0;
    if (++it->pixel == in->pixels) {
      it->pixel = 0;
      it->row++;
    }
  }
  return true;
}
