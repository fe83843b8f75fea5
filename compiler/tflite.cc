// Importer of TensorFlow Lite models: verifies the FlatBuffer, then turns subgraph 0 into a
// weft_graph. Start reading at parse(); the format's layout is described in tflite.fbs.
//
// C++ only because FlatBuffers' accessors are; nothing here throws past weft_tflite_parse().
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <sys/stat.h>

#include "tflite_loader.h"

using namespace weft::tfl;

namespace {

// --- tensors ----------------------------------------------------------------------------------

bool to_dtype(ElementType type, weft_dtype *out) {
  switch (type) {
  case ElementType_INT8: *out = WEFT_INT8; return true;
  case ElementType_UINT8: *out = WEFT_UINT8; return true;
  case ElementType_INT16: *out = WEFT_INT16; return true;
  case ElementType_INT32: *out = WEFT_INT32; return true;
  case ElementType_INT64: *out = WEFT_INT64; return true;
  case ElementType_FLOAT32: *out = WEFT_FLOAT32; return true;
  case ElementType_BOOL: *out = WEFT_BOOL; return true;
  default: return false;
  }
}

// The name in messages: "tensor 7 'conv/bias'".
std::string label(int index, const char *name) {
  return "tensor " + std::to_string(index) + " '" + std::string(name).substr(0, 160) + "'";
}

weft_status read_quant(Loader &in, int index, const std::string &who, const Tensor *tensor) {
  const Quant *quant = tensor->quant();
  if (!quant) return WEFT_OK;
  if (quant->custom_kind())
    return in.fail(WEFT_EUNSUPP, "%s has a custom quantization scheme", who.c_str());
  int n = count(quant->scale()), n_zero = count(quant->zero_point());
  if (n == 0) return WEFT_OK;
  const weft_tensor &t = in.graph->tensor[index];
  // Some converters leave the weights' axis on the bias, which has only one.
  int axis = t.rank == 1 ? 0 : quant->axis();
  if (n > 1 && (axis < 0 || axis >= t.rank))
    return in.fail(WEFT_EINPUT, "%s is quantized along axis %d; its rank is %d", who.c_str(), axis,
                   t.rank);
  if (n > 1 && n != t.dim[axis])
    return in.fail(WEFT_EINPUT, "%s has %d scales; accepted: 1 or its dimension %d = %d",
                   who.c_str(), n, axis, t.dim[axis]);
  if (n_zero != 0 && n_zero != n)
    return in.fail(WEFT_EINPUT, "%s has %d scales and %d zero points", who.c_str(), n, n_zero);
  if (weft_status status = in.charge((uint64_t)n * 8)) return status;
  std::vector<float> scale(n);
  std::vector<int32_t> zero(n, 0);
  for (int i = 0; i < n; i++) {
    scale[i] = quant->scale()->Get(i);
    if (!std::isfinite(scale[i]) || scale[i] < 0)
      return in.fail(WEFT_EINPUT, "%s has the scale %g", who.c_str(), (double)scale[i]);
    int64_t z = n_zero ? quant->zero_point()->Get(i) : 0;
    if (z < INT32_MIN || z > INT32_MAX)
      return in.fail(WEFT_EINPUT, "%s has the zero point %lld", who.c_str(), (long long)z);
    zero[i] = (int32_t)z;
  }
  if (n == 1) axis = 0;
  return weft_graph_set_quant(in.graph, index, n, axis, scale.data(), zero.data()) < 0 ? in.memory()
                                                                                       : WEFT_OK;
}

// The constant's bytes, or *data == nullptr when the tensor is not a constant.
weft_status find_data(Loader &in, const std::string &who, const Tensor *tensor,
                      const uint8_t **data, uint64_t *size) {
  *data = nullptr;
  *size = 0;
  uint32_t index = tensor->buffer();
  uint32_t n = (uint32_t)count(in.model->buffers());
  if (index == 0 && n == 0) return WEFT_OK;
  if (index >= n)
    return in.fail(WEFT_EINPUT, "%s uses buffer %u; the file has %u", who.c_str(), index, n);
  const Buffer *buffer = in.model->buffers()->Get(index);
  if (count(buffer->data()) > 0) {
    *data = buffer->data()->data();
    *size = buffer->data()->size();
  } else if (buffer->offset() > 1) {
    if (buffer->offset() > in.size || buffer->size() > in.size - buffer->offset())
      return in.fail(WEFT_EINPUT, "%s has data beyond the end of the file", who.c_str());
    *data = in.bytes + buffer->offset();
    *size = buffer->size();
  }
  return WEFT_OK;
}

weft_status read_tensor(Loader &in, int index, const Tensor *tensor) {
  const char *name = tensor->name() ? tensor->name()->c_str() : "";
  std::string who = label(index, name);
  weft_dtype dtype;
  if (!to_dtype(tensor->type(), &dtype))
    return in.fail(WEFT_EUNSUPP,
                   "%s is %s (type %d); Weft reads int8, uint8, int16, int32, int64, "
                   "float32 and bool",
                   who.c_str(), EnumNameElementType(tensor->type()), (int)tensor->type());
  if (tensor->sparsity())
    return in.fail(WEFT_EUNSUPP, "%s is stored sparse; store it dense", who.c_str());
  if (tensor->variable())
    return in.fail(WEFT_EUNSUPP, "%s is variable (state between runs)", who.c_str());
  int rank = count(tensor->shape());
  if (rank > WEFT_MAX_RANK)
    return in.fail(WEFT_EUNSUPP, "%s has rank %d; accepted: up to %d", who.c_str(), rank,
                   WEFT_MAX_RANK);
  int32_t dim[WEFT_MAX_RANK];
  int64_t elements = 1;
  for (int i = 0; i < rank; i++) {
    dim[i] = tensor->shape()->Get(i);
    if (dim[i] < 0)
      return in.fail(WEFT_EUNSUPP, "%s has dimension %d = %d; only fixed shapes are accepted",
                     who.c_str(), i, dim[i]);
    elements *= dim[i];
    if (elements > INT32_MAX)
      return in.fail(WEFT_EINPUT, "%s has 2^31 elements or more", who.c_str());
  }
  if (weft_status status = in.charge(strlen(name) + sizeof(weft_tensor))) return status;
  if (weft_graph_add_tensor(in.graph, name, dtype, rank, dim) != index) return in.memory();
  if (weft_status status = read_quant(in, index, who, tensor)) return status;

  const uint8_t *data;
  uint64_t size;
  if (weft_status status = find_data(in, who, tensor, &data, &size)) return status;
  if (!data) return WEFT_OK;
  uint64_t need = (uint64_t)elements * weft_dtype_size(dtype);
  if (size != need)
    return in.fail(WEFT_EINPUT, "%s has %llu bytes of data; its shape and type need %llu",
                   who.c_str(), (unsigned long long)size, (unsigned long long)need);
  if (weft_status status = in.charge(need)) return status;
  return weft_graph_set_data(in.graph, index, data) < 0 ? in.memory() : WEFT_OK;
}

// --- the file ---------------------------------------------------------------------------------

// Tensors without elements carry no data in the file: those that nothing writes are constants.
weft_status mark_empty_constants(Loader &in) {
  weft_graph *g = in.graph;
  std::vector<bool> written(g->n_tensors, false);
  for (int i = 0; i < g->n_inputs; i++) written[g->input[i]] = true;
  for (int k = 0; k < g->n_nodes; k++)
    for (int i = 0; i < g->node[k].n_out; i++) written[g->node[k].out[i]] = true;
  for (int i = 0; i < g->n_tensors; i++)
    if (!written[i] && !g->tensor[i].data && weft_tensor_elements(&g->tensor[i]) == 0)
      if (weft_graph_set_data(g, i, nullptr) < 0) return in.memory();
  return WEFT_OK;
}

weft_status build(Loader &in) {
  if (count(in.model->subgraphs()) == 0) return in.fail(WEFT_EINPUT, "%s", "has no subgraph");
  in.sub = in.model->subgraphs()->Get(0);
  for (int i = 0; i < count(in.sub->tensors()); i++)
    if (weft_status status = read_tensor(in, i, in.sub->tensors()->Get(i))) return status;
  for (int k = 0; k < count(in.sub->operators()); k++)
    if (weft_status status = read_operator(in, k, in.sub->operators()->Get(k))) return status;
  std::vector<int> inputs = {}, outputs = {};
  if (weft_status status = read_indices(in, "the model's inputs", in.sub->inputs(), false, &inputs))
    return status;
  if (weft_status status =
          read_indices(in, "the model's outputs", in.sub->outputs(), false, &outputs))
    return status;
  if (weft_graph_set_io(in.graph, (int)inputs.size(), inputs.data(), (int)outputs.size(),
                        outputs.data()) < 0)
    return in.memory();
  if (weft_status status = mark_empty_constants(in)) return status;
  return weft_graph_check(in.graph, in.file, in.err);
}

// "models/kws.tflite" -> "kws".
std::string base_name(const char *file) {
  std::string name = file;
  size_t slash = name.rfind('/');
  if (slash != std::string::npos) name.erase(0, slash + 1);
  size_t dot = name.rfind('.');
  if (dot != std::string::npos && dot > 0) name.erase(dot);
  return name;
}

// `bytes` is aligned to 16.
weft_status parse(const uint8_t *bytes, size_t n, const char *file, weft_graph **out,
                  weft_err *err) {
  flatbuffers::Verifier verifier(bytes, n, 64, 1000000);
  Loader in{file, bytes, n, err, &verifier};
  if (n == 0) return in.fail(WEFT_EINPUT, "%s", "is empty");
  if (n < 8 || memcmp(bytes + 4, ModelIdentifier(), 4) != 0)
    return in.fail(WEFT_EINPUT, "%s", "is not a TensorFlow Lite model (no TFL3 at byte 4)");
  if (n >= FLATBUFFERS_MAX_BUFFER_SIZE) return in.fail(WEFT_EUNSUPP, "%s", "has 2 GiB or more");
  if (!VerifyModelBuffer(verifier))
    return in.fail(WEFT_EINPUT, "is truncated or damaged (%zu bytes that do not verify)", n);
  in.model = GetModel(bytes);
  in.graph = weft_graph_new(base_name(file).c_str());
  if (!in.graph) return in.memory();
  weft_status status;
  try {
    status = build(in);
  } catch (const std::bad_alloc &) {
    status = in.memory();
  }
  if (status)
    weft_graph_free(in.graph);
  else
    *out = in.graph;
  return status;
}

} // namespace

