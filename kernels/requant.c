/* A real factor as a fixed-point multiplier. */
#include "requant.h"

#include <math.h>

void weft_quantize_multiplier(double real, int32_t *multiplier, int *shift) {
  *multiplier = 0;
  *shift = 0;
  if (real == 0 || !isfinite(real)) return;
  int exponent;
  int64_t q = (int64_t)round(frexp(real, &exponent) * (double)(INT64_C(1) << 31));
  if (q == INT64_C(1) << 31) {
    q /= 2;
    exponent++;
  }
  if (exponent < -31) return; /* every bit would be shifted out */
  if (exponent > 31) {        /* no sane model; saturate rather than shift by more than a word */
    q = INT32_MAX;
    exponent = 31;
  }
  *multiplier = (int32_t)q;
  *shift = exponent;
}

weft_multiplier weft_multiplier_of(double real) {
  weft_multiplier m;
  weft_quantize_multiplier(real, &m.multiplier, &m.shift);
  return m;
}
