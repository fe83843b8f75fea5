/* The reference kernels against CMSIS-NN's int8 operator vectors (DATA/models/vectors/cmsis-nn).
 *
 * The vectors give multipliers, not scales. Each multiplier is turned back into a pair of float
 * scales that yields exactly it (vector_scales), and, where there is one per channel, the operator
 * runs once per channel. Their clamps are applied on top of the kernel's, which lets all codes
 * through. Left out: the transposes (their shapes are not in the files), fully_connected and
 * fully_connected_mve_0 (the files hold another vector's weights), networks, LSTM, SVDF, and
 * everything on int4 or int16. All the others agree with TFLite's double rounding, bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "params.h"
#include "ref.h"
#include "support/golden.h"
#include "support/golden_vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHAPED(t, s, z, ...)                                                                       \
  vector_shaped(t, s, z, (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)),                \
                (const int32_t[]){__VA_ARGS__})

static weft_attr geometry(const vector *v) {
  weft_attr a = {.stride_h = vector_number(v, "STRIDE_Y"),
                 .stride_w = vector_number(v, "STRIDE_X"),
                 .dilation_h = vector_number(v, "DILATION_Y"),
                 .dilation_w = vector_number(v, "DILATION_X"),
                 .pad_top = vector_number(v, "PAD_Y"),
                 .pad_left = vector_number(v, "PAD_X")};
  return a;
}

/* CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV. */
static void weighted(weft_opcode op, const char *name) {
  vector v;
  if (!vector_open(name, &v)) skip();
  weft_tensor x, w, bias, want, mult, shift;
  vector_need(&v, "input", &x);
  vector_need(&v, "weights", &w);
  vector_need(&v, "output_ref", &want);
  vector_need(&v, "output_mult", &mult);
  vector_need(&v, "output_shift", &shift);
  bool has_bias = vector_array(&v, "biases", &bias);
  weft_attr attr = geometry(&v);
  int oc = vector_number(&v, "OUT_CH"), batch = vector_number(&v, "INPUT_BATCHES"),
      ic = vector_number(&v, "IN_CH");
  int kh = vector_number(&v, "FILTER_Y"), kw = vector_number(&v, "FILTER_X");
  int kc = (int)weft_tensor_elements(&w) / (oc * kh * kw); /* input channels per group */
  int32_t zx = -vector_number(&v, "INPUT_OFFSET"), zw = 0, zo = vector_number(&v, "OUTPUT_OFFSET");
  float sx = 1, sw, so;
  x = SHAPED(x, &sx, &zx, batch, vector_number(&v, "INPUT_H"), vector_number(&v, "INPUT_W"), ic);
  w = SHAPED(w, &sw, &zw, oc, kh, kw, kc);
  if (op == WEFT_OP_DEPTHWISE_CONV_2D) w = SHAPED(w, &sw, &zw, 1, kh, kw, oc);
  weft_tensor out = vector_room(&want);
  out = SHAPED(out, &so, &zo, batch, vector_number(&v, "OUTPUT_H"), vector_number(&v, "OUTPUT_W"),
               oc);
  const weft_tensor *conv[] = {&x, &w, has_bias ? &bias : NULL};
  const weft_tensor *transposed[] = {&w, &w, &x, has_bias ? &bias : NULL};
  bool backwards = op == WEFT_OP_TRANSPOSE_CONV;
  for (int c = 0; c < oc; c++) {
    vector_scales((weft_multiplier){((int32_t *)mult.data)[c], ((int32_t *)shift.data)[c]}, &sw,
                  &so);
    vector_run(&v, op, &attr, backwards ? 4 : 3, backwards ? transposed : conv, &out);
    vector_compare(&v, &out, &want, (size_t)c, (size_t)oc, vector_number(&v, "OUT_ACTIVATION_MIN"),
                   vector_number(&v, "OUT_ACTIVATION_MAX"));
  }
  free(x.data), free(w.data), free(want.data), free(mult.data), free(shift.data), free(out.data);
  if (has_bias) free(bias.data);
  json_decref(v.json);
}

