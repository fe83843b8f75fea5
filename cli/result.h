/* What a run produced: the one structure that the table, the JSON, the trace and the HTML report
 * are made from. */
#ifndef WEFT_RESULT_H
#define WEFT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "tensor.h"

typedef struct {
  const char *name, *op, *unit; /* unit: "GEMM", "DW", "VEC", "STORE" (copies), "host" */
  const char *bound_by;         /* "array", "depthwise", "vector", "dram", "latency" */
  uint64_t macs, cycles, bound, dram_bytes;
  /* Network MACs / (rows * cols * t). Layers of a group run side by side, and each cycle belongs to
   * the oldest instruction only, so a layer may have fewer cycles than its work takes by itself:
   * t is the larger of its cycles and its bound. */
  double utilization;
} weft_layer_result;

typedef struct {
  const char *name;
  uint64_t busy, idle, stall_operand, stall_dram, stall_queue;
} weft_unit_result;

/* One instruction on the time axis: cycles since the run began, segments laid end to end. */
typedef struct {
  uint32_t index; /* in the program */
  int unit;       /* WEFT_UNIT_* */
  int layer;
  uint64_t start, busy, end;
} weft_slice;

typedef struct {
  char *name;
  int rank;
  int32_t shape[WEFT_MAX_RANK];
  weft_dtype dtype;
  const weft_tensor *tensor; /* data and quantization */
  int n_top;                 /* up to 5 highest codes, for outputs that are vectors of scores */
  struct {
    int index;
    double value;      /* dequantized */
    const char *label; /* or NULL */
  } top[5];
} weft_output_result;

typedef struct {
  const char *model, *preset, *backend;
  uint64_t seed; /* of a random input */
  weft_config config;
  bool timed, checked;
  uint64_t cycles, lower_bound_cycles, macs, array_macs;
  double mac_utilization, array_utilization, peak_utilization;
  uint64_t dram_read_bytes, dram_write_bytes;
  double compile_seconds, wall_seconds;
  struct {
    uint64_t elements, mismatches;
    int max_abs_diff;
    char first[256]; /* the first mismatch in words, or "" */
  } check;
  int n_outputs, n_layers, n_units, n_host;
  weft_output_result *output;
  weft_layer_result *layer;
  weft_unit_result *unit;
  struct {
    const char *name, *op, *why;
  } * host;
  size_t n_slices;
  weft_slice *slice;
  size_t n_instructions;
} weft_run_result;

#endif
