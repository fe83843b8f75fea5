/* Convolutions and matrix products on the array.
 *
 * Tiles of the output are computed one after the other; the input tile and a chunk of weights are
 * loaded when the one at hand is another (conv_plan.c chose sizes and loop order), sums go through
 * the output stage into a result buffer, which is stored. */
#include <stdlib.h>

#include "conv.h"
#include "params.h"

/* What is on the chip at the moment. */
typedef struct {
  conv *v;
  lowering *l;
  conv_plan plan;
  chunk *chunks;
  piece *pieces;
  int n_chunks;
  int in_tile;    /* -1: none */
  uint32_t in_kb; /* its first channel block */
  buffer in;
  tile t;
  int *weights_at; /* per chunk, resident: row, or -1 */
  int weights_chunk;
  uint32_t weights_row;
  int *params_at; /* per chunk: block, or -1 */
  int params_chunk;
  bool params_resident;
} conv_state;

/* Rows [y, ...) of the tile's buffer. */
static buffer rows_from(const conv_state *s, uint32_t y) {
  buffer b = s->in;
  b.base += (y - s->t.y) * s->in.w * s->in.words;
  b.h = s->in.h - (y - s->t.y);
  return b;
}

static weft_operand window_rows(void *user, uint32_t y) {
  buffer b = rows_from(user, y);
  return operand_of(&b);
}

static void touch_window_rows(emitted *e, void *user, uint32_t y, uint32_t h) {
  buffer b = rows_from(user, y);
  b.h = h;
  touch_buffer(e, &b, true);
}

/* im2row on the way in: pixel x of the buffer is the whole window of output pixel x. */
static void load_packed(conv_state *s) {
  const conv *v = s->v;
  tile *t = &s->t;
  s->in = (buffer){.words = ceil_div(conv_channels(v), s->l->w), .h = t->h, .w = t->w};
  s->in.base = ring_take(&s->l->in, buffer_words(&s->in));
  windows_load(s->l, v, t, window_rows, touch_window_rows, s);
}

static void need_input(conv_state *s, int index, const tile *t, const chunk *c) {
  const conv *v = s->v;
  uint32_t kb = s->plan.input_whole ? 0 : c->kb;
  if (s->in_tile == index && s->in_kb == kb) return;
  s->in_tile = index;
  s->in_kb = kb;
  s->t = *t;
  if (v->packed) {
    load_packed(s);
    return;
  }
  uint32_t first = kb * s->l->r, n = c->k_count * s->l->r;
  if (s->plan.input_whole || first + n > v->x.c) n = v->x.c - first;
  s->in = load_tile(s->l, &v->x, t->n, t->iy, t->ix, t->ih, t->iw, first, n);
}

static void need_weights(conv_state *s, int index) {
  lowering *l = s->l;
  const chunk *c = &s->chunks[index];
  bool have = s->plan.resident ? s->weights_at[index] >= 0 : s->weights_chunk == index;
  if (!have) {
    s->weights_at[index] = (int)ring_take(&l->weights, c->rows);
    s->weights_chunk = index;
    emit_flat_load(l, WEFT_MEM_WEIGHT, SPACE_WEIGHT, (uint32_t)s->weights_at[index], c->rows,
                   c->offset, (size_t)c->rows * l->c);
  }
  s->weights_row = (uint32_t)s->weights_at[index];
  bool have_params = s->params_at[index] >= 0 && (s->params_resident || s->params_chunk == index);
  if (!c->last_slice || have_params) return;
  s->params_chunk = index;
  s->params_at[index] = (int)ring_take(&l->params, c->n_count);
  emit_flat_load(l, WEFT_MEM_PARAM, SPACE_PARAM, (uint32_t)s->params_at[index], c->n_count,
                 c->param_offset, (size_t)c->n_count * l->c * WEFT_PARAM_BYTES);
}