static void test_conv(void **state) {
  (void)state;
  static const char *const name[] = {"basic",
                                     "conv_1_x_n_1",
                                     "conv_1_x_n_2",
                                     "conv_1_x_n_3",
                                     "conv_1_x_n_4",
                                     "conv_1_x_n_5",
                                     "conv_1_x_n_6_generic",
                                     "conv_1_x_n_7",
                                     "conv_1_x_n_8",
                                     "conv_2",
                                     "conv_2x2_dilation",
                                     "conv_2x2_dilation_5x5_input",
                                     "conv_2x3_dilation",
                                     "conv_3",
                                     "conv_3x2_dilation",
                                     "conv_3x3_dilation_5x5_input",
                                     "conv_4",
                                     "conv_5",
                                     "conv_dilation_golden",
                                     "conv_out_activation",
                                     "grouped_conv",
                                     "grouped_conv_1",
                                     "grouped_conv_2",
                                     "grouped_conv_3",
                                     "grouped_conv_4",
                                     "kernel1x1",
                                     "kernel1x1_stride_x",
                                     "kernel1x1_stride_x_y",
                                     "kernel1x1_stride_x_y_1",
                                     "kernel1x1_stride_x_y_2",
                                     "stride2pad1"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) weighted(WEFT_OP_CONV_2D, name[i]);
}

