/* The cross-check is not hollow: bytes flipped in the scratchpad, in the constants and in the
 * program are reported, or end in a device error, or provably reach nothing. Also: what is on the
 * chip before a run has no influence, and the device gets the model's own input. Start at
 * judge(), which sorts one flip into a class of `verdict`.
 *
 *   WEFT_FAULTS  flips of each kind and network (default 200; with sanitizers 50)
 *   WEFT_SEED    (default 1) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "state.h"
#include "support/fault_bench.h"
#include "support/random_graph.h"
#include "tflite.h"

#ifdef __SANITIZE_ADDRESS__
enum { FLIPS = 50 };
#else
enum { FLIPS = 200 };
#endif

static weft_err err;

static uint64_t number(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* --- networks -------------------------------------------------------------------------------- */
typedef struct {
  const char *name, *preset;
  weft_graph *graph;
  void **input;
  weft_config config;
} network;

static const char cifar[] = "models/cifar10_mobilenet_int8.tflite";

/* Network `i`: 0 made here, 1 a real one; false when its file is not there. */
static bool network_open(int i, network *n) {
  *n = (network){.preset = i ? "micro-64" : "nano-16"};
  if (i == 1 && access(cifar, R_OK)) return false;
  if (i == 1) {
    if (weft_tflite_load(cifar, &n->graph, &err)) fail_msg("%s", err.text);
    n->name = cifar;
  } else {
    n->graph = random_graph(number("WEFT_SEED", 1) + 15,
                            &(random_graph_options){.nodes = 8, .simple = true});
    n->name = "random network";
  }
  n->input = random_inputs(n->graph, 5);
  random_source r = {77};
  for (int k = 0; k < n->graph->n_inputs; k++) {
    uint8_t *p = n->input[k];
    size_t bytes = weft_tensor_bytes(&n->graph->tensor[n->graph->input[k]]);
    for (size_t b = 0; b < bytes; b++) p[b] = (uint8_t)random_next(&r);
  }
  assert_int_equal(weft_config_preset(&n->config, n->preset, &err), WEFT_OK);
  return true;
}

static void network_close(network *n) {
  random_inputs_free(n->graph, n->input);
  weft_graph_free(n->graph);
}

/* --- classes --------------------------------------------------------------------------------- */
typedef enum {
  BY_CHECK,  /* the check reported a mismatch */
  BY_ERROR,  /* the device stopped with an error */
  NOT_READ,  /* no instruction read the byte before it was overwritten, or ever */
  PADDING,   /* read, but only in lanes beyond the layer's channels, or against zeros */
  ABSORBED,  /* read, and every result of every instruction is the same: rounding, clamp, maximum */
  NO_EFFECT, /* program: the instruction does the same with that field */
  UNEXPLAINED,
  VERDICTS
} verdict;

static const char *const verdict_name[VERDICTS] = {"caught by the check",
                                                   "stopped by the device",
                                                   "never read",
                                                   "only padding",
                                                   "absorbed",
                                                   "field without effect",
                                                   "UNEXPLAINED"};

/* --- fields without effect ------------------------------------------------------------------- */
/* Fields that may change without a change in any result, and why; operands are named without their
 * letter. Not among them are wait and post: the race detector and the count of tokens find every
 * change of an order. */
