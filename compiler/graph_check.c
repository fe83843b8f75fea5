/* Checks a graph before anything runs or lowers it. Read weft_graph_check(), at the end: tensors on
 * their own, then nodes in order, each followed by its operator's own function. */
#include "graph_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OUTPUTS = 64, NAME = 120 /* characters of a tensor's name in a message */ };

/* --- helpers for the operators' functions ----------------------------------------------------- */

const weft_tensor *weft_check_in(const weft_check *c, int i) {
  return i < c->n->n_in && c->n->in[i] >= 0 ? &c->g->tensor[c->n->in[i]] : NULL;
}

const weft_tensor *weft_check_out(const weft_check *c, int i) {
  return &c->g->tensor[c->n->out[i]];
}

weft_status weft_check_fail(const weft_check *c, weft_status status, const weft_tensor *t,
                            const char *fmt, ...) {
  char text[256], who[NAME + 32] = "";
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (t)
    (void)snprintf(who, sizeof who, ", tensor %d '%.*s'", (int)(t - c->g->tensor), NAME, t->name);
  return weft_fail(c->err, status, "%s: operator %d (%s)%s: %s", c->file, c->k,
                   weft_op_name(c->n->op), who, text);
}

weft_status weft_check_rank(const weft_check *c, const weft_tensor *t, int rank) {
  if (t->rank == rank) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, t, "has rank %d; must be %d", t->rank, rank);
}

static void print_shape(char *out, size_t size, int rank, const int32_t *dim) {
  size_t n = (size_t)snprintf(out, size, "[");
  for (int i = 0; i < rank; i++)
    n += (size_t)snprintf(out + n, size - n, "%s%d", i ? "x" : "", dim[i]);
  (void)snprintf(out + n, size - n, "]");
}

weft_status weft_check_shape(const weft_check *c, const weft_tensor *t, int rank,
                             const int32_t *dim) {
  if (t->rank == rank && (rank == 0 || memcmp(t->dim, dim, (size_t)rank * sizeof *dim) == 0))
    return WEFT_OK;
  char found[WEFT_MAX_RANK * 12 + 4], want[WEFT_MAX_RANK * 12 + 4];
  print_shape(found, sizeof found, t->rank, t->dim);
  print_shape(want, sizeof want, rank, dim);
  return weft_check_fail(c, WEFT_EINPUT, t, "has shape %s; must be %s", found, want);
}

weft_status weft_check_same_type(const weft_check *c, const weft_tensor *t) {
  const weft_tensor *out = weft_check_out(c, 0);
  if (t->dtype == out->dtype) return WEFT_OK;
  return weft_check_fail(c, WEFT_EUNSUPP, t, "is %s, the output %s; types must agree",
                         weft_dtype_name(t->dtype), weft_dtype_name(out->dtype));
}

weft_status weft_check_q8(const weft_check *c, const weft_tensor *t) {
  if (t->dtype == WEFT_FLOAT32)
    return weft_check_fail(c, WEFT_EUNSUPP, t,
                           "is float32; Weft runs int8 and uint8 models; quantize the model first");
  if (t->dtype != WEFT_INT8 && t->dtype != WEFT_UINT8)
    return weft_check_fail(c, WEFT_EUNSUPP, t, "is %s; accepted: int8 and uint8",
                           weft_dtype_name(t->dtype));
  if (t->quant.n != 1)
    return weft_check_fail(c, WEFT_EUNSUPP, t, "has %d scales; must have one", t->quant.n);
  if (!(t->quant.scale[0] > 0))
    return weft_check_fail(c, WEFT_EINPUT, t, "has the scale %g; must be positive",
                           (double)t->quant.scale[0]);
  int lo = t->dtype == WEFT_INT8 ? -128 : 0, zero = t->quant.zero_point[0];
  if (zero < lo || zero > lo + 255)
    return weft_check_fail(c, WEFT_EINPUT, t, "has the zero point %d; must be %d to %d", zero, lo,
                           lo + 255);
  return WEFT_OK;
}

