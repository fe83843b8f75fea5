/* An operator: its code and attributes. Which tensors it reads and writes is the graph's business
 * (compiler/graph.h); what it computes is defined by the reference kernels (kernels/ref.h). */
#ifndef WEFT_OP_H
#define WEFT_OP_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
#define WEFT_OP(name, min_in, max_in) WEFT_OP_##name,
#include "ops.def"
#undef WEFT_OP
  WEFT_OP_COUNT
} weft_opcode;

typedef enum {
  WEFT_ACT_NONE,
  WEFT_ACT_RELU,
  WEFT_ACT_RELU6,
  WEFT_ACT_RELU_N1_TO_1,
} weft_activation;

/* Attributes; each operator uses the fields that its TFLite counterpart has and leaves the others
 * 0. Padding is explicit: importers resolve SAME and VALID. */
typedef struct {
  weft_activation activation;
  int stride_h, stride_w;
  int dilation_h, dilation_w;
  int pad_top, pad_left, pad_bottom, pad_right;
  int filter_h, filter_w;                 /* pools */
  int depth_multiplier;                   /* DEPTHWISE_CONV_2D */
  bool keep_dims;                         /* MEAN, SUM, FULLY_CONNECTED (keep_num_dims) */
  int axis;                               /* CONCATENATION, GATHER */
  int batch_dims;                         /* GATHER */
  float beta;                             /* SOFTMAX */
  float alpha;                            /* LEAKY_RELU */
  bool approximate;                       /* GELU */
  bool adj_x, adj_y;                      /* BATCH_MATMUL */
  bool align_corners, half_pixel_centers; /* RESIZE_* */
  int begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask; /* STRIDED_SLICE */
} weft_attr;

/* "CONV_2D", ... */
const char *weft_op_name(weft_opcode op);

#endif
