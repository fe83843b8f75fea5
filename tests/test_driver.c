/* The driver: what it checks when it opens a device, which registers it writes in which order, how
 * it tells errors; then a hand-made program on the C model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "driver.h"
#include "sim.h"
#include "support/seam.h"

#include <stdlib.h>
#include <string.h>

static weft_config config;
static weft_err err;

static weft_device *attach(seam *s) {
  weft_device *dev = NULL;
  assert_int_equal(weft_device_attach(&seam_ops, s, &config, &dev, &err), WEFT_OK);
  return dev;
}

#define assert_says(what) assert_non_null(strstr(err.text, what))

/* --- opening --------------------------------------------------------------------------------- */
static void refuse(seam *s, const char *text) {
  int closed = 0;
  weft_device *dev = NULL;
  s->closed = &closed;
  assert_int_equal(weft_device_attach(&seam_ops, s, &config, &dev, &err), WEFT_EDEVICE);
  assert_null(dev);
  assert_int_equal(closed, 1); /* the back end is given back */
  assert_says(text);
}

static void open_checks_identity(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  s->reg[WEFT_REG_ID / 4] = 0xffffffff;
  refuse(s, "register ID reads 0xffffffff, accepted 0x57454654");
  s = seam_new(&config);
  s->reg[WEFT_REG_VERSION / 4] = 99;
  refuse(s, "register VERSION reads 99, accepted 1");
}

static void open_names_the_key_that_differs(void **state) {
  (void)state;
  int n;
  const weft_key *key = weft_config_keys(&n);
  for (int i = 0; i < n; i++) {
    seam *s = seam_new(&config);
    s->reg[WEFT_REG_CONFIG / 4 + i] = 12345;
    char text[64];
    (void)snprintf(text, sizeof text, "built with %s = 12345, ", key[i].name);
    refuse(s, text);
  }
  seam *s = seam_new(&config);
  s->reg[WEFT_REG_CONFIG_HASH_HI / 4] ^= 1;
  refuse(s, "configuration hash");
}

static void open_reads_only(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  assert_int_equal(s->n_writes, 0);
  assert_null(weft_device_model(dev));
  weft_device_close(dev);
  weft_device_close(NULL);
}

static void unknown_devices_are_refused(void **state) {
  (void)state;
  weft_device *dev = NULL;
  assert_int_equal(weft_device_open("fpga", &config, 4096, &dev, &err), WEFT_EINPUT);
  assert_says("unknown device 'fpga', accepted: model, rtl, rtl-waves");
  assert_int_equal(setenv("WEFT_RTL_LIBRARY", "/nowhere/lib.so", 1), 0);
  assert_int_equal(weft_device_open("rtl", &config, 4096, &dev, &err), WEFT_EINPUT);
  assert_says("/nowhere/lib.so: cannot be loaded");
  assert_int_equal(unsetenv("WEFT_RTL_LIBRARY"), 0);
  weft_config bad = config;
  bad.output_lanes = 64;
  assert_int_equal(weft_device_open("model", &bad, 4096, &dev, &err), WEFT_EINPUT);
  assert_says("output_lanes");
  assert_null(dev);
}

/* --- memory ---------------------------------------------------------------------------------- */
static void memory_is_bounds_checked(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  uint8_t byte = 7;
  assert_int_equal(weft_device_write(dev, SEAM_MEMORY - 1, &byte, 1, &err), WEFT_OK);
  assert_int_equal(weft_device_read(dev, SEAM_MEMORY, &byte, 0, &err), WEFT_OK);
  assert_int_equal(weft_device_write(dev, SEAM_MEMORY, &byte, 1, &err), WEFT_EINPUT);
  assert_says("1 bytes at 0x10000, the device has 65536");
  assert_int_equal(weft_device_read(dev, UINT64_MAX, &byte, 2, &err), WEFT_EINPUT);
  s->broken_memory = true;
  assert_int_equal(weft_device_read(dev, 0, &byte, 1, &err), WEFT_EDEVICE);
  assert_int_equal(weft_device_write(dev, 0, &byte, 1, &err), WEFT_EDEVICE);
  weft_device_close(dev);
}