weft_status weft_check_same_quant(const weft_check *c, const weft_tensor *t) {
  const weft_tensor *out = weft_check_out(c, 0);
  if (t->dtype != WEFT_INT8 && t->dtype != WEFT_UINT8) return WEFT_OK;
  if (t->quant.n == 0 && out->quant.n == 0) return WEFT_OK; /* plain bytes, moved as they are */
  if (t->quant.n != 1 || out->quant.n != 1)
    return weft_check_fail(c, WEFT_EUNSUPP, t, "has %d scales, the output %d; must have one",
                           t->quant.n, out->quant.n);
  float a = t->quant.scale[0], b = out->quant.scale[0];
  if (t->quant.zero_point[0] == out->quant.zero_point[0] && fabsf(a - b) <= 1e-6f * fabsf(b))
    return WEFT_OK;
  return weft_check_fail(c, WEFT_EUNSUPP, t,
                         "has scale %g zero point %d, the output %g and %d; must be equal",
                         (double)a, t->quant.zero_point[0], (double)b, out->quant.zero_point[0]);
}

weft_status weft_check_const_index(const weft_check *c, const weft_tensor *t, int n,
                                   const char *what) {
  if (t->dtype != WEFT_INT32 && t->dtype != WEFT_INT64)
    return weft_check_fail(c, WEFT_EUNSUPP, t, "(%s) is %s; accepted: int32 and int64", what,
                           weft_dtype_name(t->dtype));
  if (!weft_is_const(t))
    return weft_check_fail(c, WEFT_EUNSUPP, t, "(%s) must be a constant", what);
  if (n >= 0 && weft_tensor_elements(t) != (size_t)n)
    return weft_check_fail(c, WEFT_EINPUT, t, "(%s) has %zu elements; must have %d", what,
                           weft_tensor_elements(t), n);
  return WEFT_OK;
}

int64_t weft_check_index(const weft_tensor *t, int i) {
  return t->dtype == WEFT_INT32 ? ((const int32_t *)t->data)[i] : ((const int64_t *)t->data)[i];
}

int weft_check_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return -1;
  return (int)(axis < 0 ? axis + rank : axis);
}

/* --- the graph as a whole --------------------------------------------------------------------- */

static weft_status tensor_fail(const weft_graph *g, int i, const char *file, weft_err *err,
                               const char *what) {
  return weft_fail(err, WEFT_EINPUT, "%s: tensor %d '%.*s' %s", file, i, NAME, g->tensor[i].name,
                   what);
}

static weft_status check_tensor(const weft_graph *g, int i, const char *file, weft_err *err) {
  const weft_tensor *t = &g->tensor[i];
  const weft_quant *q = &t->quant;
  if (weft_dtype_size(t->dtype) == 0) return tensor_fail(g, i, file, err, "has an unknown type");
  if (t->rank < 0 || t->rank > WEFT_MAX_RANK)
    return tensor_fail(g, i, file, err, "has too many dimensions");
  int64_t elements = 1;
  for (int d = 0; d < t->rank; d++) {
    if (t->dim[d] < 0) return tensor_fail(g, i, file, err, "has a negative dimension");
    elements *= t->dim[d];
    if (elements > INT32_MAX) return tensor_fail(g, i, file, err, "has 2^31 elements or more");
  }
  if (q->n == 0) return WEFT_OK;
  if (q->n < 0 || !q->scale || !q->zero_point)
    return tensor_fail(g, i, file, err, "has incomplete quantization");
  if (q->n > 1 && (q->axis < 0 || q->axis >= t->rank || t->dim[q->axis] != q->n))
    return tensor_fail(g, i, file, err, "has a number of scales that is not its axis' length");
  for (int s = 0; s < q->n; s++)
    if (!isfinite(q->scale[s]) || q->scale[s] < 0)
      return tensor_fail(g, i, file, err, "has a scale that is negative or not finite");
  return WEFT_OK;
}

static weft_check_fn *const op_check[] = {
#define WEFT_OP(name, min_in, max_in) weft_check_##name,
#include "ops.def"
#undef WEFT_OP
};
static const struct {
  int min_in, max_in;
} op_arity[] = {
#define WEFT_OP(name, min_in, max_in) {min_in, max_in},
#include "ops.def"
#undef WEFT_OP
};

/* A tensor without elements can only be a list of integers (the shape of a scalar, say). */
static weft_status check_elements(const weft_check *c, const weft_tensor *t) {
  if (weft_tensor_elements(t) > 0) return WEFT_OK;
  if (weft_is_const(t) && (t->dtype == WEFT_INT32 || t->dtype == WEFT_INT64)) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, t, "has no elements");
}

