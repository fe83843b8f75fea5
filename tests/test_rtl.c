/* The Verilated RTL against the C model, program by program: status, cycles, all counters, start
 * and end of every instruction, DRAM and scratchpad are equal. Directed and random programs, what
 * stops a program, soft reset, and a memory that keeps no promise about time.
 *
 * A preset whose library is not built is skipped by name: make rtl PRESET=nano-16.
 *   WEFT_RTL_PROGRAMS  how many random programs on nano-16 (default 100)
 *   WEFT_SEED          the first seed (default 1)
 *   WEFT_TEST_FULL     2,000 programs, and the presets micro-64 and edge-256 too
 *   WEFT_RTL_JITTER    an unfriendly memory for all of them: times are not compared
 *   WEFT_PROGRAM       a file random_program_SEED.bin: that program alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "support/coverage.h"
#include "support/directed_programs.h"

enum { PROGRAMS = 100, FULL_PROGRAMS = 2000, JITTER_PROGRAMS = 25, SPOILED = 200, TEXT = 4000 };

static uint64_t number(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static bool full(void) {
  const char *text = getenv("WEFT_TEST_FULL");
  return text && *text;
}

/* The preset's configuration, if its library is there; otherwise says so. */
static bool available(const char *preset, weft_config *out) {
  weft_err err = {""};
  char why[400];
  if (weft_config_preset(out, preset, &err)) fail_msg("%s", err.text);
  if (device_rtl_exists(out, why, sizeof why)) return true;
  print_message("skipped: %s: %s\n", preset, why);
  return false;
}

static device_compare_what what_to_compare(void) {
  return getenv("WEFT_RTL_JITTER") ? COMPARE_DATA : COMPARE_ALL;
}

/* --- one program ------------------------------------------------------------------------------ */
/* Runs it on both; true when equal. `c` may be NULL. */
static bool equal_on_both(const random_program *p, coverage *c, char *text) {
  random_job *x = random_job_new(p);
  device_result model, rtl;
  x->job.check_races = true;
  device_run(&device_model, &x->job, &model);
  device_run(&device_rtl, &x->job, &rtl);
  if (c && !model.status) coverage_add(c, p, &model);
  const bool equal = device_compare(&x->job, &model, &rtl, what_to_compare(), text, TEXT);
  device_result_free(&model);
  device_result_free(&rtl);
  free(x);
  return equal;
}

static bool differs(void *user, const random_program *p) {
  return !equal_on_both(p, NULL, user);
}

/* Says what differs, in the program and in the smallest part of it that differs; keeps both. */
static void report_failure(const random_program *p, char *text) {
  char path[512];
  random_program small = *p;
  const char *folder = getenv("BUILD"); /* of tests/run.sh */
  if (!folder) folder = access("build", W_OK) == 0 ? "build" : ".";
  (void)snprintf(path, sizeof path, "%.400s/random_program_%llu.bin", folder,
                 (unsigned long long)p->seed);
  print_message("%s, seed %llu (%s):\n%s", p->cfg.preset, (unsigned long long)p->seed, p->profile,
                text);
  const int tried = random_program_shrink(&small, differs, text);
  (void)differs(text, &small);
  print_message("shrunk from %d to %d instructions (%d candidates):\n", p->n, small.n, tried);
  random_program_print(&small);
  print_message("%s", text);
  if (random_program_save(&small, path))
    print_message("again: WEFT_PROGRAM=%s build/tests/test_rtl\n", path);
}

/* Returns whether it failed; the first failures are looked into. */
static int check(const random_program *p, coverage *c, int failures) {
  char text[TEXT];
  if (equal_on_both(p, c, text)) return 0;
  if (failures < 3)
    report_failure(p, text);
  else
    print_message("%s, seed %llu (%s) differs\n", p->cfg.preset, (unsigned long long)p->seed,
                  p->profile);
  return 1;
}

/* --- many programs ---------------------------------------------------------------------------- */
enum { ENOUGH = 20 }; /* failures, after which the rest is not looked at */