static const struct {
  const char *field, *why;
} harmless[] = {
    {"_base", "an operand that is not read (b of a unary operation)"},
    {"_row_stride", "one row, or an operand that is not read"},
    {"_pix_stride", "one pixel per row, or an operand that is not read"},
    {"_ring_rows", "the window does not wrap around"},
    {"_ring_start", "a ring of one row, or an operand that is not read"},
    {"in_h", "rows beyond those that the window reaches"},
    {"in_w", "pixels beyond those that the window reaches"},
    {"pad_value", "no padding in this tile"},
    {"dil_y", "one row of taps"},
    {"dil_x", "one column of taps"},
    {"stride_y", "one row of outputs"},
    {"stride_x", "one column of outputs"},
    {"w_stride", "weights come from the weight buffer"},
    {"acc_base", "other accumulators, that nothing else uses"},
    {"p_base", "partial sums take no parameters"},
    {"out_zp", "partial sums, or hidden by the clamp"},
    {"clamp_min", "no result below it, or partial sums"},
    {"clamp_max", "no result above it, or partial sums"},
    {"round_single", "the two roundings agree here"},
    {"lut_slot", "no table in use"},
    {"n_blocks", "more column blocks, in words that are overwritten or not read"},
    {"c_words", "more channel words, in words that are overwritten or not read"},
    {"o_block", "partial sums are not written"},
    {"a_mult", "not used by the operation, or below its rounding"},
    {"b_mult", "not used by the operation, or below its rounding"},
    {"o_mult", "not used by the operation, or below its rounding"},
    {"a_shift", "not used by the operation"},
    {"b_shift", "not used by the operation"},
    {"o_shift", "not used by the operation"},
    {"a_zp", "not used by the operation"},
    {"b_zp", "not used by the operation"},
    {"left_shift", "not used by the operation"},
    {"bias", "not used by the operation, or below its rounding"},
    {"d_row_stride", "one row, or a flat run"},
    {"d_pix_stride", "one pixel, or a flat run"},
    {"row_bytes", "more than the pixels reach"},
    {"fill", "padding lanes"},
    {"pix_bytes", "padding lanes, or bytes that the next pixel overwrites"},
    {"rows", "rows beyond those that are read"},
    {"pixels", "pixels beyond those that are read"},
    {"out_h", "rows beyond those that are read"},
    {"out_w", "pixels beyond those that are read"},
};

/* The field that owns bit `bit` of an instruction, or NULL. */
static const weft_field *field_of(uint32_t opcode, int bit) {
  const weft_insn_info *info = weft_insn_lookup(opcode);
  for (int i = 0; info && i < info->n_fields; i++)
    if (bit >= info->field[i].lsb && bit < info->field[i].lsb + info->field[i].bits)
      return &info->field[i];
  return NULL;
}

static bool is_harmless(const char *field) {
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
    const char *h = harmless[i].field;
    if (!strcmp(field, h) || (h[0] == '_' && field[1] == '_' && !strcmp(field + 1, h))) return true;
  }
  return false;
}

static verdict judge_code(const fault_bench *b, const fault *f, const fault_outcome *o) {
  uint32_t at = (uint32_t)(f->at / WEFT_INSN_BYTES);
  if (o->visible) return UNEXPLAINED;
  if (at >= b->program->step[0].count) return NOT_READ; /* after END */
  int bit = (int)(f->at % WEFT_INSN_BYTES) * 8 + __builtin_ctz(f->flip);
  const weft_field *field = field_of(b->insn[at].opcode, bit);
  if (field && weft_insn_unit(b->insn[at].opcode) == WEFT_UNIT_FETCH)
    return NO_EFFECT; /* tokens of END and FENCE are ignored; another opcode was stopped */
  return field && is_harmless(field->name) ? NO_EFFECT : UNEXPLAINED;
}

static verdict judge(const fault_bench *b, const fault *f, const fault_outcome *o) {
  if (o->stopped) return BY_ERROR;
  if (o->reported) return BY_CHECK;
  if (f->kind == FAULT_IN_CODE) return judge_code(b, f, o);
  if (o->visible) return UNEXPLAINED; /* something was different and the check kept quiet */
  if (!o->read) return NOT_READ;
  return o->met ? ABSORBED : PADDING;
}

/* --- flips ----------------------------------------------------------------------------------- */
/* Half of the scratchpad flips hit an operand of the instruction that follows. */
static fault random_fault(const fault_bench *b, fault_kind kind, random_source *r) {
  const uint32_t count = b->program->step[0].count;
  fault f = {.kind = kind, .flip = (uint8_t)(1 << random_range(r, 0, 7))};
  if (kind == FAULT_IN_CODE) {
    f.at = random_next(r) % ((uint64_t)b->program->n_insns * WEFT_INSN_BYTES);
  } else if (kind == FAULT_IN_CONSTANTS) {
    f.at = random_next(r) % b->program->constant_bytes;
  } else {
    f.insn = (uint32_t)(random_next(r) % count);
    f.at = random_next(r) % b->spad_bytes;
    for (uint32_t i = f.insn; random_chance(r, 50) && i < count; i++)
      if (fault_pick_operand(b, i, random_next(r), &f.at)) {
        f.insn = i;
        break;
      }
  }
  return f;
}

