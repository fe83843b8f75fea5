/* Runs a network that came out of hostile bytes, within limits: what is accepted must compile or be
 * refused, run or stop with an error, and never give a wrong result. */
#ifndef WEFT_FUZZ_RUN_H
#define WEFT_FUZZ_RUN_H

#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FUZZ_BYTES = 1 << 20, FUZZ_MACS = 1 << 22, FUZZ_CYCLES = 1 << 24 };

/* Small enough to be computed in a moment. */
static inline bool fuzz_is_small(const weft_graph *g) {
  uint64_t bytes = 0, macs = 0;
  for (int t = 0; t < g->n_tensors; t++) bytes += weft_tensor_bytes(&g->tensor[t]);
  for (int i = 0; i < g->n_nodes && bytes < FUZZ_BYTES; i++) macs += weft_node_macs(g, i);
  return bytes < FUZZ_BYTES && macs < FUZZ_MACS;
}

/* `trusted`: the program was compiled here, so that mismatches and device errors are mistakes. */
static inline void fuzz_run(const weft_graph *g, const weft_program *p, bool trusted) {
  weft_err err = {""};
  weft_runner *runner = NULL;
  const weft_runner_options options = {.backend = WEFT_BACKEND_SIM, .check = true, .races = true};
  void **input = calloc((size_t)g->n_inputs + 1, sizeof *input);
  if (!input) abort();
  for (int i = 0; i < g->n_inputs; i++) {
    size_t n = weft_tensor_bytes(&g->tensor[g->input[i]]);
    if (!(input[i] = malloc(n + 1))) abort();
    for (size_t k = 0; k < n; k++) ((uint8_t *)input[i])[k] = (uint8_t)(k * 37 + 11);
  }
  if (!weft_runner_new(g, p, &options, &runner, &err)) {
    weft_device_set_timeout(weft_runner_device(runner), FUZZ_CYCLES);
    weft_status status = weft_runner_run(runner, input, &err);
    const weft_run_result *r = weft_runner_result(runner);
    if (trusted && (status == WEFT_EDEVICE || (!status && r->check.mismatches))) {
      fprintf(stderr, "%s\n", status ? err.text : r->check.first);
      abort();
    }
  }
  weft_runner_free(runner);
  for (int i = 0; i < g->n_inputs; i++) free(input[i]);
  free(input);
}

#endif
