/* The device's integer arithmetic: requantization in its two roundings, clamp, table.
 *
 * Written from docs/numerics.md, on purpose apart from kernels/: the cross-check of the two is what
 * finds mistakes in either. */
#ifndef WEFT_SIM_NUMERIC_H
#define WEFT_SIM_NUMERIC_H

#include <stdint.h>

static inline int32_t weft_wrap(int64_t v) {
  return (int32_t)(uint32_t)(uint64_t)v;
}

/* x * mult * 2^(shift - 31), 0 <= mult < 2^31, -31 <= shift <= 31.
 *
 * Two roundings (gemmlowp): the left part of the shift first (wrapping to 32 bits), then the high
 * half of the doubled product rounded to nearest (ties towards +inf for either sign as floor(p +
 * 2^30 >> 31) for p >= 0 and its mirror for p < 0), then the right part, rounded to nearest with
 * ties away from zero. One rounding: the whole product shifted right once, ties towards +inf. */
static inline int32_t weft_scale(int32_t x, int32_t mult, int shift, int single) {
  if (single) {
    int total = 31 - shift; /* 0 .. 62 */
    int64_t p = (int64_t)x * mult;
    if (total == 0) return weft_wrap(p);
    return weft_wrap((p + ((int64_t)1 << (total - 1))) >> total);
  }
  int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
  int64_t p = (int64_t)weft_wrap((int64_t)((uint64_t)(int64_t)x << left)) * mult;
  int64_t h = p >= 0 ? (p + ((int64_t)1 << 30)) >> 31 : -((-p + ((int64_t)1 << 30) - 1) >> 31);
  if (right == 0) return weft_wrap(h);
  int64_t mask = ((int64_t)1 << right) - 1, rem = h & mask;
  int64_t threshold = (mask >> 1) + (h < 0);
  return weft_wrap((h >> right) + (rem > threshold));
}

static inline int32_t weft_clamp(int32_t v, int32_t lo, int32_t hi) {
  return v < lo ? lo : v > hi ? hi : v;
}

#endif
