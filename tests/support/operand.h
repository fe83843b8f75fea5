/* Small tensors written down in a test. They live as long as the enclosing block. */
#ifndef WEFT_OPERAND_H
#define WEFT_OPERAND_H

#include "ref.h"
#include "tensor.h"

#include <string.h>

static inline weft_tensor operand(weft_dtype dtype, void *data, float *scale, int32_t *zero, int n,
                                  int axis, int rank, const int32_t *dim) {
  weft_tensor t = {.dtype = dtype, .rank = rank, .data = data};
  memcpy(t.dim, dim, sizeof *dim * (size_t)rank);
  t.quant = (weft_quant){.n = n, .axis = axis, .scale = scale, .zero_point = zero};
  return t;
}

#define SHAPE(...)                                                                                 \
  (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), (int32_t[]) {                         \
    __VA_ARGS__                                                                                    \
  }
/* Codes in `data` with one scale and zero point, and a shape. */
#define Q8(type, data, s, z, ...)                                                                  \
  operand(type, data, (float[]){s}, (int32_t[]){z}, 1, 0, SHAPE(__VA_ARGS__))
#define S8(data, s, z, ...) Q8(WEFT_INT8, data, s, z, __VA_ARGS__)
#define U8(data, s, z, ...) Q8(WEFT_UINT8, data, s, z, __VA_ARGS__)
/* Values without quantization. */
#define PLAIN(type, data, ...) operand(type, data, NULL, NULL, 0, 0, SHAPE(__VA_ARGS__))
#define I32(data, ...) PLAIN(WEFT_INT32, data, __VA_ARGS__)
#define F32(data, ...) PLAIN(WEFT_FLOAT32, data, __VA_ARGS__)

/* Runs `op` with the inputs given as pointers. */
#define RUN(op, attr, out, ...)                                                                    \
  weft_ref_run(op, attr, (int)(sizeof((const weft_tensor *[]){__VA_ARGS__}) / sizeof(void *)),     \
               (const weft_tensor *[]){__VA_ARGS__}, 1, (weft_tensor *[]){out})

#define assert_runs(...) assert_null(RUN(__VA_ARGS__))
#define assert_refused(...) assert_non_null(RUN(__VA_ARGS__))
#define assert_codes(data, ...)                                                                    \
  assert_memory_equal(data, ((int8_t[]){__VA_ARGS__}), sizeof((int8_t[]){__VA_ARGS__}))

#endif