static void test_depthwise(void **state) {
  (void)state;
  static const char *const name[] = {"depthwise_2",
                                     "depthwise_dilation",
                                     "depthwise_eq_in_out_ch",
                                     "depthwise_kernel_3x3",
                                     "depthwise_kernel_3x3_null_bias",
                                     "depthwise_mult_batches",
                                     "depthwise_null_bias_0",
                                     "depthwise_null_bias_1",
                                     "depthwise_out_activation",
                                     "depthwise_sub_block",
                                     "depthwise_x_stride",
                                     "in_ch_one_out_ch_larger_one"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    weighted(WEFT_OP_DEPTHWISE_CONV_2D, name[i]);
}

static void test_transpose_conv(void **state) {
  (void)state;
  static const char *const name[] = {"transpose_conv_1",         "transpose_conv_2",
                                     "transpose_conv_3",         "transpose_conv_4",
                                     "reverse_transpose_conv_1", "reverse_transpose_conv_2",
                                     "reverse_transpose_conv_3", "reverse_transpose_conv_4"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) weighted(WEFT_OP_TRANSPOSE_CONV, name[i]);
}

static void test_fully_connected(void **state) {
  (void)state;
  static const char *const name[] = {"fully_connected_mve_1", "fully_connected_null_bias_0",
                                     "fully_connected_out_activation", "fully_connected_w_zp",
                                     "fc_per_ch"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
    vector v;
    if (!vector_open(name[i], &v)) skip();
    weft_tensor x, w, bias, want, mult, shift;
    bool per_channel = !strcmp(name[i], "fc_per_ch");
    vector_need(&v, "input", &x);
    vector_need(&v, "weights", &w);
    vector_need(&v, per_channel ? "output" : "output_ref", &want);
    bool has_bias = vector_array(&v, per_channel ? "bias" : "biases", &bias);
    int oc = vector_number(&v, "OUT_CH"), depth = vector_number(&v, "ACCUMULATION_DEPTH");
    int batch = vector_number(&v, "INPUT_BATCHES");
    long filter_offset;
    vector_number_or(&v, "FILTER_OFFSET", 0, &filter_offset);
    int32_t zx = -vector_number(&v, "INPUT_OFFSET"), zo = vector_number(&v, "OUTPUT_OFFSET");
    int32_t zw = (int32_t)-filter_offset;
    float sx = 1, sw, so;
    x = SHAPED(x, &sx, &zx, batch, depth);
    w = SHAPED(w, &sw, &zw, oc, depth);
    w.data = realloc(w.data, (size_t)oc * (size_t)depth); /* one file holds spare elements */
    weft_tensor out = vector_room(&want);
    out = SHAPED(out, &so, &zo, batch, oc);
    if (per_channel) {
      vector_need(&v, "output_multiplier", &mult);
      vector_need(&v, "output_shift", &shift);
    }
    const weft_tensor *in[] = {&x, &w, has_bias ? &bias : NULL};
    for (int c = 0; c < (per_channel ? oc : 1); c++) {
      weft_multiplier m =
          per_channel ? (weft_multiplier){((int32_t *)mult.data)[c], ((int32_t *)shift.data)[c]}
                      : (weft_multiplier){vector_number(&v, "OUTPUT_MULTIPLIER"),
                                          vector_number(&v, "OUTPUT_SHIFT")};
      vector_scales(m, &sw, &so);
      weft_attr attr = {0};
      vector_run(&v, WEFT_OP_FULLY_CONNECTED, &attr, 3, in, &out);
      vector_compare(&v, &out, &want, (size_t)c, per_channel ? (size_t)oc : 1,
                     vector_number(&v, "OUT_ACTIVATION_MIN"),
                     vector_number(&v, "OUT_ACTIVATION_MAX"));
    }
    free(x.data), free(w.data), free(want.data), free(out.data);
    if (per_channel) free(mult.data), free(shift.data);
    if (has_bias) free(bias.data);
    json_decref(v.json);
  }
}

static void test_batch_matmul(void **state) {
  (void)state;
  for (int i = 1; i <= 5; i++) {
    char name[32];
    snprintf(name, sizeof name, "batch_matmul_%d_s8", i);
    vector v;
    if (!vector_open(name, &v)) skip();
    weft_tensor x, y, want;
    vector_need(&v, "lhs_input_tensor", &x);
    vector_need(&v, "rhs_input_tensor", &y);
    vector_need(&v, "output", &want);
    int32_t zx = -vector_number(&v, "LHS_OFFSET"), zy = -vector_number(&v, "RHS_OFFSET");
    int32_t zo = vector_number(&v, "OUTPUT_OFFSET");
    float sx = 1, sy, so;
    weft_attr attr = {.adj_x = vector_number(&v, "ADJ_X"), .adj_y = vector_number(&v, "ADJ_Y")};
    x = SHAPED(x, &sx, &zx, vector_number(&v, "LHS_BATCH"), vector_number(&v, "LHS_HEIGHT"),
               vector_number(&v, "LHS_ROWS"), vector_number(&v, "LHS_COLS"));
    y = SHAPED(y, &sy, &zy, vector_number(&v, "RHS_BATCH"), vector_number(&v, "RHS_HEIGHT"),
               vector_number(&v, "RHS_ROWS"), vector_number(&v, "RHS_COLS"));
    weft_tensor out = vector_room(&want);
    out =
        SHAPED(out, &so, &zo, vector_number(&v, "OUTPUT_BATCH"), vector_number(&v, "OUTPUT_HEIGHT"),
               vector_number(&v, "OUTPUT_ROWS"), vector_number(&v, "OUTPUT_COLS"));
    vector_scales((weft_multiplier){vector_number(&v, "OUTPUT_MULTIPLIER"),
                                    vector_number(&v, "OUTPUT_SHIFT")},
                  &sy, &so);
    vector_run(&v, WEFT_OP_BATCH_MATMUL, &attr, 2, (const weft_tensor *[]){&x, &y}, &out);
    vector_compare(&v, &out, &want, 0, 1, -128, 127);
    free(x.data), free(y.data), free(want.data), free(out.data);
    json_decref(v.json);
  }
}

static void test_add_mul(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    bool add = i == 0;
    vector v;
    if (!vector_open(add ? "add" : "mul", &v)) skip();
    weft_tensor a, b, want;
    vector_need(&v, "input1", &a);
    vector_need(&v, "input2", &b);
    vector_need(&v, "output_ref", &want);
    int32_t za = -vector_number(&v, "INPUT1_OFFSET"), zb = -vector_number(&v, "INPUT2_OFFSET");
    int32_t zo = vector_number(&v, "OUTPUT_OFFSET");
    float sa = 1, sb = 1, so;
    weft_multiplier m = {vector_number(&v, "OUTPUT_MULT"), vector_number(&v, "OUTPUT_SHIFT")};
    if (add) m.shift += 20 - 1; /* 2 sa / (2^20 so); both inputs have the same scale */
    if (add) assert_int_equal(vector_number(&v, "INPUT1_MULT"), vector_number(&v, "INPUT2_MULT"));
    vector_scales(m, &sa, &so);
    if (add) sb = sa;
    a = SHAPED(a, &sa, &za, vector_number(&v, "DST_SIZE"));
    b = SHAPED(b, &sb, &zb, vector_number(&v, "DST_SIZE"));
    weft_tensor out = vector_room(&want);
    out = SHAPED(out, &so, &zo, vector_number(&v, "DST_SIZE"));
    weft_attr attr = {0};
    vector_run(&v, add ? WEFT_OP_ADD : WEFT_OP_MUL, &attr, 2, (const weft_tensor *[]){&a, &b},
               &out);
    vector_compare(&v, &out, &want, 0, 1, vector_number(&v, "OUT_ACTIVATION_MIN"),
                   vector_number(&v, "OUT_ACTIVATION_MAX"));
    free(a.data), free(b.data), free(want.data), free(out.data);
    json_decref(v.json);
  }
}

