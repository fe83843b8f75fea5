/* The integer arithmetic that every quantized operator is made of.
 *
 * A real factor r is carried as a `weft_multiplier`: r ~ multiplier * 2^(shift - 31), where
 * multiplier is 0 or in [2^30, 2^31). Multiplying an accumulator by it rounds twice ("double
 * rounding"): once when the 64-bit product drops 31 bits, once when the result is shifted right.
 * This is TFLite's MultiplyByQuantizedMultiplier with TFLITE_SINGLE_ROUNDING=0, over gemmlowp's
 * SaturatingRoundingDoublingHighMul and RoundingDivideByPOT; nothing here rounds in any other way.
 * Additions and left shifts wrap modulo 2^32, as 32-bit hardware does.
 */
#ifndef WEFT_REQUANT_H
#define WEFT_REQUANT_H

#include <stdint.h>

typedef struct {
  int32_t multiplier; /* Q0.31: 0, or in [2^30, 2^31) */
  int shift;          /* positive: shift left before the product; negative: right after it */
} weft_multiplier;

/* TFLite's QuantizeMultiplier: real = q * 2^shift with q in [0.5, 1), multiplier = round(q * 2^31)
 * with halves away from zero; a q that rounds up to 2^31 becomes 2^30 and shift + 1. A factor below
 * 2^-32 becomes 0, as does one that is not finite; one of 2^31 or more saturates. */
void weft_quantize_multiplier(double real, int32_t *multiplier, int *shift);
/* The same as a value. */
weft_multiplier weft_multiplier_of(double real);

static inline int32_t weft_wrap_add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t weft_wrap_sub(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t weft_wrap_shl(int32_t x, int by) {
  return (int32_t)((uint32_t)x << by);
}

static inline int32_t weft_clamp(int32_t x, int32_t lo, int32_t hi) {
  return x < lo ? lo : x > hi ? hi : x;
}

/* round(a * b / 2^31), halves toward +infinity; -2^31 * -2^31 saturates to 2^31 - 1. The rounding
 * adds 2^30 to a product >= 0 and 1 - 2^30 to a negative one, then truncates toward zero. */
static inline int32_t weft_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  int64_t ab = (int64_t)a * b;
  int64_t nudge = ab >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
  return (int32_t)((ab + nudge) / (INT64_C(1) << 31));
}

/* round(x / 2^by), halves away from zero; 0 <= by. More than 31 places leave nothing. */
static inline int32_t weft_round_shift(int32_t x, int by) {
  if (by > 31) return 0;
  int32_t mask = (int32_t)((INT64_C(1) << by) - 1);
  int32_t threshold = (mask >> 1) + (x < 0);
  return (x >> by) + ((x & mask) > threshold);
}

/* x * 2^by, saturating to 32 bits; by >= 0. */
static inline int32_t weft_sat_shl(int32_t x, int by) {
  int64_t wide = (int64_t)x * (INT64_C(1) << by);
  return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* x * m with double rounding:
 *   left = max(shift, 0), right = max(-shift, 0)
 *   weft_round_shift(weft_high_mul(x << left, multiplier), right)                              */
static inline int32_t weft_requant(int32_t x, weft_multiplier m) {
  int left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
  return weft_round_shift(weft_high_mul(weft_wrap_shl(x, left), m.multiplier), right);
}

#endif
