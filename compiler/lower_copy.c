/* Operators that only move bytes: LOAD and STORE do them, through the scratchpad. */
#include "lower.h"

/* A box copied from x (at `from`) to y (at `to`), sizes in [n, h, w, c]. */
typedef struct {
  uint32_t from[4], to[4], size[4];
} box;

static const char *const not_8bit = "only 8-bit tensors of up to four dimensions";

static void whole_scratchpad(lowering *l) {
  l->in = (ring){0, weft_spad_words(l->cfg), 0};
}

static bool tile_fits(void *user, uint32_t th, uint32_t tw) {
  const uint32_t *room = user; /* words in all, words per pixel */
  return 2 * (uint64_t)th * tw * room[1] <= room[0] && (uint64_t)tw * room[1] <= 65535;
}

static bool copy_box(lowering *l, const view *x, const view *y, const box *b) {
  uint32_t room[2] = {weft_spad_words(l->cfg), ceil_div(b->size[3], l->w)}, th, tw;
  if (room[1] > 4095 || !choose_tile(b->size[1], b->size[2], tile_fits, room, &th, &tw))
    return false;
  for (uint32_t n = 0; n < b->size[0]; n++)
    for (uint32_t r = 0; r < b->size[1]; r += th)
      for (uint32_t p = 0; p < b->size[2]; p += tw) {
        uint32_t h = b->size[1] - r < th ? b->size[1] - r : th;
        uint32_t w = b->size[2] - p < tw ? b->size[2] - p : tw;
        buffer t = load_tile(l, x, b->from[0] + n, b->from[1] + r, b->from[2] + p, h, w, b->from[3],
                             b->size[3]);
        store_tile(l, y, &t, b->to[0] + n, b->to[1] + r, b->to[2] + p, b->to[3], b->size[3]);
      }
  return true;
}

static const char *done(lowering *l, bool ok) {
  l->prog->layer[l->layer].unit = WEFT_UNIT_STORE;
  return ok ? NULL : "one pixel's channels do not fit the scratchpad";
}

static int axis4(int axis, int rank) {
  return (axis < 0 ? axis + rank : axis) + 4 - rank;
}

static const char *lower_concatenation(lowering *l, const weft_node *n) {
  const weft_tensor *t = l->graph->tensor;
  int axis = axis4(n->attr.axis, t[n->out[0]].rank);
  view x, y;
  if (!view_of(l, n->out[0], &y)) return not_8bit;
  for (int i = 0; i < n->n_in; i++) {
    if (!view_of(l, n->in[i], &x)) return not_8bit;
    if (!dma_reaches(&x) || !dma_reaches(&y)) return "the tensor is too large for the DMA";
    if (x.region != 2) return "an operand is a constant";
    const weft_quant *a = &t[n->in[i]].quant, *b = &t[n->out[0]].quant; /* none: plain bytes */
    if (a->n != b->n || (a->n && a->scale[0] != b->scale[0]) || x.zp != y.zp)
      return "operands of different quantization";
  }
  whole_scratchpad(l);
  uint32_t at = 0;
  for (int i = 0; i < n->n_in; i++) {
    view_of(l, n->in[i], &x);
    box b = {.size = {x.n, x.h, x.w, x.c}};
    b.to[axis] = at;
    at += b.size[axis];
    if (!copy_box(l, &x, &y, &b)) return done(l, false);
  }
  return done(l, true);
}