static void test_pools(void **state) {
  (void)state;
  for (int i = 0; i < 14; i++) {
    char name[32];
    bool mean = i < 6;
    int k = mean ? i : i - 6;
    snprintf(name, sizeof name, k ? "%spooling_%d" : "%spooling", mean ? "avg" : "max", k);
    vector v;
    if (!vector_open(name, &v)) skip();
    weft_tensor x, want;
    vector_need(&v, "input_tensor", &x);
    vector_need(&v, "output", &want);
    weft_attr attr = {.stride_h = vector_number(&v, "STRIDE_H"),
                      .stride_w = vector_number(&v, "STRIDE_W"),
                      .filter_h = vector_number(&v, "FILTER_H"),
                      .filter_w = vector_number(&v, "FILTER_W"),
                      .pad_top = vector_number(&v, "PADDING_H"),
                      .pad_left = vector_number(&v, "PADDING_W")};
    float s = 1;
    int32_t z = 0;
    int batch = vector_number(&v, "BATCH_SIZE"), channels = vector_number(&v, "INPUT_C");
    x = SHAPED(x, &s, &z, batch, vector_number(&v, "INPUT_H"), vector_number(&v, "INPUT_W"),
               channels);
    weft_tensor out = vector_room(&want);
    out = SHAPED(out, &s, &z, batch, vector_number(&v, "OUTPUT_H"), vector_number(&v, "OUTPUT_W"),
                 channels);
    vector_run(&v, mean ? WEFT_OP_AVERAGE_POOL_2D : WEFT_OP_MAX_POOL_2D, &attr, 1,
               (const weft_tensor *[]){&x}, &out);
    vector_compare(&v, &out, &want, 0, 1, vector_number(&v, "ACTIVATION_MIN"),
                   vector_number(&v, "ACTIVATION_MAX"));
    free(x.data), free(want.data), free(out.data);
    json_decref(v.json);
  }
}

static void test_softmax(void **state) {
  (void)state;
  vector v;
  if (!vector_open("softmax", &v)) skip();
  weft_tensor x, want;
  vector_need(&v, "input", &x);
  vector_need(&v, "output_ref", &want);
  weft_multiplier m = {vector_number(&v, "INPUT_MULT"), vector_number(&v, "INPUT_LEFT_SHIFT")};
  float sx = (float)ldexp(m.multiplier, m.shift - 31 - 26), so = 1.0f / 256;
  int32_t zx = 0, zo = -128;
  weft_attr attr = {.beta = 1};
  x = SHAPED(x, &sx, &zx, vector_number(&v, "NUM_ROWS"), vector_number(&v, "ROW_SIZE"));
  weft_tensor out = vector_room(&want);
  out = SHAPED(out, &so, &zo, vector_number(&v, "NUM_ROWS"), vector_number(&v, "ROW_SIZE"));
  weft_softmax_params p = weft_softmax_params_of(&attr, &x);
  assert_int_equal(p.m.multiplier, m.multiplier);
  assert_int_equal(p.m.shift, m.shift);
  assert_int_equal(p.diff_min, vector_number(&v, "DIFF_MIN"));
  vector_run(&v, WEFT_OP_SOFTMAX, &attr, 1, (const weft_tensor *[]){&x}, &out);
  vector_compare(&v, &out, &want, 0, 1, -128, 127);
  free(x.data), free(want.data), free(out.data);
  json_decref(v.json);
}

