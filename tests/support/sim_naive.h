/* What the instructions do, written once more from docs/isa.md, byte by byte and on purpose without
 * a look at sim/: the tests compare the C model with it. */
#ifndef WEFT_TESTS_SIM_NAIVE_H
#define WEFT_TESTS_SIM_NAIVE_H

#include "sim_bench.h"

typedef struct {
  uint32_t r, c, w;
  uint8_t *dram, *mem[6];
  size_t bytes[6];
  int32_t *acc;
} naive;

/* Runs the bench's program twice from the same random memories, with and without the host's vector
 * instructions, and once on a copy by the definitions; fails unless all three agree. The error text
 * begins with `what`. */
void naive_check(bench *b, const char *what);
/* Executes an instruction on a copy. */
void naive_execute(naive *m, const weft_insn *insn);

#endif
