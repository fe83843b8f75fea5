/* Checks of convolutions, matrix products and pools: the operators with windows or weights. */
#include "graph_check.h"

/* Upper bound of strides, dilations, paddings and filter sizes: products stay far below 2^63, and
 * positions inside a padded image below 2^31. */
enum { MAX_WINDOW = 1 << 20 };

static weft_status check_window_value(const weft_check *c, int value, int least, const char *what) {
  if (value >= least && value <= MAX_WINDOW) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, NULL, "has the %s %d; accepted: %d to %d", what, value,
                         least, MAX_WINDOW);
}

/* Strides, dilations and paddings; dilations of pools and transposed convolutions are unused (0).
 */
static weft_status check_window(const weft_check *c, bool dilated) {
  const weft_attr *a = &c->n->attr;
  WEFT_TRY(check_window_value(c, a->stride_h, 1, "stride"));
  WEFT_TRY(check_window_value(c, a->stride_w, 1, "stride"));
  if (dilated) {
    WEFT_TRY(check_window_value(c, a->dilation_h, 1, "dilation"));
    WEFT_TRY(check_window_value(c, a->dilation_w, 1, "dilation"));
  }
  WEFT_TRY(check_window_value(c, a->pad_top, 0, "padding"));
  WEFT_TRY(check_window_value(c, a->pad_bottom, 0, "padding"));
  WEFT_TRY(check_window_value(c, a->pad_left, 0, "padding"));
  return check_window_value(c, a->pad_right, 0, "padding");
}

/* Number of window positions along one axis, 0 when none fits. */
static int64_t positions(int64_t in, int64_t pad, int64_t stride, int64_t dilation,
                         int64_t filter) {
  int64_t reach = (filter - 1) * dilation + 1;
  return in + pad < reach ? 0 : (in + pad - reach) / stride + 1;
}

/* The image that windows walk over and the image of their results: batch, height and width. */
static weft_status check_walk(const weft_check *c, const weft_tensor *image,
                              const weft_tensor *result, int filter_h, int filter_w) {
  const weft_attr *a = &c->n->attr;
  int dilation_h = a->dilation_h ? a->dilation_h : 1,
      dilation_w = a->dilation_w ? a->dilation_w : 1;
  int64_t h = positions(image->dim[1], (int64_t)a->pad_top + a->pad_bottom, a->stride_h, dilation_h,
                        filter_h);
  int64_t w = positions(image->dim[2], (int64_t)a->pad_left + a->pad_right, a->stride_w, dilation_w,
                        filter_w);
  if (result->dim[0] != image->dim[0] || result->dim[1] != h || result->dim[2] != w)
    return weft_check_fail(
        c, WEFT_EINPUT, result, "is %dx%dx%d; input, window, stride and padding give %dx%lldx%lld",
        result->dim[0], result->dim[1], result->dim[2], image->dim[0], (long long)h, (long long)w);
  return WEFT_OK;
}

/* Weights: a constant (or, where `dynamic`, any tensor) of the input's type, with one positive
 * scale or one per index of `axis`; int8 weights are symmetric. */
static weft_status check_weights(const weft_check *c, const weft_tensor *x, const weft_tensor *w,
                                 int axis, bool dynamic) {
  const weft_quant *q = &w->quant;
  if (w->dtype == WEFT_FLOAT32)
    return weft_check_fail(c, WEFT_EUNSUPP, w,
                           "is float32; Weft runs int8 and uint8 models; quantize the model first");
  if (w->dtype != x->dtype)
    return weft_check_fail(c, WEFT_EUNSUPP, w, "is %s, the input %s; types must agree",
                           weft_dtype_name(w->dtype), weft_dtype_name(x->dtype));
  if (!dynamic && !weft_is_const(w))
    return weft_check_fail(c, WEFT_EUNSUPP, w, "(weights) must be a constant");
  if (q->n == 0) return weft_check_fail(c, WEFT_EUNSUPP, w, "has no scale");
  if (q->n > 1 && w->dtype == WEFT_UINT8)
    return weft_check_fail(c, WEFT_EUNSUPP, w, "is uint8 with one scale per channel");
  if (q->n > 1 && q->axis != axis)
    return weft_check_fail(c, WEFT_EUNSUPP, w,
                           "has scales along axis %d; output channels are axis %d", q->axis, axis);
  int lo = w->dtype == WEFT_UINT8 ? 0 : dynamic ? -128 : 0;
  int hi = w->dtype == WEFT_UINT8 ? 255 : dynamic ? 127 : 0;
  for (int i = 0; i < q->n; i++) {
    if (!(q->scale[i] > 0))
      return weft_check_fail(c, WEFT_EINPUT, w, "has the scale %g; must be positive",
                             (double)q->scale[i]);
    if (q->zero_point[i] < lo || q->zero_point[i] > hi)
      return weft_check_fail(c, WEFT_EUNSUPP, w, "has the zero point %d; accepted: %d to %d",
                             q->zero_point[i], lo, hi);
  }
  return WEFT_OK;
}