static void test_pad(void **state) {
  (void)state;
  for (int i = 1; i <= 2; i++) {
    char name[32];
    snprintf(name, sizeof name, "pad_int8_%d", i);
    vector v;
    if (!vector_open(name, &v)) skip();
    weft_tensor x, want;
    vector_need(&v, "input_tensor", &x);
    vector_need(&v, "output", &want);
    static const char axis[] = "NHWC";
    int32_t pads[8], dim[4], padded[4], z = vector_number(&v, "PAD_VALUE");
    float s = 1;
    for (int d = 0; d < 4; d++) {
      char key[32];
      snprintf(key, sizeof key, "INPUT_%c", axis[d]);
      dim[d] = vector_number(&v, key);
      snprintf(key, sizeof key, "PRE_PAD_%c", axis[d]);
      pads[2 * d] = vector_number(&v, key);
      snprintf(key, sizeof key, "POST_PAD_%c", axis[d]);
      pads[2 * d + 1] = vector_number(&v, key);
      padded[d] = dim[d] + pads[2 * d] + pads[2 * d + 1];
    }
    weft_tensor p = {.dtype = WEFT_INT32, .rank = 2, .dim = {4, 2}, .data = pads};
    x = vector_shaped(x, &s, &z, 4, dim);
    weft_tensor out = vector_room(&want);
    out = vector_shaped(out, &s, &z, 4, padded);
    weft_attr attr = {0};
    vector_run(&v, WEFT_OP_PAD, &attr, 2, (const weft_tensor *[]){&x, &p}, &out);
    vector_compare(&v, &out, &want, 0, 1, -128, 127);
    free(x.data), free(want.data), free(out.data);
    json_decref(v.json);
  }
}

static void test_minimum_maximum(void **state) {
  (void)state;
  static const char *const kind[] = {"broadcast_batch", "broadcast_ch", "broadcast_height",
                                     "broadcast_width", "no_broadcast", "scalar_1",
                                     "scalar_2"};
  for (int i = 0; i < 14; i++) {
    char name[48];
    bool most = i < 7;
    snprintf(name, sizeof name, "%s_%s_int8", most ? "maximum" : "minimum", kind[i % 7]);
    vector v;
    if (!vector_open(name, &v)) skip();
    weft_tensor a, b, want;
    vector_need(&v, "input_tensor_1", &a);
    vector_need(&v, "input_tensor_2", &b);
    vector_need(&v, "output", &want);
    float s = 1;
    int32_t z = 0;
    a = SHAPED(a, &s, &z, vector_number(&v, "BATCH_1"), vector_number(&v, "HEIGHT_1"),
               vector_number(&v, "WIDTH_1"), vector_number(&v, "CHANNEL_1"));
    b = SHAPED(b, &s, &z, vector_number(&v, "BATCH_2"), vector_number(&v, "HEIGHT_2"),
               vector_number(&v, "WIDTH_2"), vector_number(&v, "CHANNEL_2"));
    weft_tensor out = vector_room(&want);
    out = SHAPED(out, &s, &z, vector_number(&v, "OUTPUT_BATCH"), vector_number(&v, "OUTPUT_HEIGHT"),
                 vector_number(&v, "OUTPUT_WIDTH"), vector_number(&v, "OUTPUT_CHANNEL"));
    weft_attr attr = {0};
    vector_run(&v, most ? WEFT_OP_MAXIMUM : WEFT_OP_MINIMUM, &attr, 2,
               (const weft_tensor *[]){&a, &b}, &out);
    vector_compare(&v, &out, &want, 0, 1, -128, 127);
    free(a.data), free(b.data), free(want.data), free(out.data);
    json_decref(v.json);
  }
}

int main(void) {
  if (!golden_exists(golden_path("models/vectors/cmsis-nn")))
    print_message("skipped: CMSIS-NN vectors (no %s)\n", golden_path("models/vectors/cmsis-nn"));
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conv),
      cmocka_unit_test(test_depthwise),
      cmocka_unit_test(test_transpose_conv),
      cmocka_unit_test(test_fully_connected),
      cmocka_unit_test(test_batch_matmul),
      cmocka_unit_test(test_add_mul),
      cmocka_unit_test(test_pools),
      cmocka_unit_test(test_softmax),
      cmocka_unit_test(test_pad),
      cmocka_unit_test(test_minimum_maximum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
