/* Inside the C model: the state of one device. */
#ifndef WEFT_SIM_STATE_H
#define WEFT_SIM_STATE_H

#include "sim.h"

/* One channel's output-stage parameters, as they lie in the parameter memories (12 bytes). */
typedef struct {
  int32_t bias, mult;
  int8_t shift;
} weft_param;

struct weft_sim {
  weft_config cfg;
  weft_sim_options opt;
  uint32_t w;     /* word bytes W */
  size_t size[8]; /* bytes per WEFT_MEM_* */
  uint8_t *mem[8];
  int32_t *acc;
  uint32_t acc_rows;
  uint8_t *dram;
  size_t dram_bytes;
  /* registers */
  uint32_t control, status, program_offset, program_count, watchdog;
  uint32_t error_cause, error_insn;
  uint64_t error_addr;
  uint64_t base[WEFT_REGIONS], limit[WEFT_REGIONS];
  bool doorbell;
  /* the program being run */
  weft_insn *insn;
  size_t n_insn;
  /* results of a run */
  uint64_t cycles, read_bytes, write_bytes;
  weft_unit_counters counter[WEFT_UNITS + 1];
  weft_insn_time *times;
  uint64_t *progress;
  size_t n_times;
  char error_text[512];
  weft_sim_hook hook;
  void *hook_user;
  /* scratch of the functions, grown on demand and kept */
  void *scratch[4];
  size_t scratch_bytes[4];
};

/* Scratch buffer `i` of at least n bytes, 64-byte aligned; aborts only when memory is exhausted. */
void *weft_scratch(weft_sim *s, int i, size_t n);

/* Word index of (row, pixel 0) of an operand. */
static inline uint32_t weft_row_word(const weft_operand *o, uint32_t row) {
  return o->base + (o->ring_start + row) % o->ring_rows * o->row_stride;
}

/* Each checks an instruction against this configuration and its memories before anything of it is
 * executed; on failure returns a WEFT_ERROR_* and says what in `err`. */
unsigned weft_validate(weft_sim *s, const weft_insn *insn, weft_err *err);

/* Function of each instruction; the instruction is valid. */
void weft_exec_load(weft_sim *s, const weft_insn_LOAD *in);
void weft_exec_store(weft_sim *s, const weft_insn_STORE *in);
void weft_exec_gemm(weft_sim *s, const weft_insn_GEMM *in);
void weft_exec_dw(weft_sim *s, const weft_insn_DW *in);
void weft_exec_vew(weft_sim *s, const weft_insn_VEW *in);
void weft_exec_vpool(weft_sim *s, const weft_insn_VPOOL *in);
void weft_exec_vrow(weft_sim *s, const weft_insn_VROW *in);

/* Happens-before check of the whole program; 0 or a WEFT_ERROR_*, with the instruction. */
unsigned weft_check_races(weft_sim *s, size_t *insn, weft_err *err);
/* Times of the whole program: cycles, counters, progress, times. Stops with WEFT_ERROR_WATCHDOG or
 * WEFT_ERROR_TOKEN. */
unsigned weft_time_program(weft_sim *s, size_t n, size_t *insn, weft_err *err);

#endif
