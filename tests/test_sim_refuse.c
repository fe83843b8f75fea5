/* What the C model refuses: fields outside the configuration's memories, DRAM outside a region,
 * programs without END. Each check of sim/validate.c is met once; nothing runs then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <string.h>

#include "support/sim_bench.h"

static bench *b;

static int make_device(void **state) {
  (void)state;
  b = bench_new("edge-256", "exp_slots=2");
  return 0;
}

static int free_device(void **state) {
  (void)state;
  bench_free(b);
  return 0;
}

static const weft_operand full = {.base = 0, .row_stride = 64, .pix_stride = 4, .ring_rows = 16};

static weft_insn *basic_load(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_LOAD);
  i->LOAD.region = 1;
  i->LOAD.rows = i->LOAD.pixels = 4;
  i->LOAD.pix_bytes = i->LOAD.d_pix_stride = 32;
  i->LOAD.row_bytes = i->LOAD.d_row_stride = 128;
  WEFT_SET_OPERAND(i->LOAD, o, full);
  return i;
}

static weft_insn *basic_flat(unsigned dst, unsigned bytes) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_LOAD);
  i->LOAD.region = 1;
  i->LOAD.dst = dst;
  i->LOAD.pix_bytes = i->LOAD.row_bytes = bytes;
  return i;
}

static weft_insn *basic_store(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_STORE);
  i->STORE.region = 1;
  i->STORE.rows = i->STORE.pixels = 4;
  i->STORE.pix_bytes = i->STORE.d_pix_stride = 32;
  i->STORE.d_row_stride = 128;
  WEFT_SET_OPERAND(i->STORE, a, full);
  return i;
}

#define BASIC_SWEEP(in)                                                                            \
  ((in)->in_h = (in)->in_w = (in)->out_h = (in)->out_w = 8, (in)->clamp_max = 127)

static weft_insn *basic_gemm(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_GEMM);
  BASIC_SWEEP(&i->GEMM);
  WEFT_SET_OPERAND(i->GEMM, a, full);
  WEFT_SET_OPERAND(i->GEMM, o, full);
  return i;
}

static weft_insn *basic_dw(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_DW);
  BASIC_SWEEP(&i->DW);
  WEFT_SET_OPERAND(i->DW, a, full);
  WEFT_SET_OPERAND(i->DW, o, full);
  return i;
}

static weft_insn *basic_vew(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_VEW);
  i->VEW.out_h = i->VEW.out_w = 8;
  WEFT_SET_OPERAND(i->VEW, a, full);
  WEFT_SET_OPERAND(i->VEW, b, full);
  WEFT_SET_OPERAND(i->VEW, o, full);
  return i;
}

static weft_insn *basic_vpool(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_VPOOL);
  BASIC_SWEEP(&i->VPOOL);
  WEFT_SET_OPERAND(i->VPOOL, a, full);
  WEFT_SET_OPERAND(i->VPOOL, o, full);
  return i;
}

static weft_insn *basic_vrow(void) {
  weft_insn *i = bench_add(b, WEFT_OP_CODE_VROW);
  i->VROW.out_h = i->VROW.out_w = 8;
  i->VROW.channels = 16;
  WEFT_SET_OPERAND(i->VROW, a, full);
  WEFT_SET_OPERAND(i->VROW, o, full);
  return i;
}

enum { TOP = 16384 }; /* scratchpad words of edge-256 */