static void allocation_aligns_and_ends(void **state) {
  (void)state;
  weft_device *dev = attach(seam_new(&config));
  uint64_t at = 99;
  assert_int_equal(weft_device_alloc(dev, 3, 1, &at, &err), WEFT_OK);
  assert_int_equal(at, 0);
  assert_int_equal(weft_device_alloc(dev, 100, 256, &at, &err), WEFT_OK);
  assert_int_equal(at, 256);
  assert_int_equal(weft_device_alloc(dev, SEAM_MEMORY - 356, 1, &at, &err), WEFT_OK);
  assert_int_equal(at, 356);
  assert_int_equal(weft_device_alloc(dev, 0, 1, &at, &err), WEFT_OK);
  assert_int_equal(weft_device_alloc(dev, 1, 1, &at, &err), WEFT_ENOMEM);
  assert_says("0 of 65536 are free");
  weft_device_reset_memory(dev);
  assert_int_equal(weft_device_alloc(dev, SIZE_MAX, 4096, &at, &err), WEFT_ENOMEM);
  assert_int_equal(weft_device_alloc(dev, 8, 8, &at, &err), WEFT_OK);
  assert_int_equal(at, 0);
  weft_device_close(dev);
}

/* --- register order -------------------------------------------------------------------------- */
static void assert_writes(const seam *s, int n, const seam_write *want) {
  assert_int_equal(s->n_writes, n);
  for (int i = 0; i < n; i++) {
    assert_int_equal(s->write[i].offset, want[i].offset);
    assert_int_equal(s->write[i].value, want[i].value);
  }
}

static void load_sets_the_regions_in_order(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  uint8_t code[128] = {1, 2, 3}, constants[5] = {9, 8, 7, 6, 5};
  weft_loaded image;
  assert_int_equal(weft_device_load(dev, code, 128, constants, 5, 1000, &image, &err), WEFT_OK);
  const seam_write want[] = {
      {WEFT_REG_BASE, 0},      {WEFT_REG_BASE + 4, 0},     {WEFT_REG_BASE + 8, 128},
      {WEFT_REG_BASE + 12, 0}, {WEFT_REG_BASE + 16, 4096}, {WEFT_REG_BASE + 20, 0},
      {WEFT_REG_BASE + 24, 5}, {WEFT_REG_BASE + 28, 0},    {WEFT_REG_BASE + 32, 8192},
      {WEFT_REG_BASE + 36, 0}, {WEFT_REG_BASE + 40, 1000}, {WEFT_REG_BASE + 44, 0},
  };
  assert_writes(s, 12, want);
  assert_int_equal(image.addr[WEFT_REGION_ARENA], 8192);
  assert_memory_equal(s->memory, code, 128);
  assert_memory_equal(s->memory + 4096, constants, 5);
  assert_int_equal(weft_device_load_bytes(128, 5, 1000), 9192);
  s->n_writes = 0; /* too large: nothing is written, nothing stays allocated */
  assert_int_equal(weft_device_load(dev, code, 128, constants, 5, SEAM_MEMORY, &image, &err),
                   WEFT_ENOMEM);
  assert_int_equal(s->n_writes, 0);
  assert_int_equal(weft_device_load(dev, code, 128, constants, 5, 1000, &image, &err), WEFT_OK);
  weft_device_close(dev);
}

