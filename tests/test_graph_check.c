/* The graph check: the zoo of all operators passes, and each rule refuses a zoo in which exactly
 * one thing is wrong, in one line with the operator's or the tensor's name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/zoo.h"

/* RULE("text") statement: the statement breaks the graph, the text must appear in the message. The
 * functions below run through all their rules; `which` selects the one that is executed. */
#define RULE(text) if (which == (*rule)++ && (*want = (text)))
#define A(name) (&zoo_node(g, WEFT_OP_##name)->attr)
#define NODE(name) zoo_node(g, WEFT_OP_##name)
#define IN(name, i) zoo_in(g, WEFT_OP_##name, i)
#define OUT(name) zoo_out(g, WEFT_OP_##name, 0)
#define INT(name, i) ((int32_t *)IN(name, i)->data)

static void drop_data(weft_tensor *t) {
  free(t->data);
  t->data = NULL;
}

/* A constant loses its values but has a writer: it becomes the graph's second input. */
static void make_input(weft_graph *g, weft_tensor *t) {
  drop_data(t);
  int in[2] = {g->input[0], (int)(t - g->tensor)};
  int *out = malloc(sizeof(int) * (size_t)g->n_outputs);
  memcpy(out, g->output, sizeof(int) * (size_t)g->n_outputs);
  assert_int_equal(weft_graph_set_io(g, 2, in, g->n_outputs, out), 0);
  free(out);
}

static void graph_rules(weft_graph *g, int which, int *rule, const char **want) {
  RULE("has an unknown type") OUT(ADD)->dtype = (weft_dtype)99;
  RULE("has too many dimensions") OUT(ADD)->rank = WEFT_MAX_RANK + 1;
  RULE("has a negative dimension") OUT(ADD)->dim[1] = -1;
  RULE("has 2^31 elements or more") OUT(ADD)->dim[1] = OUT(ADD)->dim[2] = 1 << 20;
  RULE("has a number of scales that is not its axis' length") IN(CONV_2D, 1)->quant.n = 3;
  RULE("has a number of scales that is not its axis' length") IN(CONV_2D, 1)->quant.axis = 4;
  RULE("has a scale that is negative or not finite") OUT(ADD)->quant.scale[0] = -1;
  RULE("has a scale that is negative or not finite") OUT(ADD)->quant.scale[0] = NAN;
  RULE("has incomplete quantization") OUT(ADD)->quant.n = -1;
  RULE("the model has 0 inputs") g->n_inputs = 0;
  RULE("and 0 outputs") g->n_outputs = 0;
  RULE("input 0 is tensor -1") g->input[0] = -1;
  RULE("is an input twice, or an input and a constant") g->input[0] = NODE(CONV_2D)->in[1];
  RULE("is an input without elements") g->tensor[g->input[0]].dim[1] = 0;
  RULE("output 0 is tensor 100000") g->output[0] = 100000;
  RULE("is an output that nothing writes") {
    int t = weft_graph_add_tensor(g, "loose", WEFT_INT8, 0, NULL);
    g->output[0] = t;
  }
  RULE("has the unknown code") NODE(ADD)->op = WEFT_OP_COUNT;
  RULE("(ADD): has 1 inputs; accepted: 2 to 2") NODE(ADD)->n_in = 1;
  RULE("(ADD): has 0 outputs") NODE(ADD)->n_out = 0;
  RULE("(ADD): input 1 is absent") NODE(ADD)->in[1] = -1;
  RULE("(CONCATENATION): input 1 is absent") NODE(CONCATENATION)->in[1] = -1;
  RULE("(ADD): input 1 is tensor 5000") NODE(ADD)->in[1] = 5000;
  RULE("(ADD): output 0 is tensor -1") NODE(ADD)->out[0] = -1;
  RULE("is read before anything writes it") NODE(ADD)->in[1] = NODE(QUANTIZE)->out[0];
  RULE("is written twice") NODE(SUB)->out[0] = NODE(ADD)->out[0];
  RULE("is written twice, or is an input or a constant") NODE(ADD)->out[0] = g->input[0];
  RULE("has no elements") OUT(ADD)->dim[1] = 0;
  RULE("has no elements") IN(ADD, 1)->dim[1] = 0;
}

