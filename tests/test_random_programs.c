/* Random and directed programs on the C model alone: every one is accepted by the proof of order
 * (check_races), gives the same result with a DRAM of any latency, and together they meet every bin
 * of the coverage table, which is printed. And the shrinker, on a device with a mistake in it.
 *
 *   WEFT_RANDOM_PROGRAMS  how many (default 300), and a third as many on other configurations
 *   WEFT_SEED             the first seed (default 1) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "sim.h"
#include "support/coverage.h"
#include "support/directed_programs.h"
#include "support/folder.h"

enum { PROGRAMS = 300 };

static uint64_t number(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static weft_config config_of(const char *preset, const char *const *keys) {
  weft_config c;
  weft_err err = {""};
  if (weft_config_preset(&c, preset, &err)) fail_msg("%s", err.text);
  for (; *keys; keys++)
    if (weft_config_set(&c, *keys, &err)) fail_msg("%s", err.text);
  return c;
}

/* --- programs --------------------------------------------------------------------------------- */
typedef struct {
  uint64_t programs, instructions, cycles, refused;
} totals;

/* The program at another latency: a token too few would show as another result. */
static void same_at_latency(const random_program *p, const device_result *expected,
                            uint32_t latency) {
  random_program other = *p;
  char text[3000];
  device_result r;
  other.cfg.dram_latency = latency;
  random_job *x = random_job_new(&other);
  x->job.check_races = true;
  device_run(&device_model, &x->job, &r);
  if (!device_compare(&x->job, expected, &r, COMPARE_DATA, text, sizeof text))
    fail_msg("seed %llu (%s), latency %u: %s", (unsigned long long)p->seed, p->profile, latency,
             text);
  device_result_free(&r);
  free(x);
}

static void run_program(const random_program *p, coverage *c, totals *sum) {
  random_job *x = random_job_new(p);
  device_result r;
  x->job.check_races = true;
  device_run(&device_model, &x->job, &r);
  sum->programs++;
  sum->instructions += (uint64_t)p->n;
  sum->cycles += r.counters.cycles;
  if (r.opened[0] || r.status) {
    if (!sum->refused++) random_program_print(p);
    print_message("seed %llu (%s): %s%s\n", (unsigned long long)p->seed, p->profile, r.opened,
                  r.err.text);
  } else {
    coverage_add(c, p, &r);
    same_at_latency(p, &r, 1);
    same_at_latency(p, &r, 400);
  }
  device_result_free(&r);
  free(x);
}

static void run_configuration(const weft_config *cfg, uint64_t programs) {
  static coverage c;
  totals sum = {0};
  random_program p;
  const uint64_t first = number("WEFT_SEED", 1);
  coverage_init(&c, cfg);
  for (int i = 0; i < directed_programs(); i++) {
    directed_program_make(&p, cfg, i);
    run_program(&p, &c, &sum);
  }
  for (uint64_t seed = first; seed < first + programs; seed++) {
    random_program_make(&p, cfg, seed, -1);
    run_program(&p, &c, &sum);
  }
  const int empty = coverage_print(&c);
  print_message("%llu programs, %llu instructions, %llu cycles, %llu refused\n",
                (unsigned long long)sum.programs, (unsigned long long)sum.instructions,
                (unsigned long long)sum.cycles, (unsigned long long)sum.refused);
  assert_int_equal(sum.refused, 0);
  if (programs >= PROGRAMS / 3) assert_int_equal(empty, 0);
}

static void programs_are_ordered(void **state) {
  static const char *const none[] = {NULL};
  static const char *const narrow_rows[] = {"rows=4", "output_lanes=2", "dw_lanes=2", NULL};
  static const char *const narrow_columns[] = {"cols=4", "output_lanes=1", "vec_lanes=4",
                                               "queue_depth=8", NULL};
  const uint64_t n = number("WEFT_RANDOM_PROGRAMS", PROGRAMS);
  (void)state;
  const weft_config c[] = {config_of("nano-16", none), config_of("micro-64", narrow_rows),
                           config_of("edge-256", narrow_columns), config_of("edge-256", none)};
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) run_configuration(&c[i], i ? n / 3 : n);
}

