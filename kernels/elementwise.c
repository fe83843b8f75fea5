/* Binary operators with broadcasting: ADD, SUB, MUL, SQUARED_DIFFERENCE, MINIMUM, MAXIMUM, PRELU.
 *
 * TFLite's reference_integer_ops::Add / Mul (int8), reference_ops::Add / Mul (uint8), TFLite
 * Micro's SUB and SQUARED_DIFFERENCE, reference_ops::MaximumMinimumBroadcastSlow and
 * BroadcastPrelu4DSlow. params.h has each formula; the walk over rows is at the end. */
#include "broadcast.h"
#include "kernel.h"

#define WALK(params, function)                                                                     \
  do {                                                                                             \
    weft_broadcast w_;                                                                             \
    WEFT_REQUIRE(weft_broadcast_start(&w_, a, b, out), "shapes do not broadcast to the output's"); \
    if (weft_tensor_elements(out) == 0) break;                                                     \
    size_t o_ = 0;                                                                                 \
    do {                                                                                           \
      for (size_t i_ = 0; i_ < w_.row; i_++)                                                       \
        weft_store8(out, o_++,                                                                     \
                    function(params, weft_load8(a, w_.pos[0] + i_ * w_.row_step[0]),               \
                             weft_load8(b, w_.pos[1] + i_ * w_.row_step[1])));                     \
    } while (weft_broadcast_next(&w_));                                                            \
  } while (0)

static const char *check(const weft_tensor *a, const weft_tensor *b, const weft_tensor *out) {
  WEFT_REQUIRE(weft_is_q8(a) && weft_is_q8(b) && weft_is_q8(out),
               "tensors must be int8 or uint8 with one scale each");
  WEFT_REQUIRE(a->dtype == b->dtype && a->dtype == out->dtype, "tensors differ in type");
  return NULL;
}

static inline int32_t scaled(const weft_add_params *p, int i, int32_t code) {
  return weft_requant((code - p->zero[i]) * (1 << p->left_shift), p->in[i]);
}

static inline int32_t add(const weft_add_params *p, int32_t a, int32_t b) {
  return weft_finish(weft_wrap_add(scaled(p, 0, a), scaled(p, 1, b)), p->out, p->out_zero,
                     p->clamp);
}

static inline int32_t sub(const weft_add_params *p, int32_t a, int32_t b) {
  return weft_finish(weft_wrap_sub(scaled(p, 0, a), scaled(p, 1, b)), p->out, p->out_zero,
                     p->clamp);
}

static inline int32_t squared_difference(const weft_add_params *p, int32_t a, int32_t b) {
  uint32_t d = (uint32_t)(scaled(p, 0, a) - scaled(p, 1, b));
  return weft_finish((int32_t)(d * d), p->out, p->out_zero, p->clamp);
}

static inline int32_t mul(const weft_mul_params *p, int32_t a, int32_t b) {
  return weft_finish((a - p->zero[0]) * (b - p->zero[1]), p->m, p->out_zero, p->clamp);
}

static inline int32_t prelu(const weft_prelu_params *p, int32_t x, int32_t alpha) {
  x -= p->zero[0];
  if (x >= 0) return weft_finish(x, p->positive, p->out_zero, p->clamp);
  return weft_finish(x * (alpha - p->zero[1]), p->negative, p->out_zero, p->clamp);
}

static inline int32_t minimum(const void *p, int32_t a, int32_t b) {
  (void)p;
  return a < b ? a : b;
}

static inline int32_t maximum(const void *p, int32_t a, int32_t b) {
  (void)p;
  return a > b ? a : b;
}

#define BINARY(name, params_type, params_of, function)                                             \
  const char *weft_ref_##name(weft_opcode op, const weft_attr *attr, int n_in,                     \
                              const weft_tensor *const *in, int n_out, weft_tensor *const *outs) { \
    (void)op, (void)attr, (void)n_in, (void)n_out;                                                 \
    const weft_tensor *a = in[0], *b = in[1];                                                      \
    weft_tensor *out = outs[0];                                                                    \
    const char *bad = check(a, b, out);                                                            \
    if (bad) return bad;                                                                           \
    const params_type p = params_of;                                                               \
    WALK(&p, function);                                                                            \
    return NULL;                                                                                   \
  }

BINARY(ADD, weft_add_params, weft_add_params_of(op, attr, a, b, out), add)
BINARY(SUB, weft_add_params, weft_add_params_of(op, attr, a, b, out), sub)
BINARY(SQUARED_DIFFERENCE, weft_add_params, weft_add_params_of(op, attr, a, b, out),
       squared_difference)
BINARY(MUL, weft_mul_params, weft_mul_params_of(attr, a, b, out), mul)
BINARY(PRELU, weft_prelu_params, weft_prelu_params_of(a, b, out), prelu)
BINARY(MINIMUM, int, 0, minimum)
BINARY(MAXIMUM, int, 0, maximum)

bool weft_broadcast_start(weft_broadcast *w, const weft_tensor *a, const weft_tensor *b,
                          const weft_tensor *out) {
  const weft_tensor *t[2] = {a, b};
  memset(w, 0, sizeof *w);
  w->rank = out->rank;
  for (int d = 0; d < out->rank; d++) w->dim[d] = (size_t)out->dim[d];
  for (int i = 0; i < 2; i++) {
    if (t[i]->rank > out->rank) return false;
    size_t step = 1;
    for (int d = out->rank - 1, td = t[i]->rank - 1; td >= 0; d--, td--) {
      if (t[i]->dim[td] != 1 && t[i]->dim[td] != out->dim[d]) return false;
      w->step[i][d] = t[i]->dim[td] == 1 ? 0 : step;
      step *= (size_t)t[i]->dim[td];
    }
    w->row_step[i] = out->rank ? w->step[i][out->rank - 1] : 0;
  }
  w->row = out->rank ? w->dim[out->rank - 1] : 1;
  return true;
}

bool weft_broadcast_next(weft_broadcast *w) {
  for (int d = w->rank - 2; d >= 0; d--) {
    w->pos[0] += w->step[0][d];
    w->pos[1] += w->step[1][d];
    if (++w->at[d] < w->dim[d]) return true;
    w->pos[0] -= w->step[0][d] * w->dim[d];
    w->pos[1] -= w->step[1][d] * w->dim[d];
    w->at[d] = 0;
  }
  return false;
}
