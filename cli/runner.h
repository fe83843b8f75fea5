/* One network on one back end, ready to run: writes inputs, submits the device's segments, runs the
 * host's operators between them, reads outputs, and collects what happened in a weft_run_result.
 *
 *   weft_runner *r;
 *   weft_runner_new(graph, program, &options, &r, &err);
 *   weft_runner_run(r, inputs, &err);
 *   ... weft_runner_result(r) ...
 *   weft_runner_free(r);
 *
 * A runner can run again and again; the program is loaded once. */
#ifndef WEFT_RUNNER_H
#define WEFT_RUNNER_H

#include "driver.h"
#include "program.h"
#include "result.h"

typedef enum {
  WEFT_BACKEND_REF, /* reference kernels on the host; no program needed */
  WEFT_BACKEND_SIM, /* the C model */
  WEFT_BACKEND_RTL, /* the Verilated RTL */
} weft_backend;

/* "ref", "sim", "rtl"; anything else fails with the accepted names. */
weft_status weft_backend_parse(const char *name, weft_backend *out, weft_err *err);

typedef struct {
  weft_backend backend;
  bool check;                    /* compare every result with the reference executor (check.h) */
  bool timing_only;              /* cycles without values: no outputs */
  bool no_timing;                /* values without cycles */
  bool races;                    /* the model's race detector */
  bool portable;                 /* the model without vector instructions of the host */
  bool slices;                   /* keep start and end of every instruction */
  weft_device_observer observer; /* called after every instruction of the program (its index in */
  void *observer_user;           /* it); not together with `check` */
  const char *waves;             /* RTL: FST file of the cycles [from, to), or NULL */
  uint64_t waves_from, waves_to;
} weft_runner_options;

typedef struct weft_runner weft_runner;

/* Opens the device and loads the program. Graph and program must outlive the runner; program may be
 * NULL for WEFT_BACKEND_REF. */
weft_status weft_runner_new(const weft_graph *graph, const weft_program *program,
                            const weft_runner_options *options, weft_runner **out, weft_err *err);
void weft_runner_free(weft_runner *r);

/* One inference: input[i] are the dense bytes of graph input i. A mismatch found by the check is
 * no error here; see result->check. */
weft_status weft_runner_run(weft_runner *r, void *const *input, weft_err *err);

/* What the last run produced; everything in it lives until the next run. model, compile_seconds,
 * seed and labels are the caller's to fill in. */
weft_run_result *weft_runner_result(weft_runner *r);
/* The device, for fault injection in tests; NULL for WEFT_BACKEND_REF. */
weft_device *weft_runner_device(weft_runner *r);
/* Where the program's regions lie in it. */
weft_loaded weft_runner_image(const weft_runner *r);

/* Network MACs of a node: products of weights and activations, padding included. */
uint64_t weft_node_macs(const weft_graph *g, int node);

#endif
