/* Model and RTL on the same program: memory bit for bit, every instruction's start and end.
 *
 * The model runs first and the result of every instruction is kept; while the RTL runs, each result
 * is compared as soon as its instruction says that it is written. So a difference is found at the
 * instruction that made it, in the scratchpad as well as in DRAM. */
#ifndef WEFT_COSIM_H
#define WEFT_COSIM_H

#include "options.h"
#include "runner.h"

typedef struct {
  uint64_t sim_cycles, rtl_cycles;
  double sim_seconds, rtl_seconds;
  size_t instructions;
  uint64_t compared_bytes;    /* of results, and of DRAM at the end */
  uint64_t memory_mismatches; /* bytes */
  uint64_t max_instruction_delta;
  bool counters_differ;    /* unit counters or DRAM bytes */
  char first_memory[1024]; /* the first instruction whose result differs, or "" */
  char first_time[1024];   /* the first instruction with other times, or "" */
} weft_cosim_result;

/* Runs both. Fails when one of them cannot run; differences are no failure. */
weft_status weft_cosim(const weft_graph *graph, const weft_program *program, void *const *input,
                       const weft_waves *waves, weft_cosim_result *out, weft_err *err);
/* Whether anything differs. */
bool weft_cosim_differs(const weft_cosim_result *r);

#endif
