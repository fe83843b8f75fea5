// The TFLite importer's operators: code, inputs, outputs and attributes of each; SAME and VALID
// become explicit padding. Start reading at read_operator(), at the end.
#include <climits>

#include "tflite_loader.h"

namespace weft::tfl {
namespace {

constexpr int kMaxOutputs = 64;

bool to_opcode(int builtin, weft_opcode *out) {
  switch (builtin) {
#define WEFT_OP(name, min_in, max_in)                                                              \
  case Builtin_##name:                                                                             \
    *out = WEFT_OP_##name;                                                                         \
    return true;
#include "ops.def"
#undef WEFT_OP
  default: return false;
  }
}

struct Arity {
  int min_in, max_in;
};
constexpr Arity kArity[] = {
#define WEFT_OP(name, min_in, max_in) {min_in, max_in},
#include "ops.def"
#undef WEFT_OP
};

weft_status find_opcode(Loader &in, int k, const Operator *op, weft_opcode *out) {
  uint32_t index = op->opcode();
  if (index >= (uint32_t)count(in.model->opcodes()))
    return in.fail(WEFT_EINPUT, "operator %d uses operator code %u; the file has %d", k, index,
                   count(in.model->opcodes()));
  const Opcode *code = in.model->opcodes()->Get(index);
  int builtin = code->small() > (int)code->builtin() ? code->small() : (int)code->builtin();
  if (builtin == Builtin_CUSTOM)
    return in.fail(WEFT_EUNSUPP,
                   "operator %d is the custom operator '%.120s'; Weft runs builtin "
                   "operators only",
                   k, code->custom_name() ? code->custom_name()->c_str() : "");
  if (to_opcode(builtin, out)) return WEFT_OK;
  const char *name = EnumNameBuiltin((Builtin)builtin);
  return in.fail(WEFT_EUNSUPP,
                 "operator %d is %s (builtin %d), which Weft does not run; "
                 "kernels/ops.def lists the %d operators it runs",
                 k, *name ? name : "unknown", builtin, (int)WEFT_OP_COUNT);
}

// One operator while its attributes are read.
struct Node {
  Loader &in;
  int k;
  const Operator *op;
  weft_opcode opcode = WEFT_OP_ADD;
  weft_attr attr = {};
  std::vector<int> inputs = {}, outputs = {};

  weft_status fail(weft_status status, const char *what) const {
    return in.fail(status, "operator %d (%s) %s", k, weft_op_name(opcode), what);
  }
  const weft_tensor *tensor(const std::vector<int> &list, size_t i) const {
    return i < list.size() && list[i] >= 0 ? &in.graph->tensor[list[i]] : nullptr;
  }

  // The options as a T. Absent options give *out = nullptr, an error if `required`.
  template <typename T> weft_status options(Kind kind, bool required, const T **out) const {
    *out = nullptr;
    if (op->options_kind() == Kind_NONE || !op->options())
      return required ? fail(WEFT_EINPUT, "has no options") : WEFT_OK;
    if (op->options_kind() != kind) return fail(WEFT_EINPUT, "has another operator's options");
    const T *table = reinterpret_cast<const T *>(op->options());
    if (!table->Verify(*in.verifier)) return fail(WEFT_EINPUT, "has damaged options");
    *out = table;
    return WEFT_OK;
  }

