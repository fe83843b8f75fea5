/* Checks of operators that move elements without computing: any type, equal quantization on both
 * sides. Also PAD and the resizes. */
#include "graph_check.h"

static weft_status check_move(const weft_check *c, const weft_tensor *x) {
  WEFT_TRY(weft_check_same_type(c, x));
  return weft_check_same_quant(c, x);
}

/* --- the same elements in another shape ------------------------------------------------------- */

static weft_status check_same_elements(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  WEFT_TRY(check_move(c, x));
  if (weft_tensor_elements(x) == weft_tensor_elements(out)) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, out, "has %zu elements, the input %zu",
                         weft_tensor_elements(out), weft_tensor_elements(x));
}

weft_status weft_check_RESHAPE(const weft_check *c) {
  const weft_tensor *shape = weft_check_in(c, 1), *out = weft_check_out(c, 0);
  WEFT_TRY(check_same_elements(c));
  if (!shape) return WEFT_OK;
  WEFT_TRY(weft_check_const_index(c, shape, out->rank, "shape"));
  for (int i = 0; i < out->rank; i++) {
    int64_t d = weft_check_index(shape, i);
    if (d != -1 && d != out->dim[i])
      return weft_check_fail(c, WEFT_EINPUT, shape, "holds %lld; the output's dimension %d is %d",
                             (long long)d, i, out->dim[i]);
  }
  return WEFT_OK;
}

/* The dimensions of `t` without those that are 1. */
static int squeezed(const weft_tensor *t, int32_t *dim) {
  int rank = 0;
  for (int i = 0; i < t->rank; i++)
    if (t->dim[i] != 1) dim[rank++] = t->dim[i];
  return rank;
}

weft_status weft_check_SQUEEZE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  int32_t a[WEFT_MAX_RANK], b[WEFT_MAX_RANK];
  WEFT_TRY(check_same_elements(c));
  int n = squeezed(x, a), m = squeezed(out, b);
  bool same = n == m && out->rank <= x->rank;
  for (int i = 0; same && i < n; i++) same = a[i] == b[i];
  if (same) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, out, "is not the input without dimensions of 1");
}

weft_status weft_check_EXPAND_DIMS(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *axis = weft_check_in(c, 1);
  WEFT_TRY(check_same_elements(c));
  WEFT_TRY(weft_check_const_index(c, axis, 1, "axis"));
  int at = weft_check_axis(weft_check_index(axis, 0), x->rank + 1);
  if (at < 0 || x->rank == WEFT_MAX_RANK)
    return weft_check_fail(c, WEFT_EINPUT, axis, "is %lld; the input has rank %d",
                           (long long)weft_check_index(axis, 0), x->rank);
  int32_t dim[WEFT_MAX_RANK];
  for (int i = 0; i <= x->rank; i++) dim[i] = i < at ? x->dim[i] : i > at ? x->dim[i - 1] : 1;
  return weft_check_shape(c, weft_check_out(c, 0), x->rank + 1, dim);
}

weft_status weft_check_TRANSPOSE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *perm = weft_check_in(c, 1);
  WEFT_TRY(check_move(c, x));
  WEFT_TRY(weft_check_const_index(c, perm, x->rank, "permutation"));
  bool used[WEFT_MAX_RANK] = {false};
  int32_t dim[WEFT_MAX_RANK];
  for (int i = 0; i < x->rank; i++) {
    int64_t from = weft_check_index(perm, i);
    if (from < 0 || from >= x->rank || used[from])
      return weft_check_fail(c, WEFT_EINPUT, perm, "is not a permutation of %d axes", x->rank);
    used[from] = true;
    dim[i] = x->dim[from];
  }
  return weft_check_shape(c, weft_check_out(c, 0), x->rank, dim);
}

/* --- larger: PAD, CONCATENATION, resizes ------------------------------------------------------ */

