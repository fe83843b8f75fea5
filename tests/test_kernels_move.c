/* Operators that only move elements, the operator table, and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/operand.h"

static const weft_attr none;

static void test_pad(void **state) {
  (void)state;
  int8_t in[] = {1, 2, 3, 4}, got[12], fill[] = {-1};
  int32_t pads[] = {1, 0, 0, 2};
  weft_tensor x = S8(in, 1, 7, 2, 2), p = I32(pads, 2, 2), out = S8(got, 1, 7, 3, 4);
  assert_runs(WEFT_OP_PAD, &none, &out, &x, &p);
  assert_codes(got, 7, 7, 7, 7, 1, 2, 7, 7, 3, 4, 7, 7);
  weft_tensor v = S8(fill, 1, 7, 1);
  assert_runs(WEFT_OP_PADV2, &none, &out, &x, &p, &v);
  assert_codes(got, -1, -1, -1, -1, 1, 2, -1, -1, 3, 4, -1, -1);
  pads[0] = 2;
  assert_refused(WEFT_OP_PAD, &none, &out, &x, &p);
}

static void test_transpose(void **state) {
  (void)state;
  int32_t in[] = {1, 2, 3, 4, 5, 6}, got[6], perm[] = {2, 0, 1}, twice[] = {0, 0, 1};
  weft_tensor x = I32(in, 1, 2, 3), out = I32(got, 3, 1, 2), p = I32(perm, 3), bad = I32(twice, 3);
  assert_runs(WEFT_OP_TRANSPOSE, &none, &out, &x, &p);
  assert_memory_equal(got, ((int32_t[]){1, 4, 2, 5, 3, 6}), sizeof got);
  assert_refused(WEFT_OP_TRANSPOSE, &none, &out, &x, &bad);
  int8_t image[] = {0, 1, 2, 3, 4, 5, 6, 7}, planes[8];
  int32_t to_chw[] = {0, 3, 1, 2};
  weft_tensor hwc = S8(image, 1, 0, 1, 2, 2, 2), q = I32(to_chw, 4);
  weft_tensor chw = S8(planes, 1, 0, 1, 2, 2, 2);
  assert_runs(WEFT_OP_TRANSPOSE, &none, &chw, &hwc, &q);
  assert_codes(planes, 0, 2, 4, 6, 1, 3, 5, 7);
}

static void test_reshape(void **state) {
  (void)state;
  float in[] = {1, 2, 3, 4}, got[4];
  int32_t shape[] = {4};
  weft_tensor x = F32(in, 2, 2), s = I32(shape, 1), out = F32(got, 4), small = F32(got, 3);
  assert_runs(WEFT_OP_RESHAPE, &none, &out, &x, &s);
  assert_memory_equal(in, got, sizeof in);
  assert_refused(WEFT_OP_RESHAPE, &none, &small, &x, &s);
}

static void test_concatenation(void **state) {
  (void)state;
  int8_t a[] = {1, 2, 3, 4}, b[] = {5, 6}, got[6];
  weft_tensor x = S8(a, 1, 0, 2, 2), y = S8(b, 1, 0, 2, 1), out = S8(got, 1, 0, 2, 3);
  weft_attr attr = {.axis = -1};
  assert_runs(WEFT_OP_CONCATENATION, &attr, &out, &x, &y);
  assert_codes(got, 1, 2, 5, 3, 4, 6);
  weft_tensor other = S8(b, 2, 0, 2, 1);
  assert_refused(WEFT_OP_CONCATENATION, &attr, &out, &x, &other);
  /* uint8 converts: 5 and 200 on scale 0.5 and zero point 1 are 2.0 and 99.5 */
  uint8_t u[] = {1, 2, 3, 4}, v[] = {5, 200}, ugot[6];
  weft_tensor ux = U8(u, 1, 10, 2, 2), uv = U8(v, 0.5f, 1, 2, 1), uo = U8(ugot, 1, 10, 2, 3);
  assert_runs(WEFT_OP_CONCATENATION, &attr, &uo, &ux, &uv);
  assert_codes(ugot, 1, 2, 12, 3, 4, 110);
}

static void test_split(void **state) {
  (void)state;
  int8_t in[] = {1, 2, 3, 4, 5, 6, 7, 8}, first[4], second[4];
  int32_t axis[] = {1};
  weft_tensor x = S8(in, 1, 0, 2, 4), d = I32(axis, 1);
  weft_tensor a = S8(first, 1, 0, 2, 2), b = S8(second, 1, 0, 2, 2);
  const weft_tensor *in2[] = {&d, &x};
  assert_null(weft_ref_run(WEFT_OP_SPLIT, &none, 2, in2, 2, (weft_tensor *[]){&a, &b}));
  assert_codes(first, 1, 2, 5, 6);
  assert_codes(second, 3, 4, 7, 8);
  assert_non_null(weft_ref_run(WEFT_OP_SPLIT, &none, 2, in2, 1, (weft_tensor *[]){&a}));
}

