/* GEMM, DW, VEW, VPOOL and VROW on the C model against docs/isa.md, with random shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <math.h>

#include "support/sim_naive.h"

static const char *const configs[][2] = {{"edge-256", ""},
                                         {"nano-16", ""},
                                         {"micro-64", "rows=4 output_lanes=2 dw_lanes=2"},
                                         {"edge-256", "cols=4 output_lanes=4 vec_lanes=4"},
                                         {"edge-1024", "cols=64 rows=8 lut_slots=16"}};
enum { CONFIGS = sizeof configs / sizeof *configs };

static void put32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

/* Output-stage parameters that do not saturate everything; in half of the cases with a few wild
 * ones, in a quarter with products that lie in the middle between two numbers. */
static void random_params(uint8_t *p, size_t channels) {
  bool wild = bench_range(0, 1), middle = bench_range(0, 3) == 0;
  for (size_t i = 0; i < channels; i++, p += 12) {
    put32(p, (uint32_t)bench_range(-20000, 20000));
    put32(p + 4, 0x40000000u + (middle ? 0 : bench_random() % 0x40000000u));
    p[8] = (uint8_t)(middle ? bench_range(-8, 0) : bench_range(-12, -5));
    if (wild && bench_range(0, 9) == 0) p[8] = (uint8_t)bench_range(-31, 31);
    if (wild && bench_range(0, 19) == 0) bench_random_bytes(p, 12);
  }
}

#define RANDOM_STAGE(b, in)                                                                        \
  do {                                                                                             \
    (in)->out_zp = bench_range(0, 3) ? bench_range(-128, 127) : bench_range(-256, 255);            \
    (in)->clamp_min = bench_range(0, 1) ? -128 : bench_range(-128, 0);                             \
    (in)->clamp_max = bench_range(0, 1) ? 127 : bench_range(0, 127);                               \
    (in)->round_single = (uint32_t)bench_range(0, 1);                                              \
    (in)->lut_en = bench_range(0, 3) == 0;                                                         \
    (in)->lut_slot = (uint32_t)bench_range(0, (int)(b)->cfg.lut_slots - 1);                        \
  } while (0)

/* Input size, padding and output size of a sweep; kernel, stride, dilation are set. */
#define RANDOM_SWEEP(in, dil_y_, dil_x_, limit)                                                    \
  do {                                                                                             \
    (in)->in_h = (uint32_t)bench_range(1, limit);                                                  \
    (in)->in_w = (uint32_t)bench_range(1, limit);                                                  \
    (in)->pad_top = (uint32_t)bench_range(0, bench_range(0, (int)((in)->kh * (dil_y_))));          \
    (in)->pad_left = (uint32_t)bench_range(0, bench_range(0, (int)((in)->kw * (dil_x_))));         \
    (in)->out_h = (uint32_t)bench_range(1, 5);                                                     \
    (in)->out_w = (uint32_t)bench_range(1, 5);                                                     \
  } while (0)