static weft_status check_bias(const weft_check *c, const weft_tensor *bias, int channels) {
  if (!bias) return WEFT_OK;
  if (bias->dtype != WEFT_INT32)
    return weft_check_fail(c, WEFT_EUNSUPP, bias, "(bias) is %s; must be int32",
                           weft_dtype_name(bias->dtype));
  if (!weft_is_const(bias))
    return weft_check_fail(c, WEFT_EUNSUPP, bias, "(bias) must be a constant");
  if (weft_tensor_elements(bias) != (size_t)channels)
    return weft_check_fail(c, WEFT_EINPUT, bias, "(bias) has %zu elements; must have %d",
                           weft_tensor_elements(bias), channels);
  return WEFT_OK;
}

static weft_status check_channels(const weft_check *c, const weft_tensor *t, int found, int want,
                                  const char *what) {
  if (found == want) return WEFT_OK;
  return weft_check_fail(c, WEFT_EINPUT, t, "has %d %s; must have %d", found, what, want);
}

/* What the three convolutions share. */
static weft_status check_conv(const weft_check *c, const weft_tensor *x, const weft_tensor *w,
                              const weft_tensor *bias, int channel_axis) {
  const weft_tensor *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  WEFT_TRY(weft_check_rank(c, x, 4));
  WEFT_TRY(weft_check_rank(c, w, 4));
  WEFT_TRY(weft_check_rank(c, out, 4));
  WEFT_TRY(check_weights(c, x, w, channel_axis, false));
  WEFT_TRY(check_window_value(c, w->dim[1], 1, "filter height"));
  WEFT_TRY(check_window_value(c, w->dim[2], 1, "filter width"));
  WEFT_TRY(check_bias(c, bias, w->dim[channel_axis]));
  return check_channels(c, out, out->dim[3], w->dim[channel_axis], "channels");
}

weft_status weft_check_CONV_2D(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *w = weft_check_in(c, 1);
  WEFT_TRY(check_window(c, true));
  WEFT_TRY(check_conv(c, x, w, weft_check_in(c, 2), 0));
  if (w->dim[3] != x->dim[3] && x->dim[3] % w->dim[3] == 0)
    return weft_check_fail(c, WEFT_EUNSUPP, w, "makes %d groups; grouped convolution is not run",
                           x->dim[3] / w->dim[3]);
  WEFT_TRY(check_channels(c, w, w->dim[3], x->dim[3], "input channels"));
  return check_walk(c, x, weft_check_out(c, 0), w->dim[1], w->dim[2]);
}

weft_status weft_check_DEPTHWISE_CONV_2D(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *w = weft_check_in(c, 1);
  WEFT_TRY(check_window(c, true));
  WEFT_TRY(check_conv(c, x, w, weft_check_in(c, 2), 3));
  WEFT_TRY(check_channels(c, w, w->dim[0], 1, "as first dimension"));
  int multiplier = c->n->attr.depth_multiplier;
  if (multiplier < 1 || (int64_t)multiplier * x->dim[3] != w->dim[3])
    return weft_check_fail(c, WEFT_EINPUT, w, "has %d channels; input %d x multiplier %d differs",
                           w->dim[3], x->dim[3], multiplier);
  return check_walk(c, x, weft_check_out(c, 0), w->dim[1], w->dim[2]);
}

/* The forward convolution of the same window walks over the output and gives the input. */
weft_status weft_check_TRANSPOSE_CONV(const weft_check *c) {
  const weft_tensor *shape = weft_check_in(c, 0), *w = weft_check_in(c, 1);
  const weft_tensor *x = weft_check_in(c, 2), *out = weft_check_out(c, 0);
  WEFT_TRY(check_window(c, false));
  WEFT_TRY(check_conv(c, x, w, weft_check_in(c, 3), 0));
  WEFT_TRY(weft_check_const_index(c, shape, 4, "output shape"));
  for (int i = 0; i < 4; i++)
    if (weft_check_index(shape, i) != out->dim[i])
      return weft_check_fail(c, WEFT_EINPUT, shape, "differs from the output's shape");
  WEFT_TRY(check_channels(c, w, w->dim[3], x->dim[3], "input channels"));
  return check_walk(c, out, x, w->dim[1], w->dim[2]);
}