static void run_preset(const char *preset, uint64_t programs) {
  static coverage c;
  weft_config cfg;
  random_program p;
  int failures = 0;
  const uint64_t first = number("WEFT_SEED", 1);
  if (!available(preset, &cfg)) skip();
  coverage_init(&c, &cfg);
  for (int i = 0; i < directed_programs() && failures < ENOUGH; i++) {
    directed_program_make(&p, &cfg, i);
    failures += check(&p, &c, failures);
  }
  for (uint64_t seed = first; seed < first + programs && failures < ENOUGH; seed++) {
    random_program_make(&p, &cfg, seed, -1);
    failures += check(&p, &c, failures);
  }
  const int empty = coverage_print(&c);
  print_message("%s: %d directed and %llu random programs, %d differ\n", preset,
                directed_programs(), (unsigned long long)programs, failures);
  assert_int_equal(failures, 0);
  if (programs >= PROGRAMS) assert_int_equal(empty, 0);
}

static void nano_16(void **state) {
  (void)state;
  run_preset("nano-16", number("WEFT_RTL_PROGRAMS", full() ? FULL_PROGRAMS : PROGRAMS));
}

static void larger(const char *preset) {
  if (!full()) {
    print_message("skipped: %s: WEFT_TEST_FULL is not set\n", preset);
    skip();
  }
  run_preset(preset, number("WEFT_RTL_PROGRAMS", FULL_PROGRAMS));
}

static void micro_64(void **state) {
  (void)state;
  larger("micro-64");
}

static void edge_256(void **state) {
  (void)state;
  larger("edge-256");
}

/* Random latencies and gaps, answers out of order: other cycles, the same memories. */
static void unfriendly_memory(void **state) {
  weft_config cfg;
  random_program p;
  char text[TEXT], seed_text[32];
  (void)state;
  if (!available("nano-16", &cfg) || getenv("WEFT_RTL_JITTER")) skip();
  for (uint64_t seed = 1; seed <= JITTER_PROGRAMS; seed++) {
    (void)snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
    (void)setenv("WEFT_RTL_JITTER", seed_text, 1);
    random_program_make(&p, &cfg, 5000 + seed, -1);
    const bool equal = equal_on_both(&p, NULL, text);
    (void)unsetenv("WEFT_RTL_JITTER");
    if (!equal)
      fail_msg("WEFT_RTL_JITTER=%s, seed %llu: %s", seed_text, (unsigned long long)p.seed, text);
  }
}

/* --- what stops a program --------------------------------------------------------------------- */
/* LOAD, VEW, GEMM (with what it needs), VROW, DW, STORE: instructions to spoil. */
static void every_unit(random_program *p, const weft_config *cfg) {
  random_program_make(p, cfg, 1, 0);
  for (uint64_t seed = 2; seed < 200; seed++) {
    unsigned seen = 0;
    for (int i = 0; i < p->n; i++) seen |= 1u << p->insn[i].opcode;
    if ((seen & 0x3fa) == 0x3fa) return; /* all but FENCE */
    random_program_make(p, cfg, seed, 0);
  }
  fail_msg("no program with all instructions");
}

static int last_of(const random_program *p, int opcode) {
  int at = p->n - 1;
  while (at > 0 && p->insn[at].opcode != (uint32_t)opcode) at--;
  return at;
}

/* A field of the last instruction `opcode` gets a value that its encoding has room for. */
typedef struct {
  const char *name;
  int opcode;
  const char *field; /* NULL: bit `value` of the instruction is set */
  uint32_t value;
  unsigned cause;
} spoiled;