static void random_gemm(bench *b, weft_insn_GEMM *in) {
  int r = (int)b->cfg.rows, c = (int)b->cfg.cols, w = (int)b->w;
  in->kh = (uint32_t)(bench_range(0, 1) ? 1 : bench_range(1, 4));
  in->kw = (uint32_t)(bench_range(0, 1) ? 1 : bench_range(1, 4));
  in->stride_y = (uint32_t)bench_range(1, 3);
  in->stride_x = (uint32_t)bench_range(1, 3);
  in->dil_y = (uint32_t)(bench_range(0, 2) ? 1 : bench_range(1, 3));
  in->dil_x = (uint32_t)(bench_range(0, 2) ? 1 : bench_range(1, 3));
  RANDOM_SWEEP(in, in->dil_y, in->dil_x, 7);
  in->a_block = (uint32_t)bench_range(0, w / r - 1);
  in->o_block = (uint32_t)bench_range(0, w / c - 1);
  int most = (int)weft_weight_rows(&b->cfg) / (int)(in->kh * in->kw) / r; /* tiles per tap */
  if (most < 1) in->kh = in->kw = 1, most = (int)weft_weight_rows(&b->cfg) / r;
  in->k_blocks = (uint32_t)bench_range(1, most < 3 ? most : 3);
  most /= (int)in->k_blocks;
  in->n_blocks = (uint32_t)bench_range(1, most < 3 ? most : 3);
  int tiles = (int)(in->kh * in->kw * in->k_blocks * in->n_blocks);
  in->w_base = (uint32_t)bench_range(0, (int)weft_weight_rows(&b->cfg) - tiles * r);
  in->p_base = (uint32_t)bench_range(0, (int)weft_param_blocks(&b->cfg) - (int)in->n_blocks);
  in->pad_value = bench_range(-128, 127);
  int acc = (int)(in->out_h * in->out_w * in->n_blocks);
  in->acc_base = (uint32_t)bench_range(0, (int)weft_acc_rows(&b->cfg) - acc);
  weft_operand a = bench_operand(b, (int)in->in_h, (int)in->in_w,
                                 ((int)(in->a_block + in->k_blocks) * r + w - 1) / w, false);
  weft_operand o = bench_operand(b, (int)in->out_h, (int)in->out_w,
                                 ((int)(in->o_block + in->n_blocks) * c + w - 1) / w, false);
  WEFT_SET_OPERAND(*in, a, a);
  /* results must not lie where operands still are to be read */
  uint32_t span_a = a.ring_rows * a.row_stride, span_o = o.ring_rows * o.row_stride;
  o.base = a.base >= span_o ? 0 : a.base + span_a;
  if (o.base + span_o > weft_spad_words(&b->cfg)) {
    random_gemm(b, in);
    return;
  }
  WEFT_SET_OPERAND(*in, o, o);
  RANDOM_STAGE(b, in);
}

static void gemm(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 80; i++) {
      bench_seed((uint64_t)(1000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 10 == 0) bench_randomize(b);
      random_params(b->mem[WEFT_MEM_PARAM], b->bytes[WEFT_MEM_PARAM] / 12);
      random_gemm(b, &bench_add(b, WEFT_OP_CODE_GEMM)->GEMM);
      naive_check(b, "GEMM");
    }
    bench_free(b);
  }
}

/* K split over instructions: the sums stay in the accumulators in between. */
static void gemm_accumulators(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 40; i++) {
      bench_seed((uint64_t)(2000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 10 == 0) bench_randomize(b);
      random_params(b->mem[WEFT_MEM_PARAM], b->bytes[WEFT_MEM_PARAM] / 12);
      int parts = bench_range(2, 4);
      weft_insn_GEMM *last = NULL;
      for (int p = 0; p < parts; p++) {
        weft_insn_GEMM *in = &bench_add(b, WEFT_OP_CODE_GEMM)->GEMM;
        do random_gemm(b, in);
        while (last && in->n_blocks < last->n_blocks);
        if (last) { /* the same pixels and channels as before */
          in->out_h = last->out_h;
          in->out_w = last->out_w;
          in->n_blocks = last->n_blocks;
          in->o_block = last->o_block;
          in->acc_base = last->acc_base;
          WEFT_SET_OPERAND(*in, o, WEFT_OPERAND_OF(*last, o));
          in->a_base = last->a_base; /* where nothing is written */
          in->a_row_stride = 0;
          in->a_pix_stride = 0;
          in->acc_in = 1;
        }
        in->acc_out = p + 1 < parts;
        last = in;
      }
      naive_check(b, "GEMM by parts");
    }
    bench_free(b);
  }
}

