/* Pools, reductions, softmax, unary operators, quantization and resizing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixed.h"
#include "params.h"
#include "support/operand.h"

#include <math.h>

static void test_pools(void **state) {
  (void)state;
  int8_t image[] = {1, 2, 3, 4, -5, -6, -7, -8, 9}, got[4];
  weft_tensor x = S8(image, 1, 0, 1, 3, 3, 1), out = S8(got, 1, 0, 1, 2, 2, 1);
  weft_attr a = {.filter_h = 2, .filter_w = 2, .stride_h = 2, .stride_w = 2};
  /* windows {1,2,4,-5}, {3,-6}, {-7,-8}, {9} */
  assert_runs(WEFT_OP_AVERAGE_POOL_2D, &a, &out, &x);
  assert_codes(got, 1, -2, -8, 9); /* 0.5, -1.5, -7.5: away from zero */
  assert_runs(WEFT_OP_MAX_POOL_2D, &a, &out, &x);
  assert_codes(got, 4, 3, -7, 9);
  a.activation = WEFT_ACT_RELU6;
  assert_runs(WEFT_OP_MAX_POOL_2D, &a, &out, &x);
  assert_codes(got, 4, 3, 0, 6);
  a.pad_top = 2;
  assert_refused(WEFT_OP_MAX_POOL_2D, &a, &out, &x);
}

static void test_reduce(void **state) {
  (void)state;
  int8_t in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, got[6];
  int32_t middle[] = {1}, last_two[] = {-1, 1}, wrong[] = {3};
  weft_tensor x = S8(in, 1, 0, 2, 3, 2), a1 = I32(middle, 1), a2 = I32(last_two, 2);
  weft_tensor bad = I32(wrong, 1), out4 = S8(got, 1, 0, 2, 2), out2 = S8(got, 0.5f, 1, 2);
  weft_attr a = {0};
  assert_runs(WEFT_OP_MEAN, &a, &out4, &x, &a1);
  assert_codes(got, 3, 4, 9, 10);
  assert_runs(WEFT_OP_SUM, &a, &out4, &x, &a1);
  assert_codes(got, 9, 12, 27, 30);
  assert_runs(WEFT_OP_MEAN, &a, &out2, &x, &a2);
  assert_codes(got, 8, 20); /* 3.5 and 9.5, doubled, plus 1 */
  assert_refused(WEFT_OP_MEAN, &a, &out2, &x, &bad);
}

static void test_softmax(void **state) {
  (void)state;
  int8_t in[] = {5, 5, 5, 5, 0, 10, 20, 127, -128, -128, -128, 127}, got[12];
  weft_attr a = {.beta = 1};
  weft_tensor x = S8(in, 0.1f, 3, 3, 4), out = S8(got, 1.0f / 256, -128, 3, 4);
  assert_runs(WEFT_OP_SOFTMAX, &a, &out, &x);
  assert_codes(got, -64, -64, -64, -64, -128, -128, -128, 127, -128, -128, -128, 127);
  weft_tensor other = S8(got, 0.01f, -128, 3, 4);
  assert_refused(WEFT_OP_SOFTMAX, &a, &other, &x);
}

static void test_fixed(void **state) {
  (void)state;
  for (int k = 1; k < 2000; k++) {
    double x = k / 128.0; /* up to 15.6 */
    int32_t q5 = (int32_t)(-x * (1 << 26)), q4 = (int32_t)(x * (1 << 27));
    assert_true(fabs(weft_fixed_exp(q5, 5) * 0x1p-31 - exp(-x)) < 1e-6);
    assert_true(fabs(weft_fixed_logistic(q4) * 0x1p-31 - 1 / (1 + exp(-x))) < 1e-6);
    assert_true(fabs(weft_fixed_logistic(-q4) * 0x1p-31 - 1 / (1 + exp(x))) < 1e-6);
    assert_true(fabs(weft_fixed_tanh(-q4) * 0x1p-31 - tanh(-x)) < 1e-6);
    int over;
    double r = weft_fixed_reciprocal(k << 12, 12, &over) * 0x1p-31; /* k / 128 in Q12 */
    assert_true(fabs(ldexp(r, -over) * x - 1) < 1e-6);
    weft_multiplier m = weft_fixed_inv_sqrt(k);
    assert_true(fabs(ldexp(m.multiplier, m.shift - 31) * sqrt(k) - 1) < 2e-6);
  }
}

/* The table against the real function: at most `codes` off anywhere. */
static void near(weft_opcode op, const weft_attr *attr, double (*f)(double), const weft_tensor *in,
                 const weft_tensor *out, double codes) {
  uint8_t lut[256];
  const char *bad = weft_unary_lut(op, attr, in, out, lut);
  if (bad) fail_msg("%s: %s", weft_op_name(op), bad);
  weft_range r = weft_code_range(out->dtype);
  for (int byte = 0; byte < 256; byte++) {
    int code = in->dtype == WEFT_INT8 ? (int8_t)byte : byte;
    int got = out->dtype == WEFT_INT8 ? (int8_t)lut[byte] : lut[byte];
    double y = f(weft_scale(in) * (code - weft_zero(in))) / weft_scale(out) + weft_zero(out);
    y = y < r.lo ? r.lo : y > r.hi ? r.hi : y;
    if (!(fabs(got - y) <= codes))
      fail_msg("%s(%d) is %d, should be %.2f", weft_op_name(op), code, got, y);
  }
}

