/* The C model: one device of one configuration behind its registers.
 *
 * Reentrant: all state is in the handle; simulators of different configurations live side by side.
 * The host writes the device's DRAM, sets the registers (arch/regs.def) and rings the doorbell;
 * weft_sim_step() then executes the program: function instruction by instruction (exec_*.c), time
 * by the formulas of docs/microarchitecture.md (timing.c). */
#ifndef WEFT_SIM_H
#define WEFT_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "err.h"
#include "isa.h"
#include "regs.h"

typedef struct weft_sim weft_sim;

/* What a doorbell sets off besides the program itself. */
typedef struct {
  bool no_function; /* time only: memories keep their contents */
  bool no_timing;   /* function only: cycle counters stay 0 */
  bool check_races; /* prove by happens-before that no two units race (WEFT_ERROR_RACE) and that
                       nothing is read before it is written (WEFT_ERROR_UNINIT) */
  bool record;      /* keep start and end of every instruction (weft_sim_times) */
  bool portable;    /* plain C instead of AVX; same results */
} weft_sim_options;

/* Times of one instruction, in cycles after the doorbell. */
typedef struct {
  uint64_t arrive; /* in the unit's queue */
  uint64_t start;  /* semaphores taken */
  uint64_t busy;   /* the unit works on it alone from here (previous one has left the stage) */
  uint64_t end;    /* last result written; tokens are posted */
} weft_insn_time;

/* Counters of one unit; busy + idle + the stalls are the run's cycles. */
typedef struct {
  uint64_t busy, idle, stall_operand, stall_dram, stall_queue;
} weft_unit_counters;

/* Creates a device with `dram_bytes` of memory; every memory is filled with a poison pattern. */
weft_sim *weft_sim_new(const weft_config *config, size_t dram_bytes, weft_err *err);
void weft_sim_free(weft_sim *sim);
void weft_sim_set_options(weft_sim *sim, const weft_sim_options *options);

/* The device's DRAM, for the host to read and write while no program runs. */
uint8_t *weft_sim_dram(weft_sim *sim, size_t *bytes);
/* Register access as over AXI4-Lite; unmapped offsets read 0 and ignore writes. */
uint32_t weft_sim_read_reg(weft_sim *sim, uint32_t offset);
void weft_sim_write_reg(weft_sim *sim, uint32_t offset, uint32_t value);
/* Runs what the doorbell started, until the interrupt. Returns true if something ran. */
bool weft_sim_step(weft_sim *sim);
/* The text of the last error that STATUS reports (which instruction, what was found). */
const char *weft_sim_error(const weft_sim *sim);

/* With options.record: times per instruction in program order, until the next doorbell. */
const weft_insn_time *weft_sim_times(const weft_sim *sim, size_t *count);
/* Counters of unit u (WEFT_UNIT_*, FETCH included) of the last run. */
weft_unit_counters weft_sim_counters(const weft_sim *sim, int unit);
/* Cycles of program order: after instruction i and all before it are complete, i.e. the share of
 * instruction i in the total is the difference to i - 1. NULL without timing. */
const uint64_t *weft_sim_progress(const weft_sim *sim, size_t *count);

/* On-chip memories by WEFT_MEM_*, for tests that inspect or corrupt them. */
uint8_t *weft_sim_memory(weft_sim *sim, int mem, size_t *bytes);
/* Calls `hook` around each instruction's function, with phase WEFT_HOOK_BEFORE and
 * WEFT_HOOK_AFTER (checks, fault injection); NULL removes it. Instruction indices count from the
 * doorbell's PROGRAM_OFFSET. */
enum { WEFT_HOOK_BEFORE, WEFT_HOOK_AFTER };
typedef void (*weft_sim_hook)(void *user, weft_sim *sim, size_t index, int phase);
void weft_sim_set_hook(weft_sim *sim, weft_sim_hook hook, void *user);

#endif
