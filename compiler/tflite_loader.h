// What the two halves of the TFLite importer share: tflite.cc reads the file and its tensors,
// tflite_ops.cc the operators.
#ifndef WEFT_TFLITE_LOADER_H
#define WEFT_TFLITE_LOADER_H

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tflite_generated.h"

extern "C" {
#include "tflite.h"
}

namespace weft::tfl {

// Copies of constants, names and quantization vectors may add up to this. A file can name one
// buffer in many tensors, so the file's size bounds nothing.
constexpr uint64_t kMaxCopied = uint64_t{2} << 30;

struct Loader {
  const char *file;
  const uint8_t *bytes;
  size_t size;
  weft_err *err;
  flatbuffers::Verifier *verifier;
  const Model *model = nullptr;
  const Subgraph *sub = nullptr;
  weft_graph *graph = nullptr;
  uint64_t copied = 0;

  // Writes "FILE: text" into `err`, returns `status`.
  template <typename... Args>
  weft_status fail(weft_status status, const char *format, Args... args) const {
    char text[sizeof(weft_err::text)];
    snprintf(text, sizeof text, format, args...);
    return weft_fail(err, status, "%s: %s", file, text);
  }
  weft_status memory() const { return fail(WEFT_ENOMEM, "%s", "out of memory"); }
  weft_status charge(uint64_t n) {
    copied += n;
    return copied > kMaxCopied ? fail(WEFT_EUNSUPP, "%s", "constants of more than 2 GiB") : WEFT_OK;
  }
};

template <typename V> int count(const V *vector) {
  return vector ? (int)vector->size() : 0;
}

// Copies a list of tensor indices; -1 only where `optional`. `who` starts the message.
weft_status read_indices(Loader &in, const std::string &who, const flatbuffers::Vector<int32_t> *v,
                         bool optional, std::vector<int> *out);

// Appends operator `k` of the file to the graph; its tensors are there already.
weft_status read_operator(Loader &in, int k, const Operator *op);

} // namespace weft::tfl

#endif