static weft_status check_pad(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *paddings = weft_check_in(c, 1);
  const weft_tensor *out = weft_check_out(c, 0);
  WEFT_TRY(check_move(c, x));
  WEFT_TRY(weft_check_const_index(c, paddings, 2 * x->rank, "paddings"));
  WEFT_TRY(weft_check_rank(c, out, x->rank));
  for (int i = 0; i < x->rank; i++) {
    int64_t before = weft_check_index(paddings, 2 * i);
    int64_t after = weft_check_index(paddings, 2 * i + 1);
    if (before < 0 || after < 0 || before > INT32_MAX || after > INT32_MAX)
      return weft_check_fail(c, WEFT_EINPUT, paddings, "holds a padding out of range");
    if (before + x->dim[i] + after != out->dim[i])
      return weft_check_fail(c, WEFT_EINPUT, out, "has dimension %d = %d; padding gives %lld", i,
                             out->dim[i], (long long)(before + x->dim[i] + after));
  }
  return WEFT_OK;
}

weft_status weft_check_PAD(const weft_check *c) {
  return check_pad(c);
}

weft_status weft_check_PADV2(const weft_check *c) {
  const weft_tensor *value = weft_check_in(c, 2);
  WEFT_TRY(check_pad(c));
  WEFT_TRY(check_move(c, value));
  if (!weft_is_const(value) || weft_tensor_elements(value) != 1)
    return weft_check_fail(c, WEFT_EUNSUPP, value, "(value) must be a constant of one element");
  return WEFT_OK;
}

weft_status weft_check_CONCATENATION(const weft_check *c) {
  const weft_tensor *out = weft_check_out(c, 0);
  int axis = weft_check_axis(c->n->attr.axis, out->rank);
  if (axis < 0)
    return weft_check_fail(c, WEFT_EINPUT, out, "has rank %d; the axis is %d", out->rank,
                           c->n->attr.axis);
  if (c->n->attr.activation != WEFT_ACT_NONE)
    return weft_check_fail(c, WEFT_EUNSUPP, out, "has a fused activation");
  int64_t sum = 0;
  for (int i = 0; i < c->n->n_in; i++) {
    const weft_tensor *x = weft_check_in(c, i);
    if (!x) return weft_check_fail(c, WEFT_EINPUT, NULL, "input %d is absent", i);
    WEFT_TRY(weft_check_same_type(c, x));
    if (x->dtype == WEFT_UINT8 && out->quant.n) { /* uint8 is rescaled, as TFLite does */
      WEFT_TRY(weft_check_q8(c, x));
      WEFT_TRY(weft_check_q8(c, out));
    } else {
      WEFT_TRY(weft_check_same_quant(c, x));
    }
    WEFT_TRY(weft_check_rank(c, x, out->rank));
    for (int d = 0; d < out->rank; d++)
      if (d != axis && x->dim[d] != out->dim[d])
        return weft_check_fail(c, WEFT_EINPUT, x, "has dimension %d = %d; the output has %d", d,
                               x->dim[d], out->dim[d]);
    sum += x->dim[axis];
  }
  if (sum != out->dim[axis])
    return weft_check_fail(c, WEFT_EINPUT, out, "has dimension %d = %d; the inputs add up to %lld",
                           axis, out->dim[axis], (long long)sum);
  return WEFT_OK;
}

static weft_status check_resize(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *size = weft_check_in(c, 1);
  const weft_tensor *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(check_move(c, x));
  WEFT_TRY(weft_check_rank(c, x, 4));
  WEFT_TRY(weft_check_const_index(c, size, 2, "size"));
  int64_t h = weft_check_index(size, 0), w = weft_check_index(size, 1);
  if (h < 1 || w < 1 || h > INT32_MAX || w > INT32_MAX)
    return weft_check_fail(c, WEFT_EINPUT, size, "is %lldx%lld", (long long)h, (long long)w);
  if (c->n->attr.align_corners && c->n->attr.half_pixel_centers)
    return weft_check_fail(c, WEFT_EINPUT, NULL, "aligns corners and centers pixels");
  return weft_check_shape(c, out, 4, (int32_t[]){x->dim[0], (int32_t)h, (int32_t)w, x->dim[3]});
}

