/* Semaphores and the race detector of the C model: what a missing token, a shared port, an
 * unwritten word, a token too many or too few lead to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/sim_bench.h"

enum { L = 1 << WEFT_UNIT_LOAD, V = 1 << WEFT_UNIT_VEC, S = 1 << WEFT_UNIT_STORE };
enum { G = 1 << WEFT_UNIT_GEMM, D = 1 << WEFT_UNIT_DW };

static const weft_sim_options races = {.check_races = true};
static bench *b;

static int make_device(void **state) {
  (void)state;
  b = bench_new("edge-256", "");
  return 0;
}

static int free_device(void **state) {
  (void)state;
  bench_free(b);
  return 0;
}

/* A flat place of `words` words. */
static weft_operand place(uint32_t base) {
  return (weft_operand){.base = base, .row_stride = 1, .pix_stride = 1, .ring_rows = 1};
}

static weft_insn *with(weft_insn *i, uint32_t wait, uint32_t post) {
  i->wait = wait;
  i->post = post;
  return i;
}

static weft_insn *load(uint32_t to, uint32_t words, uint32_t wait, uint32_t post) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_LOAD);
  i->LOAD.region = 1;
  i->LOAD.pixels = words;
  i->LOAD.pix_bytes = i->LOAD.d_pix_stride = b->w;
  i->LOAD.row_bytes = words * b->w;
  WEFT_SET_OPERAND(i->LOAD, o, place(to));
  return with(i, wait, post);
}

static weft_insn *flat(int memory, uint32_t to, uint32_t bytes, uint32_t wait, uint32_t post) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_LOAD);
  i->LOAD.region = 1;
  i->LOAD.dst = (uint32_t)memory;
  i->LOAD.pix_bytes = i->LOAD.row_bytes = bytes;
  i->LOAD.o_base = to;
  return with(i, wait, post);
}

static weft_insn *copy(uint32_t from, uint32_t to, uint32_t words, uint32_t wait, uint32_t post) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_VEW);
  i->VEW.op = WEFT_VEW_COPY;
  i->VEW.clamp_min = -128;
  i->VEW.clamp_max = 127;
  i->VEW.out_w = words;
  WEFT_SET_OPERAND(i->VEW, a, place(from));
  WEFT_SET_OPERAND(i->VEW, o, place(to));
  return with(i, wait, post);
}

static weft_insn *store(uint32_t from, uint32_t words, uint32_t at, uint32_t wait, uint32_t post) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_STORE);
  i->STORE.region = 1;
  i->STORE.offset = at;
  i->STORE.pixels = words;
  i->STORE.pix_bytes = i->STORE.d_pix_stride = b->w;
  WEFT_SET_OPERAND(i->STORE, a, place(from));
  return with(i, wait, post);
}

static weft_insn *gemm(uint32_t from, uint32_t to, uint32_t wait, uint32_t post) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_GEMM);
  WEFT_SET_OPERAND(i->GEMM, a, place(from));
  WEFT_SET_OPERAND(i->GEMM, o, place(to));
  return with(i, wait, post);
}

static void good_program(void **state) {
  (void)state;
  bench_clear(b);
  (void)load(0, 8, 0, V);
  (void)copy(0, 2048, 8, L, V);
  (void)copy(2048, 4096, 8, V, S);
  (void)store(4096, 8, 1000, V, 0);
  bench_expect(b, races, WEFT_ERROR_NONE, "");
}

/* Each of its tokens is needed. */
static void missing_tokens(void **state) {
  (void)state;
  bench_clear(b);
  (void)load(0, 8, 0, 0);
  (void)copy(0, 2048, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "instruction 1: reads, not ordered after its writer");
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_INSN), 1);

  bench_clear(b); /* the unit's own result */
  (void)load(0, 8, 0, V);
  (void)copy(0, 2048, 8, L, 0);
  (void)copy(2048, 4096, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "instruction 2: reads, not ordered after its writer");

  bench_clear(b); /* overwritten while it may still be read */
  (void)load(0, 8, 0, V);
  (void)copy(0, 2048, 8, L, 0);
  (void)load(7, 1, 0, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "instruction 2: writes, not ordered after a reader");

  bench_clear(b); /* two writers */
  (void)load(0, 8, 0, V);
  (void)copy(0, 2048, 8, L, 0);
  (void)load(2048, 1, 0, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "instruction 2: writes, not ordered after its writer");

  bench_clear(b); /* an order through a third unit is an order, and so is a fence */
  (void)load(0, 8, 0, V);
  (void)copy(0, 2048, 8, L, S);
  (void)store(2048, 8, 0, V, L);
  (void)load(0, 8, S, 0);
  (void)bench_add(b, WEFT_OP_CODE_FENCE);
  (void)copy(0, 2048, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_NONE, "");

  bench_clear(b); /* DRAM too: what STORE wrote is loaded again */
  (void)load(0, 1, 0, S);
  (void)store(0, 1, 5000, L, 0);
  load(64, 1, 0, 0)->LOAD.offset = 5000;
  bench_expect(b, races, WEFT_ERROR_RACE, "LOAD, not ordered after the STORE, DRAM byte");
  bench_clear(b);
  (void)load(0, 1, 0, 0);
  load(64, 1, 0, S)->LOAD.offset = 5000;
  (void)store(0, 1, 5000, L, L);
  load(64, 1, S, 0)->LOAD.offset = 5000;
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  bench_clear(b);
  (void)load(0, 1, 0, S);
  load(64, 1, 0, 0)->LOAD.offset = 5000;
  (void)store(0, 1, 5000, L, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "STORE, not ordered after the LOAD, DRAM byte");
}

