/* The integer arithmetic, and each weighted or elementwise operator on cases worked by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "params.h"
#include "support/operand.h"

#include <math.h>
#include <stdlib.h>

static const weft_attr unit = {.stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};

/* The same pseudo-random bytes on every run. */
static void scramble(void *bytes, size_t n, uint32_t seed) {
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    ((uint8_t *)bytes)[i] = (uint8_t)(seed >> 24);
  }
}

static void test_arithmetic(void **state) {
  (void)state;
  assert_int_equal(weft_round_shift(5, 1), 3);
  assert_int_equal(weft_round_shift(-5, 1), -3);
  assert_int_equal(weft_round_shift(-3, 2), -1);
  assert_int_equal(weft_round_shift(-1, 1), -1);
  assert_int_equal(weft_round_shift(INT32_MIN, 31), -1);
  assert_int_equal(weft_round_shift(INT32_MAX, 31), 1);
  assert_int_equal(weft_round_shift(INT32_MIN, 32), 0);
  assert_int_equal(weft_high_mul(INT32_MIN, INT32_MIN), INT32_MAX);
  assert_int_equal(weft_high_mul(1 << 30, 3), 2);   /* 1.5 */
  assert_int_equal(weft_high_mul(1 << 30, -3), -1); /* -1.5: halves go up */
  weft_multiplier half = weft_multiplier_of(0.5), one = weft_multiplier_of(1.0);
  assert_int_equal(half.multiplier, 1 << 30);
  assert_int_equal(half.shift, 0);
  assert_int_equal(one.shift, 1);
  weft_multiplier nearly = weft_multiplier_of(1.0 - 0x1p-40);
  assert_int_equal(nearly.multiplier, 1 << 30);
  assert_int_equal(nearly.shift, 1);
  assert_int_equal(weft_multiplier_of(0x1p-33).multiplier, 0);
  assert_int_equal(weft_multiplier_of(0x1p-32).shift, -31);
  for (int x = -1000; x <= 1000; x++) {
    assert_int_equal(weft_requant(x, one), x);
    assert_int_equal(weft_requant(x, weft_multiplier_of(4)), 4 * x);
    assert_true(fabs(weft_requant(x, weft_multiplier_of(0.3)) - 0.3 * x) <= 0.75 + 1e-6);
  }
  /* double rounding: 1.4999... becomes 1.5 in the product and 2 in the shift */
  weft_multiplier m = {(1 << 30) + (1 << 29), -1}; /* 0.375 */
  assert_int_equal(weft_requant(1, m), 1);         /* 0.375 -> 1 -> 0.5 -> 1 */
}

static void test_activation_range(void **state) {
  (void)state;
  weft_tensor t = S8(NULL, 0.05f, -10, 1);
  weft_range r = weft_activation_range(WEFT_ACT_RELU6, &t);
  assert_int_equal(r.lo, -10);
  assert_int_equal(r.hi, 110);
  r = weft_activation_range(WEFT_ACT_RELU_N1_TO_1, &t);
  assert_int_equal(r.lo, -30);
  assert_int_equal(r.hi, 10);
  weft_tensor u = U8(NULL, 0.01f, 0, 1);
  assert_int_equal(weft_activation_range(WEFT_ACT_RELU6, &u).hi, 255);
  weft_tensor tiny = S8(NULL, 1e-30f, 0, 1);
  assert_int_equal(weft_activation_range(WEFT_ACT_RELU6, &tiny).hi, 127);
}

static void test_conv(void **state) {
  (void)state;
  /* 3x3 image, 2x2 filter of ones, padded by one row at the top: sums of what is inside */
  int8_t image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, ones[] = {1, 1, 1, 1}, got[6];
  int32_t bias[] = {100};
  weft_tensor x = S8(image, 1, 0, 1, 3, 3, 1), w = S8(ones, 1, 0, 1, 2, 2, 1);
  weft_tensor b = I32(bias, 1), out = S8(got, 1, -100, 1, 3, 2, 1);
  weft_attr a = unit;
  a.pad_top = 1;
  assert_runs(WEFT_OP_CONV_2D, &a, &out, &x, &w, &b);
  assert_codes(got, 3, 5, 12, 16, 24, 28);
  /* the padding is worth the zero point: with zero point 1 every element counts one less */
  weft_tensor x1 = S8(image, 1, 1, 1, 3, 3, 1);
  assert_runs(WEFT_OP_CONV_2D, &a, &out, &x1, &w, &b);
  assert_codes(got, 1, 3, 8, 12, 20, 24);
  /* dilation 2: the corners */
  a = unit;
  a.dilation_h = a.dilation_w = 2;
  weft_tensor corner = S8(got, 1, 0, 1, 1, 1, 1);
  assert_runs(WEFT_OP_CONV_2D, &a, &corner, &x, &w);
  assert_codes(got, 20);
  a.stride_h = 0;
  assert_refused(WEFT_OP_CONV_2D, &a, &corner, &x, &w);
}