static void same_seed_same_program(void **state) {
  static const char *const none[] = {NULL};
  const weft_config c = config_of("micro-64", none);
  random_program a, b;
  (void)state;
  random_program_make(&a, &c, 5, -1);
  random_program_make(&b, &c, 5, -1);
  assert_memory_equal(&a, &b, sizeof a);
  random_program_make(&b, &c, 6, -1);
  assert_memory_not_equal(&a, &b, sizeof a);
  assert_true(random_program_save(&a, in_folder("a.bin")));
  assert_true(random_program_read(&b, in_folder("a.bin")));
  random_job *x = random_job_new(&a), *y = random_job_new(&b);
  assert_int_equal(a.n, b.n);
  assert_memory_equal(x->code, y->code, sizeof x->code);
  assert_memory_equal(x->constants, y->constants, sizeof x->constants);
  assert_memory_equal(x->arena, y->arena, sizeof x->arena);
  free(x);
  free(y);
  write_file("b.bin", &a, 500);
  assert_false(random_program_read(&b, in_folder("b.bin")));
  assert_false(random_program_read(&b, in_folder("c.bin")));
}

/* The order's own proof: without one of its tokens a program is refused, or it did not need it. */
static void tokens_are_needed(void **state) {
  static const char *const none[] = {NULL};
  const weft_config c = config_of("nano-16", none);
  int taken = 0, refused = 0;
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    random_program p;
    char why[400];
    random_program_make(&p, &c, seed, -1);
    assert_true(random_program_order_again(&p)); /* none but those needed */
    assert_true(random_program_valid(&p, why, sizeof why));
    for (int i = 0; i < p.n - 1 && taken < 100; i++)
      for (int u = 0; u < WEFT_UNITS; u++) {
        random_program x = p;
        if (!(x.insn[i].wait >> u & 1) || x.insn[i].opcode == WEFT_OP_CODE_FENCE) continue;
        x.insn[i].wait &= ~(1u << u);
        taken++;
        refused += !random_program_valid(&x, why, sizeof why);
      }
  }
  assert_int_equal(refused, taken); /* a token too many is left at the end as well */
}

/* --- a device with a mistake ------------------------------------------------------------------ */
/* The model, but for one rule: results of VPOOL AVG_UP over several columns have a bit turned over
 * in their first byte, or STOREs with `flip` end a cycle late. */
enum { NO_MISTAKE, MISTAKE_IN_DATA, MISTAKE_IN_TIME };
static int mistake;

typedef struct {
  void *model;
  weft_device_observer observer;
  void *user;
} broken;

static weft_insn instruction(broken *b, size_t index) {
  weft_insn x = {0};
  uint8_t bytes[WEFT_INSN_BYTES];
  const uint64_t base = weft_model_ops.read32(b->model, WEFT_REG_BASE) +
                        weft_model_ops.read32(b->model, WEFT_REG_PROGRAM_OFFSET);
  if (weft_model_ops.mem_read(b->model, base + index * WEFT_INSN_BYTES, bytes, sizeof bytes))
    (void)weft_decode(bytes, &x, NULL);
  return x;
}

static void broken_instruction(void *user, size_t index) {
  broken *b = user;
  const weft_insn x = instruction(b, index);
  if (mistake == MISTAKE_IN_DATA && x.opcode == WEFT_OP_CODE_VPOOL &&
      x.VPOOL.op == WEFT_VPOOL_AVG_UP && x.VPOOL.kw > 1) {
    size_t bytes;
    struct weft_sim *sim = weft_model_ops.model(b->model);
    const size_t row = (size_t)x.VPOOL.o_ring_start % x.VPOOL.o_ring_rows * x.VPOOL.o_row_stride;
    uint8_t *spad = weft_sim_memory(sim, WEFT_MEM_SPAD, &bytes);
    const uint32_t word = weft_model_ops.read32(b->model, WEFT_REG_CONFIG); /* rows = cols */
    spad[(x.VPOOL.o_base + row) * word] ^= 1;
  }
  if (b->observer) b->observer(b->user, index);
}

