/* LOAD and STORE on the C model against docs/isa.md, with random windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "support/sim_naive.h"

static const char *const configs[][2] = {{"edge-256", ""},
                                         {"nano-16", ""},
                                         {"micro-64", "rows=4 output_lanes=2"},
                                         {"edge-256", "cols=4 output_lanes=4"},
                                         {"edge-1024", "rows=64 dram_bytes=64"}};
enum { CONFIGS = sizeof configs / sizeof *configs };

static int max(int a, int b) {
  return a > b ? a : b;
}

/* A random LOAD into the scratchpad; `kind`: 0 plain rows, 1 gaps between pixels, 2 overlapping
 * windows, 3 anything. */
static void random_load(const bench *b, weft_insn_LOAD *in, int kind) {
  int w = (int)b->w, rows = bench_range(1, 4), pixels = bench_range(1, 9);
  int bytes = bench_range(1, kind == 2 ? 64 : bench_range(0, 3) ? 2 * w : 700), stride = bytes;
  if (kind == 1) stride += bench_range(1, 2 * bytes);
  if (kind == 2) stride = bench_range(0, bytes - 1);
  if (kind == 3) stride = bytes > 64 ? bytes + bench_range(0, 9) : bench_range(0, 2 * bytes);
  in->dst = WEFT_MEM_SPAD;
  in->region = 1;
  in->rows = (uint32_t)rows;
  in->pixels = (uint32_t)pixels;
  in->pix_bytes = (uint32_t)bytes;
  in->d_pix_stride = (uint32_t)stride;
  in->lead = (uint32_t)(kind && bench_range(0, 1) ? bench_range(0, 3 * bytes) : 0);
  int run = (pixels - 1) * stride + bytes;
  in->row_bytes = (uint32_t)(bench_range(0, 1) ? run : bench_range(0, run + 20));
  if (stride > bytes) { /* gaps between pixels: no padding */
    in->lead = 0;
    in->row_bytes = (uint32_t)(run + bench_range(0, 20));
  }
  in->d_row_stride = (uint32_t)(bench_range(0, 2) ? run + bench_range(0, 40) : bench_range(0, run));
  int reach = max(run, (int)in->row_bytes);
  in->offset =
      (uint32_t)bench_range(0, BENCH_DATA_BYTES - (rows - 1) * (int)in->d_row_stride - reach);
  in->byte_off = (uint32_t)(bench_range(0, 1) ? bench_range(0, 2 * w) : 0);
  in->fill = bench_range(0, 1);
  in->flip = bench_range(0, 1);
  in->pad_value = bench_range(-128, 127);
  int words = ((int)in->byte_off + bytes + w - 1) / w;
  weft_operand o = bench_operand(b, rows, pixels, words, bench_range(0, 3) != 0);
  WEFT_SET_OPERAND(*in, o, o);
}

static void loads(int kind, const char *what) {
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 60; i++) {
      bench_seed((uint64_t)(kind * 100000 + c * 1000 + i));
      bench_clear(b);
      if (i % 20 == 0) bench_randomize(b);
      random_load(b, &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD, kind);
      naive_check(b, what);
    }
    bench_free(b);
  }
}

static void load_rows(void **state) {
  (void)state;
  loads(0, "rows");
}
static void load_gaps(void **state) {
  (void)state;
  loads(1, "gaps");
}
static void load_windows(void **state) {
  (void)state;
  loads(2, "overlapping windows");
}
static void load_anything(void **state) {
  (void)state;
  loads(3, "anything");
}

/* Many LOADs in flight: contexts, slots and bursts of one run into the next. */
static void load_many(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 10; i++) {
      bench_seed((uint64_t)(900000 + c * 1000 + i));
      bench_clear(b);
      bench_randomize(b);
      for (int k = bench_range(5, 40); k > 0; k--)
        random_load(b, &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD, bench_range(0, 3));
      naive_check(b, "many");
    }
    bench_free(b);
  }
}

static void load_flat(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    const uint32_t unit[] = {0, b->cfg.cols, 12 * b->cfg.cols, b->w, 256, 1024};
    for (int i = 0; i < 60; i++) {
      bench_seed((uint64_t)(500000 + c * 1000 + i));
      bench_clear(b);
      bench_randomize(b);
      weft_insn_LOAD *in = &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD;
      in->dst = (uint32_t)bench_range(1, 5);
      int units = (int)(b->bytes[in->dst] / unit[in->dst]);
      in->o_base = (uint32_t)bench_range(0, units - 1);
      int room = (int)(b->bytes[in->dst] - in->o_base * unit[in->dst]);
      in->pix_bytes = (uint32_t)bench_range(1, room < 5000 ? room : 5000);
      in->row_bytes = in->pix_bytes;
      in->region = 1;
      in->offset = (uint32_t)bench_range(0, BENCH_DATA_BYTES - (int)in->pix_bytes);
      in->flip = bench_range(0, 1);
      naive_check(b, "flat run");
    }
    bench_free(b);
  }
}

static void random_store(const bench *b, weft_insn_STORE *in) {
  int w = (int)b->w, rows = bench_range(1, 4), pixels = bench_range(1, 9);
  int bytes = bench_range(1, bench_range(0, 3) ? 2 * w : 700);
  int stride = bench_range(0, 2) ? bytes : bench_range(0, 3 * bytes);
  int run = (pixels - 1) * stride + bytes;
  in->region = 1;
  in->rows = (uint32_t)rows;
  in->pixels = (uint32_t)pixels;
  in->pix_bytes = (uint32_t)bytes;
  in->d_pix_stride = (uint32_t)stride;
  in->d_row_stride = (uint32_t)(bench_range(0, 1) ? run : bench_range(0, 2 * run));
  in->offset =
      (uint32_t)bench_range(0, BENCH_DATA_BYTES - (rows - 1) * (int)in->d_row_stride - run);
  in->byte_off = (uint32_t)(bench_range(0, 1) ? bench_range(0, 2 * w) : 0);
  in->flip = bench_range(0, 1);
  int words = ((int)in->byte_off + bytes + w - 1) / w;
  weft_operand a = bench_operand(b, rows, pixels, words, bench_range(0, 3) != 0);
  WEFT_SET_OPERAND(*in, a, a);
}

static void store(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 80; i++) {
      bench_seed((uint64_t)(600000 + c * 1000 + i));
      bench_clear(b);
      if (i % 20 == 0) bench_randomize(b);
      random_store(b, &bench_add(b, WEFT_OP_CODE_STORE)->STORE);
      naive_check(b, "store");
    }
    for (int i = 0; i < 10; i++) { /* mixed with LOADs, over the same bus */
      bench_seed((uint64_t)(700000 + c * 1000 + i));
      bench_clear(b);
      bench_randomize(b);
      for (int k = bench_range(5, 40); k > 0; k--)
        if (bench_range(0, 1))
          random_store(b, &bench_add(b, WEFT_OP_CODE_STORE)->STORE);
        else
          random_load(b, &bench_add(b, WEFT_OP_CODE_LOAD)->LOAD, bench_range(0, 3));
      naive_check(b, "stores and loads");
    }
    bench_free(b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(load_rows),     cmocka_unit_test(load_gaps), cmocka_unit_test(load_windows),
      cmocka_unit_test(load_anything), cmocka_unit_test(load_many), cmocka_unit_test(load_flat),
      cmocka_unit_test(store),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
