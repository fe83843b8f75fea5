/* LOAD: DRAM bytes, window by window, into the scratchpad (channel padding added), or one flat run
 * into one of the other memories. Field semantics: arch/isa.def. */
#include <string.h>

#include "state.h"

/* Bytes of one unit of o_base in each memory. */
static size_t base_unit(const weft_sim *s, unsigned dst) {
  switch (dst) {
  case WEFT_MEM_WEIGHT: return s->cfg.cols;
  case WEFT_MEM_PARAM: return (size_t)s->cfg.cols * WEFT_PARAM_BYTES;
  case WEFT_MEM_LUT: return WEFT_LUT_BYTES;
  case WEFT_MEM_EXP: return WEFT_EXP_BYTES;
  default: return s->w;
  }
}

void weft_exec_load(weft_sim *s, const weft_insn_LOAD *in) {
  const uint8_t *src = s->dram + s->base[in->region] + in->offset;
  uint8_t flip = in->flip ? 0x80 : 0, pad = (uint8_t)in->pad_value;
  weft_operand o = WEFT_OPERAND_OF(*in, o);
  for (uint32_t y = 0; y < in->rows; y++) {
    const uint8_t *row = src + (size_t)y * in->d_row_stride;
    uint8_t *line = in->dst == WEFT_MEM_SPAD
                        ? s->mem[WEFT_MEM_SPAD] + (size_t)weft_row_word(&o, y) * s->w
                        : s->mem[in->dst] + (size_t)o.base * base_unit(s, in->dst);
    for (uint32_t x = 0; x < in->pixels; x++) {
      uint8_t *dst = line + (size_t)x * o.pix_stride * s->w + in->byte_off;
      int64_t first = (int64_t)x * in->d_pix_stride - in->lead; /* in the row's valid bytes */
      int64_t lo = first < 0 ? -first : 0, hi = (int64_t)in->row_bytes - first;
      if (hi > (int64_t)in->pix_bytes) hi = in->pix_bytes;
      if (lo > (int64_t)in->pix_bytes) lo = in->pix_bytes;
      if (hi < lo) hi = lo;
      if (lo) memset(dst, pad, (size_t)lo);
      if (hi > lo) {
        memcpy(dst + lo, row + first + lo, (size_t)(hi - lo));
        if (flip)
          for (int64_t i = lo; i < hi; i++) dst[i] ^= flip;
      }
      size_t end = in->pix_bytes;
      if (in->fill) end += (s->w - (in->byte_off + end) % s->w) % s->w;
      if (end > (size_t)hi) memset(dst + hi, pad, end - (size_t)hi);
    }
  }
}