/* The basic instruction runs; with the change it is refused with this text. */
#define CASE(make, change, cause, what)                                                            \
  do {                                                                                             \
    bench_clear(b);                                                                                \
    weft_insn *i = make;                                                                           \
    bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");                                   \
    change;                                                                                        \
    bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_##cause, what);                              \
    assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_INSN), 0);                           \
  } while (0)

static void load(void **state) {
  (void)state;
  CASE(basic_load(), i->LOAD.decoder = WEFT_DEC_INT4, ILLEGAL, "decoder 1");
  CASE(basic_load(), i->LOAD.decoder = WEFT_DEC_RELIDX, ILLEGAL, "decoder 6");
  CASE(basic_load(), (i->LOAD.pix_bytes = 65, i->LOAD.d_pix_stride = 64), ILLEGAL,
       "overlapping windows of 65 bytes, at most 64");
  CASE(basic_load(), i->LOAD.o_ring_start = 16, ILLEGAL, "ring_start 16 is not below ring_rows 16");
  CASE(basic_load(), i->LOAD.o_base = TOP - 3 * 64 - 3 * 4 - 1, ILLEGAL,
       "operand o: reaches scratchpad word 16385, there are 16384");
  CASE(basic_load(), i->LOAD.o_row_stride = 65535, ILLEGAL, "operand o: reaches");
  CASE(basic_load(), i->LOAD.byte_off = 255, ILLEGAL,
       "operand o: pixels of 18 words are 4 words apart");
  CASE(basic_load(), i->LOAD.o_row_stride = 13, ILLEGAL,
       "operand o: rows of 14 words are 13 words apart");
  CASE(basic_load(), (i->LOAD.d_pix_stride = 33, i->LOAD.lead = 1), ILLEGAL,
       "pixels with gaps between them cannot be padded");
  CASE(basic_load(), i->LOAD.offset = BENCH_DATA_BYTES - 511, WINDOW, "LOAD: bytes");
  CASE(basic_load(), i->LOAD.d_row_stride = 1 << 20, WINDOW, "of region 1, which has 262144");
  CASE(basic_load(), i->LOAD.region = 2, WINDOW, "of region 2, which has 0");
  /* nothing valid, nothing read: any address will do */
  bench_clear(b);
  weft_insn *i = basic_load();
  i->LOAD.row_bytes = 0;
  i->LOAD.offset = UINT32_MAX;
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
}

static void flat_load(void **state) {
  (void)state;
  static const struct {
    unsigned dst, bytes;
  } memory[] = {{WEFT_MEM_WEIGHT, 16},
                {WEFT_MEM_PARAM, 192},
                {WEFT_MEM_DWBUF, 16},
                {WEFT_MEM_LUT, 256},
                {WEFT_MEM_EXP, 1024}};
  for (int k = 0; k < 5; k++) {
    unsigned units = (unsigned)(b->bytes[memory[k].dst] / memory[k].bytes);
    char what[64];
    (void)snprintf(what, sizeof what, "flat run reaches byte %zu of memory %u",
                   (size_t)(units + 1) * memory[k].bytes, memory[k].dst);
    CASE(basic_flat(memory[k].dst, memory[k].bytes), i->LOAD.o_base = units, ILLEGAL, what);
    CASE(basic_flat(memory[k].dst, memory[k].bytes), i->LOAD.rows = 2, ILLEGAL, "one row");
  }
  CASE(basic_flat(WEFT_MEM_WEIGHT, 16), i->LOAD.pixels = 2, ILLEGAL, "a flat run has");
  CASE(basic_flat(WEFT_MEM_WEIGHT, 16), i->LOAD.lead = 1, ILLEGAL, "a flat run has");
  CASE(basic_flat(WEFT_MEM_WEIGHT, 16), i->LOAD.row_bytes = 15, ILLEGAL, "a flat run has");
  CASE(basic_flat(WEFT_MEM_WEIGHT, 16), i->LOAD.byte_off = 1, ILLEGAL, "a flat run has");
  CASE(basic_flat(WEFT_MEM_WEIGHT, 16), i->LOAD.fill = 1, ILLEGAL, "a flat run has");
}

static void store(void **state) {
  (void)state;
  CASE(basic_store(), i->STORE.a_ring_start = 20, ILLEGAL, "operand a: ring_start 20");
  CASE(basic_store(), i->STORE.a_base = TOP - 1, ILLEGAL, "operand a: reaches");
  CASE(basic_store(), i->STORE.offset = BENCH_DATA_BYTES - 511, WINDOW, "STORE: bytes");
  CASE(basic_store(), i->STORE.d_pix_stride = 1 << 19, WINDOW, "STORE: bytes");
  CASE(basic_store(), i->STORE.region = 7, WINDOW, "of region 7, which has 0");
}

static void gemm(void **state) {
  (void)state;
  CASE(basic_gemm(), i->GEMM.sparsity = 1, ILLEGAL, "sparsity mode 1");
  CASE(basic_gemm(), i->GEMM.w_src = 1, ILLEGAL, "weight source 1");
  CASE(basic_gemm(), i->GEMM.a_zp = 1, ILLEGAL, "run-time zero points");
  CASE(basic_gemm(), i->GEMM.w_zp = -1, ILLEGAL, "run-time zero points");
  CASE(basic_gemm(), i->GEMM.a_block = 1, ILLEGAL, "a_block or o_block");
  CASE(basic_gemm(), i->GEMM.o_block = 1, ILLEGAL, "a_block or o_block");
  CASE(basic_gemm(), i->GEMM.a_base = TOP - 1, ILLEGAL, "operand a: reaches");
  CASE(basic_gemm(), i->GEMM.o_base = TOP - 1, ILLEGAL, "operand o: reaches");
  CASE(basic_gemm(), i->GEMM.a_ring_start = 16, ILLEGAL, "operand a: ring_start");
  CASE(basic_gemm(), i->GEMM.o_ring_start = 16, ILLEGAL, "operand o: ring_start");
  CASE(basic_gemm(), i->GEMM.w_base = 4096 - 15, ILLEGAL, "weights reach row 4097");
  CASE(basic_gemm(), i->GEMM.n_blocks = 257, ILLEGAL, "weights reach row 4112");
  CASE(basic_gemm(), (i->GEMM.acc_in = 1, i->GEMM.acc_base = 1024 - 63), ILLEGAL,
       "sums reach accumulator row 1025, there are 1024");
  CASE(basic_gemm(), (i->GEMM.acc_out = 1, i->GEMM.n_blocks = 17), ILLEGAL, "sums reach");
  CASE(basic_gemm(), (i->GEMM.kh = 2, i->GEMM.acc_base = 1000), ILLEGAL, "sums reach");
  CASE(basic_gemm(), i->GEMM.p_base = 85, ILLEGAL, "parameters reach block 86, there are 85");
  CASE(basic_gemm(), (i->GEMM.lut_en = 1, i->GEMM.lut_slot = 4), ILLEGAL, "lut_slot is 4");
  /* one pass needs no accumulator rows; outputs that are not written need no place */
  bench_clear(b);
  weft_insn *i = basic_gemm();
  i->GEMM.acc_base = 1024;
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
  i->GEMM.acc_base = 0;
  i->GEMM.acc_out = 1;
  i->GEMM.o_base = TOP + 5;
  i->GEMM.p_base = 4000;
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
}

static void dw(void **state) {
  (void)state;
  CASE(basic_dw(), i->DW.kh = 8, ILLEGAL, "kernel 8 x 1, at most 7 x 7");
  CASE(basic_dw(), i->DW.kw = 8, ILLEGAL, "kernel 1 x 8");
  CASE(basic_dw(), i->DW.stride_y = 5, ILLEGAL, "stride 5 x 1, at most 4");
  CASE(basic_dw(), i->DW.stride_x = 5, ILLEGAL, "stride 1 x 5");
  CASE(basic_dw(), i->DW.a_base = TOP, ILLEGAL, "operand a: reaches");
  CASE(basic_dw(), i->DW.o_base = TOP, ILLEGAL, "operand o: reaches");
  CASE(basic_dw(), i->DW.p_base = 2048 - 12, ILLEGAL, "parameters reach word 2049, there are 2048");
  CASE(basic_dw(), (i->DW.lut_en = 1, i->DW.lut_slot = 15), ILLEGAL, "lut_slot is 15");
  bench *without = bench_new("edge-256", "dw_lanes=0");
  bench *kept = b;
  b = without;
  (void)basic_dw();
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_ILLEGAL, "no depthwise engine");
  b = kept;
  bench_free(without);
}

