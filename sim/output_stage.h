/* The output stage of the array and the depthwise engine: bias, requantize, clamp, table. */
#ifndef WEFT_SIM_OUTPUT_STAGE_H
#define WEFT_SIM_OUTPUT_STAGE_H

#include <string.h>

#include "numeric.h"
#include "state.h"

typedef struct {
  int32_t zp, min, max;
  int single;
  const uint8_t *lut; /* NULL: no table */
} weft_output_stage;

#define WEFT_OUTPUT_STAGE_OF(s, in)                                                                \
  ((weft_output_stage){(in)->out_zp, (in)->clamp_min, (in)->clamp_max, (int)(in)->round_single,    \
                       (in)->lut_en ? (s)->mem[WEFT_MEM_LUT] + (in)->lut_slot * WEFT_LUT_BYTES     \
                                    : NULL})

/* Reads channel parameters as they lie in memory. */
static inline weft_param weft_param_read(const uint8_t *p) {
  weft_param r;
  memcpy(&r.bias, p, 4);
  memcpy(&r.mult, p + 4, 4);
  r.mult &= INT32_MAX;
  r.shift = (int8_t)p[8];
  r.shift = r.shift < -31 ? -31 : r.shift > 31 ? 31 : r.shift;
  return r;
}

static inline int8_t weft_finish(int32_t v, const weft_output_stage *o) {
  v = weft_clamp(weft_wrap((int64_t)v + o->zp), o->min, o->max);
  return o->lut ? (int8_t)o->lut[(uint8_t)v] : (int8_t)v;
}

static inline int8_t weft_requantize(int32_t acc, weft_param p, const weft_output_stage *o) {
  int32_t v = weft_wrap((int64_t)acc + p.bias);
  return weft_finish(weft_scale(v, p.mult, p.shift, o->single), o);
}

/* Requantizes `n` sums of consecutive channels. */
void weft_requantize_row(const int32_t *acc, const weft_param *p, int n, const weft_output_stage *o,
                         int8_t *out);

#endif