static double logistic(double x) {
  return 1 / (1 + exp(-x));
}
static double hard_swish(double x) {
  return x * fmin(fmax(x + 3, 0), 6) / 6;
}
static double leaky(double x) {
  return x < 0 ? 0.125 * x : x;
}
static double relu(double x) {
  return fmax(x, 0);
}
static double relu6(double x) {
  return fmin(fmax(x, 0), 6);
}
static double relu1(double x) {
  return fmin(fmax(x, -1), 1);
}
static double gelu(double x) {
  return 0.5 * x * erfc(-x / sqrt(2));
}
static double rsqrt(double x) {
  return x > 0 ? 1 / sqrt(x) : INFINITY;
}
static double same(double x) {
  return x;
}

static void test_unary(void **state) {
  (void)state;
  weft_attr a = {.alpha = 0.125f};
  weft_tensor x = S8(NULL, 0.06f, -9, 1), y = S8(NULL, 0.05f, 4, 1), u = U8(NULL, 0.05f, 99, 1);
  weft_tensor wide = S8(NULL, 0.11f, 13, 1);
  weft_tensor p = S8(NULL, 1.0f / 256, -128, 1), t = S8(NULL, 1.0f / 128, 0, 1);
  near(WEFT_OP_LOGISTIC, &a, logistic, &x, &p, 0.51);
  near(WEFT_OP_TANH, &a, tanh, &x, &t, 0.51);
  near(WEFT_OP_HARD_SWISH, &a, hard_swish, &x, &y, 1.1);
  near(WEFT_OP_HARD_SWISH, &a, hard_swish, &wide, &wide, 1.1);
  near(WEFT_OP_LEAKY_RELU, &a, leaky, &x, &y, 1.01);
  near(WEFT_OP_RELU, &a, relu, &x, &y, 1.01);
  near(WEFT_OP_RELU6, &a, relu6, &wide, &y, 1.01);
  near(WEFT_OP_RELU_N1_TO_1, &a, relu1, &x, &y, 1.01);
  near(WEFT_OP_GELU, &a, gelu, &x, &y, 0.51);
  a.approximate = true;
  near(WEFT_OP_GELU, &a, gelu, &x, &y, 0.6);
  weft_tensor from_lowest = S8(NULL, 0.06f, -128, 1);
  near(WEFT_OP_RSQRT, &a, rsqrt, &from_lowest, &y, 1.01);
  near(WEFT_OP_QUANTIZE, &a, same, &x, &u, 1.01);
  uint8_t lut[256];
  assert_non_null(weft_unary_lut(WEFT_OP_LOGISTIC, &a, &x, &y, lut));
  assert_non_null(weft_unary_lut(WEFT_OP_RELU, &a, &x, &u, lut));
  assert_non_null(weft_unary_lut(WEFT_OP_ADD, &a, &x, &y, lut));
}

static void test_quantize(void **state) {
  (void)state;
  float in[] = {0, 0.25f, -0.25f, 0.74f, 1000, -1000, NAN, INFINITY}, back[8];
  int8_t got[8];
  weft_attr a = {0};
  weft_tensor x = F32(in, 8), q = S8(got, 0.5f, 1, 8), y = F32(back, 8);
  assert_runs(WEFT_OP_QUANTIZE, &a, &q, &x);
  assert_codes(got, 1, 2, 0, 2, 127, -128, -128, 127); /* halves away from zero */
  assert_runs(WEFT_OP_DEQUANTIZE, &a, &y, &q);
  assert_true(back[0] == 0 && back[1] == 0.5f && back[4] == 63 && back[5] == -64.5f);
}

static void test_resize(void **state) {
  (void)state;
  int8_t in[] = {0, 10, 20, 30}, got[16];
  int32_t size[] = {4, 4};
  weft_tensor x = S8(in, 1, 0, 1, 2, 2, 1), s = I32(size, 2), out = S8(got, 1, 0, 1, 4, 4, 1);
  weft_attr a = {0};
  assert_runs(WEFT_OP_RESIZE_NEAREST_NEIGHBOR, &a, &out, &x, &s);
  assert_codes(got, 0, 0, 10, 10, 0, 0, 10, 10, 20, 20, 30, 30, 20, 20, 30, 30);
  assert_runs(WEFT_OP_RESIZE_BILINEAR, &a, &out, &x, &s);
  assert_codes(got, 0, 5, 10, 10, 10, 15, 20, 20, 20, 25, 30, 30, 20, 25, 30, 30);
  uint8_t ugot[16];
  weft_tensor ux = U8(in, 1, 0, 1, 2, 2, 1), uout = U8(ugot, 1, 0, 1, 4, 4, 1);
  assert_runs(WEFT_OP_RESIZE_BILINEAR, &a, &uout, &ux, &s);
  assert_memory_equal(got, ugot, 16);
  a.half_pixel_centers = true;
  assert_runs(WEFT_OP_RESIZE_BILINEAR, &a, &out, &x, &s);
  assert_codes(got, 0, 3, 8, 10, 5, 8, 13, 15, 15, 18, 23, 25, 20, 23, 28, 30);
  a.align_corners = true;
  assert_refused(WEFT_OP_RESIZE_BILINEAR, &a, &out, &x, &s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pools),  cmocka_unit_test(test_reduce), cmocka_unit_test(test_softmax),
      cmocka_unit_test(test_fixed),  cmocka_unit_test(test_unary),  cmocka_unit_test(test_quantize),
      cmocka_unit_test(test_resize),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
