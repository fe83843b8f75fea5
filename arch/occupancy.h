/* Occupancy of GEMM, DW and VEC instructions: closed formulas, part of the contract
 * (docs/microarchitecture.md, "Occupancy"). The C model computes its times from them, the
 * compiler's scheduler its estimates; the RTL is measured against them. */
#ifndef WEFT_OCCUPANCY_H
#define WEFT_OCCUPANCY_H

#include "config.h"
#include "isa.h"

/* How an instruction occupies its unit's two stages.
 *   prepare   start to earliest stream (decode, first tile or parameters)
 *   release   stream begin to the moment the next instruction may start
 *   stream    stream begin to stream end; the next stream begins no earlier
 *   drain     stream end to completion */
typedef struct {
  uint64_t prepare, release, stream, drain;
} weft_occupancy;

weft_occupancy weft_gemm_occupancy(const weft_config *c, const weft_insn_GEMM *in);
weft_occupancy weft_dw_occupancy(const weft_config *c, const weft_insn_DW *in);
weft_occupancy weft_vew_occupancy(const weft_config *c, const weft_insn_VEW *in);
weft_occupancy weft_vpool_occupancy(const weft_config *c, const weft_insn_VPOOL *in);
weft_occupancy weft_vrow_occupancy(const weft_config *c, const weft_insn_VROW *in);
/* By opcode; the instruction must be one of the above. */
weft_occupancy weft_insn_occupancy(const weft_config *c, const weft_insn *in);

#endif