static void flip_many(fault_kind kind, const char *what) {
  for (int i = 0; i < 2; i++) {
    network n;
    fault_bench b;
    int count[VERDICTS] = {0};
    if (!network_open(i, &n)) continue;
    if (!fault_bench_open(&b, n.graph, n.input, &n.config, &err)) fail_msg("%s", err.text);
    random_source r = {number("WEFT_SEED", 1) * 10 + (uint64_t)kind};
    for (uint64_t k = 0; k < number("WEFT_FAULTS", FLIPS); k++) {
      fault f = random_fault(&b, kind, &r);
      fault_outcome o;
      fault_run(&b, &f, &o);
      verdict v = judge(&b, &f, &o);
      count[v]++;
      if (v != UNEXPLAINED) continue;
      char line[512];
      uint32_t at = kind == FAULT_IN_CODE ? (uint32_t)(f.at / WEFT_INSN_BYTES) : f.insn;
      (void)weft_disasm(&b.insn[at], line, sizeof line);
      const weft_field *field =
          field_of(b.insn[at].opcode, (int)(f.at % WEFT_INSN_BYTES) * 8 + __builtin_ctz(f.flip));
      print_message("%s: flip 0x%02x of byte %llu (%s), instruction %u: %s\n  %s\n", what, f.flip,
                    (unsigned long long)f.at, kind == FAULT_IN_CODE && field ? field->name : "", at,
                    line, o.text);
    }
    print_message("%s, %s on %s (%u instructions):", what, n.name, n.preset, b.program->n_insns);
    for (int v = 0; v < VERDICTS; v++)
      if (count[v]) print_message(" %d %s;", count[v], verdict_name[v]);
    print_message("\n");
    assert_int_equal(count[UNEXPLAINED], 0);
    assert_true(count[BY_CHECK] + count[BY_ERROR] > 0);
    fault_bench_close(&b);
    network_close(&n);
  }
}

static void scratchpad_flips_are_found(void **state) {
  (void)state;
  flip_many(FAULT_IN_SPAD, "scratchpad");
}
static void constant_flips_are_found(void **state) {
  (void)state;
  flip_many(FAULT_IN_CONSTANTS, "constants");
}
static void program_flips_are_found(void **state) {
  (void)state;
  flip_many(FAULT_IN_CODE, "program");
}

/* Without a fault, the comparison with the log finds nothing: what it finds is the fault's. */
static void nothing_is_found_without_a_fault(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    network n;
    fault_bench b;
    fault_outcome o;
    if (!network_open(i, &n)) continue;
    if (!fault_bench_open(&b, n.graph, n.input, &n.config, &err)) fail_msg("%s", err.text);
    for (int kind = FAULT_IN_SPAD; kind <= FAULT_IN_CODE; kind++) {
      fault_run(&b, &(fault){.kind = (fault_kind)kind}, &o);
      assert_false(o.stopped || o.reported || o.visible);
    }
    fault_bench_close(&b);
    network_close(&n);
  }
}

/* --- before the doorbell --------------------------------------------------------------------- */
typedef struct {
  weft_device_counters counters;
  uint8_t *dram;
} run_result;

