/* Running whole networks: what the runner adds up, and that the cross-check finds every kind of
 * fault that it is there for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runner.h"
#include "runner_result.h"
#include "support/zoo.h"

#include <stdlib.h>
#include <string.h>

static weft_err err;

/* Appends a node with one new 8-bit output tensor. */
static int append(weft_graph *g, weft_opcode op, weft_dtype dtype, int rank, const int32_t *dim,
                  int zero_point, int n_in, const int *in) {
  char name[32];
  (void)snprintf(name, sizeof name, "t%d", g->n_tensors);
  int t = weft_graph_add_tensor(g, name, dtype, rank, dim);
  const float scale = 0.25f;
  assert_true(t >= 0);
  if (dtype != WEFT_FLOAT32)
    assert_int_equal(weft_graph_set_quant(g, t, 1, 0, &scale, &zero_point), 0);
  assert_true(weft_graph_add_node(g, op, &(weft_attr){0}, n_in, in, 1, &t) >= 0);
  return t;
}

/* Convolution, addition to itself, reshape, uint8, and at last floats: device, views and host. */
static weft_graph *network(void) {
  weft_graph *g = zoo_small();
  int y = g->output[0];
  int z = append(g, WEFT_OP_ADD, WEFT_INT8, 4, (int32_t[]){1, 4, 4, 3}, 7, 2, (int[]){y, y});
  int r = append(g, WEFT_OP_RESHAPE, WEFT_INT8, 2, (int32_t[]){16, 3}, 7, 1, &z);
  int u = append(g, WEFT_OP_QUANTIZE, WEFT_UINT8, 2, (int32_t[]){16, 3}, 135, 1, &r);
  int f = append(g, WEFT_OP_DEQUANTIZE, WEFT_FLOAT32, 2, (int32_t[]){16, 3}, 0, 1, &u);
  assert_int_equal(weft_graph_set_io(g, 1, g->input, 2, (int[]){u, f}), 0);
  assert_int_equal(weft_graph_check(g, "network", &err), WEFT_OK);
  return g;
}

typedef struct {
  weft_graph *graph;
  weft_program *program;
  weft_runner *runner;
  uint8_t bytes[32];
  void *input[1];
} fixture;

static void setup(fixture *f) {
  weft_config config;
  weft_config_default(&config);
  memset(f, 0, sizeof *f);
  f->graph = network();
  for (int i = 0; i < 32; i++) f->bytes[i] = (uint8_t)(17 * i + 5);
  f->input[0] = f->bytes;
  assert_int_equal(
      weft_compile(f->graph, &config, &(weft_compile_options){.naive = true}, &f->program, &err),
      WEFT_OK);
}

static const weft_run_result *run(fixture *f) {
  if (!f->runner)
    assert_int_equal(weft_runner_new(f->graph, f->program,
                                     &(weft_runner_options){.backend = WEFT_BACKEND_SIM,
                                                            .check = true,
                                                            .races = true,
                                                            .slices = true},
                                     &f->runner, &err),
                     WEFT_OK);
  assert_int_equal(weft_runner_run(f->runner, f->input, &err), WEFT_OK);
  return weft_runner_result(f->runner);
}

static void teardown(fixture *f) {
  weft_runner_free(f->runner);
  weft_program_free(f->program);
  weft_graph_free(f->graph);
}

/* The first instruction that produces a part of the tensor, with this opcode or (0) any. */
static uint32_t producer(const fixture *f, int tensor, uint32_t opcode) {
  for (uint32_t i = 0; i < f->program->n_insns; i++) {
    uint32_t found = f->program->code[(size_t)i * WEFT_INSN_BYTES] & 63;
    if (f->program->result[i].tensor == tensor && (!opcode || opcode == found)) return i;
  }
  fail_msg("no instruction produces tensor %d", tensor);
  return 0;
}

static void change(fixture *f, uint32_t at, void (*edit)(weft_insn *)) {
  weft_insn insn;
  uint8_t *code = f->program->code + (size_t)at * WEFT_INSN_BYTES;
  assert_int_equal(weft_decode(code, &insn, &err), WEFT_OK);
  edit(&insn);
  assert_int_equal(weft_encode(&insn, code, &err), WEFT_OK);
}

#define assert_first(what) assert_non_null(strstr(r->check.first, what))

