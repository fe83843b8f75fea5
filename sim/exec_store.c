/* STORE: rows of pixels from the scratchpad to dense DRAM bytes. */
#include <string.h>

#include "state.h"

void weft_exec_store(weft_sim *s, const weft_insn_STORE *in) {
  uint8_t *dst = s->dram + s->base[in->region] + in->offset;
  weft_operand a = WEFT_OPERAND_OF(*in, a);
  for (uint32_t y = 0; y < in->rows; y++) {
    const uint8_t *line = s->mem[WEFT_MEM_SPAD] + (size_t)weft_row_word(&a, y) * s->w;
    uint8_t *row = dst + (size_t)y * in->d_row_stride;
    for (uint32_t x = 0; x < in->pixels; x++) {
      const uint8_t *p = line + (size_t)x * a.pix_stride * s->w + in->byte_off;
      uint8_t *q = row + (size_t)x * in->d_pix_stride;
      memcpy(q, p, in->pix_bytes);
      if (in->flip)
        for (uint32_t i = 0; i < in->pix_bytes; i++) q[i] ^= 0x80;
    }
  }
}