static void ports(void **state) {
  (void)state;
  bench_clear(b); /* different words of one bank: LOAD and VEC both write */
  (void)load(0, 8, 0, V);
  (void)copy(0, 1100, 8, L, 0);
  (void)load(1200, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "write port in use by another unit");
  bench_clear(b); /* the next bank is free */
  (void)load(0, 8, 0, V);
  (void)copy(0, 1100, 8, L, 0);
  (void)load(2048, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  bench_clear(b); /* one reads, one writes: two ports */
  (void)load(0, 8, 0, V);
  (void)copy(0, 1100, 8, L, 0);
  (void)load(200, 8, 0, 0);
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  bench_clear(b); /* two readers */
  (void)load(0, 16, 0, V | S);
  (void)copy(0, 2048, 8, L, 0);
  (void)store(8, 8, 0, L, 0);
  bench_expect(b, races, WEFT_ERROR_RACE, "read port in use by another unit");
}

/* a + b into the place of a, with b some words away and o in a ring of `rows`. */
static void add_in_place(uint32_t b_from, uint32_t height, uint32_t ring_rows) {
  bench_clear(b);
  (void)load(0, 48, 0, V);
  weft_insn *i = copy(8, 8, 8, L, 0);
  i->VEW.op = WEFT_VEW_MIN;
  i->VEW.out_h = height;
  i->VEW.a_row_stride = i->VEW.o_row_stride = 8;
  i->VEW.a_ring_rows = i->VEW.o_ring_rows = ring_rows;
  WEFT_SET_OPERAND(i->VEW, b, place(b_from));
  i->VEW.b_row_stride = 8;
  i->VEW.b_ring_rows = ring_rows;
}

static void in_place(void **state) {
  (void)state;
  add_in_place(8, 1, 1); /* all three the same */
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  add_in_place(20, 1, 1); /* b apart */
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  add_in_place(7, 1, 1); /* a word of b is written before it is read */
  bench_expect(b, races, WEFT_ERROR_RACE, "writes over its own input");
  add_in_place(9, 1, 1);
  bench_expect(b, races, WEFT_ERROR_RACE, "writes over its own input");
  add_in_place(24, 2, 2);
  bench_expect(b, races, WEFT_ERROR_NONE, "");
  add_in_place(24, 2, 1); /* row 1 reads what row 0 has just written */
  bench_expect(b, races, WEFT_ERROR_RACE, "writes over its own input");
}

static void unwritten(void **state) {
  (void)state;
  bench_clear(b);
  (void)load(0, 7, 0, V);
  (void)copy(0, 2048, 8, L, 0);
  bench_expect(b, races, WEFT_ERROR_UNINIT, "instruction 1: reads scratchpad word 7");
  static const struct {
    int memory;
    uint32_t bytes;
    const char *what;
  } needs[] = {{WEFT_MEM_WEIGHT, 256, "weight buffer word 0"},
               {WEFT_MEM_PARAM, 192, "parameter word 0"},
               {WEFT_MEM_LUT, 256, "table word 0"}};
  for (int missing = 0; missing < 4; missing++) {
    bench_clear(b);
    for (int k = 0; k < 3; k++)
      if (k != missing) (void)flat(needs[k].memory, 0, needs[k].bytes, 0, 0);
    (void)load(0, 1, 0, G);
    gemm(0, 2048, L, 0)->GEMM.lut_en = 1;
    if (missing < 3)
      bench_expect(b, races, WEFT_ERROR_UNINIT, needs[missing].what);
    else
      bench_expect(b, races, WEFT_ERROR_NONE, "");
  }
  bench_clear(b);
  (void)flat(WEFT_MEM_DWBUF, 0, 12 * 16, 0, 0); /* parameters without taps */
  (void)load(0, 1, 0, D);
  weft_insn *i = with(bench_add(b, WEFT_OP_CODE_DW), L, 0);
  WEFT_SET_OPERAND(i->DW, a, place(0));
  WEFT_SET_OPERAND(i->DW, o, place(2048));
  bench_expect(b, races, WEFT_ERROR_UNINIT, "depthwise buffer word 12");
  bench_clear(b);
  (void)load(0, 1, 0, V);
  i = with(bench_add(b, WEFT_OP_CODE_VROW), L, 0);
  i->VROW.channels = 16;
  WEFT_SET_OPERAND(i->VROW, a, place(0));
  WEFT_SET_OPERAND(i->VROW, o, place(2048));
  bench_expect(b, races, WEFT_ERROR_UNINIT, "exponent table word 0");
}

static void accumulators(void **state) {
  (void)state;
  for (int first = 0; first < 3; first++) { /* 0: never written; 1: left there; 2: gone out */
    bench_clear(b);
    (void)flat(WEFT_MEM_WEIGHT, 0, 256, 0, 0);
    (void)flat(WEFT_MEM_PARAM, 0, 192, 0, 0);
    (void)load(0, 1, 0, G);
    weft_insn *i = gemm(0, 2048, L, 0);
    if (first > 0) i->GEMM.acc_out = 1;
    if (first == 2) gemm(0, 2048, 0, 0)->GEMM.acc_in = 1;
    gemm(0, 2048, 0, 0)->GEMM.acc_in = 1;
    if (first == 1)
      bench_expect(b, races, WEFT_ERROR_NONE, "");
    else
      bench_expect(b, races, WEFT_ERROR_UNINIT, "adds to accumulator word 0");
  }
}

static void tokens(void **state) {
  (void)state;
  const weft_sim_options plain = {0};
  bench_clear(b);
  (void)load(0, 8, 0, V | S);
  bench_expect(b, plain, WEFT_ERROR_TOKEN, "1 tokens from LOAD to VEC are left at the end");
  bench_clear(b); /* one too many for a semaphore */
  for (int i = 0; i <= WEFT_TOKEN_MAX; i++) (void)copy(0, 2048, 1, 0, S);
  bench_expect(b, plain, WEFT_ERROR_TOKEN, "VEC to STORE holds more than 1023 tokens");
  bench_clear(b);
  for (int i = 0; i < WEFT_TOKEN_MAX; i++) (void)copy(0, 2048, 1, 0, S);
  for (int i = 0; i < WEFT_TOKEN_MAX; i++) (void)store(0, 1, 0, V, 0);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
  bench_clear(b); /* the token comes later in program order: the machine would do it */
  (void)copy(0, 2048, 1, L, 0);
  (void)load(4096, 1, 0, V);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
  bench_expect(b, races, WEFT_ERROR_RACE, "takes a token that is posted later");
}

static void deadlock(void **state) {
  (void)state;
  const weft_sim_options plain = {0};
  bench_clear(b);
  (void)copy(0, 2048, 1, V, V); /* itself, before itself */
  bench_expect(b, plain, WEFT_ERROR_WATCHDOG, "deadlock");
  bench_clear(b);
  (void)copy(0, 2048, 1, S, S);
  (void)store(0, 1, 0, V, V);
  bench_expect(b, plain, WEFT_ERROR_WATCHDOG, "deadlock");
  bench_clear(b); /* the queue fills before the fetch unit comes to the one who posts */
  for (uint32_t i = 0; i <= b->cfg.queue_depth; i++) (void)copy(0, 2048, 1, i ? 0 : L, 0);
  (void)load(4096, 1, 0, V);
  bench_expect(b, plain, WEFT_ERROR_WATCHDOG, "deadlock");
  bench_clear(b);
  for (uint32_t i = 0; i < b->cfg.queue_depth; i++) (void)copy(0, 2048, 1, i ? 0 : L, 0);
  (void)load(4096, 1, 0, V);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
}

static void watchdog(void **state) {
  (void)state;
  const weft_sim_options plain = {0};
  bench_clear(b);
  (void)load(0, 64, 0, 0);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
  uint32_t cycles = weft_sim_read_reg(b->sim, WEFT_REG_CYCLES_LO);
  weft_sim_write_reg(b->sim, WEFT_REG_WATCHDOG, cycles);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
  weft_sim_write_reg(b->sim, WEFT_REG_WATCHDOG, cycles / 2);
  bench_expect(b, plain, WEFT_ERROR_WATCHDOG, "still running after");
  weft_sim_write_reg(b->sim, WEFT_REG_WATCHDOG, 0);
  bench_expect(b, plain, WEFT_ERROR_NONE, "");
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_CYCLES_LO), cycles);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_program), cmocka_unit_test(missing_tokens),
      cmocka_unit_test(ports),        cmocka_unit_test(in_place),
      cmocka_unit_test(unwritten),    cmocka_unit_test(accumulators),
      cmocka_unit_test(tokens),       cmocka_unit_test(deadlock),
      cmocka_unit_test(watchdog),
  };
  return cmocka_run_group_tests(tests, make_device, free_device);
}
