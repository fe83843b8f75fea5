/* Sizes and names of element types. */
#include "tensor.h"

size_t weft_dtype_size(weft_dtype dtype) {
  switch (dtype) {
  case WEFT_INT8:
  case WEFT_UINT8:
  case WEFT_BOOL: return 1;
  case WEFT_INT16: return 2;
  case WEFT_INT32:
  case WEFT_FLOAT32: return 4;
  case WEFT_INT64: return 8;
  }
  return 0;
}

const char *weft_dtype_name(weft_dtype dtype) {
  switch (dtype) {
  case WEFT_INT8: return "int8";
  case WEFT_UINT8: return "uint8";
  case WEFT_INT16: return "int16";
  case WEFT_INT32: return "int32";
  case WEFT_INT64: return "int64";
  case WEFT_FLOAT32: return "float32";
  case WEFT_BOOL: return "bool";
  }
  return "?";
}

size_t weft_tensor_elements(const weft_tensor *t) {
  size_t n = 1;
  for (int i = 0; i < t->rank; i++) n *= (size_t)t->dim[i];
  return n;
}

size_t weft_tensor_bytes(const weft_tensor *t) {
  return weft_tensor_elements(t) * weft_dtype_size(t->dtype);
}