static void conv_rules(weft_graph *g, int which, int *rule, const char **want) {
  RULE("(CONV_2D): has the stride 0") A(CONV_2D)->stride_h = 0;
  RULE("(CONV_2D): has the stride -1") A(CONV_2D)->stride_w = -1;
  RULE("(CONV_2D): has the dilation 0") A(CONV_2D)->dilation_h = 0;
  RULE("(CONV_2D): has the dilation") A(CONV_2D)->dilation_w = 1 << 30;
  RULE("(CONV_2D): has the padding -1") A(CONV_2D)->pad_top = -1;
  RULE("(CONV_2D): has the padding") A(CONV_2D)->pad_right = 1 << 30;
  RULE("input, window, stride and padding give 1x5x8") A(CONV_2D)->pad_top = 2;
  RULE("input, window, stride and padding give 1x0x8") A(CONV_2D)->dilation_h = 9;
  RULE("is 1x5x8") OUT(CONV_2D)->dim[1] = 5;
  RULE("is 2x4x8") OUT(CONV_2D)->dim[0] = 2;
  RULE("has 7 channels; must have 6") OUT(CONV_2D)->dim[3] = 7;
  RULE("has rank 3; must be 4") OUT(CONV_2D)->rank = 3;
  RULE("has rank 3; must be 4") IN(CONV_2D, 1)->rank = 3;
  RULE("makes 2 groups") IN(CONV_2D, 1)->dim[3] = 2;
  RULE("has 3 input channels; must have 4") IN(CONV_2D, 1)->dim[3] = 3;
  RULE("(weights) must be a constant") make_input(g, IN(CONV_2D, 1));
  RULE("is uint8, the input int8") IN(CONV_2D, 1)->dtype = WEFT_UINT8;
  RULE("is float32; Weft runs int8 and uint8 models") IN(CONV_2D, 1)->dtype = WEFT_FLOAT32;
  RULE("is float32; Weft runs int8 and uint8 models") OUT(CONV_2D)->dtype = WEFT_FLOAT32;
  RULE("is int16; accepted: int8 and uint8") OUT(CONV_2D)->dtype = WEFT_INT16;
  RULE("is int8, the output uint8") {
    OUT(CONV_2D)->dtype = WEFT_UINT8;
    OUT(CONV_2D)->quant.zero_point[0] = 0;
  }
  RULE("has 0 scales; must have one") OUT(CONV_2D)->quant.n = 0;
  RULE("has the scale 0; must be positive") OUT(CONV_2D)->quant.scale[0] = 0;
  RULE("has the zero point 128; must be -128 to 127") OUT(CONV_2D)->quant.zero_point[0] = 128;
  RULE("has no scale") IN(CONV_2D, 1)->quant.n = 0;
  RULE("has the scale 0; must be positive") IN(CONV_2D, 1)->quant.scale[5] = 0;
  RULE("has the zero point 1; accepted: 0 to 0") IN(CONV_2D, 1)->quant.zero_point[5] = 1;
  RULE("has scales along axis 3; output channels are axis 0") {
    float scale[4] = {1, 1, 1, 1};
    weft_graph_set_quant(g, NODE(CONV_2D)->in[1], 4, 3, scale, (int32_t[4]){0});
  }
  RULE("(bias) is int8; must be int32") IN(CONV_2D, 2)->dtype = WEFT_INT8;
  RULE("(bias) must be a constant") make_input(g, IN(CONV_2D, 2));
  RULE("(bias) has 5 elements; must have 6") IN(CONV_2D, 2)->dim[0] = 5;
  RULE("(DEPTHWISE_CONV_2D), tensor") A(DEPTHWISE_CONV_2D)->depth_multiplier = 3;
  RULE("(DEPTHWISE_CONV_2D), tensor") A(DEPTHWISE_CONV_2D)->depth_multiplier = 0;
  RULE("has 2 as first dimension; must have 1") IN(DEPTHWISE_CONV_2D, 1)->dim[0] = 2;
  RULE("output channels are axis 3")
  IN(DEPTHWISE_CONV_2D, 1)->dim[0] = 8, IN(DEPTHWISE_CONV_2D, 1)->quant.axis = 0;
  RULE("(output shape) must be a constant") make_input(g, IN(TRANSPOSE_CONV, 0));
  RULE("(output shape) has 3 elements; must have 4") IN(TRANSPOSE_CONV, 0)->dim[0] = 3;
  RULE("differs from the output's shape") INT(TRANSPOSE_CONV, 0)[1] = 17;
  RULE("(TRANSPOSE_CONV), tensor") A(TRANSPOSE_CONV)->stride_h = 3;
  RULE("has 3 input channels; must have 4") IN(TRANSPOSE_CONV, 1)->dim[3] = 3;
  RULE("the weights take 255 at a time") IN(FULLY_CONNECTED, 1)->dim[1] = 255;
  RULE("has 11 columns; must have 10") OUT(FULLY_CONNECTED)->dim[1] = 11;
  RULE("has 20 elements; must have 10") OUT(FULLY_CONNECTED)->dim[0] = 2;
  RULE("has 4 columns; must have 256") A(FULLY_CONNECTED)->keep_dims = true;
  RULE("has rank 1; must be 2") IN(FULLY_CONNECTED, 1)->rank = 1;
  RULE("has 4 elements to sum over; must have 8") A(BATCH_MATMUL)->adj_x = true;
  RULE("cannot be broadcast") IN(BATCH_MATMUL, 1)->dim[1] = 2;
  RULE("has shape [1x8x8x4]; must be [1x8x8x3]") OUT(BATCH_MATMUL)->dim[3] = 4;
  RULE("has a rank below 2") IN(BATCH_MATMUL, 1)->rank = 1;
  RULE("has the filter height 0") A(AVERAGE_POOL_2D)->filter_h = 0;
  RULE("is padded by a whole filter") A(AVERAGE_POOL_2D)->pad_left = 4;
  RULE("has 5 channels; must have 4") OUT(MAX_POOL_2D)->dim[3] = 5;
  RULE("the output 0.5 and 4; must be equal") OUT(MAX_POOL_2D)->quant.zero_point[0] = 4;
  RULE("must be equal") OUT(AVERAGE_POOL_2D)->quant.scale[0] = 0.51f;
  RULE("is 1x4x4; input") OUT(MAX_POOL_2D)->dim[2] = 4;
}

