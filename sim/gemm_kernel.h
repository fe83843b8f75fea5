/* The inner product of GEMM on the host's vector unit, chosen at run time. */
#ifndef WEFT_SIM_GEMM_KERNEL_H
#define WEFT_SIM_GEMM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEFT_GEMM_LANES = 16 };

/* sum[m][16*chunks] = for every column the sum over taps and channels of
 * ptr[m*taps + tap][channel] * (packed - 128).
 *
 * packed: [chunk][depth/4][16 columns][4 channels], weights plus 128, where depth = taps*channels;
 * channels is a multiple of 4. */
typedef void (*weft_gemm_fn)(const int8_t *const *ptr, size_t pixels, size_t taps, size_t channels,
                             const uint8_t *packed, size_t chunks, int32_t *sum);

/* The fastest version that this machine runs, or the portable one. */
weft_gemm_fn weft_gemm_kernel(bool fast);

static inline size_t weft_gemm_packed_bytes(size_t columns, size_t depth) {
  return (columns + WEFT_GEMM_LANES - 1) / WEFT_GEMM_LANES * WEFT_GEMM_LANES * depth;
}

#endif
