/* A bench for the C model: a device, a program made by hand, random memories, and the invariants
 * that hold after every run. */
#ifndef WEFT_TESTS_SIM_BENCH_H
#define WEFT_TESTS_SIM_BENCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim.h"

enum {
  BENCH_INSNS = 2048,
  BENCH_CODE_BYTES = BENCH_INSNS * 64,       /* region 0 */
  BENCH_DATA = BENCH_CODE_BYTES + 4096 + 37, /* region 1: on purpose not aligned */
  BENCH_DATA_BYTES = 1 << 18,
  BENCH_DRAM_BYTES = BENCH_DATA + BENCH_DATA_BYTES + 64
};

typedef struct {
  weft_config cfg;
  weft_sim *sim;
  uint32_t w;      /* word bytes */
  uint8_t *dram;   /* of the device */
  uint8_t *mem[6]; /* of the device, by WEFT_MEM_* */
  size_t bytes[6];
  weft_insn insn[BENCH_INSNS];
  int n;
} bench;

/* A device of a preset with "key=value" overlays, space-separated ("" for none). */
bench *bench_new(const char *preset, const char *overlays);
void bench_free(bench *b);
/* Empties the program. */
void bench_clear(bench *b);
/* Appends an instruction with every field at its smallest accepted value (signed: 0). */
weft_insn *bench_add(bench *b, int opcode);
/* Appends END unless it is there, writes the program to DRAM, rings the doorbell, waits for the
 * interrupt; returns ERROR_CAUSE. After a run without error, checks what holds after every run. */
unsigned bench_run(bench *b, weft_sim_options options);
/* bench_run() that must end with `cause` and an error text which contains `what`. */
void bench_expect(bench *b, weft_sim_options options, unsigned cause, const char *what);

/* Random numbers: one sequence, seeded per case so that a failure can be repeated. */
void bench_seed(uint64_t seed);
uint64_t bench_current_seed(void);
uint32_t bench_random(void);
/* In [lo, hi]. */
int bench_range(int lo, int hi);
void bench_random_bytes(void *p, size_t n);
/* Fills DRAM's data region and all on-chip memories. */
void bench_randomize(bench *b);

/* An operand for `rows` x `pixels` of `words` words, at a random place, in a ring of its own height
 * or more (or, with `exact` false, perhaps less). */
weft_operand bench_operand(const bench *b, int rows, int pixels, int words, bool exact);

/* Prints the seed and fails. */
void bench_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