static void vector(void **state) {
  (void)state;
  CASE(basic_vew(), i->VEW.a_shift = -32, ILLEGAL, "shift is -32");
  CASE(basic_vew(), i->VEW.b_shift = -32, ILLEGAL, "shift is -32");
  CASE(basic_vew(), i->VEW.o_shift = -32, ILLEGAL, "shift is -32");
  CASE(basic_vew(), i->VEW.a_base = TOP, ILLEGAL, "operand a: reaches");
  CASE(basic_vew(), i->VEW.b_base = TOP, ILLEGAL, "operand b: reaches");
  CASE(basic_vew(), i->VEW.o_base = TOP, ILLEGAL, "operand o: reaches");
  CASE(basic_vew(), (i->VEW.lut_en = 1, i->VEW.lut_slot = 4), ILLEGAL, "lut_slot is 4");
  CASE(basic_vpool(), (i->VPOOL.op = WEFT_VPOOL_AVG, i->VPOOL.kh = 257), ILLEGAL,
       "average over 257 x 1 pixels, at most 256");
  CASE(basic_vpool(), (i->VPOOL.op = WEFT_VPOOL_AVG_UP, i->VPOOL.kw = 257), ILLEGAL,
       "average over 1 x 257 pixels");
  CASE(basic_vpool(), i->VPOOL.o_shift = -32, ILLEGAL, "shift is -32");
  CASE(basic_vpool(), i->VPOOL.a_base = TOP, ILLEGAL, "operand a: reaches");
  CASE(basic_vpool(), i->VPOOL.o_base = TOP, ILLEGAL, "operand o: reaches");
  CASE(basic_vpool(), (i->VPOOL.lut_en = 1, i->VPOOL.lut_slot = 4), ILLEGAL, "lut_slot is 4");
  CASE(basic_vrow(), i->VROW.op = WEFT_VROW_LAYERNORM, ILLEGAL, "row operation 1");
  CASE(basic_vrow(), i->VROW.exp_slot = 2, ILLEGAL, "exp_slot is 2, there are 2");
  CASE(basic_vrow(), i->VROW.a_base = TOP, ILLEGAL, "operand a: reaches");
  CASE(basic_vrow(), i->VROW.o_base = TOP, ILLEGAL, "operand o: reaches");
  CASE(basic_vrow(), (i->VROW.lut_en = 1, i->VROW.lut_slot = 4), ILLEGAL, "lut_slot is 4");
  /* b is not read by the operations of one operand */
  bench_clear(b);
  weft_insn *i = basic_vew();
  i->VEW.op = WEFT_VEW_COPY;
  i->VEW.b_base = TOP;
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
}

