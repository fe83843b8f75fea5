/* A strided copy of n-dimensional boxes: what operators that only move elements come down to. */
#ifndef WEFT_COPY_H
#define WEFT_COPY_H

#include "tensor.h"

typedef struct {
  int rank; /* at most WEFT_MAX_RANK */
  size_t dim[WEFT_MAX_RANK];
  ptrdiff_t from[WEFT_MAX_RANK], to[WEFT_MAX_RANK]; /* bytes to the next along each dimension */
} weft_box;

/* Copies elements of `size` bytes from `src` to `dst`; both point at the box's first element. */
void weft_copy_box(const weft_box *box, size_t size, const void *src, void *dst);

/* Bytes from one element of `t` to the next along each dimension. */
static inline void weft_steps(const weft_tensor *t, ptrdiff_t *step) {
  ptrdiff_t s = (ptrdiff_t)weft_dtype_size(t->dtype);
  for (int d = t->rank - 1; d >= 0; d--) {
    step[d] = s;
    s *= t->dim[d];
  }
}

#endif
