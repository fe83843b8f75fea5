/* FULLY_CONNECTED and BATCH_MATMUL: reference_integer_ops::FullyConnected and its PerChannel form
 * (int8), reference_ops::FullyConnected (uint8), reference_ops::BatchMatMul (int8). */
#include "kernel.h"

const char *weft_ref_FULLY_CONNECTED(weft_opcode op, const weft_attr *a, int n_in,
                                     const weft_tensor *const *in, int n_out,
                                     weft_tensor *const *outs) {
  (void)n_out;
  const weft_tensor *x = in[0], *w = in[1], *bias = n_in > 2 ? in[2] : NULL;
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(w->rank == 2, "weights must have rank 2");
  int oc = w->dim[0], depth = w->dim[1];
  const char *bad = weft_check_weighted(x, w, bias, out, oc, 0);
  if (bad) return bad;
  WEFT_REQUIRE(oc > 0 && depth > 0, "weights are empty");
  size_t rows = weft_tensor_elements(x) / (size_t)depth;
  WEFT_REQUIRE(rows * (size_t)depth == weft_tensor_elements(x), "input does not divide into rows");
  WEFT_REQUIRE(rows * (size_t)oc == weft_tensor_elements(out), "output has the wrong size");

  weft_conv_params p = weft_conv_params_of(op, a, x, w, out);
  for (int c0 = 0; c0 < oc; c0 += WEFT_BLOCK) {
    weft_channel_block block;
    int nc = oc - c0 < WEFT_BLOCK ? oc - c0 : WEFT_BLOCK;
    weft_load_block(op, x, w, bias, out, c0, nc, &block);
    for (size_t r = 0; r < rows; r++)
      for (int i = 0; i < nc; i++) {
        size_t wi = (size_t)(c0 + i) * depth;
        int32_t dot = weft_dot(x, r * depth, w, wi, depth, p.x_zero, block.w_zero[i]);
        int32_t acc = weft_wrap_add(dot, block.bias[i]);
        weft_store8(out, r * oc + c0 + i, weft_finish(acc, block.m[i], p.out_zero, p.clamp));
      }
  }
  return NULL;
}

/* Elements from one matrix to the next along each batch dimension of the output: 0 where the
 * operand is broadcast. False when the operand does not fit. */
static bool batch_strides(const weft_tensor *t, const weft_tensor *out, size_t *stride) {
  if (t->rank < 2 || t->rank > out->rank) return false;
  size_t step = (size_t)t->dim[t->rank - 1] * (size_t)t->dim[t->rank - 2];
  for (int d = out->rank - 3; d >= 0; d--) {
    int td = d - (out->rank - t->rank);
    int size = td >= 0 ? t->dim[td] : 1;
    if (size != 1 && size != out->dim[d]) return false;
    stride[d] = size == 1 ? 0 : step;
    step *= (size_t)size;
  }
  return true;
}

const char *weft_ref_BATCH_MATMUL(weft_opcode op, const weft_attr *a, int n_in,
                                  const weft_tensor *const *in, int n_out,
                                  weft_tensor *const *outs) {
  (void)n_in, (void)n_out;
  const weft_tensor *x = in[0], *y = in[1];
  weft_tensor *out = outs[0];
  WEFT_REQUIRE(x->rank >= 2 && y->rank >= 2 && out->rank >= 2, "operands must be matrices");
  const char *bad = weft_check_weighted(x, y, NULL, out, 1, 0);
  if (bad) return bad;
  WEFT_REQUIRE(weft_is_q8(y), "both operands must have one scale");
  int rows = x->dim[x->rank - (a->adj_x ? 1 : 2)], depth = x->dim[x->rank - (a->adj_x ? 2 : 1)];
  int cols = y->dim[y->rank - (a->adj_y ? 2 : 1)];
  WEFT_REQUIRE(y->dim[y->rank - (a->adj_y ? 1 : 2)] == depth, "inner dimensions differ");
  WEFT_REQUIRE(out->dim[out->rank - 2] == rows && out->dim[out->rank - 1] == cols,
               "output has the wrong shape");
  size_t xs[WEFT_MAX_RANK], ys[WEFT_MAX_RANK];
  WEFT_REQUIRE(batch_strides(x, out, xs) && batch_strides(y, out, ys), "batches do not broadcast");

  weft_conv_params p = weft_conv_params_of(op, a, x, y, out);
  weft_multiplier m = weft_conv_multiplier(op, x, y, out, 0);
  int32_t y_zero = weft_zero(y);
  size_t matrix = (size_t)rows * (size_t)cols;
  size_t batches = matrix ? weft_tensor_elements(out) / matrix : 0;
  for (size_t b = 0; b < batches; b++) {
    size_t x0 = 0, y0 = 0, rest = b;
    for (int d = out->rank - 3; d >= 0; d--) {
      size_t at = rest % (size_t)out->dim[d];
      rest /= (size_t)out->dim[d];
      x0 += at * xs[d];
      y0 += at * ys[d];
    }
    for (int r = 0; r < rows; r++)
      for (int c = 0; c < cols; c++) {
        int32_t acc = 0;
        for (int k = 0; k < depth; k++) {
          size_t xi = a->adj_x ? (size_t)k * rows + r : (size_t)r * depth + k;
          size_t yi = a->adj_y ? (size_t)c * depth + k : (size_t)k * cols + c;
          int32_t xv = weft_load8(x, x0 + xi) - p.x_zero, yv = weft_load8(y, y0 + yi) - y_zero;
          acc = weft_wrap_add(acc, xv * yv);
        }
        size_t o = b * matrix + (size_t)r * cols + c;
        weft_store8(out, o, weft_finish(acc, m, p.out_zero, p.clamp));
      }
  }
  return NULL;
}
