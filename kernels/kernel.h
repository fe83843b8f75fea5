/* Helpers shared by the reference kernels; not for use outside this folder. */
#ifndef WEFT_KERNEL_H
#define WEFT_KERNEL_H

#include "params.h"
#include "ref.h"

#include <string.h>

/* Ends a kernel with a message when a condition does not hold. */
#define WEFT_REQUIRE(condition, message)                                                           \
  do {                                                                                             \
    if (!(condition)) return message;                                                              \
  } while (0)

static inline bool weft_is_8bit(const weft_tensor *t) {
  return t->dtype == WEFT_INT8 || t->dtype == WEFT_UINT8;
}

/* 8-bit codes whose scales and zero points make sense. */
static inline bool weft_is_quantized(const weft_tensor *t) {
  if (!weft_is_8bit(t) || t->quant.n < 1) return false;
  weft_range codes = weft_code_range(t->dtype);
  for (int i = 0; i < t->quant.n; i++) {
    int32_t zero = t->quant.zero_point[i];
    if (!(t->quant.scale[i] > 0) || zero < codes.lo || zero > codes.hi) return false;
  }
  return true;
}

/* The same with one scale for the whole tensor. */
static inline bool weft_is_q8(const weft_tensor *t) {
  return t->quant.n == 1 && weft_is_quantized(t);
}

static inline bool weft_same_shape(const weft_tensor *a, const weft_tensor *b) {
  return a->rank == b->rank && !memcmp(a->dim, b->dim, sizeof a->dim[0] * (size_t)a->rank);
}

/* The i-th code of an 8-bit tensor. */
static inline int32_t weft_load8(const weft_tensor *t, size_t i) {
  return t->dtype == WEFT_INT8 ? ((const int8_t *)t->data)[i] : ((const uint8_t *)t->data)[i];
}

/* Stores a code that is in the type's range: the byte is the same for int8 and uint8. */
static inline void weft_store8(weft_tensor *t, size_t i, int32_t code) {
  ((uint8_t *)t->data)[i] = (uint8_t)code;
}

/* The i-th value of an int32 or int64 tensor (shapes, axes, ...). */
static inline bool weft_is_index(const weft_tensor *t) {
  return t->dtype == WEFT_INT32 || t->dtype == WEFT_INT64;
}
static inline int64_t weft_load_index(const weft_tensor *t, size_t i) {
  return t->dtype == WEFT_INT32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
}

/* sum (x[i] - x_zero) * (w[i] - w_zero), wrapping modulo 2^32. */
static inline int32_t weft_dot(const weft_tensor *xt, size_t x0, const weft_tensor *wt, size_t w0,
                               int n, int32_t x_zero, int32_t w_zero) {
  uint32_t acc = 0;
  if (xt->dtype == WEFT_INT8) {
    const int8_t *x = (const int8_t *)xt->data + x0, *w = (const int8_t *)wt->data + w0;
    for (int i = 0; i < n; i++) acc += (uint32_t)((x[i] - x_zero) * (w[i] - w_zero));
  } else {
    const uint8_t *x = (const uint8_t *)xt->data + x0, *w = (const uint8_t *)wt->data + w0;
    for (int i = 0; i < n; i++) acc += (uint32_t)((x[i] - x_zero) * (w[i] - w_zero));
  }
  return (int32_t)acc;
}

/* Channels handled together, so that per-channel parameters fit on the stack. */
enum { WEFT_BLOCK = 64 };

typedef struct {
  weft_multiplier m[WEFT_BLOCK];
  int32_t bias[WEFT_BLOCK];
  int32_t w_zero[WEFT_BLOCK];
} weft_channel_block;

/* Parameters of channels c0 .. c0 + n - 1. */
void weft_load_block(weft_opcode op, const weft_tensor *x, const weft_tensor *w,
                     const weft_tensor *bias, const weft_tensor *out, int c0, int n,
                     weft_channel_block *block);

/* The checks that all convolutions and matrix products share: types, quantization, bias. */
const char *weft_check_weighted(const weft_tensor *x, const weft_tensor *w, const weft_tensor *bias,
                                const weft_tensor *out, int channels, int axis);

static inline int32_t weft_finish(int32_t acc, weft_multiplier m, int32_t zero, weft_range clamp) {
  return weft_clamp(weft_wrap_add(weft_requant(acc, m), zero), clamp.lo, clamp.hi);
}

#endif