weft_status weft_check_FULLY_CONNECTED(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *w = weft_check_in(c, 1);
  const weft_tensor *out = weft_check_out(c, 0);
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  WEFT_TRY(weft_check_rank(c, w, 2));
  WEFT_TRY(check_weights(c, x, w, 0, !weft_is_const(w)));
  WEFT_TRY(check_bias(c, weft_check_in(c, 2), w->dim[0]));
  if (x->rank < 1 || out->rank < 1)
    return weft_check_fail(c, WEFT_EINPUT, x, "and the output must have a rank of at least 1");
  if (c->n->attr.keep_dims) {
    int32_t dim[WEFT_MAX_RANK];
    for (int i = 0; i < x->rank; i++) dim[i] = x->dim[i];
    WEFT_TRY(check_channels(c, x, x->dim[x->rank - 1], w->dim[1], "columns"));
    dim[x->rank - 1] = w->dim[0];
    return weft_check_shape(c, out, x->rank, dim);
  }
  size_t n = weft_tensor_elements(x), columns = (size_t)w->dim[1];
  if (n % columns)
    return weft_check_fail(c, WEFT_EINPUT, x, "has %zu elements; the weights take %zu at a time", n,
                           columns);
  WEFT_TRY(check_channels(c, out, out->dim[out->rank - 1], w->dim[0], "columns"));
  if (weft_tensor_elements(out) != n / columns * (size_t)w->dim[0])
    return weft_check_fail(c, WEFT_EINPUT, out, "has %zu elements; must have %zu",
                           weft_tensor_elements(out), n / columns * (size_t)w->dim[0]);
  return WEFT_OK;
}

weft_status weft_check_BATCH_MATMUL(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *y = weft_check_in(c, 1);
  const weft_tensor *out = weft_check_out(c, 0);
  const weft_attr *a = &c->n->attr;
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, y));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  WEFT_TRY(weft_check_same_type(c, y));
  if (x->rank < 2) return weft_check_fail(c, WEFT_EINPUT, x, "has a rank below 2");
  if (y->rank < 2) return weft_check_fail(c, WEFT_EINPUT, y, "has a rank below 2");
  int rank = x->rank > y->rank ? x->rank : y->rank;
  int32_t dim[WEFT_MAX_RANK];
  for (int i = 0; i < rank - 2; i++) { /* batch dimensions, aligned at the end */
    int ix = i - (rank - x->rank), iy = i - (rank - y->rank);
    int32_t dx = ix < 0 ? 1 : x->dim[ix], dy = iy < 0 ? 1 : y->dim[iy];
    if (dx != dy && dx != 1 && dy != 1)
      return weft_check_fail(c, WEFT_EINPUT, y, "cannot be broadcast to the first operand");
    dim[i] = dx > dy ? dx : dy;
  }
  int32_t depth_x = x->dim[x->rank - (a->adj_x ? 2 : 1)];
  int32_t depth_y = y->dim[y->rank - (a->adj_y ? 1 : 2)];
  WEFT_TRY(check_channels(c, y, depth_y, depth_x, "elements to sum over"));
  dim[rank - 2] = x->dim[x->rank - (a->adj_x ? 1 : 2)];
  dim[rank - 1] = y->dim[y->rank - (a->adj_y ? 2 : 1)];
  return weft_check_shape(c, out, rank, dim);
}

static weft_status check_pool(const weft_check *c) {
  const weft_tensor *x = weft_check_in(c, 0), *out = weft_check_out(c, 0);
  const weft_attr *a = &c->n->attr;
  WEFT_TRY(check_window(c, false));
  WEFT_TRY(check_window_value(c, a->filter_h, 1, "filter height"));
  WEFT_TRY(check_window_value(c, a->filter_w, 1, "filter width"));
  /* Every window covers at least one element of the image, or there would be nothing to pool. */
  if (a->pad_top >= a->filter_h || a->pad_bottom >= a->filter_h || a->pad_left >= a->filter_w ||
      a->pad_right >= a->filter_w)
    return weft_check_fail(c, WEFT_EINPUT, x, "is padded by a whole filter");
  WEFT_TRY(weft_check_q8(c, x));
  WEFT_TRY(weft_check_q8(c, out));
  WEFT_TRY(weft_check_same_type(c, x));
  WEFT_TRY(weft_check_same_quant(c, x));
  WEFT_TRY(weft_check_rank(c, x, 4));
  WEFT_TRY(weft_check_rank(c, out, 4));
  WEFT_TRY(check_channels(c, out, out->dim[3], x->dim[3], "channels"));
  return check_walk(c, x, out, a->filter_h, a->filter_w);
}

weft_status weft_check_AVERAGE_POOL_2D(const weft_check *c) {
  return check_pool(c);
}
weft_status weft_check_MAX_POOL_2D(const weft_check *c) {
  return check_pool(c);
}