static void math_rules(weft_graph *g, int which, int *rule, const char **want) {
  RULE("cannot be broadcast: dimension 2 is 7 against 8") IN(ADD, 1)->dim[1] = 7;
  RULE("has shape [1x8x8x5]; must be [1x8x8x4]") OUT(ADD)->dim[3] = 5;
  RULE("(SUB), tensor") OUT(SUB)->dtype = WEFT_UINT8;
  RULE("is int32; accepted: int8 and uint8") OUT(MUL)->dtype = WEFT_INT32;
  RULE("(MINIMUM), tensor") OUT(MINIMUM)->quant.scale[0] = 0.6f;
  RULE("must be equal") IN(MAXIMUM, 1)->quant.zero_point[0] = 0;
  RULE("(SQUARED_DIFFERENCE), tensor") OUT(SQUARED_DIFFERENCE)->rank = 3;
  RULE("(PRELU), tensor") OUT(PRELU)->dim[1] = 4;
  RULE("(axes) must be a constant") make_input(g, IN(MEAN, 1));
  RULE("(axes) is int8; accepted") IN(MEAN, 1)->dtype = WEFT_INT8;
  RULE("has 0 axes; accepted: 1 to 8") IN(MEAN, 1)->dim[0] = 0;
  RULE("holds the axis 4; the input has rank 4") INT(MEAN, 1)[0] = 4;
  RULE("holds the axis -5; the input has rank 4") INT(SUM, 1)[0] = -5;
  RULE("has shape [1x1x1x4]; must be [1x4]") A(MEAN)->keep_dims = false;
  RULE("has shape [1x8x8]; must be [1x8x4]") INT(SUM, 1)[0] = 2;
  RULE("has beta 0; must be positive") A(SOFTMAX)->beta = 0;
  RULE("has beta nan; must be positive") A(SOFTMAX)->beta = NAN;
  RULE("must be 1/256 and -128") OUT(SOFTMAX)->quant.scale[0] = 0.01f;
  RULE("must be 1/256 and -128") OUT(LOGISTIC)->quant.zero_point[0] = 0;
  RULE("must be 1/128 and 0") OUT(TANH)->quant.zero_point[0] = 1;
  RULE("has an alpha that is not finite") A(LEAKY_RELU)->alpha = INFINITY;
  RULE("below 1/128 of the input's 0.5") OUT(HARD_SWISH)->quant.scale[0] = 0.003f;
  RULE("(HARD_SWISH), tensor") OUT(HARD_SWISH)->dim[0] = 2;
  RULE("(RELU), tensor") OUT(RELU)->dim[0] = 2;
  RULE("(RELU6), tensor") OUT(RELU6)->dim[0] = 2;
  RULE("(RELU_N1_TO_1), tensor") OUT(RELU_N1_TO_1)->dim[0] = 2;
  RULE("(GELU), tensor") OUT(GELU)->dim[0] = 2;
  RULE("(RSQRT), tensor") OUT(RSQRT)->dim[0] = 2;
  RULE("(DEQUANTIZE), tensor") OUT(DEQUANTIZE)->dtype = WEFT_INT8;
  RULE("must be [1x8x8x4]") OUT(QUANTIZE)->dim[0] = 2;
  RULE("(QUANTIZE), tensor") OUT(QUANTIZE)->dtype = WEFT_FLOAT32;
  RULE("is bool; accepted: int8 and uint8")
  OUT(DEQUANTIZE)->dtype = WEFT_BOOL, zoo_node(g, WEFT_OP_DEQUANTIZE)->op = WEFT_OP_QUANTIZE;
}