/* Groups of one channel are a depthwise convolution with the weights transposed. */
static void test_groups_are_depthwise(void **state) {
  (void)state;
  enum { H = 5, C = 3, MULT = 2, OC = C * MULT };
  int8_t image[H * H * C], grouped[OC * 9], depthwise[9 * OC], a[9 * OC], b[9 * OC];
  int32_t bias[OC] = {1, -2, 300, -400, 5000, -6000};
  float scale[OC] = {0.01f, 0.02f, 0.03f, 0.04f, 0.05f, 0.06f};
  int32_t zero[OC] = {0};
  scramble(image, sizeof image, 1);
  scramble(grouped, sizeof grouped, 2);
  for (int c = 0; c < OC; c++)
    for (int k = 0; k < 9; k++) depthwise[k * OC + c] = grouped[c * 9 + k];
  weft_tensor x = S8(image, 0.1f, -5, 1, H, H, C), bt = I32(bias, OC);
  weft_tensor gw = operand(WEFT_INT8, grouped, scale, zero, OC, 0, SHAPE(OC, 3, 3, 1));
  weft_tensor dw = operand(WEFT_INT8, depthwise, scale, zero, OC, 3, SHAPE(1, 3, 3, OC));
  weft_tensor ga = S8(a, 0.7f, 3, 1, 3, 3, OC), da = S8(b, 0.7f, 3, 1, 3, 3, OC);
  assert_runs(WEFT_OP_CONV_2D, &unit, &ga, &x, &gw, &bt);
  assert_runs(WEFT_OP_DEPTHWISE_CONV_2D, &unit, &da, &x, &dw, &bt);
  assert_memory_equal(a, b, sizeof a);
}

/* int8 with zero point z and uint8 with z + 128 are the same numbers. */
static void test_unsigned_is_signed(void **state) {
  (void)state;
  enum { N = 4 * 4 * 8 };
  uint8_t s[N], u[N], sw[8 * 8], uw[8 * 8], so[N], uo[N];
  scramble(s, N, 3);
  scramble(sw, sizeof sw, 4);
  for (int i = 0; i < N; i++) u[i] = s[i] ^ 128;
  for (int i = 0; i < 64; i++) uw[i] = sw[i] ^ 128;
  weft_tensor sx = S8(s, 0.1f, 4, 1, 4, 4, 8), ux = U8(u, 0.1f, 132, 1, 4, 4, 8);
  weft_tensor sw4 = S8(sw, 0.02f, 0, 8, 1, 1, 8), uw4 = U8(uw, 0.02f, 128, 8, 1, 1, 8);
  weft_tensor swd = S8(sw, 0.02f, 0, 1, 2, 4, 8), uwd = U8(uw, 0.02f, 128, 1, 2, 4, 8);
  weft_tensor sfc = S8(sw, 0.02f, 0, 8, 8), ufc = U8(uw, 0.02f, 128, 8, 8);
  weft_tensor sy = S8(so, 0.3f, -7, 1, 4, 4, 8), uy = U8(uo, 0.3f, 121, 1, 4, 4, 8);
  weft_tensor sm = S8(so, 1.0f / 256, -128, 1, 4, 4, 8), um = U8(uo, 1.0f / 256, 0, 1, 4, 4, 8);
  weft_attr a = unit;
  a.activation = WEFT_ACT_RELU;
  a.filter_h = a.filter_w = 3;
  a.pad_top = a.pad_left = 1;
  a.beta = 1;
  weft_attr one = unit;
  const struct {
    weft_opcode op;
    const weft_attr *attr;
    const weft_tensor *s[2], *u[2];
    weft_tensor *sy, *uy;
    int n;
  } c[] = {
      {WEFT_OP_CONV_2D, &one, {&sx, &sw4}, {&ux, &uw4}, &sy, &uy, 2},
      {WEFT_OP_DEPTHWISE_CONV_2D, &a, {&sx, &swd}, {&ux, &uwd}, &sy, &uy, 2},
      {WEFT_OP_FULLY_CONNECTED, &one, {&sx, &sfc}, {&ux, &ufc}, &sy, &uy, 2},
      {WEFT_OP_ADD, &a, {&sx, &sx}, {&ux, &ux}, &sy, &uy, 2},
      {WEFT_OP_SUB, &one, {&sx, &sx}, {&ux, &ux}, &sy, &uy, 2},
      {WEFT_OP_MAXIMUM, &one, {&sx, &sx}, {&ux, &ux}, &sy, &uy, 2},
      {WEFT_OP_MAX_POOL_2D, &a, {&sx}, {&ux}, &sy, &uy, 1},
      {WEFT_OP_SOFTMAX, &a, {&sx}, {&ux}, &sm, &um, 1},
      {WEFT_OP_LOGISTIC, &a, {&sx}, {&ux}, &sm, &um, 1},
      {WEFT_OP_HARD_SWISH, &a, {&sx}, {&ux}, &sy, &uy, 1},
      {WEFT_OP_QUANTIZE, &a, {&sx}, {&ux}, &sy, &uy, 1},
      {WEFT_OP_RELU6, &a, {&sx}, {&ux}, &sy, &uy, 1},
  };
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
    assert_null(weft_ref_run(c[i].op, c[i].attr, c[i].n, c[i].s, 1, (weft_tensor *[]){c[i].sy}));
    assert_null(weft_ref_run(c[i].op, c[i].attr, c[i].n, c[i].u, 1, (weft_tensor *[]){c[i].uy}));
    for (int k = 0; k < N; k++)
      if ((so[k] ^ 128) != uo[k])
        fail_msg("%s: %d: int8 %d, uint8 %d", weft_op_name(c[i].op), k, so[k] ^ 128, uo[k]);
  }
}