static void submit_rings_the_doorbell_last(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  weft_device_set_timeout(dev, 5000);
  s->polls_left = 3;
  assert_int_equal(weft_device_submit(dev, 512, 7, &err), WEFT_OK);
  const seam_write want[] = {
      {WEFT_REG_PROGRAM_OFFSET, 512}, {WEFT_REG_PROGRAM_COUNT, 7},
      {WEFT_REG_WATCHDOG, 5000},      {WEFT_REG_CONTROL, WEFT_CONTROL_IRQ_ENABLE},
      {WEFT_REG_DOORBELL, 1},         {WEFT_REG_IRQ_CLEAR, 1},
  };
  assert_writes(s, 5, want);
  assert_int_equal(weft_device_submit(dev, 0, 1, &err), WEFT_EDEVICE); /* still running */
  assert_says("still running");
  assert_int_equal(weft_device_wait(dev, &err), WEFT_OK);
  assert_writes(s, 6, want);
  assert_int_equal(s->polls_left, 0);
  assert_int_equal(weft_device_submit(dev, 64, 1, &err), WEFT_EINPUT);
  assert_says("program offset 64, accepted multiples of 256");
  assert_int_equal(weft_device_submit(dev, 0, 0, &err), WEFT_EINPUT);
  s->n_writes = 0;
  weft_device_reset(dev);
  assert_writes(s, 1, &(seam_write){WEFT_REG_CONTROL, WEFT_CONTROL_RESET});
  weft_device_close(dev);
}

/* --- errors ---------------------------------------------------------------------------------- */
static weft_status fail_with(uint32_t cause, uint32_t insn, uint64_t addr, const char *text) {
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  s->final_status = WEFT_STATUS_DONE | WEFT_STATUS_ERROR;
  s->error = text;
  s->reg[WEFT_REG_ERROR_CAUSE / 4] = cause;
  s->reg[WEFT_REG_ERROR_INSN / 4] = insn;
  s->reg[WEFT_REG_ERROR_ADDR_LO / 4] = (uint32_t)addr;
  s->reg[WEFT_REG_ERROR_ADDR_HI / 4] = (uint32_t)(addr >> 32);
  assert_int_equal(weft_device_submit(dev, 0, 1, &err), WEFT_OK);
  weft_status status = weft_device_wait(dev, &err);
  assert_int_equal(s->write[s->n_writes - 1].offset, WEFT_REG_IRQ_CLEAR);
  weft_device_close(dev);
  return status;
}

static void errors_are_decoded(void **state) {
  (void)state;
  assert_int_equal(fail_with(WEFT_ERROR_WINDOW, 17, 0x123456789a, NULL), WEFT_EDEVICE);
  assert_string_equal(err.text, "device stopped at instruction 17, address 0x123456789a: DRAM"
                                " access outside its region");
  /* what the back end repeats is left out */
  assert_int_equal(fail_with(WEFT_ERROR_AXI, 3, 0,
                             "instruction 3: slave said no (error response on"
                             " the AXI port)"),
                   WEFT_EDEVICE);
  assert_string_equal(err.text, "device stopped at instruction 3: error response on the AXI port:"
                                " slave said no");
  assert_int_equal(fail_with(WEFT_ERROR_WATCHDOG, 4, 0, NULL), WEFT_ETIMEOUT);
  assert_says("watchdog");
  assert_int_equal(fail_with(77, 0, 0, NULL), WEFT_EDEVICE);
  assert_says("unknown cause");
}

static void hanging_devices_are_given_up(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  s->polls_left = -1;
  weft_device_set_poll_limit(dev, 10);
  assert_int_equal(weft_device_submit(dev, 0, 1, &err), WEFT_OK);
  assert_int_equal(weft_device_wait(dev, &err), WEFT_ETIMEOUT);
  assert_says("no interrupt after 10 polls");
  s->reg[WEFT_REG_STATUS / 4] = 0xffffffff; /* unplugged: must not poll for ever */
  weft_device_set_poll_limit(dev, 0);
  assert_int_equal(weft_device_wait(dev, &err), WEFT_EDEVICE);
  assert_says("STATUS reads 0xffffffff");
  s->reg[WEFT_REG_STATUS / 4] = 0; /* nothing was submitted */
  assert_int_equal(weft_device_wait(dev, &err), WEFT_EDEVICE);
  weft_device_close(dev);
}