/* --- a good run ------------------------------------------------------------------------------ */
static void everything_adds_up(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  uint64_t first_cycles = 0;
  for (int again = 0; again < 2; again++) {
    const weft_run_result *r = run(&f);
    uint64_t cycles = 0, bytes = 0;
    for (int i = 0; i < r->n_layers; i++) {
      cycles += r->layer[i].cycles;
      bytes += r->layer[i].dram_bytes;
    }
    assert_true(r->cycles > 0 && r->timed && r->checked);
    assert_int_equal(cycles, r->cycles);
    assert_int_equal(bytes, r->dram_read_bytes + r->dram_write_bytes);
    for (int u = 0; u < r->n_units; u++) {
      const weft_unit_result *x = &r->unit[u];
      assert_int_equal(x->busy + x->idle + x->stall_operand + x->stall_dram + x->stall_queue,
                       r->cycles);
    }
    assert_string_equal(r->check.first, "");
    assert_int_equal(r->check.mismatches, 0);
    assert_int_equal(r->check.elements, 5 * 48); /* every output of every operator */
    assert_int_equal(r->n_host, 1);
    assert_string_equal(r->host[0].op, "DEQUANTIZE");
    for (size_t i = 0; i < r->n_slices; i++) assert_true(r->slice[i].end <= r->cycles);
    if (again) assert_int_equal(r->cycles, first_cycles);
    first_cycles = r->cycles;
  }
  teardown(&f);
}

static void backends_agree(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  const weft_run_result *r = run(&f);
  weft_runner *ref;
  const weft_runner_options options = {.backend = WEFT_BACKEND_REF};
  assert_int_equal(weft_runner_new(f.graph, NULL, &options, &ref, &err), WEFT_OK);
  assert_int_equal(weft_runner_run(ref, f.input, &err), WEFT_OK);
  const weft_run_result *want = weft_runner_result(ref);
  assert_false(want->timed);
  assert_int_equal(want->n_outputs, 2);
  for (int i = 0; i < 2; i++)
    assert_memory_equal(r->output[i].tensor->data, want->output[i].tensor->data,
                        weft_tensor_bytes(want->output[i].tensor));
  assert_int_equal(want->macs, r->macs);
  assert_int_equal(want->macs, 4 * 4 * 3 * 3 * 3 * 2);
  weft_runner_free(ref);
  teardown(&f);
}

/* --- faults that must be found --------------------------------------------------------------- */
static void other_zero_point(weft_insn *insn) {
  insn->GEMM.out_zp++;
}

static void wrong_results_are_found(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  int y = zoo_node(f.graph, WEFT_OP_CONV_2D)->out[0];
  uint32_t at = producer(&f, y, WEFT_OP_CODE_GEMM);
  change(&f, at, other_zero_point);
  const weft_run_result *r = run(&f);
  char text[64];
  (void)snprintf(text, sizeof text, "after instruction %u: GEMM", at);
  assert_true(r->check.mismatches > 0);
  assert_true(r->check.max_abs_diff >= 1);
  assert_first(text);
  assert_first("tensor t3[0,0,0,");
  teardown(&f);
}

static void other_address(weft_insn *insn) {
  insn->STORE.offset++;
}

static void wrong_stores_are_found(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  int y = zoo_node(f.graph, WEFT_OP_CONV_2D)->out[0];
  uint32_t at = producer(&f, y, WEFT_OP_CODE_STORE);
  change(&f, at, other_address);
  const weft_run_result *r = run(&f);
  assert_true(r->check.mismatches > 0);
  assert_first("stored elsewhere");
  teardown(&f);
}

static void uncompared_elements_are_found(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  int y = zoo_node(f.graph, WEFT_OP_CONV_2D)->out[0];
  for (uint32_t i = 0; i < f.program->n_insns; i++)
    if (f.program->result[i].tensor == y) f.program->result[i].tensor = -1;
  const weft_run_result *r = run(&f);
  assert_int_equal(r->check.mismatches, 48);
  assert_int_equal(r->check.elements, 4 * 48);
  assert_first("output of CONV_2D: 48 of 48 elements were never compared");
  teardown(&f);
}

static void wrong_descriptions_are_found(void **state) {
  (void)state;
  for (int how = 0; how < 6; how++) {
    fixture f;
    setup(&f);
    int y = zoo_node(f.graph, WEFT_OP_CONV_2D)->out[0];
    weft_result *d = &f.program->result[producer(&f, y, 0)];
    if (how == 0) d->y = d->height;
    if (how == 1) d->batch = 1;
    if (how == 2) d->height = UINT32_MAX;
    if (how == 3) d->c = UINT32_MAX;
    if (how == 4) d->tensor = f.graph->output[1]; /* floats */
    if (how == 5) f.program->result[0] = *d;      /* of an instruction that has none: a LOAD */
    const weft_run_result *r = run(&f);
    assert_true(r->check.mismatches > 0);
    assert_true(strlen(r->check.first) > 0);
    teardown(&f);
  }
}