/* Rows [y0, y0 + h) of the padded image, which are all inside x or all outside. */
static void pad_rows(lowering *l, const view *x, const view *y, uint32_t image, uint32_t y0,
                     uint32_t h, bool inside, uint32_t top, uint32_t left, int32_t value) {
  buffer b = {.words = ceil_div(y->c, l->w), .h = h, .w = y->w};
  b.base = ring_take(&l->in, buffer_words(&b));
  emitted *e = emit(l, WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &e->insn.LOAD;
  weft_operand o = operand_of(&b);
  in->dst = WEFT_MEM_SPAD;
  in->region = x->region;
  in->rows = h;
  in->pixels = y->w;
  in->pix_bytes = in->d_pix_stride = y->c;
  in->lead = left * y->c;
  in->fill = 1;
  in->flip = x->uint8;
  in->pad_value = value;
  WEFT_SET_OPERAND(*in, o, o);
  touch_buffer(e, &b, true);
  in->offset = (uint32_t)x->offset;
  if (inside) {
    uint64_t row = (uint64_t)x->w * x->c, from = ((uint64_t)image * x->h + y0 - top) * row;
    in->offset = (uint32_t)(x->offset + from);
    in->row_bytes = (uint32_t)row;
    in->d_row_stride = h > 1 ? (uint32_t)row : 0;
    emit_access(e, SPACE_ARENA, false, x->offset + from, h * row);
    l->dram_bytes += h * row;
  }
  store_tile(l, y, &b, image, y0, 0, 0, y->c);
}

static const char *lower_pad(lowering *l, const weft_node *n) {
  const weft_tensor *t = l->graph->tensor, *p = &t[n->in[1]];
  view x, y;
  if (!view_of(l, n->in[0], &x) || !view_of(l, n->out[0], &y)) return not_8bit;
  if (x.region != 2) return "the operand is a constant";
  if (!p->data || p->dtype != WEFT_INT32) return "paddings must be int32 constants";
  uint32_t before[4] = {0};
  for (int i = 0; i < t[n->in[0]].rank; i++)
    before[4 - t[n->in[0]].rank + i] = (uint32_t)((const int32_t *)p->data)[2 * i];
  if (x.n != y.n || x.c != y.c) return "padding of batch or channels";
  int32_t value = x.zp;
  if (n->op == WEFT_OP_PADV2) {
    const weft_tensor *v = &t[n->in[2]];
    if (!v->data) return "the pad value must be a constant";
    value = x.uint8 ? *(const uint8_t *)v->data - 128 : *(const int8_t *)v->data;
  }
  uint32_t words = ceil_div(y.c, l->w) * y.w,
           rows = words ? weft_spad_words(l->cfg) / 2 / words : 0;
  if (!dma_reaches(&x) || !dma_reaches(&y) || words > 65535 || before[2] * y.c > 65535 || !rows ||
      ceil_div(y.c, l->w) > 4095)
    return "the padded rows do not fit the scratchpad";
  whole_scratchpad(l);
  for (uint32_t image = 0; image < y.n; image++)
    for (uint32_t r = 0; r < y.h;) {
      bool inside = r >= before[1] && r < before[1] + x.h;
      uint32_t end = inside ? before[1] + x.h : r < before[1] ? before[1] : y.h;
      uint32_t h = end - r < rows ? end - r : rows;
      pad_rows(l, &x, &y, image, r, h, inside, before[1], before[2], value);
      r += h;
    }
  return done(l, true);
}

static bool read_ints(const weft_tensor *t, int rank, uint32_t fill, uint32_t out[4]) {
  for (int i = 0; i < 4; i++) out[i] = fill;
  if (!t->data || t->dtype != WEFT_INT32 || weft_tensor_elements(t) != (size_t)rank) return false;
  for (int i = 0; i < rank; i++) out[4 - rank + i] = (uint32_t)((const int32_t *)t->data)[i];
  return true;
}

static const char *lower_slice(lowering *l, const weft_node *n) {
  const weft_tensor *t = l->graph->tensor;
  view x, y;
  box b = {{0}, {0}, {0}};
  if (!view_of(l, n->in[0], &x) || !view_of(l, n->out[0], &y)) return not_8bit;
  if (!dma_reaches(&x) || !dma_reaches(&y)) return "the tensor is too large for the DMA";
  if (x.region != 2 || t[n->in[0]].rank != t[n->out[0]].rank) return "operand not supported";
  if (!read_ints(&t[n->in[1]], t[n->in[0]].rank, 0, b.from)) return "begin must be a constant";
  whole_scratchpad(l);
  b.size[0] = y.n, b.size[1] = y.h, b.size[2] = y.w, b.size[3] = y.c;
  return done(l, copy_box(l, &x, &y, &b));
}

static const char *lower_split(lowering *l, const weft_node *n) {
  const weft_tensor *t = l->graph->tensor;
  view x, y;
  const weft_tensor *a = &t[n->in[0]];
  if (!view_of(l, n->in[1], &x)) return not_8bit;
  if (x.region != 2 || !a->data || a->dtype != WEFT_INT32) return "operand not supported";
  int axis = axis4(*(const int32_t *)a->data, t[n->in[1]].rank);
  uint32_t at = 0;
  whole_scratchpad(l);
  for (int i = 0; i < n->n_out; i++) {
    if (!view_of(l, n->out[i], &y)) return not_8bit;
    if (!dma_reaches(&x) || !dma_reaches(&y)) return "the tensor is too large for the DMA";
    box b = {{0}, {0}, {y.n, y.h, y.w, y.c}};
    b.from[axis] = at;
    at += b.size[axis];
    if (!copy_box(l, &x, &y, &b)) return done(l, false);
  }
  return done(l, true);
}

const char *lower_copy(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  switch (n->op) {
  case WEFT_OP_CONCATENATION: return lower_concatenation(l, n);
  case WEFT_OP_SLICE: return lower_slice(l, n);
  case WEFT_OP_SPLIT: return lower_split(l, n);
  default: return lower_pad(l, n);
  }
}
