/* Occupancy of GEMM, DW and VEC instructions: closed formulas, as written in
 * docs/microarchitecture.md. Times are cycles relative to the moments that timing.c keeps. */
#ifndef WEFT_SIM_FORMULAS_H
#define WEFT_SIM_FORMULAS_H

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

#endif