/* --- errors ---------------------------------------------------------------------------------- */
static void no_region(weft_insn *insn) {
  insn->STORE.region = 7;
}

static void device_errors_end_the_run(void **state) {
  (void)state;
  fixture f;
  setup(&f);
  int y = zoo_node(f.graph, WEFT_OP_CONV_2D)->out[0];
  change(&f, producer(&f, y, WEFT_OP_CODE_STORE), no_region);
  const weft_runner_options options = {.backend = WEFT_BACKEND_SIM, .check = true};
  assert_int_equal(weft_runner_new(f.graph, f.program, &options, &f.runner, &err), WEFT_OK);
  assert_int_equal(weft_runner_run(f.runner, f.input, &err), WEFT_EDEVICE);
  assert_non_null(strstr(err.text, "DRAM access outside its region"));
  teardown(&f);
}

static void backends_are_named(void **state) {
  (void)state;
  weft_backend b;
  assert_int_equal(weft_backend_parse("ref", &b, &err), WEFT_OK);
  assert_int_equal(b, WEFT_BACKEND_REF);
  assert_int_equal(weft_backend_parse("sim", &b, &err), WEFT_OK);
  assert_int_equal(b, WEFT_BACKEND_SIM);
  assert_int_equal(weft_backend_parse("rtl", &b, &err), WEFT_OK);
  assert_int_equal(b, WEFT_BACKEND_RTL);
  assert_int_equal(weft_backend_parse("gpu", &b, &err), WEFT_EINPUT);
}

/* --- numbers --------------------------------------------------------------------------------- */
static void dram_bytes_are_counted_once(void **state) {
  (void)state;
  weft_insn insn = {.opcode = WEFT_OP_CODE_STORE};
  insn.STORE = (weft_insn_STORE){.rows = 3, .pixels = 5, .pix_bytes = 7, .d_pix_stride = 100};
  assert_int_equal(weft_insn_dram_bytes(&insn), 105);
  insn = (weft_insn){.opcode = WEFT_OP_CODE_LOAD};
  /* overlapping windows: 3 bytes every 2, one byte of padding at each end of 6 valid ones */
  insn.LOAD = (weft_insn_LOAD){
      .rows = 2, .pixels = 4, .pix_bytes = 3, .d_pix_stride = 2, .lead = 1, .row_bytes = 6};
  assert_int_equal(weft_insn_dram_bytes(&insn), 12);
  /* pixels with gaps, the last one cut off */
  insn.LOAD =
      (weft_insn_LOAD){.rows = 1, .pixels = 3, .pix_bytes = 4, .d_pix_stride = 10, .row_bytes = 22};
  assert_int_equal(weft_insn_dram_bytes(&insn), 10);
  insn = (weft_insn){.opcode = WEFT_OP_CODE_END};
  assert_int_equal(weft_insn_dram_bytes(&insn), 0);
}

static void scores_are_ordered(void **state) {
  (void)state;
  int8_t code[7] = {3, -128, 9, 3, 127, 9, 0};
  float scale = 0.5f;
  int32_t zero = -128;
  weft_tensor t = {.name = "scores",
                   .dtype = WEFT_INT8,
                   .rank = 2,
                   .dim = {1, 7},
                   .data = code,
                   .quant = {.n = 1, .scale = &scale, .zero_point = &zero}};
  weft_output_result o = {0};
  weft_result_output(&o, &t);
  const int want[5] = {4, 2, 5, 0, 3}; /* ties: lower index first */
  assert_int_equal(o.n_top, 5);
  for (int i = 0; i < 5; i++) assert_int_equal(o.top[i].index, want[i]);
  assert_true(o.top[0].value == 127.5);
  free(o.name);
  t.dim[0] = 7; /* a column is no vector of scores */
  t.dim[1] = 1;
  weft_result_output(&o, &t);
  assert_int_equal(o.n_top, 0);
  free(o.name);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_adds_up),
      cmocka_unit_test(backends_agree),
      cmocka_unit_test(wrong_results_are_found),
      cmocka_unit_test(wrong_stores_are_found),
      cmocka_unit_test(uncompared_elements_are_found),
      cmocka_unit_test(wrong_descriptions_are_found),
      cmocka_unit_test(device_errors_end_the_run),
      cmocka_unit_test(backends_are_named),
      cmocka_unit_test(dram_bytes_are_counted_once),
      cmocka_unit_test(scores_are_ordered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