static void move_rules(weft_graph *g, int which, int *rule, const char **want) {
  RULE("(paddings) must be a constant") make_input(g, IN(PAD, 1));
  RULE("(paddings) has 6 elements; must have 8") IN(PAD, 1)->dim[0] = 3;
  RULE("holds a padding out of range") INT(PAD, 1)[2] = -1;
  RULE("has dimension 1 = 9; padding gives 10") INT(PAD, 1)[2] = 1;
  RULE("is int8, the output int16") OUT(PAD)->dtype = WEFT_INT16;
  RULE("must be equal") OUT(PAD)->quant.scale[0] = 1;
  RULE("has 1 scales, the output 0; must have one") OUT(PAD)->quant.n = 0;
  RULE("has rank 3; must be 4") OUT(PAD)->rank = 3;
  RULE("(value) must be a constant of one element") make_input(g, IN(PADV2, 2));
  RULE("must be equal") IN(PADV2, 2)->quant.zero_point[0] = 0;
  RULE("has 252 elements, the input 256") OUT(RESHAPE)->dim[1] = 63;
  RULE("(shape) must be a constant") make_input(g, IN(RESHAPE, 1));
  RULE("(shape) has 2 elements; must have 3") IN(RESHAPE, 1)->dim[0] = 2;
  RULE("holds 5; the output's dimension 2 is 4") INT(RESHAPE, 1)[2] = 5;
  RULE("is not the input without dimensions of 1") {
    OUT(SQUEEZE)->dim[0] = 4;
    OUT(SQUEEZE)->dim[1] = 64;
  }
  RULE("(axis) has 2 elements") IN(EXPAND_DIMS, 1)->rank = 1, IN(EXPAND_DIMS, 1)->dim[0] = 2;
  RULE("is 4; the input has rank 3") INT(EXPAND_DIMS, 1)[0] = 4;
  RULE("must be [1x1x64x4]") INT(EXPAND_DIMS, 1)[0] = 0;
  RULE("is not a permutation of 3 axes") INT(TRANSPOSE, 1)[0] = 1;
  RULE("is not a permutation of 3 axes") INT(TRANSPOSE, 1)[0] = 3;
  RULE("(permutation) must be a constant") make_input(g, IN(TRANSPOSE, 1));
  RULE("must be [64x1x4]") memcpy(IN(TRANSPOSE, 1)->data, (int32_t[]){1, 0, 2}, 12);
  RULE("has rank 3; the axis is 3") A(CONCATENATION)->axis = 3;
  RULE("has dimension 1 = 64; the inputs add up to 128")
  A(CONCATENATION)->axis = 1, OUT(CONCATENATION)->dim[2] = 4;
  RULE("has dimension 1 = 64; the output has 63") OUT(CONCATENATION)->dim[1] = 63;
  RULE("has a fused activation") A(CONCATENATION)->activation = WEFT_ACT_RELU;
  RULE("must be equal") OUT(CONCATENATION)->quant.scale[0] = 1;
  RULE("is 3x20")
  OUT(RESIZE_BILINEAR)->dim[1] = 3, INT(RESIZE_BILINEAR, 1)[0] = 3, INT(RESIZE_BILINEAR, 1)[1] = 20,
  *want = "must be [1x3x20x4]";
  RULE("(size) must be a constant") make_input(g, IN(RESIZE_BILINEAR, 1));
  RULE("is 0x4") INT(RESIZE_BILINEAR, 1)[0] = 0;
  RULE("aligns corners and centers pixels") A(RESIZE_BILINEAR)->half_pixel_centers = true;
  RULE("must be [1x6x20x4]") INT(RESIZE_NEAREST_NEIGHBOR, 1)[0] = 6;
  RULE("is 3; the input has rank 3") INT(SPLIT, 0)[0] = 3;
  RULE("(axis) must be a constant") make_input(g, IN(SPLIT, 0));
  RULE("has dimension 0 = 1; not 2 equal parts") INT(SPLIT, 0)[0] = 0;
  RULE("must be [1x32x4]") zoo_out(g, WEFT_OP_SPLIT, 1)->dim[1] = 31;
  RULE("must be equal") zoo_out(g, WEFT_OP_SPLIT, 1)->quant.zero_point[0] = 0;
  RULE("starts at 8 of dimension 1 = 8") INT(SLICE, 1)[1] = 8;
  RULE("starts at -1 of dimension 1 = 8") INT(SLICE, 1)[1] = -1;
  RULE("takes 5 from 4 of dimension 1 = 8") INT(SLICE, 2)[1] = 5;
  RULE("takes 0 from 4 of dimension 1 = 8") INT(SLICE, 2)[1] = 0;
  RULE("(begin) must be a constant") make_input(g, IN(SLICE, 1));
  RULE("(size) has 3 elements; must have 4") IN(SLICE, 2)->dim[0] = 3;
  RULE("must be [1x3x8x2]") INT(SLICE, 2)[1] = 3;
  RULE("is out of range: 0") INT(STRIDED_SLICE, 3)[1] = 0;
  RULE("is out of range: -2147483648") INT(STRIDED_SLICE, 3)[1] = INT32_MIN;
  RULE("(strides) must be a constant") make_input(g, IN(STRIDED_SLICE, 3));
  RULE("takes index 1 of dimension 0 = 1") INT(STRIDED_SLICE, 1)[0] = 1;
  RULE("takes nothing of dimension 1") INT(STRIDED_SLICE, 2)[1] = 0;
  RULE("has shape [4x3x2]; must be [2x3x2]") INT(STRIDED_SLICE, 2)[1] = 4;
  RULE("with an ellipsis or a new axis") A(STRIDED_SLICE)->ellipsis_mask = 1;
  RULE("with an ellipsis or a new axis") A(STRIDED_SLICE)->new_axis_mask = 1;
  RULE("holds the index 8; dimension 2 is 8") INT(GATHER, 1)[0] = 8;
  RULE("holds the index -1; dimension 2 is 8") INT(GATHER, 1)[2] = -1;
  RULE("(indices) is float32") IN(GATHER, 1)->dtype = WEFT_FLOAT32;
  RULE("(indices) is empty") IN(GATHER, 1)->dim[1] = 0;
  RULE("has rank 4; the axis is 4") A(GATHER)->axis = 4;
  RULE("has 3 batch dimensions") A(GATHER)->batch_dims = 3;
  RULE("must be [1x8x1x3x4]") A(GATHER)->batch_dims = 0;
  RULE("must be [1x8x2x4]") IN(GATHER, 1)->dim[1] = 2;
}

static int check_rules(void (*rules)(weft_graph *, int, int *, const char **)) {
  for (int which = 0;; which++) {
    weft_graph *g = zoo_new();
    weft_err err = {""};
    int rule = 0;
    const char *want = NULL;
    rules(g, which, &rule, &want);
    if (!want) {
      weft_graph_free(g);
      return which;
    }
    weft_status status = weft_graph_check(g, "net.tflite", &err);
    if (status != WEFT_EINPUT && status != WEFT_EUNSUPP) fail_msg("accepted: %s", want);
    if (strncmp(err.text, "net.tflite: ", 12) || !strstr(err.text, want))
      fail_msg("'%s' lacks '%s'", err.text, want);
    weft_graph_free(g);
  }
}

static void test_zoo_passes(void **state) {
  (void)state;
  weft_graph *g = zoo_new();
  weft_err err = {""};
  if (weft_graph_check(g, "zoo", &err)) fail_msg("%s", err.text);
  weft_graph_free(g);
}

static void test_rules(void **state) {
  (void)state;
  int n = check_rules(graph_rules) + check_rules(conv_rules) + check_rules(math_rules) +
          check_rules(move_rules);
  print_message("%d rules\n", n);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_zoo_passes),
                                     cmocka_unit_test(test_rules)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
