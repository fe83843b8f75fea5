/* MEAN and SUM over any axes: TFLite's reference_ops::QuantizedMeanOrSum. params.h has the formula;
 * the sum wraps modulo 2^32. */
#include "kernel.h"

/* Splits the dimensions of x into kept and reduced ones: sizes and steps of each. */
typedef struct {
  int n;
  size_t dim[WEFT_MAX_RANK], step[WEFT_MAX_RANK];
} axes;

/* Offset of the i-th element of the space that `s` spans. */
static size_t offset(const axes *s, size_t i) {
  size_t at = 0;
  for (int d = s->n - 1; d >= 0; d--) {
    at += i % s->dim[d] * s->step[d];
    i /= s->dim[d];
  }
  return at;
}

static const char *reduce(weft_opcode op, const weft_tensor *x, const weft_tensor *axis,
                          weft_tensor *out) {
  WEFT_REQUIRE(weft_is_q8(x) && weft_is_q8(out) && x->dtype == out->dtype,
               "input and output must both be int8 or both uint8");
  WEFT_REQUIRE(weft_is_index(axis), "axes must be int32");
  bool gone[WEFT_MAX_RANK] = {false};
  for (size_t i = 0; i < weft_tensor_elements(axis); i++) {
    int64_t d = weft_load_index(axis, i);
    if (d < 0) d += x->rank;
    WEFT_REQUIRE(d >= 0 && d < x->rank, "axis out of range");
    gone[d] = true;
  }
  axes kept = {0}, reduced = {0};
  size_t step = weft_tensor_elements(x), outputs = 1, count = 1;
  WEFT_REQUIRE(step > 0, "input is empty");
  for (int d = 0; d < x->rank; d++) {
    axes *s = gone[d] ? &reduced : &kept;
    size_t *total = gone[d] ? &count : &outputs;
    step /= (size_t)x->dim[d];
    s->dim[s->n] = (size_t)x->dim[d];
    s->step[s->n++] = step;
    *total *= (size_t)x->dim[d];
  }
  WEFT_REQUIRE(outputs == weft_tensor_elements(out), "output has the wrong size");

  weft_mean_params p = weft_mean_params_of(op, x, out, (int64_t)count);
  for (size_t o = 0; o < outputs; o++) {
    size_t base = offset(&kept, o);
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += (uint32_t)weft_load8(x, base + offset(&reduced, i));
    int32_t acc = (int32_t)(sum - (uint32_t)p.x_zero * (uint32_t)count);
    weft_store8(out, o, weft_finish(acc, p.m, p.out_zero, p.clamp));
  }
  return NULL;
}

const char *weft_ref_MEAN(weft_opcode op, const weft_attr *attr, int n_in,
                          const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)attr, (void)n_in, (void)n_out;
  return reduce(op, in[0], in[1], out[0]);
}

const char *weft_ref_SUM(weft_opcode op, const weft_attr *attr, int n_in,
                         const weft_tensor *const *in, int n_out, weft_tensor *const *out) {
  (void)attr, (void)n_in, (void)n_out;
  return reduce(op, in[0], in[1], out[0]);
}