weft_status weft_check_RESIZE_NEAREST_NEIGHBOR(const weft_check *c) {
  return check_resize(c);
}
weft_status weft_check_RESIZE_BILINEAR(const weft_check *c) {
  return check_resize(c);
}

/* --- smaller: SPLIT, SLICE, STRIDED_SLICE, GATHER --------------------------------------------- */

weft_status weft_check_SPLIT(const weft_check *c) {
  const weft_tensor *axis_tensor = weft_check_in(c, 0), *x = weft_check_in(c, 1);
  WEFT_TRY(weft_check_const_index(c, axis_tensor, 1, "axis"));
  int axis = weft_check_axis(weft_check_index(axis_tensor, 0), x->rank);
  if (axis < 0)
    return weft_check_fail(c, WEFT_EINPUT, axis_tensor, "is %lld; the input has rank %d",
                           (long long)weft_check_index(axis_tensor, 0), x->rank);
  int parts = c->n->n_out;
  if (x->dim[axis] % parts)
    return weft_check_fail(c, WEFT_EINPUT, x, "has dimension %d = %d; not %d equal parts", axis,
                           x->dim[axis], parts);
  int32_t dim[WEFT_MAX_RANK];
  for (int d = 0; d < x->rank; d++) dim[d] = d == axis ? x->dim[d] / parts : x->dim[d];
  for (int i = 0; i < parts; i++) {
    weft_node one = *c->n; /* the helpers compare with output 0: look at each output as such */
    one.out = c->n->out + i;
    weft_check part = *c;
    part.n = &one;
    WEFT_TRY(check_move(&part, x));
    WEFT_TRY(weft_check_shape(c, weft_check_out(c, i), x->rank, dim));
  }
  return WEFT_OK;
}

weft_status weft_check_SLICE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *begin = weft_check_in(c, 1);
  const weft_tensor *size = weft_check_in(c, 2);
  WEFT_TRY(check_move(c, x));
  WEFT_TRY(weft_check_const_index(c, begin, x->rank, "begin"));
  WEFT_TRY(weft_check_const_index(c, size, x->rank, "size"));
  int32_t dim[WEFT_MAX_RANK];
  for (int d = 0; d < x->rank; d++) {
    int64_t from = weft_check_index(begin, d), n = weft_check_index(size, d);
    if (from < 0 || from >= x->dim[d])
      return weft_check_fail(c, WEFT_EINPUT, begin, "starts at %lld of dimension %d = %d",
                             (long long)from, d, x->dim[d]);
    if (n == -1) n = x->dim[d] - from;
    if (n < 1 || n > x->dim[d] - from)
      return weft_check_fail(c, WEFT_EINPUT, size, "takes %lld from %lld of dimension %d = %d",
                             (long long)n, (long long)from, d, x->dim[d]);
    dim[d] = (int32_t)n;
  }
  return weft_check_shape(c, weft_check_out(c, 0), x->rank, dim);
}

/* How many indices begin, begin + stride, ... lie before end. A negative begin or end counts from
 * the dimension's end; both are clamped; a masked one takes the dimension's own bound. */
static int64_t strided_count(int64_t begin, int64_t end, int64_t stride, bool begin_masked,
                             bool end_masked, int64_t dim) {
  int64_t lo = stride > 0 ? 0 : -1, hi = stride > 0 ? dim : dim - 1;
  if (begin < 0) begin += dim;
  if (end < 0) end += dim;
  begin = begin_masked ? (stride > 0 ? 0 : dim - 1) : begin < lo ? lo : begin > hi ? hi : begin;
  end = end_masked ? (stride > 0 ? dim : -1) : end < lo ? lo : end > hi ? hi : end;
  int64_t span = stride > 0 ? end - begin : begin - end, step = stride > 0 ? stride : -stride;
  return span <= 0 ? 0 : (span + step - 1) / step;
}