static void counters_are_64_bit(void **state) {
  (void)state;
  seam *s = seam_new(&config);
  weft_device *dev = attach(s);
  s->reg[WEFT_REG_CYCLES_LO / 4] = 100;
  s->reg[WEFT_REG_CYCLES_HI / 4] = 1;
  s->reg[WEFT_REG_WRITE_BYTES_HI / 4] = 2;
  const uint32_t gemm = (WEFT_REG_COUNTER + 32 * WEFT_UNIT_GEMM) / 4;
  s->reg[gemm] = 10;
  s->reg[gemm + 2] = 20;
  s->reg[gemm + 4] = 30;
  s->reg[gemm + 7] = 1;
  weft_device_counters c;
  weft_device_read_counters(dev, &c);
  assert_int_equal(c.cycles, 0x100000064);
  assert_int_equal(c.read_bytes, 0);
  assert_int_equal(c.write_bytes, 0x200000000);
  assert_int_equal(c.unit[WEFT_UNIT_GEMM].busy, 10);
  assert_int_equal(c.unit[WEFT_UNIT_GEMM].stall_operand, 20);
  assert_int_equal(c.unit[WEFT_UNIT_GEMM].stall_dram, 30);
  assert_int_equal(c.unit[WEFT_UNIT_GEMM].stall_queue, 0x100000000);
  assert_int_equal(c.unit[WEFT_UNIT_GEMM].idle, 40);
  assert_int_equal(c.unit[WEFT_UNIT_FETCH].idle, c.cycles);
  weft_device_close(dev);
}

/* --- on the C model -------------------------------------------------------------------------- */
enum { PIXELS = 4, CHANNELS = 20 };

/* LOAD 4 pixels, add 1 to the codes by VEW, STORE them 256 bytes further. */
static void copy_program(uint8_t code[4 * WEFT_INSN_BYTES]) {
  weft_insn insn[4];
  memset(insn, 0, sizeof insn);
  const weft_operand a = {0, 8, 2, 1, 0}, o = {64, 8, 2, 1, 0};
  insn[0].opcode = WEFT_OP_CODE_LOAD;
  insn[0].post = 1 << WEFT_UNIT_VEC;
  insn[0].LOAD = (weft_insn_LOAD){.dst = WEFT_MEM_SPAD,
                                  .region = WEFT_REGION_ARENA,
                                  .rows = 1,
                                  .pixels = PIXELS,
                                  .pix_bytes = CHANNELS,
                                  .d_pix_stride = CHANNELS,
                                  .row_bytes = PIXELS * CHANNELS,
                                  .fill = 1};
  WEFT_SET_OPERAND(insn[0].LOAD, o, a);
  insn[1].opcode = WEFT_OP_CODE_VEW;
  insn[1].wait = 1 << WEFT_UNIT_LOAD;
  insn[1].post = 1 << WEFT_UNIT_STORE;
  insn[1].VEW = (weft_insn_VEW){.op = WEFT_VEW_COPY,
                                .out_h = 1,
                                .out_w = PIXELS,
                                .c_words = 2,
                                .out_zp = 1,
                                .clamp_min = -128,
                                .clamp_max = 127};
  WEFT_SET_OPERAND(insn[1].VEW, a, a);
  WEFT_SET_OPERAND(insn[1].VEW, b, a);
  WEFT_SET_OPERAND(insn[1].VEW, o, o);
  insn[2].opcode = WEFT_OP_CODE_STORE;
  insn[2].wait = 1 << WEFT_UNIT_VEC;
  insn[2].STORE = (weft_insn_STORE){.region = WEFT_REGION_ARENA,
                                    .offset = 256,
                                    .rows = 1,
                                    .pixels = PIXELS,
                                    .pix_bytes = CHANNELS,
                                    .d_pix_stride = CHANNELS};
  WEFT_SET_OPERAND(insn[2].STORE, a, o);
  insn[3].opcode = WEFT_OP_CODE_END;
  for (int i = 0; i < 4; i++)
    assert_int_equal(weft_encode(&insn[i], code + i * WEFT_INSN_BYTES, &err), WEFT_OK);
}