/* Refused instructions in the middle: named, and nothing before them is done either. */
static void where_it_stands(void **state) {
  (void)state;
  bench_clear(b);
  bench_seed(1);
  bench_randomize(b);
  (void)basic_load();
  (void)basic_store();
  basic_gemm()->GEMM.w_base = 5000;
  uint8_t before[512];
  memcpy(before, b->mem[WEFT_MEM_SPAD], sizeof before);
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_ILLEGAL, "instruction 2: weights reach");
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_INSN), 2);
  assert_memory_equal(before, b->mem[WEFT_MEM_SPAD], sizeof before);
}

static void programs(void **state) {
  (void)state;
  bench_clear(b);
  (void)basic_load();
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
  /* one instruction less than END */
  weft_sim_write_reg(b->sim, WEFT_REG_PROGRAM_COUNT, 1);
  weft_sim_write_reg(b->sim, WEFT_REG_DOORBELL, 1);
  assert_true(weft_sim_step(b->sim));
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_CAUSE), WEFT_ERROR_NO_END);
  /* outside region 0 */
  weft_sim_write_reg(b->sim, WEFT_REG_PROGRAM_COUNT, BENCH_INSNS + 1);
  weft_sim_write_reg(b->sim, WEFT_REG_DOORBELL, 1);
  assert_true(weft_sim_step(b->sim));
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_CAUSE), WEFT_ERROR_WINDOW);
  /* bytes that are no instruction */
  weft_sim_write_reg(b->sim, WEFT_REG_PROGRAM_COUNT, 2);
  memset(b->dram, 0, 64);
  weft_sim_write_reg(b->sim, WEFT_REG_DOORBELL, 1);
  assert_true(weft_sim_step(b->sim));
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ERROR_CAUSE), WEFT_ERROR_ILLEGAL);
  assert_non_null(strstr(weft_sim_error(b->sim), "illegal opcode 0"));
  /* a soft reset clears the state, the next run is as if nothing had been */
  weft_sim_write_reg(b->sim, WEFT_REG_CONTROL, WEFT_CONTROL_RESET | WEFT_CONTROL_IRQ_ENABLE);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_STATUS), 0);
  bench_expect(b, (weft_sim_options){0}, WEFT_ERROR_NONE, "");
}

static void registers(void **state) {
  (void)state;
  int n;
  const weft_key *key = weft_config_keys(&n);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ID), 0x57454654);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_VERSION), WEFT_ISA_VERSION);
  uint64_t hash = weft_config_hash(&b->cfg);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_CONFIG_HASH_LO), (uint32_t)hash);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_CONFIG_HASH_HI), (uint32_t)(hash >> 32));
  for (int i = 0; i < n; i++) {
    uint32_t v;
    memcpy(&v, (const char *)&b->cfg + key[i].offset, sizeof v);
    assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_CONFIG + 4 * (uint32_t)i), v);
  }
  for (uint32_t r = 0; r < WEFT_REGIONS; r++) { /* eight windows, each half on its own */
    uint32_t kept[4];
    for (uint32_t k = 0; k < 4; k++) {
      kept[k] = weft_sim_read_reg(b->sim, WEFT_REG_BASE + 16 * r + 4 * k);
      weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r + 4 * k, 0x1000 * r + k + 1);
    }
    for (uint32_t k = 0; k < 4; k++) {
      assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_BASE + 16 * r + 4 * k),
                       0x1000 * r + k + 1);
      weft_sim_write_reg(b->sim, WEFT_REG_BASE + 16 * r + 4 * k, kept[k]);
    }
  }
  weft_sim_write_reg(b->sim, WEFT_REG_ID, 5); /* read-only and unmapped: ignored */
  weft_sim_write_reg(b->sim, 0xf00, 5);
  assert_int_equal(weft_sim_read_reg(b->sim, WEFT_REG_ID), 0x57454654);
  assert_int_equal(weft_sim_read_reg(b->sim, 0xf00), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(load),     cmocka_unit_test(flat_load), cmocka_unit_test(store),
      cmocka_unit_test(gemm),     cmocka_unit_test(dw),        cmocka_unit_test(vector),
      cmocka_unit_test(programs), cmocka_unit_test(registers), cmocka_unit_test(where_it_stands),
  };
  return cmocka_run_group_tests(tests, make_device, free_device);
}
