/* SLICE, STRIDED_SLICE, GATHER: parts of a tensor of any type, codes unchanged. */
#include "copy.h"
#include "kernel.h"

const char *weft_ref_SLICE(weft_opcode op, const weft_attr *attr, int n_in,
                           const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)op, (void)attr, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0], *begin = in[1], *size = in[2];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->dtype == out->dtype && x->rank == out->rank,
               "input and output differ in type or rank");
  size_t rank = (size_t)x->rank;
  WEFT_REQUIRE(weft_is_index(begin) && weft_tensor_elements(begin) == rank && weft_is_index(size) &&
                   weft_tensor_elements(size) == rank,
               "begin and size must be int32 [rank]");
  weft_box box = {.rank = x->rank};
  weft_steps(x, box.from);
  weft_steps(out, box.to);
  ptrdiff_t start = 0;
  for (int d = 0; d < x->rank; d++) {
    int64_t b = weft_load_index(begin, (size_t)d), n = weft_load_index(size, (size_t)d);
    WEFT_REQUIRE(b >= 0 && b <= x->dim[d], "begin out of range");
    if (n == -1) n = x->dim[d] - b;
    WEFT_REQUIRE(n >= 0 && n <= x->dim[d] - b, "size out of range");
    WEFT_REQUIRE(n == out->dim[d], "output has the wrong shape");
    start += b * box.from[d];
    box.dim[d] = (size_t)n;
  }
  if (weft_tensor_elements(out))
    weft_copy_box(&box, weft_dtype_size(x->dtype), (const char *)x->data + start, out->data);
  return NULL;
}

/* One index of a STRIDED_SLICE: first element and number of elements along a dimension of `dim`. */
static void range(int64_t begin, int64_t end, int64_t stride, bool from_start, bool to_end,
                  int64_t dim, int64_t *first, int64_t *n) {
  int64_t lo = stride > 0 ? 0 : -1, hi = stride > 0 ? dim : dim - 1;
  if (begin < 0) begin += dim;
  if (end < 0) end += dim;
  begin = begin < lo ? lo : begin > hi ? hi : begin;
  end = end < lo ? lo : end > hi ? hi : end;
  if (from_start) begin = stride > 0 ? 0 : dim - 1;
  if (to_end) end = stride > 0 ? dim : -1;
  int64_t span = stride > 0 ? end - begin : begin - end, step = stride > 0 ? stride : -stride;
  *first = begin;
  *n = span > 0 ? (span + step - 1) / step : 0;
}

