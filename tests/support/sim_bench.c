/* See sim_bench.h. */
#include "sim_bench.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static uint64_t state_, seed_;

void bench_seed(uint64_t seed) {
  seed_ = seed;
  state_ = (seed + 1) * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 4; i++) (void)bench_random();
}

uint64_t bench_current_seed(void) {
  return seed_;
}

uint32_t bench_random(void) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return (uint32_t)(state_ >> 21);
}

int bench_range(int lo, int hi) {
  return lo + (int)(bench_random() % (uint32_t)(hi - lo + 1));
}

void bench_random_bytes(void *p, size_t n) {
  uint8_t *bytes = p;
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)bench_random();
}

void bench_fail(const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  fail_msg("seed %llu: %s", (unsigned long long)seed_, text);
  abort(); /* not reached */
}

bench *bench_new(const char *preset, const char *overlays) {
  weft_err err = {""};
  bench *b = calloc(1, sizeof *b);
  assert_non_null(b);
  weft_status s = weft_config_preset(&b->cfg, preset, &err);
  char text[256], *save = NULL;
  (void)snprintf(text, sizeof text, "%s", overlays);
  for (char *t = strtok_r(text, " ", &save); t && s == WEFT_OK; t = strtok_r(NULL, " ", &save))
    s = weft_config_set(&b->cfg, t, &err);
  b->sim = s == WEFT_OK ? weft_sim_new(&b->cfg, BENCH_DRAM_BYTES, &err) : NULL;
  if (!b->sim) fail_msg("%s %s: %s", preset, overlays, err.text);
  b->w = weft_word_bytes(&b->cfg);
  size_t n;
  b->dram = weft_sim_dram(b->sim, &n);
  for (int m = 0; m < 6; m++) b->mem[m] = weft_sim_memory(b->sim, m, &b->bytes[m]);
  const uint32_t window[2][2] = {{0, BENCH_CODE_BYTES}, {BENCH_DATA, BENCH_DATA_BYTES}};
  for (uint32_t r = 0; r < 2; r++) {
    weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r, window[r][0]);
    weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r + 4, 0);
    weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r + 8, window[r][1]);
    weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r + 12, 0);
  }
  weft_sim_write_reg(b->sim, WEFT_REG_PROGRAM_OFFSET, 0);
  weft_sim_write_reg(b->sim, WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE);
  return b;
}

void bench_free(bench *b) {
  if (b) weft_sim_free(b->sim);
  free(b);
}

void bench_clear(bench *b) {
  b->n = 0;
}

weft_insn *bench_add(bench *b, int opcode) {
  assert_true(b->n < BENCH_INSNS);
  weft_insn *insn = &b->insn[b->n++];
  const weft_insn_info *info = weft_insn_lookup((uint32_t)opcode);
  memset(insn, 0, sizeof *insn);
  for (int i = 0; i < info->n_fields; i++) {
    const weft_field *f = &info->field[i];
    uint32_t v = f->is_signed ? 0 : f->min;
    memcpy((char *)insn + f->offset, &v, sizeof v);
  }
  insn->opcode = (uint32_t)opcode;
  return insn;
}

static uint64_t read64(bench *b, uint32_t offset) {
  return weft_sim_read_reg(b->sim, offset) | (uint64_t)weft_sim_read_reg(b->sim, offset + 4) << 32;
}