static void dw(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 80; i++) {
      bench_seed((uint64_t)(3000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 10 == 0) bench_randomize(b);
      weft_insn_DW *in = &bench_add(b, WEFT_OP_CODE_DW)->DW;
      in->kh = (uint32_t)bench_range(1, 7);
      in->kw = (uint32_t)bench_range(1, 7);
      in->stride_y = (uint32_t)bench_range(1, 4);
      in->stride_x = (uint32_t)bench_range(1, 4);
      RANDOM_SWEEP(in, 1, 1, 9);
      int block = 12 + (int)(in->kh * in->kw), words = (int)weft_dwbuf_words(&b->cfg);
      in->c_words = (uint32_t)bench_range(1, words / block < 3 ? words / block : 3);
      in->p_base = (uint32_t)bench_range(0, words - (int)in->c_words * block);
      in->pad_value = bench_range(-128, 127);
      for (uint32_t k = 0; k < in->c_words; k++)
        random_params(b->mem[WEFT_MEM_DWBUF] + (in->p_base + k * (size_t)block) * b->w, b->w);
      RANDOM_STAGE(b, in);
      weft_operand a, o;
      do {
        a = bench_operand(b, (int)in->in_h, (int)in->in_w, (int)in->c_words, false);
        o = bench_operand(b, (int)in->out_h, (int)in->out_w, (int)in->c_words, false);
      } while (a.base < o.base + o.ring_rows * o.row_stride &&
               o.base < a.base + a.ring_rows * a.row_stride);
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, o, o);
      naive_check(b, "DW");
    }
    bench_free(b);
  }
}

static int random_shift(void) {
  return bench_range(0, 9) ? bench_range(-8, 2) : bench_range(-31, 31);
}

static void vew(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 140; i++) {
      bench_seed((uint64_t)(4000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 20 == 0) bench_randomize(b);
      weft_insn_VEW *in = &bench_add(b, WEFT_OP_CODE_VEW)->VEW;
      in->op = (uint32_t)(i % 7);
      in->out_h = (uint32_t)bench_range(1, 5);
      in->out_w = (uint32_t)bench_range(1, 5);
      in->c_words = (uint32_t)bench_range(1, 4);
      in->a_zp = bench_range(-256, 255);
      in->b_zp = bench_range(-256, 255);
      in->left_shift = (uint32_t)(bench_range(0, 3) ? 20 : bench_range(0, 31));
      in->a_mult = bench_random() & 0x7fffffff;
      in->b_mult = bench_random() & 0x7fffffff;
      in->o_mult = bench_random() & 0x7fffffff;
      in->a_shift = random_shift();
      in->b_shift = random_shift();
      in->o_shift = in->op < 2 ? bench_range(-20, -12) : random_shift();
      if (bench_range(0, 2) == 0) { /* products that lie in the middle */
        in->a_mult = in->b_mult = in->o_mult = 0x40000000;
        in->o_shift = bench_range(-3, 1);
      }
      RANDOM_STAGE(b, in);
      weft_operand a, x, o;
      do {
        a = bench_operand(b, (int)in->out_h, (int)in->out_w, (int)in->c_words, false);
        x = bench_operand(b, (int)in->out_h, (int)in->out_w, (int)in->c_words, false);
        o = bench_operand(b, (int)in->out_h, (int)in->out_w, (int)in->c_words, true);
      } while ((a.base < o.base + o.ring_rows * o.row_stride &&
                o.base < a.base + a.ring_rows * a.row_stride) ||
               (x.base < o.base + o.ring_rows * o.row_stride &&
                o.base < x.base + x.ring_rows * x.row_stride));
      if (i % 5 == 0) a = o; /* in place */
      if (i % 10 == 0) x = o;
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, b, x);
      WEFT_SET_OPERAND(*in, o, o);
      naive_check(b, "VEW");
    }
    bench_free(b);
  }
}