static run_result run_from(fault_bench *b, uint64_t seed) {
  random_source r = {seed};
  const weft_program *p = b->program;
  run_result out = {.dram = malloc(b->dram_bytes + 1)};
  uint8_t *arena = b->dram + b->image.addr[WEFT_REGION_ARENA];
  weft_device_reset(b->dev);
  memcpy(b->dram, b->fresh, b->dram_bytes);
  weft_sim_set_hook(b->sim, NULL, NULL);
  for (int m = WEFT_MEM_SPAD; seed && m <= WEFT_MEM_EXP; m++) {
    size_t n;
    uint8_t *bytes = weft_sim_memory(b->sim, m, &n);
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)random_next(&r);
  }
  size_t sums = (size_t)b->sim->acc_rows * p->config.cols;
  for (size_t i = 0; seed && i < sums; i++) b->sim->acc[i] = (int32_t)random_next(&r);
  for (size_t i = 0; seed && i < p->arena_bytes; i++) {
    bool input = false;
    for (int k = 0; k < b->graph->n_inputs; k++) {
      const weft_place *at = &p->place[b->graph->input[k]];
      input |= i >= at->offset &&
               i < at->offset + weft_tensor_bytes(&b->graph->tensor[b->graph->input[k]]);
    }
    if (!input) arena[i] = (uint8_t)random_next(&r);
  }
  weft_device_set_options(b->dev, &(weft_device_options){0});
  assert_int_equal(weft_device_submit(b->dev, 0, p->step[0].count, &err), WEFT_OK);
  assert_int_equal(weft_device_wait(b->dev, &err), WEFT_OK);
  weft_device_read_counters(b->dev, &out.counters);
  memcpy(out.dram, b->dram, b->dram_bytes);
  return out;
}

static void what_is_on_the_chip_before_does_not_matter(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    network n;
    fault_bench b;
    if (!network_open(i, &n)) continue;
    if (!fault_bench_open(&b, n.graph, n.input, &n.config, &err)) fail_msg("%s", err.text);
    run_result first = run_from(&b, 0);
    for (uint64_t seed = 1; seed < 4; seed++) {
      run_result again = run_from(&b, seed);
      assert_memory_equal(&first.counters, &again.counters, sizeof first.counters);
      for (int k = 0; k < n.graph->n_outputs; k++) {
        int t = n.graph->output[k];
        size_t at = b.image.addr[WEFT_REGION_ARENA] + b.program->place[t].offset;
        assert_memory_equal(first.dram + at, again.dram + at,
                            weft_tensor_bytes(&n.graph->tensor[t]));
      }
      free(again.dram);
    }
    free(first.dram);
    fault_bench_close(&b);
    network_close(&n);
  }
}

/* --- the input ------------------------------------------------------------------------------- */
typedef struct {
  const network *n;
  const weft_program *program;
  bool looked;
} input_look;

static void look_at_input(void *user, weft_sim *sim, size_t index, int phase) {
  input_look *l = user;
  if (index || phase != WEFT_HOOK_BEFORE || l->looked) return;
  l->looked = true;
  size_t bytes;
  const uint8_t *arena =
      weft_sim_dram(sim, &bytes) + weft_sim_read_reg(sim, WEFT_REG_BASE + 16 * WEFT_REGION_ARENA);
  for (int k = 0; k < l->n->graph->n_inputs; k++) {
    int t = l->n->graph->input[k];
    assert_memory_equal(arena + l->program->place[t].offset, l->n->input[k],
                        weft_tensor_bytes(&l->n->graph->tensor[t]));
  }
}

static void the_device_gets_the_models_own_input(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    network n;
    weft_program *p;
    weft_runner *runner;
    const weft_runner_options options = {.backend = WEFT_BACKEND_SIM};
    if (!network_open(i, &n)) continue;
    assert_int_equal(weft_compile(n.graph, &n.config, &(weft_compile_options){0}, &p, &err),
                     WEFT_OK);
    assert_int_equal(weft_runner_new(n.graph, p, &options, &runner, &err), WEFT_OK);
    input_look look = {&n, p, false};
    weft_sim_set_hook(weft_device_model(weft_runner_device(runner)), look_at_input, &look);
    assert_int_equal(weft_runner_run(runner, n.input, &err), WEFT_OK);
    assert_true(look.looked);
    weft_runner_free(runner);
    weft_program_free(p);
    network_close(&n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_found_without_a_fault),
      cmocka_unit_test(scratchpad_flips_are_found),
      cmocka_unit_test(constant_flips_are_found),
      cmocka_unit_test(program_flips_are_found),
      cmocka_unit_test(what_is_on_the_chip_before_does_not_matter),
      cmocka_unit_test(the_device_gets_the_models_own_input),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
