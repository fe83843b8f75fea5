/* The device: memories, registers, and what a doorbell sets off. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "state.h"

enum { POISON = 0xa5 };

void *weft_scratch(weft_sim *s, int i, size_t n) {
  if (s->scratch_bytes[i] < n) {
    free(s->scratch[i]);
    s->scratch_bytes[i] = (n + n / 2 + 63) & ~(size_t)63;
    s->scratch[i] = aligned_alloc(64, s->scratch_bytes[i]);
    if (!s->scratch[i]) abort();
  }
  return s->scratch[i];
}

static void poison(weft_sim *s) {
  for (int m = 0; m < 6; m++) memset(s->mem[m], POISON, s->size[m]);
  memset(s->acc, POISON, (size_t)s->acc_rows * s->cfg.cols * 4);
}

weft_sim *weft_sim_new(const weft_config *config, size_t dram_bytes, weft_err *err) {
  if (weft_config_check(config, err) != WEFT_OK) return NULL;
  weft_sim *s = calloc(1, sizeof *s);
  if (!s) goto nomem;
  s->cfg = *config;
  s->w = weft_word_bytes(config);
  s->size[WEFT_MEM_SPAD] = (size_t)config->scratchpad_kib * 1024;
  s->size[WEFT_MEM_WEIGHT] = (size_t)config->weight_kib * 1024;
  s->size[WEFT_MEM_PARAM] = (size_t)weft_param_blocks(config) * config->cols * WEFT_PARAM_BYTES;
  s->size[WEFT_MEM_DWBUF] = (size_t)config->dwbuf_kib * 1024;
  s->size[WEFT_MEM_LUT] = (size_t)config->lut_slots * WEFT_LUT_BYTES;
  s->size[WEFT_MEM_EXP] = (size_t)config->exp_slots * WEFT_EXP_BYTES;
  s->acc_rows = weft_acc_rows(config);
  /* 64 spare bytes: vector loads may run over the end */
  for (int m = 0; m < 6; m++)
    if (!(s->mem[m] = malloc(s->size[m] + 64))) goto nomem;
  if (!(s->acc = malloc((size_t)s->acc_rows * config->cols * 4))) goto nomem;
  s->dram = mmap(NULL, dram_bytes ? dram_bytes : 1, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (s->dram == MAP_FAILED) {
    s->dram = NULL;
    goto nomem;
  }
  s->dram_bytes = dram_bytes;
  memset(s->dram, POISON, dram_bytes);
  poison(s);
  return s;
nomem:
  weft_sim_free(s);
  weft_fail(err, WEFT_ENOMEM, "no memory for a device with %zu bytes of DRAM", dram_bytes);
  return NULL;
}

void weft_sim_free(weft_sim *s) {
  if (!s) return;
  for (int m = 0; m < 6; m++) free(s->mem[m]);
  for (int i = 0; i < 4; i++) free(s->scratch[i]);
  if (s->dram) munmap(s->dram, s->dram_bytes ? s->dram_bytes : 1);
  free(s->acc);
  free(s->insn);
  free(s->times);
  free(s->progress);
  free(s);
}

void weft_sim_set_options(weft_sim *s, const weft_sim_options *options) {
  s->opt = *options;
}

uint8_t *weft_sim_dram(weft_sim *s, size_t *bytes) {
  *bytes = s->dram_bytes;
  return s->dram;
}

uint8_t *weft_sim_memory(weft_sim *s, int mem, size_t *bytes) {
  *bytes = s->size[mem];
  return s->mem[mem];
}

void weft_sim_set_hook(weft_sim *s, weft_sim_hook hook, void *user) {
  s->hook = hook;
  s->hook_user = user;
}

const char *weft_sim_error(const weft_sim *s) {
  return s->error_text;
}

const weft_insn_time *weft_sim_times(const weft_sim *s, size_t *count) {
  *count = s->times ? s->n_times : 0;
  return s->times;
}

const uint64_t *weft_sim_progress(const weft_sim *s, size_t *count) {
  *count = s->progress ? s->n_times : 0;
  return s->progress;
}

weft_unit_counters weft_sim_counters(const weft_sim *s, int unit) {
  return s->counter[unit];
}

/* --- registers -------------------------------------------------------------------------------- */
static uint32_t half(uint64_t v, uint32_t offset) {
  return (uint32_t)(offset & 4 ? v >> 32 : v);
}