static void emit_gemm(conv_state *s, int index, const piece *p, const buffer *out,
                      uint32_t out_nb) {
  const chunk *c = &s->chunks[index];
  tile t = s->t;
  if (s->v->packed) t.ih = s->in.h;
  gemm_place at = {.in = operand_of(&s->in),
                   .in_w = s->in.w,
                   .kb = s->in_kb,
                   .weights_row = s->weights_row,
                   .chunk_nb = c->nb,
                   .nb = out_nb};
  if (p->last) {
    at.params_block = (uint32_t)s->params_at[index];
    at.out = operand_of(out);
  }
  emitted *e = gemm_emit(s->l, s->v, &at, p, &t);
  emit_access(e, SPACE_SPAD, false, s->in.base, buffer_words(&s->in));
  if (p->last) emit_access(e, SPACE_SPAD, true, out->base, buffer_words(out));
}

/* Computes chunk `index` for a tile; `whole`: the result buffer of all column blocks, or NULL. */
static void do_chunk(conv_state *s, int tile_index, const tile *t, int index, buffer *whole) {
  lowering *l = s->l;
  const chunk *c = &s->chunks[index];
  need_weights(s, index);
  need_input(s, tile_index, t, c);
  uint32_t first = c->nb * l->c, n = c->n_count * l->c;
  if (first + n > s->v->y.c) n = s->v->y.c - first;
  buffer own = {0};
  if (!whole && c->last_slice) own = result_buffer(l, t->h, t->w, n);
  for (int i = c->first_piece; i < c->first_piece + c->n_pieces; i++)
    emit_gemm(s, index, &s->pieces[i], whole ? whole : &own, whole ? 0 : c->nb);
  if (!whole && c->last_slice) store_tile(l, &s->v->y, &own, t->n, t->y, t->x, first, n);
}

static void run_tile(conv_state *s, int index, const tile *t, int from, int to) {
  lowering *l = s->l;
  if (s->plan.weights_outer || !s->plan.input_whole) {
    for (int i = from; i < to; i++) do_chunk(s, index, t, i, NULL);
    return;
  }
  buffer whole = result_buffer(l, t->h, t->w, s->v->y.c);
  for (int i = from; i < to; i++) do_chunk(s, index, t, i, &whole);
  store_tile(l, &s->v->y, &whole, t->n, t->y, t->x, 0, s->v->y.c);
}

static void all_tiles(conv_state *s, int from, int to) {
  const conv *v = s->v;
  int index = 0;
  for (uint32_t n = 0; n < v->y.n; n++)
    for (uint32_t y = 0; y < v->y.h; y += s->plan.th)
      for (uint32_t x = 0; x < v->y.w; x += s->plan.tw) {
        uint32_t h = v->y.h - y < s->plan.th ? v->y.h - y : s->plan.th;
        uint32_t w = v->y.w - x < s->plan.tw ? v->y.w - x : s->plan.tw;
        tile t = tile_at(&v->x, &v->k, n, y, x, h, w);
        run_tile(s, index++, &t, from, to);
      }
}

static void emit_conv(conv *v, lowering *l, const conv_plan *plan) {
  conv_state s = {
      .v = v, .l = l, .plan = *plan, .in_tile = -1, .weights_chunk = -1, .params_chunk = -1};
  s.n_chunks = conv_build_chunks(v, l, plan, &s.chunks, &s.pieces);
  s.weights_at = malloc((size_t)s.n_chunks * sizeof *s.weights_at);
  s.params_at = malloc((size_t)s.n_chunks * sizeof *s.params_at);
  if (!s.weights_at || !s.params_at) abort();
  uint64_t rows = 0;
  for (int i = 0; i < s.n_chunks; i++) {
    s.weights_at[i] = s.params_at[i] = -1;
    rows += s.chunks[i].rows;
  }
  /* what stays for the whole layer must not be overtaken by its own ring */
  if (plan->resident && l->weights.next + rows > l->weights.size) l->weights.next = 0;
  uint32_t blocks = ceil_div(v->y.c, l->c);
  s.params_resident = blocks <= l->params.size;
  if (s.params_resident && l->params.next + blocks > l->params.size) l->params.next = 0;
  uint32_t bank = weft_bank_words(l->cfg), banks = l->cfg->scratchpad_banks;
  l->in = (ring){0, plan->in_banks * bank, 0};
  l->out = (ring){plan->in_banks * bank, (banks - plan->in_banks) * bank, 0};
  if (plan->weights_outer)
    for (int i = 0; i < s.n_chunks; i++) all_tiles(&s, i, i + 1);
  else
    all_tiles(&s, 0, s.n_chunks);
  free(s.weights_at);
  free(s.params_at);
  free(s.chunks);
  free(s.pieces);
}

