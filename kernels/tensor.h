/* Tensors as the reference kernels, the graph and the host see them: dense, row-major (NHWC for
 * images), with TFLite's affine quantization: real = scale * (code - zero_point). */
#ifndef WEFT_TENSOR_H
#define WEFT_TENSOR_H

#include <stddef.h>
#include <stdint.h>

enum { WEFT_MAX_RANK = 8 };

typedef enum {
  WEFT_INT8,
  WEFT_UINT8,
  WEFT_INT16,
  WEFT_INT32,
  WEFT_INT64,
  WEFT_FLOAT32,
  WEFT_BOOL,
} weft_dtype;

/* Quantization: n = 0 none; n = 1 per tensor; n = dim[axis] per channel. */
typedef struct {
  int n;
  int axis;
  float *scale;        /* n entries */
  int32_t *zero_point; /* n entries */
} weft_quant;

typedef struct {
  char *name;
  weft_dtype dtype;
  int rank; /* 0 = scalar */
  int32_t dim[WEFT_MAX_RANK];
  weft_quant quant;
  void *data; /* constants: the values; activations: where the executor put them, or NULL */
} weft_tensor;

/* Bytes of one element. */
size_t weft_dtype_size(weft_dtype dtype);
/* "int8", "uint8", ... as numpy spells them. */
const char *weft_dtype_name(weft_dtype dtype);
/* Number of elements (1 for a scalar). */
size_t weft_tensor_elements(const weft_tensor *t);
/* Bytes of the dense tensor. */
size_t weft_tensor_bytes(const weft_tensor *t);

#endif
