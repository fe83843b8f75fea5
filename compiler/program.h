/* A compiled network: code and constants for the device, and everything a host needs around them.
 *
 * The device part is position-independent: region 0 holds the code, region 1 the constants, region
 * 2 the arena, where inputs, outputs and intermediate tensors lie (dense NHWC). A network runs as a
 * list of steps: device segments, and nodes that the host's reference kernels compute in between.
 */
#ifndef WEFT_PROGRAM_H
#define WEFT_PROGRAM_H

#include <stdbool.h>

#include "config.h"
#include "err.h"
#include "graph.h"
#include "isa.h"

/* One step. Device: `count` instructions from index `first`. Host: graph node `node`, its inputs
 * read from and its outputs written to the arena. */
typedef struct {
  bool host;
  uint32_t first, count;
  int node;
  const char *why; /* host: why the device does not do it (static, or in the program's strings) */
} weft_step;

/* Where a graph tensor lies in the arena (dense, NHWC) while it is alive; offset is
 * WEFT_NOWHERE for tensors that never are in DRAM as a whole. */
#define WEFT_NOWHERE UINT64_MAX
typedef struct {
  uint64_t offset, bytes;
} weft_place;

/* What an instruction's result is, for checking: rows [y, y + h), pixels [x, x + w), channels
 * [c, c + n) of image `batch` of a graph tensor seen as [batch][height][width][channels]. For
 * GEMM, DW and VEC it is what operand o holds afterwards, for STORE what DRAM holds, for LOAD (into
 * the scratchpad) nothing is recorded. `flip`: bytes hold the uint8 tensor minus 128. tensor < 0:
 * nothing to check (partial sums, pads). */
typedef struct {
  int32_t tensor;
  uint32_t batch, y, x, c, h, w, n;
  uint32_t height, width, channels; /* of the view */
  bool flip;
} weft_result;

/* A layer of the report: one graph node, or a group that the compiler fused. */
typedef struct {
  char *name;          /* the output tensor's name */
  char *op;            /* "CONV_2D", "CONV_2D+ADD", ... */
  int unit;            /* WEFT_UNIT_* that does the arithmetic; WEFT_UNIT_STORE for pure copies */
  uint64_t macs;       /* of the network, padding taps not counted as skipped */
  uint64_t array_macs; /* of those, done by the array */
  uint64_t bound;      /* lower bound in cycles: max of array, depthwise, vector and DRAM bound */
} weft_layer;

typedef struct {
  weft_config config;
  uint64_t config_hash;
  uint8_t *code;
  uint32_t n_insns;
  weft_result *result; /* per instruction */
  uint32_t *layer_of;  /* per instruction: index into layer */
  uint8_t *constants;
  size_t constant_bytes;
  size_t arena_bytes;
  int n_steps;
  weft_step *step;
  int n_layers;
  weft_layer *layer;
  int n_tensors; /* as in the graph */
  weft_place *place;
  /* bounds of the whole network, in cycles */
  uint64_t bound_array, bound_dw, bound_vec, bound_dram, bound;
  uint64_t macs, array_macs;
  double compile_seconds;
  char *strings; /* texts of a loaded program's steps; NULL when compiled here */
} weft_program;

/* How to compile; zero-initialized is the default. */
typedef struct {
  /* Cycles of a finished program, by a cycle model that the caller has (UINT64_MAX: it failed);
   * chooses among schedules. NULL: the scheduler's own estimate does. */
  uint64_t (*cycles)(void *user, const weft_program *program);
  void *user;
  bool naive;    /* ablation: layer by layer through DRAM, no groups */
  bool in_order; /* ablation: instructions in the order of the data, nothing fetched ahead */
  FILE *dump;    /* passes say what they did here; NULL: silent */
} weft_compile_options;

/* Compiles a checked graph for a configuration. The graph must outlive the program's use. */
weft_status weft_compile(const weft_graph *graph, const weft_config *config,
                         const weft_compile_options *options, weft_program **out, weft_err *err);
void weft_program_free(weft_program *p);

/* The program file: header (magic, version, configuration and its hash), sections, checksum. It
 * carries the model file's bytes too, so that host steps and checks need nothing else. */
weft_status weft_program_save(const weft_program *p, const void *model, size_t model_bytes,
                              const char *path, weft_err *err);
/* Loads a program file; *model is the model's bytes (caller frees). Everything in the file is
 * checked before use. */
weft_status weft_program_load(const char *path, weft_program **out, void **model,
                              size_t *model_bytes, weft_err *err);
/* True when the file begins like a program file. */
bool weft_program_is(const char *path);

#endif