static void vpool(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 80; i++) {
      bench_seed((uint64_t)(5000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 20 == 0) bench_randomize(b);
      weft_insn_VPOOL *in = &bench_add(b, WEFT_OP_CODE_VPOOL)->VPOOL;
      in->op = (uint32_t)(i % 4);
      in->kh = (uint32_t)bench_range(1, bench_range(0, 5) ? 4 : 16);
      in->kw = (uint32_t)bench_range(1, bench_range(0, 5) ? 4 : 16);
      in->stride_y = (uint32_t)bench_range(1, 4);
      in->stride_x = (uint32_t)bench_range(1, 4);
      RANDOM_SWEEP(in, 1, 1, 12);
      in->c_words = (uint32_t)bench_range(1, 3);
      in->bias = bench_range(-3000, 3000);
      in->o_mult = bench_random() & 0x7fffffff;
      in->o_shift = random_shift();
      RANDOM_STAGE(b, in);
      weft_operand a, o;
      do {
        a = bench_operand(b, (int)in->in_h, (int)in->in_w, (int)in->c_words, false);
        o = bench_operand(b, (int)in->out_h, (int)in->out_w, (int)in->c_words, false);
      } while (a.base < o.base + o.ring_rows * o.row_stride &&
               o.base < a.base + a.ring_rows * a.row_stride);
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, o, o);
      naive_check(b, "VPOOL");
    }
    bench_free(b);
  }
}

static void softmax(void **state) {
  (void)state;
  for (int c = 0; c < CONFIGS; c++) {
    bench *b = bench_new(configs[c][0], configs[c][1]);
    for (int i = 0; i < 60; i++) {
      bench_seed((uint64_t)(6000000 + c * 1000 + i));
      bench_clear(b);
      if (i % 20 == 0) bench_randomize(b);
      double step = bench_range(0, 3) ? 1.0 / bench_range(1, 60) : 0;
      for (int k = 0; k < 256; k++)
        put32(b->mem[WEFT_MEM_EXP] + 4 * k, (uint32_t)floor(exp(-k * step) * 2147483647.0 + 0.5));
      weft_insn_VROW *in = &bench_add(b, WEFT_OP_CODE_VROW)->VROW;
      in->op = WEFT_VROW_SOFTMAX;
      bool few = i % 3; /* few channels: large quotients, in which the last bits show */
      in->out_h = (uint32_t)bench_range(few ? 12 : 1, few ? 16 : 3);
      in->out_w = (uint32_t)bench_range(few ? 12 : 1, few ? 16 : 3);
      in->channels = (uint32_t)bench_range(1, few ? 3 : bench_range(0, 3) ? 40 : 1200);
      RANDOM_STAGE(b, in);
      if (i % 2) in->out_zp = -128;
      int words = (int)((in->channels + b->w - 1) / b->w);
      weft_operand a, o;
      do {
        a = bench_operand(b, (int)in->out_h, (int)in->out_w, words, false);
        o = bench_operand(b, (int)in->out_h, (int)in->out_w, words, false);
      } while (a.base < o.base + o.ring_rows * o.row_stride &&
               o.base < a.base + a.ring_rows * a.row_stride);
      WEFT_SET_OPERAND(*in, a, a);
      WEFT_SET_OPERAND(*in, o, o);
      naive_check(b, "softmax");
    }
    bench_free(b);
  }
}

/* Two devices of two configurations, their runs interleaved, behave as each alone. */
static void two_devices(void **state) {
  (void)state;
  bench *b[2] = {bench_new("edge-256", ""), bench_new("nano-16", "rows=8 cols=4 output_lanes=2")};
  for (int i = 0; i < 20; i++)
    for (int k = 0; k < 2; k++) {
      bench_seed((uint64_t)(7000000 + i));
      bench_clear(b[k]);
      bench_randomize(b[k]);
      random_gemm(b[k], &bench_add(b[k], WEFT_OP_CODE_GEMM)->GEMM);
      naive_check(b[k], "two devices");
    }
  bench_free(b[0]);
  bench_free(b[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gemm),        cmocka_unit_test(gemm_accumulators),
      cmocka_unit_test(dw),          cmocka_unit_test(vew),
      cmocka_unit_test(vpool),       cmocka_unit_test(softmax),
      cmocka_unit_test(two_devices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