static void test_fully_connected(void **state) {
  (void)state;
  int8_t in[] = {1, 2, 3, -4, 5, -6}, weights[] = {1, 1, 1, 2, 0, -2}, got[4];
  int32_t bias[] = {10, 20};
  weft_tensor x = S8(in, 0.5f, 0, 2, 3), w = S8(weights, 0.5f, 0, 2, 3), b = I32(bias, 2);
  weft_tensor out = S8(got, 0.25f, 1, 2, 2);
  assert_runs(WEFT_OP_FULLY_CONNECTED, &unit, &out, &x, &w, &b);
  assert_codes(got, 17, 17, 6, 25);
  assert_runs(WEFT_OP_FULLY_CONNECTED, &unit, &out, &x, &w, NULL);
  assert_codes(got, 7, -3, -4, 5);
  weft_tensor small = S8(got, 0.25f, 1, 3);
  assert_refused(WEFT_OP_FULLY_CONNECTED, &unit, &small, &x, &w);
}

static void test_transpose_conv(void **state) {
  (void)state;
  int8_t in[] = {1, 2}, filter[] = {1, 2, 3, 4}, got[8];
  int32_t shape[] = {1, 2, 4, 1};
  weft_tensor s = I32(shape, 4), x = S8(in, 1, 0, 1, 1, 2, 1), w = S8(filter, 1, 0, 1, 2, 2, 1);
  weft_tensor out = S8(got, 1, 0, 1, 2, 4, 1);
  weft_attr a = unit;
  a.stride_h = a.stride_w = 2;
  assert_runs(WEFT_OP_TRANSPOSE_CONV, &a, &out, &s, &w, &x);
  assert_codes(got, 1, 2, 2, 4, 3, 4, 6, 8);
}

static void test_elementwise(void **state) {
  (void)state;
  int8_t in[] = {10, -20, 30, -40, 50, -60}, row[] = {1, 2, 3}, got[6];
  weft_tensor x = S8(in, 1, 0, 2, 3), r = S8(row, 2, 0, 3), out = S8(got, 1, 0, 2, 3);
  assert_runs(WEFT_OP_ADD, &unit, &out, &x, &r);
  assert_codes(got, 12, -16, 36, -38, 54, -54);
  assert_runs(WEFT_OP_SUB, &unit, &out, &r, &x);
  assert_codes(got, -8, 24, -24, 42, -46, 66);
  assert_runs(WEFT_OP_MUL, &unit, &out, &x, &r);
  assert_codes(got, 20, -80, 127, -80, 127, -128);
  assert_runs(WEFT_OP_PRELU, &unit, &out, &x, &r);
  assert_codes(got, 10, -80, 30, -80, 50, -128);
  assert_runs(WEFT_OP_MINIMUM, &unit, &out, &x, &r);
  assert_codes(got, 1, -20, 3, -40, 2, -60);
  weft_tensor big = S8(got, 100, 0, 2, 3);
  assert_runs(WEFT_OP_SQUARED_DIFFERENCE, &unit, &big, &x, &r);
  assert_codes(got, 1, 6, 6, 18, 21, 44); /* 64, 576, 576, 1764, 2116, 4356 */
  int8_t four[4];
  weft_tensor bad = S8(four, 1, 0, 4);
  assert_refused(WEFT_OP_ADD, &unit, &out, &x, &bad);
}

static void test_batch_matmul(void **state) {
  (void)state;
  int8_t l[] = {1, 2, 3, 4, 5, 6}, r[] = {1, 0, 2, 1, 0, 3}, got[4];
  weft_tensor x = S8(l, 1, 0, 2, 3), y = S8(r, 1, 0, 3, 2), out = S8(got, 1, 0, 2, 2);
  assert_runs(WEFT_OP_BATCH_MATMUL, &unit, &out, &x, &y);
  assert_codes(got, 5, 11, 14, 23);
  weft_attr a = {.adj_x = true, .adj_y = true};
  weft_tensor xt = S8(l, 1, 0, 3, 2), yt = S8(r, 1, 0, 2, 3);
  assert_runs(WEFT_OP_BATCH_MATMUL, &a, &out, &xt, &yt);
  assert_codes(got, 11, 16, 14, 20);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_arithmetic),
      cmocka_unit_test(test_activation_range),
      cmocka_unit_test(test_conv),
      cmocka_unit_test(test_groups_are_depthwise),
      cmocka_unit_test(test_unsigned_is_signed),
      cmocka_unit_test(test_fully_connected),
      cmocka_unit_test(test_transpose_conv),
      cmocka_unit_test(test_elementwise),
      cmocka_unit_test(test_batch_matmul),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