const char *weft_ref_STRIDED_SLICE(weft_opcode op, const weft_attr *a, int n_in,
                                   const weft_tensor *const *in, int n_out,
                                   weft_tensor *const *outs) {
  (void)op, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->dtype == out->dtype, "input and output differ in type");
  size_t specs = weft_tensor_elements(in[1]);
  for (int i = 1; i < 4; i++)
    WEFT_REQUIRE(weft_is_index(in[i]) && weft_tensor_elements(in[i]) == specs,
                 "begin, end and strides must be int32 of the same length");
  WEFT_REQUIRE(specs <= WEFT_MAX_RANK, "too many indices");

  int fresh = 0, ellipses = 0;
  for (size_t i = 0; i < specs; i++) {
    if (a->ellipsis_mask >> i & 1)
      ellipses++;
    else if (a->new_axis_mask >> i & 1)
      fresh++;
  }
  int skipped = x->rank - ((int)specs - fresh - ellipses); /* dimensions an ellipsis stands for */
  WEFT_REQUIRE(ellipses <= 1 && skipped >= 0, "indices do not match the input's rank");

  weft_box box = {.rank = x->rank};
  ptrdiff_t step[WEFT_MAX_RANK], start = 0;
  size_t total = 1;
  int d = 0;
  weft_steps(x, step);
  for (int k = 0; k < x->rank; k++) { /* dimensions without an index are taken whole */
    box.dim[k] = (size_t)x->dim[k];
    box.from[k] = step[k];
  }
  for (size_t i = 0; i < specs; i++) {
    if (a->ellipsis_mask >> i & 1) {
      d += skipped;
      continue;
    }
    if (a->new_axis_mask >> i & 1) continue;
    int64_t begin = weft_load_index(in[1], i), end = weft_load_index(in[2], i);
    int64_t stride = weft_load_index(in[3], i), first, n;
    WEFT_REQUIRE(stride != 0 && stride >= INT32_MIN && stride <= INT32_MAX, "bad stride");
    WEFT_REQUIRE(begin >= INT32_MIN && begin <= INT32_MAX && end >= INT32_MIN && end <= INT32_MAX,
                 "index out of range");
    if (a->shrink_axis_mask >> i & 1) {
      first = begin < 0 ? begin + x->dim[d] : begin;
      n = 1;
      WEFT_REQUIRE(first >= 0 && first < x->dim[d], "index out of range");
    } else {
      range(begin, end, stride, a->begin_mask >> i & 1, a->end_mask >> i & 1, x->dim[d], &first,
            &n);
    }
    box.dim[d] = (size_t)n;
    box.from[d] = step[d] * (ptrdiff_t)stride;
    if (n > 0) start += step[d] * (ptrdiff_t)first;
    d++;
  }
  ptrdiff_t dense = (ptrdiff_t)weft_dtype_size(x->dtype);
  for (int k = x->rank - 1; k >= 0; k--) {
    box.to[k] = dense;
    dense *= (ptrdiff_t)box.dim[k];
    total *= box.dim[k];
  }
  WEFT_REQUIRE(total == weft_tensor_elements(out), "output has the wrong size");
  if (total)
    weft_copy_box(&box, weft_dtype_size(x->dtype), (const char *)x->data + start, out->data);
  return NULL;
}

const char *weft_ref_GATHER(weft_opcode op, const weft_attr *a, int n_in,
                            const weft_tensor *const *in, int n_out, weft_tensor *const *outs) {
  (void)op, (void)n_in, (void)n_out;
  const weft_tensor *x = in[0], *index = in[1];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->dtype == out->dtype, "input and output differ in type");
  WEFT_REQUIRE(weft_is_index(index), "indices must be int32 or int64");
  int axis = a->axis < 0 ? a->axis + x->rank : a->axis;
  int batch_dims = a->batch_dims < 0 ? a->batch_dims + index->rank : a->batch_dims;
  WEFT_REQUIRE(axis >= 0 && axis < x->rank, "axis out of range");
  WEFT_REQUIRE(batch_dims >= 0 && batch_dims <= axis && batch_dims <= index->rank,
               "batch_dims out of range");
  size_t batches = 1, outer = 1, picks = 1, run = weft_dtype_size(x->dtype);
  for (int d = 0; d < batch_dims; d++) {
    WEFT_REQUIRE(x->dim[d] == index->dim[d], "batch dimensions differ");
    batches *= (size_t)x->dim[d];
  }
  for (int d = batch_dims; d < axis; d++) outer *= (size_t)x->dim[d];
  for (int d = batch_dims; d < index->rank; d++) picks *= (size_t)index->dim[d];
  for (int d = axis + 1; d < x->rank; d++) run *= (size_t)x->dim[d];
  WEFT_REQUIRE(batches * outer * picks * run == weft_tensor_bytes(out),
               "output has the wrong size");
  size_t along = (size_t)x->dim[axis];
  char *o = out->data;
  for (size_t b = 0; b < batches; b++)
    for (size_t i = 0; i < outer; i++)
      for (size_t p = 0; p < picks; p++) {
        int64_t at = weft_load_index(index, b * picks + p);
        WEFT_REQUIRE(at >= 0 && at < x->dim[axis], "index out of range");
        if (run)
          memcpy(o, (const char *)x->data + ((b * outer + i) * along + (size_t)at) * run, run);
        o += run;
      }
  return NULL;
}
