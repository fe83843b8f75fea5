// Writes a graph as a TFLite file; the inverse of compiler/tflite.cc, for tests.
#include "tflite_write.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "tflite_generated.h"

namespace {

using namespace weft::tfl;
using flatbuffers::Offset;
using Builder = flatbuffers::FlatBufferBuilder;

ElementType type_of(weft_dtype dtype) {
  switch (dtype) {
  case WEFT_INT8: return ElementType_INT8;
  case WEFT_UINT8: return ElementType_UINT8;
  case WEFT_INT16: return ElementType_INT16;
  case WEFT_INT32: return ElementType_INT32;
  case WEFT_INT64: return ElementType_INT64;
  case WEFT_FLOAT32: return ElementType_FLOAT32;
  case WEFT_BOOL: return ElementType_BOOL;
  }
  return ElementType_FLOAT32;
}

Builtin builtin_of(weft_opcode op) {
  switch (op) {
#define WEFT_OP(name, min_in, max_in)                                                              \
  case WEFT_OP_##name:                                                                             \
    return Builtin_##name;
#include "ops.def"
#undef WEFT_OP
  default: return Builtin_CUSTOM;
  }
}

struct Options {
  Kind kind;
  Offset<Opaque> table;
};

template <typename T> Options some(Kind kind, Offset<T> table) {
  return {kind, Offset<Opaque>(table.o)};
}

Options options_of(Builder &b, const weft_node &n, const weft_tflite_fault &fault) {
  const weft_attr &a = n.attr;
  const Fused fused[] = {Fused_NONE, Fused_RELU, Fused_RELU6, Fused_RELU_N1_TO_1};
  Fused act = fault.activation ? (Fused)fault.activation : fused[a.activation];
  PadRule pad =
      a.pad_top || a.pad_bottom || a.pad_left || a.pad_right ? PadRule_SAME : PadRule_VALID;
  switch (n.op) {
  case WEFT_OP_CONV_2D:
    return some(Kind_CONV,
                CreateConvOpts(b, pad, a.stride_w, a.stride_h, act, a.dilation_w, a.dilation_h));
  case WEFT_OP_DEPTHWISE_CONV_2D:
    return some(Kind_DEPTHWISE,
                CreateDepthwiseOpts(b, pad, a.stride_w, a.stride_h, a.depth_multiplier, act,
                                    a.dilation_w, a.dilation_h));
  case WEFT_OP_TRANSPOSE_CONV:
    return some(Kind_TRANSPOSE_CONV, CreateTransposeConvOpts(b, pad, a.stride_w, a.stride_h, act));
  case WEFT_OP_AVERAGE_POOL_2D:
  case WEFT_OP_MAX_POOL_2D:
    return some(Kind_POOL,
                CreatePoolOpts(b, pad, a.stride_w, a.stride_h, a.filter_w, a.filter_h, act));
  case WEFT_OP_FULLY_CONNECTED: return some(Kind_DENSE, CreateDenseOpts(b, act, 0, a.keep_dims));
  case WEFT_OP_BATCH_MATMUL: return some(Kind_MATMUL, CreateMatmulOpts(b, a.adj_x, a.adj_y));
  case WEFT_OP_ADD: return some(Kind_ADD, CreateArithOpts(b, act));
  case WEFT_OP_SUB: return some(Kind_SUB, CreateArithOpts(b, act));
  case WEFT_OP_MUL: return some(Kind_MUL, CreateArithOpts(b, act));
  case WEFT_OP_MEAN:
  case WEFT_OP_SUM: return some(Kind_REDUCE, CreateReduceOpts(b, a.keep_dims));
  case WEFT_OP_SOFTMAX: return some(Kind_SOFTMAX, CreateSoftmaxOpts(b, a.beta));
  case WEFT_OP_CONCATENATION: return some(Kind_CONCAT, CreateConcatOpts(b, a.axis, act));
  case WEFT_OP_GATHER: return some(Kind_GATHER, CreateGatherOpts(b, a.axis, a.batch_dims));
  case WEFT_OP_LEAKY_RELU: return some(Kind_LEAKY_RELU, CreateLeakyReluOpts(b, a.alpha));
  case WEFT_OP_GELU: return some(Kind_GELU, CreateGeluOpts(b, a.approximate));
  case WEFT_OP_SPLIT: return some(Kind_SPLIT, CreateSplitOpts(b, n.n_out));
  case WEFT_OP_RESIZE_BILINEAR:
    return some(Kind_RESIZE_BILINEAR,
                CreateResizeBilinearOpts(b, a.align_corners, a.half_pixel_centers));
  case WEFT_OP_RESIZE_NEAREST_NEIGHBOR:
    return some(Kind_RESIZE_NEAREST,
                CreateResizeNearestOpts(b, a.align_corners, a.half_pixel_centers));
  case WEFT_OP_STRIDED_SLICE:
    return some(Kind_STRIDED_SLICE,
                CreateStridedSliceOpts(b, a.begin_mask, a.end_mask, a.ellipsis_mask,
                                       a.new_axis_mask, a.shrink_axis_mask));
  default: return {Kind_NONE, Offset<Opaque>(0)};
  }
}

// Buffer 0 is the empty one; constants get theirs in order of appearance.
Offset<Tensor> tensor_of(Builder &b, const weft_tensor &t, bool first,
                         const weft_tflite_fault &fault, std::vector<Offset<Buffer>> &buffers) {
  uint32_t buffer = 0;
  if (t.data && weft_tensor_bytes(&t)) {
    b.ForceVectorAlignment(weft_tensor_bytes(&t), 1, 16);
    auto data = b.CreateVector((const uint8_t *)t.data, weft_tensor_bytes(&t));
    buffers.push_back(CreateBuffer(b, data));
    buffer = (uint32_t)buffers.size() - 1;
  }
  auto shape = b.CreateVector(t.dim, (size_t)t.rank);
  auto name = b.CreateString(t.name);
  Offset<Quant> quant;
  if (t.quant.n) {
    std::vector<float> scale(t.quant.scale, t.quant.scale + t.quant.n);
    std::vector<int64_t> zero(t.quant.zero_point, t.quant.zero_point + t.quant.n);
    if (first && fault.scales) scale.resize((size_t)fault.scales, 1.0f);
    auto scales = b.CreateVector(scale);
    auto zeros = b.CreateVector(zero);
    quant = CreateQuant(b, scales, zeros, 0, t.quant.axis);
  }
  Offset<Opaque> sparsity;
  if (first && fault.sparse) sparsity = CreateOpaque(b);
  if (first && fault.buffer) buffer = (uint32_t)fault.buffer;
  ElementType type =
      first && fault.type_plus_1 ? (ElementType)(fault.type_plus_1 - 1) : type_of(t.dtype);
  return CreateTensor(b, shape, type, buffer, name, quant, first && fault.variable, sparsity);
}

} // namespace

