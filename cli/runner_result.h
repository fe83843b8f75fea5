/* How a runner turns counters and times into a weft_run_result; for the runner_*.c files only. */
#ifndef WEFT_RUNNER_RESULT_H
#define WEFT_RUNNER_RESULT_H

#include "driver.h"
#include "program.h"
#include "result.h"

/* Sums over the segments of a run. Line n_layers is what belongs to no layer. */
typedef struct {
  const weft_program *program;
  weft_device_counters total;
  uint64_t *cycles, *dram; /* per layer, and one more */
  weft_slice *slice;
  size_t n_slices;
  bool timed, slices;
} weft_tally;

weft_status weft_tally_begin(weft_tally *t, const weft_program *p, bool timed, bool slices,
                             weft_err *err);
/* Adds the segment that the device has just run. */
weft_status weft_tally_add(weft_tally *t, weft_device *dev, const weft_step *step, weft_err *err);
void weft_tally_end(weft_tally *t);

/* DRAM bytes that an instruction asks for: every valid byte of LOAD and STORE once (of overlapping
 * windows, too); other instructions none. Alignment to the bus is not in it. */
uint64_t weft_insn_dram_bytes(const weft_insn *insn);

/* Fills in everything but outputs and check. Layers and units are allocated; freed by
 * weft_result_clear(). `program` may be NULL (reference kernels only). */
weft_status weft_result_fill(weft_run_result *r, const weft_graph *g, const weft_program *p,
                             const weft_tally *t, weft_err *err);
/* Describes one graph output whose data are in `t`; shape and score list. */
void weft_result_output(weft_output_result *o, const weft_tensor *t);
void weft_result_clear(weft_run_result *r);

#endif