static uint32_t broken_read32(void *self, uint32_t offset) {
  return weft_model_ops.read32(((broken *)self)->model, offset);
}
static void broken_write32(void *self, uint32_t offset, uint32_t value) {
  weft_model_ops.write32(((broken *)self)->model, offset, value);
}
static bool broken_mem_read(void *self, uint64_t addr, void *dst, size_t n) {
  return weft_model_ops.mem_read(((broken *)self)->model, addr, dst, n);
}
static bool broken_mem_write(void *self, uint64_t addr, const void *src, size_t n) {
  return weft_model_ops.mem_write(((broken *)self)->model, addr, src, n);
}
static uint64_t broken_mem_size(void *self) {
  return weft_model_ops.mem_size(((broken *)self)->model);
}
static void broken_poll(void *self) {
  weft_model_ops.poll(((broken *)self)->model);
}
static void broken_close(void *self) {
  weft_model_ops.close(((broken *)self)->model);
  free(self);
}
static size_t broken_n_times(void *self) {
  return weft_model_ops.n_times(((broken *)self)->model);
}
static weft_device_time broken_time(void *self, size_t index) {
  broken *b = self;
  weft_device_time t = weft_model_ops.time(b->model, index);
  const weft_insn x = instruction(b, index);
  t.end += mistake == MISTAKE_IN_TIME && x.opcode == WEFT_OP_CODE_STORE && x.STORE.flip;
  return t;
}
static const uint8_t *broken_memory(void *self, int mem, size_t *bytes) {
  return weft_model_ops.memory(((broken *)self)->model, mem, bytes);
}
static void broken_observe(void *self, weft_device_observer observer, void *user) {
  broken *b = self;
  b->observer = observer;
  b->user = user;
  weft_model_ops.observe(b->model, broken_instruction, b);
}
static void broken_set_options(void *self, const struct weft_device_options *options) {
  weft_model_ops.set_options(((broken *)self)->model, options);
}

static const weft_device_ops broken_ops = {.read32 = broken_read32,
                                           .write32 = broken_write32,
                                           .mem_read = broken_mem_read,
                                           .mem_write = broken_mem_write,
                                           .mem_size = broken_mem_size,
                                           .poll = broken_poll,
                                           .close = broken_close,
                                           .n_times = broken_n_times,
                                           .time = broken_time,
                                           .memory = broken_memory,
                                           .observe = broken_observe,
                                           .set_options = broken_set_options};

static weft_status open_broken(void *user, const weft_config *cfg, size_t dram_bytes,
                               weft_device **out, weft_err *err) {
  broken *b = calloc(1, sizeof *b);
  (void)user;
  if (!b) abort();
  weft_status status = weft_model_open(cfg, dram_bytes, &b->model, err);
  if (status) {
    free(b);
    return status;
  }
  return weft_device_attach(&broken_ops, b, cfg, out, err);
}
static const device_kind device_broken = {"broken", open_broken, NULL};

static bool differs(void *user, const random_program *p) {
  char *text = user;
  random_job *x = random_job_new(p);
  device_result a, b;
  device_run(&device_model, &x->job, &a);
  device_run(&device_broken, &x->job, &b);
  const bool same = device_compare(&x->job, &a, &b, COMPARE_ALL, text, 3000);
  device_result_free(&a);
  device_result_free(&b);
  free(x);
  return !same;
}

/* Finds a program that shows the mistake, shrinks it, and looks at what is left. */
static void find_and_shrink(int which, int opcode, const char *said) {
  static const char *const none[] = {NULL};
  const weft_config c = config_of("nano-16", none);
  random_program p;
  char text[3000];
  uint64_t seed = 1;
  mistake = which;
  do random_program_make(&p, &c, seed++, -1);
  while (!differs(text, &p) && seed < 300);
  const int before = p.n, tried = random_program_shrink(&p, differs, text);
  assert_true(differs(text, &p));
  print_message("shrunk from %d to %d instructions with %d candidates: %s", before, p.n, tried,
                text);
  random_program_print(&p);
  assert_non_null(strstr(text, said));
  assert_true(p.n <= 4); /* a LOAD or two, the culprit, END */
  assert_int_equal(p.insn[p.n - 2].opcode, opcode);
  if (opcode == WEFT_OP_CODE_VPOOL) {
    assert_int_equal(p.insn[p.n - 2].VPOOL.kw, 2);
    assert_int_equal(p.insn[p.n - 2].VPOOL.kh, 1);
    assert_int_equal(p.insn[p.n - 2].VPOOL.out_h, 1);
  } else {
    assert_int_equal(p.insn[p.n - 2].STORE.pix_bytes, 1);
  }
  mistake = NO_MISTAKE;
  assert_false(differs(text, &p));
}

static void shrinks_wrong_data(void **state) {
  (void)state;
  find_and_shrink(MISTAKE_IN_DATA, WEFT_OP_CODE_VPOOL, "scratchpad: 1 bytes differ");
}

static void shrinks_wrong_times(void **state) {
  (void)state;
  find_and_shrink(MISTAKE_IN_TIME, WEFT_OP_CODE_STORE, "1 instructions have other times");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_seed_same_program), cmocka_unit_test(tokens_are_needed),
      cmocka_unit_test(shrinks_wrong_data), cmocka_unit_test(shrinks_wrong_times),
      cmocka_unit_test(programs_are_ordered)};
  return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