extern "C" uint8_t *weft_tflite_write(const weft_graph *g, const weft_tflite_fault *fault,
                                      size_t *n) {
  const weft_tflite_fault none = {};
  const weft_tflite_fault &f = fault ? *fault : none;
  Builder b(1024);
  std::vector<Offset<Buffer>> buffers{CreateBuffer(b)};
  std::vector<Offset<Tensor>> tensors;
  for (int i = 0; i < g->n_tensors; i++)
    tensors.push_back(tensor_of(b, g->tensor[i], i == 0, f, buffers));
  std::vector<Offset<Opcode>> codes;
  std::vector<Offset<Operator>> operators;
  for (int k = 0; k < g->n_nodes; k++) {
    const weft_node &node = g->node[k];
    int builtin = k == 0 && f.builtin ? f.builtin : (int)builtin_of(node.op);
    Offset<flatbuffers::String> custom;
    if (k == 0 && f.custom) custom = b.CreateString(f.custom);
    codes.push_back(CreateOpcode(b, (int8_t)(builtin < 127 ? builtin : 127), custom, 1,
                                 f.old_codes ? Builtin_ADD : (Builtin)builtin));
    Options options = options_of(b, node, k == 0 ? f : none);
    auto in = b.CreateVector(node.in, (size_t)node.n_in);
    auto out = b.CreateVector(node.out, (size_t)node.n_out);
    operators.push_back(CreateOperator(b, (uint32_t)k, in, out, options.kind, options.table));
  }
  auto tensor_list = b.CreateVector(tensors);
  auto inputs = b.CreateVector(g->input, (size_t)g->n_inputs);
  auto outputs = b.CreateVector(g->output, (size_t)g->n_outputs);
  auto operator_list = b.CreateVector(operators);
  std::vector<Offset<Subgraph>> subgraphs{
      CreateSubgraph(b, tensor_list, inputs, outputs, operator_list)};
  auto code_list = b.CreateVector(codes);
  auto subgraph_list = b.CreateVector(subgraphs);
  auto buffer_list = b.CreateVector(buffers);
  FinishModelBuffer(b, CreateModel(b, 3, code_list, subgraph_list, 0, buffer_list));
  *n = b.GetSize();
  uint8_t *bytes = static_cast<uint8_t *>(malloc(*n));
  if (bytes) memcpy(bytes, b.GetBufferPointer(), *n);
  return bytes;
}