weft_status weft_check_STRIDED_SLICE(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *begin = weft_check_in(c, 1);
  const weft_tensor *end = weft_check_in(c, 2), *strides = weft_check_in(c, 3);
  const weft_attr *a = &c->n->attr;
  WEFT_TRY(check_move(c, x));
  if (a->ellipsis_mask || a->new_axis_mask)
    return weft_check_fail(c, WEFT_EUNSUPP, x, "is sliced with an ellipsis or a new axis");
  WEFT_TRY(weft_check_const_index(c, begin, x->rank, "begin"));
  WEFT_TRY(weft_check_const_index(c, end, x->rank, "end"));
  WEFT_TRY(weft_check_const_index(c, strides, x->rank, "strides"));
  int32_t dim[WEFT_MAX_RANK];
  int rank = 0;
  for (int d = 0; d < x->rank; d++) {
    int64_t from = weft_check_index(begin, d), to = weft_check_index(end, d);
    int64_t step = weft_check_index(strides, d);
    if (from != (int32_t)from || to != (int32_t)to || step != (int32_t)step || step == 0 ||
        step == INT32_MIN)
      return weft_check_fail(c, WEFT_EINPUT, strides, "or begin or end is out of range: %lld",
                             (long long)step);
    if (a->shrink_axis_mask >> d & 1) { /* one index; the axis goes away */
      if (from < -(int64_t)x->dim[d] || from >= x->dim[d] || step < 1)
        return weft_check_fail(c, WEFT_EINPUT, begin, "takes index %lld of dimension %d = %d",
                               (long long)from, d, x->dim[d]);
      continue;
    }
    int64_t n =
        strided_count(from, to, step, a->begin_mask >> d & 1, a->end_mask >> d & 1, x->dim[d]);
    if (n < 1) return weft_check_fail(c, WEFT_EINPUT, begin, "takes nothing of dimension %d", d);
    dim[rank++] = (int32_t)n;
  }
  return weft_check_shape(c, weft_check_out(c, 0), rank, dim);
}

weft_status weft_check_GATHER(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *index = weft_check_in(c, 1);
  int axis = weft_check_axis(c->n->attr.axis, x->rank), batch = c->n->attr.batch_dims;
  WEFT_TRY(check_move(c, x));
  if (index->dtype != WEFT_INT32 && index->dtype != WEFT_INT64)
    return weft_check_fail(c, WEFT_EUNSUPP, index, "(indices) is %s; accepted: int32 and int64",
                           weft_dtype_name(index->dtype));
  if (axis < 0)
    return weft_check_fail(c, WEFT_EINPUT, x, "has rank %d; the axis is %d", x->rank,
                           c->n->attr.axis);
  if (batch < 0 || batch > axis || batch > index->rank)
    return weft_check_fail(c, WEFT_EINPUT, index, "has %d batch dimensions; axis %d, rank %d",
                           batch, axis, index->rank);
  if (weft_tensor_elements(index) == 0)
    return weft_check_fail(c, WEFT_EINPUT, index, "(indices) is empty");
  for (int d = 0; d < batch; d++)
    if (index->dim[d] != x->dim[d])
      return weft_check_fail(c, WEFT_EINPUT, index, "differs in batch dimension %d", d);
  if (x->rank - 1 + index->rank - batch > WEFT_MAX_RANK)
    return weft_check_fail(c, WEFT_EUNSUPP, index, "gives a rank above %d", WEFT_MAX_RANK);
  /* Indices that are computed are checked when they are used. */
  for (size_t i = 0; weft_is_const(index) && i < weft_tensor_elements(index); i++) {
    int64_t at = weft_check_index(index, (int)i);
    if (at < 0 || at >= x->dim[axis])
      return weft_check_fail(c, WEFT_EINPUT, index, "holds the index %lld; dimension %d is %d",
                             (long long)at, axis, x->dim[axis]);
  }
  int32_t dim[WEFT_MAX_RANK];
  int rank = 0;
  for (int d = 0; d < axis; d++) dim[rank++] = x->dim[d];
  for (int d = batch; d < index->rank; d++) dim[rank++] = index->dim[d];
  for (int d = axis + 1; d < x->rank; d++) dim[rank++] = x->dim[d];
  return weft_check_shape(c, weft_check_out(c, 0), rank, dim);
}
