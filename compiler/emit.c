/* The instruction list, the constants, and rings of on-chip memory. */
#include <stdlib.h>
#include <string.h>

#include "lower.h"

emitted *emit(lowering *l, weft_insn_code opcode) {
  if (l->n_insns == l->size_insns) {
    l->size_insns = l->size_insns ? 2 * l->size_insns : 1024;
    l->insn = realloc(l->insn, l->size_insns * sizeof *l->insn);
    if (!l->insn) abort();
  }
  emitted *e = &l->insn[l->n_insns++];
  memset(e, 0, sizeof *e);
  e->insn.opcode = opcode;
  e->result.tensor = -1;
  e->layer = l->layer;
  return e;
}

void emit_access(emitted *e, space where, bool write, uint64_t first, uint64_t count) {
  if (e->n_access == MAX_ACCESS) abort();
  e->access[e->n_access++] = (access){where, write, first, count};
}

uint64_t emit_constants(lowering *l, const void *bytes, size_t n) {
  weft_program *p = l->prog;
  size_t at = (p->constant_bytes + 63) & ~(size_t)63;
  if (at + n > l->size_constants) {
    l->size_constants = 2 * (at + n) + 4096;
    p->constants = realloc(p->constants, l->size_constants);
    if (!p->constants) abort();
  }
  memset(p->constants + p->constant_bytes, 0, at - p->constant_bytes);
  memcpy(p->constants + at, bytes, n);
  p->constant_bytes = at + n;
  return at;
}

uint32_t ring_take(ring *r, uint32_t n) {
  if (n > r->size) abort();
  if (r->next + n > r->size) r->next = 0;
  uint32_t at = r->base + r->next;
  r->next += n;
  return at;
}

void emit_flat_load(lowering *l, unsigned mem, space where, uint32_t first, uint32_t count,
                    uint64_t offset, size_t bytes) {
  emitted *e = emit(l, WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &e->insn.LOAD;
  in->dst = mem;
  in->region = 1;
  in->offset = (uint32_t)offset;
  in->rows = in->pixels = 1;
  in->pix_bytes = in->row_bytes = (uint32_t)bytes;
  in->o_base = first;
  in->o_ring_rows = 1;
  emit_access(e, where, true, first, count);
  l->dram_bytes += bytes;
}