/* `known[i]`: tensor i has a value before this node runs. */
static weft_status check_node(const weft_check *c, char *known) {
  const weft_node *n = c->n;
  if ((unsigned)n->op >= WEFT_OP_COUNT)
    return weft_fail(c->err, WEFT_EINPUT, "%s: operator %d has the unknown code %d", c->file, c->k,
                     (int)n->op);
  int least = op_arity[n->op].min_in, most = op_arity[n->op].max_in;
  if (n->n_in < least || n->n_in > most)
    return weft_check_fail(c, WEFT_EINPUT, NULL, "has %d inputs; accepted: %d to %d", n->n_in,
                           least, most);
  int max_out = n->op == WEFT_OP_SPLIT ? MAX_OUTPUTS : 1;
  if (n->n_out < 1 || n->n_out > max_out)
    return weft_check_fail(c, WEFT_EINPUT, NULL, "has %d outputs; accepted: 1 to %d", n->n_out,
                           max_out);
  for (int i = 0; i < n->n_in; i++) {
    int index = n->in[i];
    if (index == -1 && i >= least) continue;
    if (index == -1) return weft_check_fail(c, WEFT_EINPUT, NULL, "input %d is absent", i);
    if (index < 0 || index >= c->g->n_tensors)
      return weft_check_fail(c, WEFT_EINPUT, NULL, "input %d is tensor %d; there are %d", i, index,
                             c->g->n_tensors);
    const weft_tensor *t = &c->g->tensor[index];
    if (!known[index])
      return weft_check_fail(c, WEFT_EINPUT, t, "is read before anything writes it");
    WEFT_TRY(check_elements(c, t));
  }
  for (int i = 0; i < n->n_out; i++) {
    int index = n->out[i];
    if (index < 0 || index >= c->g->n_tensors)
      return weft_check_fail(c, WEFT_EINPUT, NULL, "output %d is tensor %d; there are %d", i, index,
                             c->g->n_tensors);
    const weft_tensor *t = &c->g->tensor[index];
    if (known[index])
      return weft_check_fail(c, WEFT_EINPUT, t, "is written twice, or is an input or a constant");
    if (weft_tensor_elements(t) == 0) return weft_check_fail(c, WEFT_EINPUT, t, "has no elements");
    known[index] = 1;
  }
  return op_check[n->op](c);
}

static weft_status check_all(const weft_graph *g, char *known, const char *file, weft_err *err) {
  for (int i = 0; i < g->n_tensors; i++) {
    WEFT_TRY(check_tensor(g, i, file, err));
    known[i] = weft_is_const(&g->tensor[i]);
  }
  if (g->n_inputs < 1 || g->n_outputs < 1)
    return weft_fail(err, WEFT_EINPUT, "%s: the model has %d inputs and %d outputs", file,
                     g->n_inputs, g->n_outputs);
  for (int i = 0; i < g->n_inputs; i++) {
    int index = g->input[i];
    if (index < 0 || index >= g->n_tensors)
      return weft_fail(err, WEFT_EINPUT, "%s: input %d is tensor %d; there are %d", file, i, index,
                       g->n_tensors);
    if (known[index])
      return tensor_fail(g, index, file, err, "is an input twice, or an input and a constant");
    if (weft_tensor_elements(&g->tensor[index]) == 0)
      return tensor_fail(g, index, file, err, "is an input without elements");
    known[index] = 1;
  }
  for (int k = 0; k < g->n_nodes; k++) {
    weft_check c = {.g = g, .file = file, .err = err, .k = k, .n = &g->node[k]};
    WEFT_TRY(check_node(&c, known));
  }
  for (int i = 0; i < g->n_outputs; i++) {
    int index = g->output[i];
    if (index < 0 || index >= g->n_tensors)
      return weft_fail(err, WEFT_EINPUT, "%s: output %d is tensor %d; there are %d", file, i, index,
                       g->n_tensors);
    if (!known[index]) return tensor_fail(g, index, file, err, "is an output that nothing writes");
  }
  return WEFT_OK;
}

weft_status weft_graph_check(const weft_graph *g, const char *file, weft_err *err) {
  char *known = calloc((size_t)g->n_tensors + 1, 1);
  if (!known) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", file);
  weft_status status = check_all(g, known, file, err);
  free(known);
  return status;
}