static const spoiled spoilt[] = {
    {"opcode 0", WEFT_OP_CODE_VEW, "opcode", 0, WEFT_ERROR_ILLEGAL},
    {"opcode 63", WEFT_OP_CODE_STORE, "opcode", 63, WEFT_ERROR_ILLEGAL},
    {"opcode 10", WEFT_OP_CODE_GEMM, "opcode", 10, WEFT_ERROR_ILLEGAL},
    {"reserved bit of LOAD", WEFT_OP_CODE_LOAD, NULL, 511, WEFT_ERROR_ILLEGAL},
    {"first reserved bit of LOAD", WEFT_OP_CODE_LOAD, NULL, 284, WEFT_ERROR_ILLEGAL},
    {"reserved bit of END", WEFT_OP_CODE_END, NULL, 16, WEFT_ERROR_ILLEGAL},
    {"reserved bit of VEW", WEFT_OP_CODE_VEW, NULL, 500, WEFT_ERROR_ILLEGAL},
    {"memory 6", WEFT_OP_CODE_LOAD, "dst", 6, WEFT_ERROR_ILLEGAL},
    {"decoder 1", WEFT_OP_CODE_LOAD, "decoder", 1, WEFT_ERROR_ILLEGAL},
    {"no rows", WEFT_OP_CODE_STORE, "rows", 0, WEFT_ERROR_ILLEGAL},
    {"no ring", WEFT_OP_CODE_VPOOL, "a_ring_rows", 0, WEFT_ERROR_ILLEGAL},
    {"ring_start beyond the ring", WEFT_OP_CODE_VEW, "o_ring_start", 4095, WEFT_ERROR_ILLEGAL},
    {"operand outside", WEFT_OP_CODE_VEW, "a_base", 0xfffff, WEFT_ERROR_ILLEGAL},
    {"result outside", WEFT_OP_CODE_GEMM, "o_base", 0xfffff, WEFT_ERROR_ILLEGAL},
    {"source of STORE outside", WEFT_OP_CODE_STORE, "a_base", 0xfffff, WEFT_ERROR_ILLEGAL},
    {"weights outside", WEFT_OP_CODE_GEMM, "w_base", 0xfffff, WEFT_ERROR_ILLEGAL},
    {"parameters of GEMM outside", WEFT_OP_CODE_GEMM, "p_base", 0xfff, WEFT_ERROR_ILLEGAL},
    {"sums outside", WEFT_OP_CODE_GEMM, "acc_base", 0xffff, WEFT_ERROR_ILLEGAL},
    {"sparse weights", WEFT_OP_CODE_GEMM, "sparsity", 1, WEFT_ERROR_ILLEGAL},
    {"weights from the scratchpad", WEFT_OP_CODE_GEMM, "w_src", 1, WEFT_ERROR_ILLEGAL},
    {"zero point at run time", WEFT_OP_CODE_GEMM, "a_zp", 1, WEFT_ERROR_ILLEGAL},
    {"a_block outside the word", WEFT_OP_CODE_GEMM, "a_block", 15, WEFT_ERROR_ILLEGAL},
    {"kernel of 8", WEFT_OP_CODE_DW, "kh", 8, WEFT_ERROR_ILLEGAL},
    {"stride of 5", WEFT_OP_CODE_DW, "stride_x", 5, WEFT_ERROR_ILLEGAL},
    {"parameters outside", WEFT_OP_CODE_DW, "p_base", 0xffff, WEFT_ERROR_ILLEGAL},
    {"operation 7", WEFT_OP_CODE_VEW, "op", 7, WEFT_ERROR_ILLEGAL},
    {"shift -32", WEFT_OP_CODE_VEW, "o_shift", 0x20, WEFT_ERROR_ILLEGAL},
    {"layer normalization", WEFT_OP_CODE_VROW, "op", 1, WEFT_ERROR_ILLEGAL},
    {"exponents of another slot", WEFT_OP_CODE_VROW, "exp_slot", 3, WEFT_ERROR_ILLEGAL},
    {"LOAD outside its region", WEFT_OP_CODE_LOAD, "offset", 0x7fffffff, WEFT_ERROR_WINDOW},
    {"STORE outside its region", WEFT_OP_CODE_STORE, "offset", PROGRAM_ARENA - 1020,
     WEFT_ERROR_WINDOW},
};

static void set_bits(uint8_t *insn, int lsb, int bits, uint32_t value) {
  for (int i = 0; i < bits; i++) {
    const int at = lsb + i;
    insn[at / 8] = (uint8_t)((insn[at / 8] & ~(1 << at % 8)) | (int)(value >> i & 1) << at % 8);
  }
}

static void spoil(random_job *x, const random_program *p, int index, const spoiled *s) {
  const weft_insn_info *info = weft_insn_lookup(p->insn[index].opcode);
  uint8_t *insn = x->code + p->offset + (size_t)index * WEFT_INSN_BYTES;
  if (!s->field) {
    set_bits(insn, (int)s->value, 1, 1);
    return;
  }
  for (int k = 0; k < info->n_fields; k++)
    if (strcmp(info->field[k].name, s->field) == 0) {
      set_bits(insn, info->field[k].lsb, info->field[k].bits, s->value);
      return;
    }
  fail_msg("%s has no field %s", info->name, s->field);
}