  weft_status activation(Fused act) {
    switch (act) {
    case Fused_NONE: attr.activation = WEFT_ACT_NONE; return WEFT_OK;
    case Fused_RELU: attr.activation = WEFT_ACT_RELU; return WEFT_OK;
    case Fused_RELU6: attr.activation = WEFT_ACT_RELU6; return WEFT_OK;
    case Fused_RELU_N1_TO_1: attr.activation = WEFT_ACT_RELU_N1_TO_1; return WEFT_OK;
    default:
      return fail(WEFT_EUNSUPP, "has a fused activation other than RELU, RELU6, RELU_N1_TO_1");
    }
  }
};

// TFLite's rule for one axis: the output size that SAME or VALID gives, and from it the padding, of
// which the smaller half comes first.
void resolve_axis(PadRule rule, int64_t in, int64_t stride, int64_t dilation, int64_t filter,
                  int *before, int *after) {
  int64_t reach = (filter - 1) * dilation + 1;
  int64_t out = rule == PadRule_SAME ? (in + stride - 1) / stride : (in + stride - reach) / stride;
  int64_t total = (out - 1) * stride + reach - in;
  if (total < 0 || total > INT_MAX || rule == PadRule_VALID) total = 0;
  *before = (int)(total / 2);
  *after = (int)(total - total / 2);
}

// `image` is the tensor that is padded, NHWC; `filter` the window.
weft_status resolve_padding(Node &n, PadRule rule, const weft_tensor *image, int filter_h,
                            int filter_w) {
  weft_attr &a = n.attr;
  if (rule != PadRule_SAME && rule != PadRule_VALID)
    return n.fail(WEFT_EINPUT, "has a padding other than SAME and VALID");
  if (a.stride_h < 1 || a.stride_w < 1 || filter_h < 1 || filter_w < 1)
    return n.fail(WEFT_EINPUT, "has a stride or a filter size below 1");
  int dilation_h = a.dilation_h ? a.dilation_h : 1, dilation_w = a.dilation_w ? a.dilation_w : 1;
  if (dilation_h < 1 || dilation_w < 1) return n.fail(WEFT_EINPUT, "has a negative dilation");
  if (!image || image->rank != 4) return n.fail(WEFT_EINPUT, "needs a tensor of rank 4");
  resolve_axis(rule, image->dim[1], a.stride_h, dilation_h, filter_h, &a.pad_top, &a.pad_bottom);
  resolve_axis(rule, image->dim[2], a.stride_w, dilation_w, filter_w, &a.pad_left, &a.pad_right);
  return WEFT_OK;
}

// Options of CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV: the filter's size is the weights' own.
template <typename T> weft_status read_conv(Node &n, const T *o, const weft_tensor *image) {
  n.attr.stride_h = o->stride_h();
  n.attr.stride_w = o->stride_w();
  const weft_tensor *weights = n.tensor(n.inputs, 1);
  if (!weights || weights->rank != 4) return n.fail(WEFT_EINPUT, "needs weights of rank 4");
  if (weft_status status = n.activation(o->act())) return status;
  return resolve_padding(n, o->pad(), image, weights->dim[1], weights->dim[2]);
}

template <typename T> weft_status read_dilation(Node &n, const T *o) {
  n.attr.dilation_h = o->dilation_h();
  n.attr.dilation_w = o->dilation_w();
  return n.attr.dilation_h < 1 || n.attr.dilation_w < 1
             ? n.fail(WEFT_EINPUT, "has a dilation below 1")
             : WEFT_OK;
}

// Reads a T into `o`, or returns: 0 when there are none (defaults stay), or the error.
#define OPTIONS(T, kind, required)                                                                 \
  const T *o;                                                                                      \
  if (weft_status status = n.options(kind, required, &o)) return status;                           \
  if (!o) return WEFT_OK

weft_status read_arith(Node &n, Kind kind) {
  OPTIONS(ArithOpts, kind, false);
  return n.activation(o->act());
}

weft_status read_conv_2d(Node &n) {
  OPTIONS(ConvOpts, Kind_CONV, true);
  if (weft_status status = read_dilation(n, o)) return status;
  return read_conv(n, o, n.tensor(n.inputs, 0));
}

weft_status read_depthwise(Node &n) {
  OPTIONS(DepthwiseOpts, Kind_DEPTHWISE, true);
  if (weft_status status = read_dilation(n, o)) return status;
  const weft_tensor *x = n.tensor(n.inputs, 0);
  if (weft_status status = read_conv(n, o, x)) return status;
  // The file's multiplier is redundant, and TFLite goes by the shapes too.
  int channels = x->dim[3], filters = n.tensor(n.inputs, 1)->dim[3];
  n.attr.depth_multiplier = channels > 0 ? filters / channels : o->multiplier();
  return WEFT_OK;
}

weft_status read_transpose_conv(Node &n) {
  OPTIONS(TransposeConvOpts, Kind_TRANSPOSE_CONV, true);
  return read_conv(n, o, n.tensor(n.outputs, 0));
}

weft_status read_pool(Node &n) {
  OPTIONS(PoolOpts, Kind_POOL, true);
  n.attr.stride_h = o->stride_h();
  n.attr.stride_w = o->stride_w();
  n.attr.filter_h = o->filter_h();
  n.attr.filter_w = o->filter_w();
  if (weft_status status = n.activation(o->act())) return status;
  return resolve_padding(n, o->pad(), n.tensor(n.inputs, 0), o->filter_h(), o->filter_w());
}

weft_status read_dense(Node &n) {
  OPTIONS(DenseOpts, Kind_DENSE, false);
  if (o->weights_format() != 0) return n.fail(WEFT_EUNSUPP, "has shuffled weights");
  n.attr.keep_dims = o->keep_num_dims();
  return n.activation(o->act());
}

weft_status read_matmul(Node &n) {
  OPTIONS(MatmulOpts, Kind_MATMUL, false);
  n.attr.adj_x = o->adj_x();
  n.attr.adj_y = o->adj_y();
  return WEFT_OK;
}

weft_status read_reduce(Node &n) {
  OPTIONS(ReduceOpts, Kind_REDUCE, false);
  n.attr.keep_dims = o->keep_dims();
  return WEFT_OK;
}

weft_status read_softmax(Node &n) {
  OPTIONS(SoftmaxOpts, Kind_SOFTMAX, true);
  n.attr.beta = o->beta();
  return WEFT_OK;
}

weft_status read_concat(Node &n) {
  OPTIONS(ConcatOpts, Kind_CONCAT, true);
  n.attr.axis = o->axis();
  return n.activation(o->act());
}

weft_status read_gather(Node &n) {
  OPTIONS(GatherOpts, Kind_GATHER, false);
  n.attr.axis = o->axis();
  n.attr.batch_dims = o->batch_dims();
  return WEFT_OK;
}

weft_status read_leaky_relu(Node &n) {
  OPTIONS(LeakyReluOpts, Kind_LEAKY_RELU, true);
  n.attr.alpha = o->alpha();
  return WEFT_OK;
}

weft_status read_gelu(Node &n) {
  OPTIONS(GeluOpts, Kind_GELU, false);
  n.attr.approximate = o->approximate();
  return WEFT_OK;
}

template <typename T> weft_status read_resize(Node &n, Kind kind) {
  OPTIONS(T, kind, false);
  n.attr.align_corners = o->align_corners();
  n.attr.half_pixel_centers = o->half_pixel_centers();
  return WEFT_OK;
}

weft_status read_strided_slice(Node &n) {
  OPTIONS(StridedSliceOpts, Kind_STRIDED_SLICE, false);
  if (o->end_is_offset()) return n.fail(WEFT_EUNSUPP, "counts its end from its begin");
  n.attr.begin_mask = o->begin_mask();
  n.attr.end_mask = o->end_mask();
  n.attr.ellipsis_mask = o->ellipsis_mask();
  n.attr.new_axis_mask = o->new_axis_mask();
  n.attr.shrink_axis_mask = o->shrink_axis_mask();
  return WEFT_OK;
}

weft_status read_attributes(Node &n) {
  switch (n.opcode) {
  case WEFT_OP_CONV_2D: return read_conv_2d(n);
  case WEFT_OP_DEPTHWISE_CONV_2D: return read_depthwise(n);
  case WEFT_OP_TRANSPOSE_CONV: return read_transpose_conv(n);
  case WEFT_OP_FULLY_CONNECTED: return read_dense(n);
  case WEFT_OP_BATCH_MATMUL: return read_matmul(n);
  case WEFT_OP_ADD: return read_arith(n, Kind_ADD);
  case WEFT_OP_SUB: return read_arith(n, Kind_SUB);
  case WEFT_OP_MUL: return read_arith(n, Kind_MUL);
  case WEFT_OP_AVERAGE_POOL_2D:
  case WEFT_OP_MAX_POOL_2D: return read_pool(n);
  case WEFT_OP_MEAN:
  case WEFT_OP_SUM: return read_reduce(n);
  case WEFT_OP_SOFTMAX: return read_softmax(n);
  case WEFT_OP_CONCATENATION: return read_concat(n);
  case WEFT_OP_GATHER: return read_gather(n);
  case WEFT_OP_LEAKY_RELU: return read_leaky_relu(n);
  case WEFT_OP_GELU: return read_gelu(n);
  case WEFT_OP_STRIDED_SLICE: return read_strided_slice(n);
  case WEFT_OP_RESIZE_BILINEAR: return read_resize<ResizeBilinearOpts>(n, Kind_RESIZE_BILINEAR);
  case WEFT_OP_RESIZE_NEAREST_NEIGHBOR:
    return read_resize<ResizeNearestOpts>(n, Kind_RESIZE_NEAREST);
  default: return WEFT_OK; // no attributes
  }
}

} // namespace

weft_status read_indices(Loader &in, const std::string &who, const flatbuffers::Vector<int32_t> *v,
                         bool optional, std::vector<int> *out) {
  for (int i = 0; i < count(v); i++) {
    int index = v->Get(i);
    if (index >= in.graph->n_tensors || index < (optional ? -1 : 0))
      return in.fail(WEFT_EINPUT, "%s use tensor %d; the model has %d", who.c_str(), index,
                     in.graph->n_tensors);
    out->push_back(index);
  }
  return WEFT_OK;
}

weft_status read_operator(Loader &in, int k, const Operator *op) {
  Node n{in, k, op};
  if (weft_status status = find_opcode(in, k, op, &n.opcode)) return status;
  const char *name = weft_op_name(n.opcode);
  const Arity &arity = kArity[n.opcode];
  int n_in = count(op->inputs()), n_out = count(op->outputs());
  if (n_in < arity.min_in || n_in > arity.max_in)
    return in.fail(WEFT_EINPUT, "operator %d (%s) has %d inputs; accepted: %d to %d", k, name, n_in,
                   arity.min_in, arity.max_in);
  if (n_out < 1 || n_out > kMaxOutputs)
    return in.fail(WEFT_EINPUT, "operator %d (%s) has %d outputs", k, name, n_out);
  std::string who = "operator " + std::to_string(k) + " (" + name + "): its ";
  if (weft_status status = read_indices(in, who + "inputs", op->inputs(), true, &n.inputs))
    return status;
  if (weft_status status = read_indices(in, who + "outputs", op->outputs(), false, &n.outputs))
    return status;
  if (weft_status status = read_attributes(n)) return status;
  return weft_graph_add_node(in.graph, n.opcode, &n.attr, n_in, n.inputs.data(), n_out,
                             n.outputs.data()) < 0
             ? in.memory()
             : WEFT_OK;
}

} // namespace weft::tfl