/* --- operators -------------------------------------------------------------------------------- */
static const char *check_limits(const conv *v) {
  const weft_attr *a = &v->node->attr;
  if (v->k.kh > 255 || v->k.kw > 255) return "kernels over 255 are not supported by the array";
  if (v->k.sy > 31 || v->k.sx > 31 || v->k.dy > 31 || v->k.dx > 31)
    return "strides and dilations over 31 are not supported by the array";
  if (a->pad_top > 255 || a->pad_left > 255 || a->pad_bottom > 255 || a->pad_right > 255 ||
      v->k.pad_top > 255 || v->k.pad_left > 255) /* these include folded PADs */
    return "paddings over 255 are not supported";
  if (v->x.w > 4095 || v->y.w > 4095 || v->x.h > 4095 || v->y.h > 4095)
    return "images over 4,095 pixels are not supported by the array";
  if ((uint64_t)v->x.w * v->x.c >= 1u << 24 || (uint64_t)v->y.w * v->y.c >= 1u << 24 ||
      v->x.c >= 1u << 16 || v->y.c >= 1u << 16)
    return "the tensor's rows are too long for the DMA's strides";
  return NULL;
}

/* Few channels: packing K across the taps saves array passes, at the price of LOAD's word a cycle
 * per tap row. */
static bool packing_pays(const conv *v, const lowering *l) {
  uint32_t taps = v->k.kh * v->k.kw, k = taps * v->x.c;
  if (taps == 1 || v->k.dx != 1 || v->group_in != v->x.c) return false;
  if (v->k.kw * v->x.c > WEFT_LOAD_WINDOW || (v->k.kh - 1) * v->k.kw * v->x.c > 255) return false;
  if (v->k.sx * v->x.c > v->k.kw * v->x.c) return false; /* windows with gaps between them */
  if (v->k.pad_left * v->x.c > 65535) return false;
  uint64_t m = (uint64_t)v->y.h * v->y.w, blocks = ceil_div(v->y.c, l->c);
  uint64_t apart = m * blocks * taps * ceil_div(v->x.c, l->r);
  uint64_t array = m * blocks * ceil_div(k, l->r);
  uint64_t load = m * v->k.kh * (1 + (v->k.kw * v->x.c - 1) / l->w);
  return (array > load ? array : load) < apart;
}

void conv_account(lowering *l, const conv *v) {
  uint64_t m = (uint64_t)v->y.n * v->y.h * v->y.w;
  uint64_t k = (uint64_t)v->k.kh * v->k.kw * v->group_in, groups = v->x.c / v->group_in;
  uint64_t depth = (k + l->r - 1) / l->r, columns = ceil_div(v->group_out, l->c);
  uint64_t cycles = depth * columns * (m > l->r ? m : l->r);
  if (groups > 1) { /* a pass holds parts of several groups: products that it can do per pixel */
    uint64_t by_column = l->c * (k < l->r ? k : l->r);
    uint64_t by_row = l->r * (v->group_out < l->c ? v->group_out : l->c);
    cycles = m * v->y.c * k / (by_column < by_row ? by_column : by_row);
  }
  if (v->group_in == 1 && groups > 1 && l->cfg->dw_lanes) cycles = 0; /* the engine's work */
  account(l, BOUND_ARRAY, cycles, m * v->y.c * k);
  l->prog->layer[l->layer].unit = WEFT_UNIT_GEMM;
}