static void test_slice(void **state) {
  (void)state;
  int8_t in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, got[12];
  int32_t begin[] = {1, 1}, size[] = {-1, 2};
  weft_tensor x = S8(in, 1, 0, 3, 4), b = I32(begin, 2), s = I32(size, 2);
  weft_tensor out = S8(got, 1, 0, 2, 2);
  assert_runs(WEFT_OP_SLICE, &none, &out, &x, &b, &s);
  assert_codes(got, 5, 6, 9, 10);
  begin[1] = 3;
  assert_refused(WEFT_OP_SLICE, &none, &out, &x, &b, &s);
}

static void test_strided_slice(void **state) {
  (void)state;
  int8_t in[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, got[12];
  int32_t begin[] = {0, -1}, end[] = {3, 0}, stride[] = {2, -2};
  weft_tensor x = S8(in, 1, 0, 3, 4), b = I32(begin, 2), e = I32(end, 2), s = I32(stride, 2);
  weft_tensor out = S8(got, 1, 0, 2, 2);
  assert_runs(WEFT_OP_STRIDED_SLICE, &none, &out, &x, &b, &e, &s);
  assert_codes(got, 3, 1, 11, 9);
  weft_attr row = {.shrink_axis_mask = 1, .begin_mask = 2, .end_mask = 2};
  int32_t one[] = {1, 1};
  weft_tensor s1 = I32(one, 2), second = S8(got, 1, 0, 4);
  begin[0] = -2;
  assert_runs(WEFT_OP_STRIDED_SLICE, &row, &second, &x, &b, &e, &s1);
  assert_codes(got, 4, 5, 6, 7);
  weft_attr dots = {.ellipsis_mask = 1, .shrink_axis_mask = 2}; /* x[..., 2] */
  begin[1] = 2;
  weft_tensor column = S8(got, 1, 0, 3);
  assert_runs(WEFT_OP_STRIDED_SLICE, &dots, &column, &x, &b, &e, &s1);
  assert_codes(got, 2, 6, 10);
  begin[1] = 4;
  assert_refused(WEFT_OP_STRIDED_SLICE, &dots, &column, &x, &b, &e, &s1);
}

static void test_gather(void **state) {
  (void)state;
  int8_t in[] = {0, 1, 2, 3, 4, 5}, got[8];
  int32_t pick[] = {2, 0}, wrong[] = {3, 0};
  weft_tensor x = S8(in, 1, 0, 2, 3), i = I32(pick, 2), bad = I32(wrong, 2);
  weft_tensor out = S8(got, 1, 0, 2, 2);
  weft_attr a = {.axis = 1};
  assert_runs(WEFT_OP_GATHER, &a, &out, &x, &i);
  assert_codes(got, 2, 0, 5, 3);
  assert_refused(WEFT_OP_GATHER, &a, &out, &x, &bad);
  a.batch_dims = 1;
  weft_tensor each = I32(pick, 2, 1), column = S8(got, 1, 0, 2, 1);
  assert_runs(WEFT_OP_GATHER, &a, &column, &x, &each);
  assert_codes(got, 2, 3);
}

static void test_table(void **state) {
  (void)state;
  assert_string_equal(weft_op_name(WEFT_OP_CONV_2D), "CONV_2D");
  assert_string_equal(weft_op_name(WEFT_OP_SQUARED_DIFFERENCE), "SQUARED_DIFFERENCE");
  assert_string_equal(weft_op_name(WEFT_OP_COUNT), "?");
  int8_t data[1];
  weft_tensor t = S8(data, 1, 0, 1), empty = S8(NULL, 1, 0, 1);
  assert_refused(WEFT_OP_COUNT, &none, &t, &t);
  assert_refused(WEFT_OP_RESHAPE, &none, &t, &t, &t, &t);
  assert_refused(WEFT_OP_RESHAPE, &none, &t, &empty);
  assert_refused(WEFT_OP_RESHAPE, &none, &empty, &t);
  assert_refused(WEFT_OP_ADD, &none, &t, &t, NULL);
  assert_int_equal(weft_dtype_size(WEFT_INT64), 8);
  assert_string_equal(weft_dtype_name(WEFT_FLOAT32), "float32");
  weft_tensor scalar = PLAIN(WEFT_INT32, data, 9);
  scalar.rank = 0;
  assert_int_equal(weft_tensor_bytes(&scalar), 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pad),           cmocka_unit_test(test_transpose),
      cmocka_unit_test(test_reshape),       cmocka_unit_test(test_concatenation),
      cmocka_unit_test(test_split),         cmocka_unit_test(test_slice),
      cmocka_unit_test(test_strided_slice), cmocka_unit_test(test_gather),
      cmocka_unit_test(test_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