/* What the model refuses before the run, from the fields alone, and the RTL does not, because it
 * looks at accesses: rows or pixels of a result that lie over each other; memory that is not there
 * but that nothing touches (windows that are all padding); of a LOAD or STORE that leaves both
 * memories, the other one. */
static bool known_to_differ(const device_result *model, const device_result *rtl) {
  const char *text = model->err.text;
  if (strstr(text, "words apart")) return true;
  if (!strstr(text, "reach")) return false;
  return rtl->cause == WEFT_ERROR_NONE ||
         (rtl->cause == WEFT_ERROR_WINDOW && model->insn == rtl->insn);
}

/* Both stop with this cause at the same instruction (index < 0: any). The address is that of the
 * model unless an access leaves its region half-way: the model names its first byte, the RTL the
 * first one outside. Returns 1 when not, and says so. */
static int check_stop(const char *name, const device_job *job, unsigned cause, int index) {
  char text[TEXT];
  device_result model, rtl;
  int bad = 0;
  device_run(&device_model, job, &model);
  device_run(&device_rtl, job, &rtl);
  if (model.cause != cause || (index >= 0 && model.insn != (uint32_t)index)) {
    print_message("%s: the model stops with cause %u at %u: %s%s\n", name, model.cause, model.insn,
                  model.err.text, model.opened);
    bad = 1;
  }
  const bool equal = device_compare(job, &model, &rtl, COMPARE_CAUSE, text, sizeof text);
  if (!equal && !known_to_differ(&model, &rtl)) {
    print_message("%s: %s", name, text);
    bad = 1;
  }
  if (equal && (cause == WEFT_ERROR_WINDOW ? rtl.addr < model.addr : rtl.addr != model.addr)) {
    print_message("%s: address %llx, on the RTL %llx\n", name, (unsigned long long)model.addr,
                  (unsigned long long)rtl.addr);
    bad = 1;
  }
  device_result_free(&model);
  device_result_free(&rtl);
  return bad;
}

static void illegal_and_outside(void **state) {
  weft_config cfg;
  random_program p;
  int bad = 0;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  every_unit(&p, &cfg);
  for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
    const spoiled *s = &spoilt[i];
    const int index = last_of(&p, s->opcode);
    random_job *x = random_job_new(&p);
    spoil(x, &p, index, s);
    bad += check_stop(s->name, &x->job, s->cause, index);
    free(x);
  }
  assert_int_equal(bad, 0);
}

/* Any field of any instruction gets any value that its encoding has room for. Where the model
 * refuses the program, the RTL does, for the same reason at the same instruction. */
static bool spoil_at_random(random_source *r, random_job *x, const random_program *p, int *index) {
  *index = random_range(r, 0, p->n - 1);
  uint8_t *insn = x->code + p->offset + (size_t)*index * WEFT_INSN_BYTES;
  const weft_insn_info *info = weft_insn_lookup(p->insn[*index].opcode);
  const weft_field *f = &info->field[random_range(r, 0, info->n_fields - 1)];
  if (strcmp(f->name, "wait") == 0 || strcmp(f->name, "post") == 0) return false;
  const uint32_t most = (uint32_t)(((uint64_t)1 << f->bits) - 1);
  uint32_t value = (uint32_t)random_next(r) & most;
  if (random_chance(r, 40)) value = random_chance(r, 50) ? most : 0;
  set_bits(insn, f->lsb, f->bits, value);
  return true;
}

static void spoiled_at_random(void **state) {
  weft_config cfg;
  random_program p;
  random_source r = {number("WEFT_SEED", 1)};
  int bad = 0, refused = 0, tried = 0, index;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  for (const int most = full() ? 10 * SPOILED : SPOILED; refused < most; tried++) {
    random_program_make(&p, &cfg, 7000 + random_next(&r) % 1000, -1);
    random_job *x = random_job_new(&p);
    if (spoil_at_random(&r, x, &p, &index)) {
      device_result model;
      char name[120];
      x->job.watchdog = 300000;
      device_run(&device_model, &x->job, &model);
      const unsigned cause = model.cause;
      (void)snprintf(name, sizeof name, "seed %llu, %.80s", (unsigned long long)p.seed,
                     model.err.text);
      device_result_free(&model);
      if (cause == WEFT_ERROR_ILLEGAL || cause == WEFT_ERROR_WINDOW) {
        refused++;
        bad += check_stop(name, &x->job, cause, index);
      }
    }
    free(x);
  }
  print_message("%d programs spoiled, %d of them refused, %d in another way by the RTL\n", tried,
                refused, bad);
  assert_int_equal(bad, 0);
}