static const char *lower(lowering *l, conv *v) {
  conv_plan plan;
  const char *why = conv_choose_plan(v, l, &plan);
  bool sliced = !why && plan.k_slice < ceil_div(conv_channels(v), l->r);
  if (v->packed && (why || sliced)) { /* windows are packed whole */
    v->packed = false;
    why = conv_choose_plan(v, l, &plan);
  }
  if (why) return why;
  emit_conv(v, l, &plan);
  conv_account(l, v);
  return NULL;
}

static window window_of(const weft_attr *a, uint32_t kh, uint32_t kw) {
  return (window){.kh = kh,
                  .kw = kw,
                  .sy = (uint32_t)a->stride_h,
                  .sx = (uint32_t)a->stride_w,
                  .dy = a->dilation_h > 0 ? (uint32_t)a->dilation_h : 1,
                  .dx = a->dilation_w > 0 ? (uint32_t)a->dilation_w : 1,
                  .pad_top = (uint32_t)a->pad_top,
                  .pad_left = (uint32_t)a->pad_left};
}

const char *conv_describe(lowering *l, int node, conv *out) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *w = &l->graph->tensor[n->in[1]];
  conv v = {.node = n, .weights = w->data, .weights_uint8 = w->dtype == WEFT_UINT8};
  window extra = {0};
  if (!input_view(l, n->in[0], &v.x, &extra) || !view_of(l, n->out[0], &v.y))
    return "only 8-bit tensors of up to four dimensions";
  if (!w->data || (w->dtype != WEFT_INT8 && w->dtype != WEFT_UINT8))
    return "weights must be 8-bit constants";
  if (v.x.region != 2) return "the input is a constant";
  if (n->n_in > 2 && n->in[2] >= 0) {
    const weft_tensor *b = &l->graph->tensor[n->in[2]];
    if (!b->data || b->dtype != WEFT_INT32) return "the bias must be an int32 constant";
    v.bias = b->data;
  }
  switch (n->op) {
  case WEFT_OP_FULLY_CONNECTED: {
    /* rows of the product are pixels of one image row */
    uint32_t k = (uint32_t)w->dim[1], out = (uint32_t)w->dim[0];
    uint32_t rows = (uint32_t)(weft_tensor_elements(&l->graph->tensor[n->in[0]]) / k);
    v.x.n = v.x.h = v.y.n = v.y.h = 1;
    v.x.w = v.y.w = rows;
    v.x.c = k;
    v.y.c = out;
    v.k = (window){1, 1, 1, 1, 1, 1, 0, 0};
    v.group_in = k;
    v.group_out = out;
    break;
  }
  case WEFT_OP_DEPTHWISE_CONV_2D:
    v.k = window_of(&n->attr, (uint32_t)w->dim[1], (uint32_t)w->dim[2]);
    v.depthwise = true;
    v.group_in = 1;
    v.group_out = v.y.c / v.x.c;
    break;
  default:
    v.k = window_of(&n->attr, (uint32_t)w->dim[1], (uint32_t)w->dim[2]);
    v.group_in = (uint32_t)w->dim[3];
    v.group_out = v.y.c / (v.x.c / v.group_in);
    break;
  }
  v.k.pad_top += extra.pad_top;
  v.k.pad_left += extra.pad_left;
  const char *why = check_limits(&v);
  if (why) return why;
  v.packed = packing_pays(&v, l);
  *out = v;
  return NULL;
}

const char *lower_conv(lowering *l, int node) {
  conv v;
  const char *why = conv_describe(l, node, &v);
  return why ? why : lower(l, &v);
}
