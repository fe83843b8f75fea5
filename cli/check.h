/* The cross-check: what the device computes, instruction by instruction, against the reference
 * executor, bit for bit.
 *
 * weft_program.result says of which tensor every instruction produced which part. After each one
 * the checker looks that part up in the device's scratchpad (STORE: in its DRAM) and compares.
 * Elements are counted once, however often they are compared; an element that differed once counts
 * as a mismatch. Elements of an operator's output that nothing ever compared are mismatches too:
 * the check cannot pass by not looking. Left out are only outputs that never exist:
 *   views       RESHAPE and the like, and QUANTIZE between uint8 and int8 of equal meaning, which
 *               show their source's bytes; they are compared wherever the source is
 *   folded pads PAD in front of a convolution that has no memory and no instruction of its own
 *   constants   operators all of whose inputs are constants and whose output has no memory */
#ifndef WEFT_CHECK_H
#define WEFT_CHECK_H

#include "driver.h"
#include "program.h"
#include "result.h"

typedef struct weft_checker weft_checker;

/* Runs the reference on the inputs (one pointer per graph input). Graph and program must outlive
 * the checker. */
weft_status weft_checker_new(const weft_graph *graph, const weft_program *program,
                             void *const *input, weft_checker **out, weft_err *err);
void weft_checker_free(weft_checker *c);

/* Watches a simulated device (weft_device_observe) from now on, until weft_checker_free(). */
void weft_checker_watch(weft_checker *c, weft_device *dev, const weft_loaded *image);
/* The next submit runs the instructions from `first` on. */
void weft_checker_segment(weft_checker *c, uint32_t first);
/* Compares a whole dense tensor: an input, what the host computed, what was read back. `when` says
 * in a message where it was found. */
void weft_checker_tensor(weft_checker *c, int tensor, const void *data, const char *when);
/* Looks for elements that nothing compared; fills in result->check. */
void weft_checker_finish(weft_checker *c, weft_run_result *result);

/* A tensor of the reference, with data. */
const weft_tensor *weft_checker_reference(const weft_checker *c, int tensor);

#endif