static uint32_t read_counter(const weft_sim *s, uint32_t at) {
  const weft_unit_counters *c = &s->counter[at / 32];
  const uint64_t v[] = {c->busy, c->stall_operand, c->stall_dram, c->stall_queue};
  return half(v[at % 32 / 8], at);
}

uint32_t weft_sim_read_reg(weft_sim *s, uint32_t off) {
  int n_keys;
  const weft_key *key = weft_config_keys(&n_keys);
  if (off >= WEFT_REG_CONFIG && off < WEFT_REG_CONFIG + 4 * (uint32_t)n_keys)
    return *(const uint32_t *)((const char *)&s->cfg + key[(off - WEFT_REG_CONFIG) / 4].offset);
  if (off >= WEFT_REG_BASE && off < WEFT_REG_BASE + 16 * WEFT_REGIONS) {
    uint32_t r = (off - WEFT_REG_BASE) / 16;
    return half(off & 8 ? s->limit[r] : s->base[r], off);
  }
  if (off >= WEFT_REG_COUNTER && off < WEFT_REG_COUNTER + 32 * (WEFT_UNITS + 1))
    return read_counter(s, off - WEFT_REG_COUNTER);
  switch (off) {
  case WEFT_REG_ID: return 0x57454654;
  case WEFT_REG_VERSION: return WEFT_ISA_VERSION;
  case WEFT_REG_CONFIG_HASH_LO:
  case WEFT_REG_CONFIG_HASH_HI: return half(weft_config_hash(&s->cfg), off - 8);
  case WEFT_REG_CONTROL: return s->control;
  case WEFT_REG_STATUS: return s->status;
  case WEFT_REG_PROGRAM_OFFSET: return s->program_offset;
  case WEFT_REG_PROGRAM_COUNT: return s->program_count;
  case WEFT_REG_WATCHDOG: return s->watchdog;
  case WEFT_REG_ERROR_CAUSE: return s->error_cause;
  case WEFT_REG_ERROR_INSN: return s->error_insn;
  case WEFT_REG_ERROR_ADDR_LO: return (uint32_t)s->error_addr;
  case WEFT_REG_ERROR_ADDR_HI: return (uint32_t)(s->error_addr >> 32);
  case WEFT_REG_CYCLES_LO: return (uint32_t)s->cycles;
  case WEFT_REG_CYCLES_HI: return (uint32_t)(s->cycles >> 32);
  case WEFT_REG_READ_BYTES_LO: return (uint32_t)s->read_bytes;
  case WEFT_REG_READ_BYTES_HI: return (uint32_t)(s->read_bytes >> 32);
  case WEFT_REG_WRITE_BYTES_LO: return (uint32_t)s->write_bytes;
  case WEFT_REG_WRITE_BYTES_HI: return (uint32_t)(s->write_bytes >> 32);
  default: return 0;
  }
}

static void set_half(uint64_t *v, uint32_t off, uint32_t value) {
  *v = off & 4 ? (*v & 0xffffffffu) | (uint64_t)value << 32 : (*v & ~0xffffffffull) | value;
}

void weft_sim_write_reg(weft_sim *s, uint32_t off, uint32_t value) {
  if (off >= WEFT_REG_BASE && off < WEFT_REG_BASE + 16 * WEFT_REGIONS) {
    uint32_t r = (off - WEFT_REG_BASE) / 16;
    set_half(off & 8 ? &s->limit[r] : &s->base[r], off, value);
    return;
  }
  switch (off) {
  case WEFT_REG_CONTROL:
    s->control = value & WEFT_CONTROL_IRQ_ENABLE;
    if (value & WEFT_CONTROL_RESET) { /* the host's memory stays, the chip's is lost */
      poison(s);
      s->status = 0;
      s->doorbell = false;
    }
    break;
  case WEFT_REG_IRQ_CLEAR:
    if (value & 1) s->status = 0;
    break;
  case WEFT_REG_PROGRAM_OFFSET: s->program_offset = value; break;
  case WEFT_REG_PROGRAM_COUNT: s->program_count = value; break;
  case WEFT_REG_WATCHDOG: s->watchdog = value; break;
  case WEFT_REG_DOORBELL:
    if (value & 1) {
      s->doorbell = true;
      s->status = WEFT_STATUS_RUNNING;
    }
    break;
  default: break;
  }
}