static weft_device *model_with(const uint8_t *code, weft_loaded *image) {
  weft_device *dev = NULL;
  assert_int_equal(weft_device_open("model", &config, 1 << 16, &dev, &err), WEFT_OK);
  assert_non_null(weft_device_model(dev));
  weft_device_set_options(dev, &(weft_device_options){.check_races = true, .record = true});
  assert_int_equal(weft_device_load(dev, code, 4 * WEFT_INSN_BYTES, NULL, 0, 512, image, &err),
                   WEFT_OK);
  return dev;
}

static void the_model_runs_a_program(void **state) {
  (void)state;
  uint8_t code[4 * WEFT_INSN_BYTES], in[PIXELS * CHANNELS], out[PIXELS * CHANNELS];
  copy_program(code);
  weft_loaded image;
  weft_device *dev = model_with(code, &image);
  for (int i = 0; i < PIXELS * CHANNELS; i++) in[i] = (uint8_t)(3 * i);
  const uint64_t arena = image.addr[WEFT_REGION_ARENA];
  assert_int_equal(weft_device_write(dev, arena, in, sizeof in, &err), WEFT_OK);
  for (int run = 0; run < 2; run++) { /* a device can run again */
    assert_int_equal(weft_device_submit(dev, 0, 4, &err), WEFT_OK);
    assert_int_equal(weft_device_wait(dev, &err), WEFT_OK);
  }
  assert_int_equal(weft_device_read(dev, arena + 256, out, sizeof out, &err), WEFT_OK);
  for (int i = 0; i < PIXELS * CHANNELS; i++)
    assert_int_equal((int8_t)out[i], (int8_t)in[i] == 127 ? 127 : (int8_t)in[i] + 1);
  weft_device_counters c;
  weft_device_read_counters(dev, &c);
  assert_true(c.cycles > config.dram_latency && c.write_bytes >= sizeof out);
  for (int u = 0; u <= WEFT_UNITS; u++) {
    const weft_device_unit *x = &c.unit[u];
    assert_int_equal(x->busy + x->idle + x->stall_operand + x->stall_dram + x->stall_queue,
                     c.cycles);
  }
  weft_device_close(dev);
}

static void the_model_reports_errors(void **state) {
  (void)state;
  uint8_t code[4 * WEFT_INSN_BYTES];
  copy_program(code);
  weft_loaded image;
  weft_device *dev = model_with(code, &image);
  assert_int_equal(weft_device_submit(dev, 0, 3, &err), WEFT_OK); /* END is not reached */
  assert_int_equal(weft_device_wait(dev, &err), WEFT_EDEVICE);
  assert_says("without END");
  weft_device_set_timeout(dev, 20);
  assert_int_equal(weft_device_submit(dev, 0, 4, &err), WEFT_OK);
  assert_int_equal(weft_device_wait(dev, &err), WEFT_ETIMEOUT);
  assert_says("watchdog");
  weft_device_close(dev);
  code[2 * WEFT_INSN_BYTES] = 0; /* no such opcode */
  dev = model_with(code, &image);
  assert_int_equal(weft_device_submit(dev, 0, 4, &err), WEFT_OK);
  assert_int_equal(weft_device_wait(dev, &err), WEFT_EDEVICE);
  assert_says("instruction 2");
  assert_says("illegal");
  assert_null(strchr(err.text, '\n'));
  weft_device_close(dev);
}

int main(void) {
  weft_config_default(&config);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(open_checks_identity),
      cmocka_unit_test(open_names_the_key_that_differs),
      cmocka_unit_test(open_reads_only),
      cmocka_unit_test(unknown_devices_are_refused),
      cmocka_unit_test(memory_is_bounds_checked),
      cmocka_unit_test(allocation_aligns_and_ends),
      cmocka_unit_test(load_sets_the_regions_in_order),
      cmocka_unit_test(submit_rings_the_doorbell_last),
      cmocka_unit_test(errors_are_decoded),
      cmocka_unit_test(hanging_devices_are_given_up),
      cmocka_unit_test(counters_are_64_bit),
      cmocka_unit_test(the_model_runs_a_program),
      cmocka_unit_test(the_model_reports_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
