/* The output stage over a row of channels. The loop is written for the compiler to vectorize: the
 * two-rounding path without a left shift, which nearly every layer takes, has no branches. */
#include "output_stage.h"
#include "simd.h"

/* Two roundings, right shifts only. High half with rounding of a non-negative multiplier: ties
 * (product exactly half) cannot be told from the sign once floor is taken, so the mirror for
 * negative products is one less in the nudge. */
WEFT_CLONES static void scale_right(const int32_t *acc, const int32_t *bias, const int64_t *mult,
                                    const int64_t *right, int n, int32_t *out) {
  for (int i = 0; i < n; i++) {
    int32_t x = (int32_t)((uint32_t)acc[i] + (uint32_t)bias[i]);
    int64_t p = (int64_t)x * mult[i];
    int64_t neg = p >> 63; /* 0 or -1 */
    int64_t h = (((p ^ neg) - neg) + ((int64_t)1 << 30) + neg) >> 31;
    h = (h ^ neg) - neg;
    int64_t mask = ((int64_t)1 << right[i]) - 1, rem = h & mask;
    int64_t threshold = (mask >> 1) - (h >> 63);
    out[i] = (int32_t)((h >> right[i]) + (rem > threshold));
  }
}

void weft_requantize_row(const int32_t *acc, const weft_param *p, int n, const weft_output_stage *o,
                         int8_t *out) {
  enum { CHUNK = 64 };
  for (int at = 0; at < n; at += CHUNK) {
    int m = n - at < CHUNK ? n - at : CHUNK, plain = !o->single;
    int32_t bias[CHUNK], v[CHUNK];
    int64_t mult[CHUNK], right[CHUNK];
    for (int i = 0; i < m; i++) {
      bias[i] = p[at + i].bias;
      mult[i] = p[at + i].mult;
      right[i] = -p[at + i].shift;
      plain &= p[at + i].shift <= 0;
    }
    if (plain)
      scale_right(acc + at, bias, mult, right, m, v);
    else
      for (int i = 0; i < m; i++)
        v[i] = weft_scale(weft_wrap((int64_t)acc[at + i] + bias[i]), p[at + i].mult,
                          p[at + i].shift, o->single);
    for (int i = 0; i < m; i++) out[at + i] = weft_finish(v[i], o);
  }
}
