/* A bench for faults: one compiled network on the C model, run clean once and then again and again
 * with one bit of something wrong.
 *
 * The clean run leaves a log of what every instruction changed in scratchpad and DRAM. A faulty run
 * is watched by the product's check and, apart from it, compared with the log: `visible` says that
 * something which an instruction is there to produce was different, so the check must have told.
 * Meanwhile fault_flow.c follows the flipped byte: who read it before it was overwritten, and
 * whether it met anything but padding there. */
#ifndef WEFT_TEST_FAULT_BENCH_H
#define WEFT_TEST_FAULT_BENCH_H

#include <stdbool.h>

#include "check.h"
#include "driver.h"
#include "isa.h"
#include "program.h"
#include "sim.h"

typedef struct {
  uint64_t at; /* scratchpad bytes first, then DRAM */
  uint8_t value;
} fault_change;

/* Where a flipped byte is on the chip; LOAD may have made several copies. */
enum { FAULT_COPIES = 256 };
typedef struct {
  int mem; /* WEFT_MEM_*, or -1: gone */
  uint64_t at;
} fault_copy;

typedef enum { FAULT_IN_SPAD, FAULT_IN_CONSTANTS, FAULT_IN_CODE } fault_kind;
typedef struct {
  fault_kind kind;
  uint64_t at;   /* byte of the memory, of the constants, of the code */
  uint32_t insn; /* scratchpad: just before this instruction */
  uint8_t flip;
} fault;

typedef struct {
  bool stopped;  /* the device ended with an error */
  bool reported; /* the check counted mismatches */
  bool visible;  /* something produced differs from the clean run */
  bool loaded;   /* constants: some LOAD fetched the byte */
  bool read;     /* an instruction read it */
  bool met;      /* and not only as padding or against zeros */
  char text[256];
} fault_outcome;

typedef struct {
  const weft_graph *graph;
  weft_program *program;
  void **input;
  weft_insn *insn;
  weft_device *dev;
  weft_sim *sim;
  weft_loaded image;
  uint8_t *spad, *dram; /* of the device */
  size_t spad_bytes, dram_bytes;
  uint8_t *fresh; /* DRAM as it is before the doorbell */
  fault_change *change;
  size_t *first, n_change, size_change; /* changes of instruction i: first[i] to first[i + 1] */
  uint8_t *mirror;                      /* scratchpad and DRAM of the clean run so far */
  uint64_t cycles;
  /* the run at hand */
  const fault *fault;
  fault_outcome *outcome;
  weft_sim_hook checker;
  void *checker_user;
  fault_copy copy[FAULT_COPIES];
  int n_copies;
} fault_bench;

/* Compiles the graph and does the clean run; the network must be one device segment. False, with
 * the reason in err, when it cannot be used. Graph and inputs must outlive the bench. */
bool fault_bench_open(fault_bench *b, const weft_graph *g, void **input, const weft_config *config,
                      weft_err *err);
void fault_bench_close(fault_bench *b);
/* Runs once with the fault. */
void fault_run(fault_bench *b, const fault *f, fault_outcome *out);

/* fault_flow.c: what instruction `at` reads and writes of the followed bytes; called before it is
 * executed. */
void fault_follow(fault_bench *b, uint32_t at);
/* A random scratchpad byte that instruction `at` reads; false when it reads none. */
bool fault_pick_operand(const fault_bench *b, uint32_t at, uint64_t random, uint64_t *byte);

#endif