/* --- a run ------------------------------------------------------------------------------------ */
static bool fail_at(weft_sim *s, unsigned cause, size_t index, const weft_err *err) {
  s->error_cause = cause;
  s->error_insn = (uint32_t)index;
  snprintf(s->error_text, sizeof s->error_text, "instruction %zu: %.300s (%s)", index, err->text,
           weft_error_text(cause));
  return false;
}

/* Fetches and decodes up to END, checks every field. */
static bool decode_program(weft_sim *s, weft_err *err) {
  uint64_t at = s->program_offset, count = s->program_count;
  if (at % WEFT_BURST_BYTES || s->base[0] % WEFT_BURST_BYTES ||
      at + count * WEFT_INSN_BYTES > s->limit[0] || s->base[0] > s->dram_bytes ||
      s->limit[0] > s->dram_bytes - s->base[0]) {
    weft_fail(err, WEFT_EDEVICE,
              "program at %llu, %llu instructions, region 0 has %llu bytes; both begin at "
              "multiples of 256",
              (unsigned long long)at, (unsigned long long)count, (unsigned long long)s->limit[0]);
    return fail_at(s, WEFT_ERROR_WINDOW, 0, err);
  }
  weft_insn *insn = realloc(s->insn, (count ? count : 1) * sizeof *insn);
  if (!insn) abort();
  s->insn = insn;
  const uint8_t *code = s->dram + s->base[0] + at;
  for (size_t i = 0; i < count; i++) {
    if (weft_decode(code + i * WEFT_INSN_BYTES, &insn[i], err) != WEFT_OK)
      return fail_at(s, WEFT_ERROR_ILLEGAL, i, err);
    unsigned cause = weft_validate(s, &insn[i], err);
    if (cause) return fail_at(s, cause, i, err);
    if (insn[i].opcode == WEFT_OP_CODE_END) {
      s->n_insn = i + 1;
      return true;
    }
  }
  weft_fail(err, WEFT_EDEVICE, "no END in %llu instructions", (unsigned long long)count);
  return fail_at(s, WEFT_ERROR_NO_END, count, err);
}

static void execute(weft_sim *s, const weft_insn *insn) {
  switch (insn->opcode) {
  case WEFT_OP_CODE_LOAD: weft_exec_load(s, &insn->LOAD); break;
  case WEFT_OP_CODE_STORE: weft_exec_store(s, &insn->STORE); break;
  case WEFT_OP_CODE_GEMM: weft_exec_gemm(s, &insn->GEMM); break;
  case WEFT_OP_CODE_DW: weft_exec_dw(s, &insn->DW); break;
  case WEFT_OP_CODE_VEW: weft_exec_vew(s, &insn->VEW); break;
  case WEFT_OP_CODE_VPOOL: weft_exec_vpool(s, &insn->VPOOL); break;
  case WEFT_OP_CODE_VROW: weft_exec_vrow(s, &insn->VROW); break;
  default: break;
  }
}

static bool run(weft_sim *s) {
  weft_err err = {""};
  size_t at = 0;
  unsigned cause;
  if (!decode_program(s, &err)) return false;
  /* Time first: the watchdog must stop a runaway program before its function is computed. */
  if (!s->opt.no_timing && (cause = weft_time_program(s, s->n_insn, &at, &err)))
    return fail_at(s, cause, at, &err);
  if (s->opt.check_races && (cause = weft_check_races(s, &at, &err)))
    return fail_at(s, cause, at, &err);
  if (!s->opt.no_function)
    for (size_t i = 0; i < s->n_insn; i++) { /* program order is one order that semaphores allow */
      if (s->hook) s->hook(s->hook_user, s, i, WEFT_HOOK_BEFORE);
      execute(s, &s->insn[i]);
      if (s->hook) s->hook(s->hook_user, s, i, WEFT_HOOK_AFTER);
    }
  return true;
}

bool weft_sim_step(weft_sim *s) {
  if (!s->doorbell) return false;
  s->doorbell = false;
  s->cycles = s->read_bytes = s->write_bytes = 0;
  memset(s->counter, 0, sizeof s->counter);
  s->error_cause = s->error_insn = 0;
  s->error_addr = 0;
  s->error_text[0] = '\0';
  s->n_times = 0;
  bool ok = run(s);
  s->status = WEFT_STATUS_DONE | (ok ? 0 : WEFT_STATUS_ERROR) |
              (s->control & WEFT_CONTROL_IRQ_ENABLE ? WEFT_STATUS_IRQ : 0);
  return true;
}