static void program_outside(void **state) {
  weft_config cfg;
  random_program p;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  random_program_make(&p, &cfg, 3, 0);
  random_job *x = random_job_new(&p);
  int bad = 0;
  x->job.count = (uint32_t)p.n + 100; /* more than region 0 holds */
  bad += check_stop("program beyond region 0", &x->job, WEFT_ERROR_WINDOW, 0);
  x->job.count = (uint32_t)p.n;
  x->job.code_bytes -= 1;
  bad += check_stop("program one byte beyond region 0", &x->job, WEFT_ERROR_WINDOW, 0);
  x->job.code_bytes += 1;
  x->job.count = (uint32_t)p.n - 1;
  bad += check_stop("no END", &x->job, WEFT_ERROR_NO_END, p.n - 1);
  x->job.count = 1;
  bad += check_stop("one instruction, no END", &x->job, WEFT_ERROR_NO_END, 1);
  free(x);
  assert_int_equal(bad, 0);
}

static void watchdog(void **state) {
  weft_config cfg;
  random_program p;
  int bad = 0;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  random_program_make(&p, &cfg, 3, 0);
  random_job *x = random_job_new(&p);
  for (uint32_t cycles = 1; cycles < 1000; cycles = cycles * 3 + 1) {
    char name[40];
    (void)snprintf(name, sizeof name, "watchdog of %u cycles", cycles);
    x->job.watchdog = cycles;
    bad += check_stop(name, &x->job, WEFT_ERROR_WATCHDOG, -1);
  }
  free(x);
  /* a token that never comes */
  random_program_make(&p, &cfg, 3, 0);
  for (int i = 0; i < p.n; i++) p.insn[i].post = 0;
  x = random_job_new(&p);
  x->job.watchdog = 20000;
  bad += check_stop("a token that never comes", &x->job, WEFT_ERROR_WATCHDOG, -1);
  free(x);
  assert_int_equal(bad, 0);
}

/* `n` LOADs of one byte that post to VEC, and nobody who takes the tokens. */
static int check_tokens(const weft_config *cfg, const char *name, uint32_t n, int index) {
  random_program p;
  weft_insn x = {.opcode = WEFT_OP_CODE_LOAD, .post = 1 << WEFT_UNIT_VEC}, end = {.opcode = 1};
  uint8_t *code = calloc(n + 1, WEFT_INSN_BYTES);
  if (!code) abort();
  x.LOAD.rows = x.LOAD.pixels = x.LOAD.pix_bytes = x.LOAD.o_ring_rows = x.LOAD.region = 1;
  for (uint32_t i = 0; i <= n; i++)
    assert_int_equal(weft_encode(i < n ? &x : &end, code + (size_t)i * WEFT_INSN_BYTES, NULL), 0);
  directed_program_make(&p, cfg, 0);
  random_job *r = random_job_new(&p);
  device_job job = r->job;
  job.code = code;
  job.code_bytes = (size_t)(n + 1) * WEFT_INSN_BYTES;
  job.offset = 0;
  job.count = n + 1;
  const int bad = check_stop(name, &job, WEFT_ERROR_TOKEN, index);
  free(r);
  free(code);
  return bad;
}

static void tokens(void **state) {
  weft_config cfg;
  int bad = 0;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  bad += check_tokens(&cfg, "one token left", 1, 1);
  bad += check_tokens(&cfg, "as many tokens left as there may be", WEFT_TOKEN_MAX, WEFT_TOKEN_MAX);
  bad += check_tokens(&cfg, "one token too many", WEFT_TOKEN_MAX + 1, WEFT_TOKEN_MAX);
  assert_int_equal(bad, 0);
}