extern "C" weft_status weft_tflite_parse(const void *bytes, size_t n, const char *file,
                                         weft_graph **out, weft_err *err) {
  void *aligned = nullptr; // FlatBuffers' own alignment counts from the start of the buffer
  const uint8_t *start = static_cast<const uint8_t *>(bytes);
  if (n && (reinterpret_cast<uintptr_t>(bytes) & 15) != 0) {
    aligned = malloc(n);
    if (!aligned) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", file);
    start = static_cast<const uint8_t *>(memcpy(aligned, bytes, n));
  }
  weft_status status;
  try {
    status = parse(start, n, file, out, err);
  } catch (const std::exception &) {
    status = weft_fail(err, WEFT_ENOMEM, "%s: out of memory", file);
  }
  free(aligned);
  return status;
}

extern "C" weft_status weft_tflite_load(const char *path, weft_graph **out, weft_err *err) {
  struct stat st;
  FILE *f = fopen(path, "rb");
  if (!f) return weft_fail(err, WEFT_EINPUT, "%s: %s", path, strerror(errno));
  uint8_t *bytes = nullptr;
  weft_status status = WEFT_OK;
  if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
    status = weft_fail(err, WEFT_EINPUT, "%s: not a regular file", path);
  else if ((uint64_t)st.st_size >= FLATBUFFERS_MAX_BUFFER_SIZE)
    status = weft_fail(err, WEFT_EUNSUPP, "%s: has 2 GiB or more", path);
  else if (!(bytes = static_cast<uint8_t *>(malloc((size_t)st.st_size + 1))))
    status = weft_fail(err, WEFT_ENOMEM, "%s: out of memory", path);
  else if (fread(bytes, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
    status = weft_fail(err, WEFT_EINPUT, "%s: cannot be read to its end", path);
  fclose(f);
  if (!status) status = weft_tflite_parse(bytes, (size_t)st.st_size, path, out, err);
  free(bytes);
  return status;
}