/* Counters add up, and the registers show them; progress rises to the total; the bus is one. */
static void check_run(bench *b) {
  uint64_t cycles = read64(b, WEFT_REG_CYCLES_LO);
  for (int u = 0; u <= WEFT_UNITS; u++) {
    weft_unit_counters c = weft_sim_counters(b->sim, u);
    if (c.busy + c.idle + c.stall_operand + c.stall_dram + c.stall_queue != cycles)
      bench_fail("%s: counters do not add up to %llu cycles", weft_unit_name(u),
                 (unsigned long long)cycles);
    uint32_t at = WEFT_REG_COUNTER + 32 * (uint32_t)u;
    assert_int_equal(read64(b, at), c.busy);
    assert_int_equal(read64(b, at + 8), c.stall_operand);
    assert_int_equal(read64(b, at + 16), c.stall_dram);
    assert_int_equal(read64(b, at + 24), c.stall_queue);
  }
  size_t n, m;
  const uint64_t *progress = weft_sim_progress(b->sim, &n);
  const weft_insn_time *time = weft_sim_times(b->sim, &m);
  if (n != (size_t)b->n || m != n) bench_fail("%zu and %zu times, %d instructions", n, m, b->n);
  for (size_t i = 0; i < n; i++) {
    if (i && progress[i] < progress[i - 1]) bench_fail("progress falls at %zu", i);
    if (time[i].start < time[i].arrive && b->insn[i].opcode > WEFT_OP_CODE_FENCE)
      bench_fail("instruction %zu starts before it arrives", i);
    if (time[i].busy < time[i].start || time[i].end <= time[i].busy)
      bench_fail("times of instruction %zu are not in order", i);
  }
  if (progress[n - 1] != cycles) bench_fail("progress does not end at the run's cycles");
  uint64_t moved = read64(b, WEFT_REG_READ_BYTES_LO) + read64(b, WEFT_REG_WRITE_BYTES_LO);
  if (moved > cycles * b->cfg.dram_bytes) bench_fail("more bytes than the bus can carry");
}

unsigned bench_run(bench *b, weft_sim_options options) {
  weft_err err;
  if (!b->n || b->insn[b->n - 1].opcode != WEFT_OP_CODE_END) (void)bench_add(b, WEFT_OP_CODE_END);
  for (int i = 0; i < b->n; i++)
    if (weft_encode(&b->insn[i], b->dram + (size_t)i * WEFT_INSN_BYTES, &err) != WEFT_OK)
      bench_fail("instruction %d: %s", i, err.text);
  weft_sim_write_reg(b->sim, WEFT_REG_PROGRAM_COUNT, (uint32_t)b->n);
  weft_sim_set_options(b->sim, &options);
  weft_sim_write_reg(b->sim, WEFT_REG_IRQ_CLEAR, 1);
  assert_false(weft_sim_step(b->sim));
  weft_sim_write_reg(b->sim, WEFT_REG_DOORBELL, 1);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_STATUS), WEFT_STATUS_RUNNING);
  assert_true(weft_sim_step(b->sim));
  unsigned cause = weft_sim_read_reg(b->sim, WEFT_REG_ERROR_CAUSE);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_STATUS),
                   WEFT_STATUS_DONE | WEFT_STATUS_IRQ | (cause ? WEFT_STATUS_ERROR : 0));
  if (!cause && !options.no_timing) check_run(b);
  return cause;
}

void bench_expect(bench *b, weft_sim_options options, unsigned cause, const char *what) {
  unsigned found = bench_run(b, options);
  if (found != cause)
    bench_fail("cause %u (%s), expected %u", found, weft_sim_error(b->sim), cause);
  if (!strstr(weft_sim_error(b->sim), what))
    bench_fail("'%s' is not in: %s", what, weft_sim_error(b->sim));
}

void bench_randomize(bench *b) {
  bench_random_bytes(b->dram + BENCH_DATA, BENCH_DATA_BYTES);
  for (int m = 0; m < 6; m++) bench_random_bytes(b->mem[m], b->bytes[m]);
}

weft_operand bench_operand(const bench *b, int rows, int pixels, int words, bool exact) {
  int total = (int)weft_spad_words(&b->cfg);
  for (;;) {
    weft_operand o;
    int ring = exact ? rows + bench_range(0, 3) : bench_range(1, rows + 3);
    o.pix_stride = (uint32_t)(words + bench_range(0, 2));
    o.row_stride = (uint32_t)pixels * o.pix_stride + (uint32_t)bench_range(0, 3);
    o.ring_rows = (uint32_t)ring;
    o.ring_start = (uint32_t)bench_range(0, ring - 1);
    int span = ring * (int)o.row_stride;
    if (span > total) {
      exact = false;
      continue;
    }
    o.base = (uint32_t)bench_range(0, total - span);
    return o;
  }
}