/* Memory answers the byte that LOAD reads with an error: cause, instruction, address. */
static void read_error(void **state) {
  weft_config cfg;
  random_program p;
  device_result r;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  directed_program_make(&p, &cfg, 0); /* LOAD, LOAD from byte 1000 of the constants, STORE */
  random_job *x = random_job_new(&p);
  x->job.fails_read = true;
  x->job.fail_at = 1003;
  device_run(&device_rtl, &x->job, &r);
  assert_int_equal(r.cause, WEFT_ERROR_AXI);
  assert_int_equal(r.insn, 1);
  assert_in_range(r.addr, r.constant_addr + 1003 / 256 * 256, r.constant_addr + 1003);
  device_result_free(&r);
  x->job.fails_read = false;
  device_run(&device_rtl, &x->job, &r);
  assert_int_equal(r.cause, WEFT_ERROR_NONE);
  device_result_free(&r);
  free(x);
}

/* --- one device, several programs ------------------------------------------------------------- */
static weft_device *open_device(const char *name, const weft_config *cfg) {
  weft_device *dev = NULL;
  weft_err err = {""};
  if (weft_device_open(name, cfg, 1 << 20, &dev, &err)) fail_msg("%s", err.text);
  return dev;
}

static void run_pair(weft_device *model, weft_device *rtl, const device_job *job, bool scratchpad,
                     device_compare_what what) {
  char text[TEXT];
  device_result a, b;
  device_run_on(model, job, &a);
  device_run_on(rtl, job, &b);
  if (!scratchpad) a.spad_bytes = b.spad_bytes = 0;
  if (!device_compare(job, &a, &b, what, text, sizeof text)) fail_msg("%s", text);
  device_result_free(&a);
  device_result_free(&b);
}

/* Nothing of a run shows in the next one; a run that was stopped leaves nothing after a reset. */
static void runs_again(void **state) {
  weft_config cfg;
  random_program p;
  (void)state;
  if (!available("nano-16", &cfg)) skip();
  weft_device *model = open_device("model", &cfg), *rtl = open_device("rtl", &cfg);
  for (uint64_t seed = 300; seed < 308; seed++) {
    random_program_make(&p, &cfg, seed, -1);
    random_job *x = random_job_new(&p);
    run_pair(model, rtl, &x->job, true, what_to_compare());
    free(x);
  }
  for (uint64_t seed = 310; seed < 316; seed++) {
    random_program_make(&p, &cfg, seed, -1);
    random_job *x = random_job_new(&p);
    x->job.watchdog = 100 + 70 * (uint32_t)(seed - 310); /* in the middle of something */
    run_pair(model, rtl, &x->job, false, COMPARE_CAUSE);
    weft_device_reset(model);
    weft_device_reset(rtl);
    x->job.watchdog = 0;
    /* the model's scratchpad is empty again, what is known of the RTL's is older */
    run_pair(model, rtl, &x->job, false, what_to_compare());
    free(x);
  }
  weft_device_close(model);
  weft_device_close(rtl);
}

/* --- a program from a file -------------------------------------------------------------------- */
static void given_program(void **state) {
  const char *path = getenv("WEFT_PROGRAM");
  char text[TEXT];
  random_program p;
  (void)state;
  if (!path) skip();
  if (!random_program_read(&p, path)) fail_msg("%s: is not a random program", path);
  random_program_print(&p);
  if (!equal_on_both(&p, NULL, text)) fail_msg("%s", text);
}

int main(void) {
  const struct CMUnitTest one[] = {cmocka_unit_test(given_program)};
  const struct CMUnitTest all[] = {cmocka_unit_test(nano_16),
                                   cmocka_unit_test(unfriendly_memory),
                                   cmocka_unit_test(illegal_and_outside),
                                   cmocka_unit_test(spoiled_at_random),
                                   cmocka_unit_test(program_outside),
                                   cmocka_unit_test(watchdog),
                                   cmocka_unit_test(tokens),
                                   cmocka_unit_test(read_error),
                                   cmocka_unit_test(runs_again),
                                   cmocka_unit_test(micro_64),
                                   cmocka_unit_test(edge_256)};
  return getenv("WEFT_PROGRAM") ? cmocka_run_group_tests(one, NULL, NULL)
                                : cmocka_run_group_tests(all, NULL, NULL);
}
