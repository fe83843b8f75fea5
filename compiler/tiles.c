/* Views of tensors, tiles of images, and the LOADs and STOREs that move them. */
#include "lower.h"

/* The zero point that a tensor's codes have on the chip. */
static int32_t chip_zero(const weft_tensor *t) {
  int32_t zp = t->quant.n ? t->quant.zero_point[0] : 0;
  return t->dtype == WEFT_UINT8 ? zp - 128 : zp;
}

weft_range chip_codes(weft_range codes, weft_dtype dtype) {
  int32_t flip = dtype == WEFT_UINT8 ? 128 : 0;
  return (weft_range){codes.lo - flip, codes.hi - flip};
}

weft_range chip_range(weft_activation act, const weft_tensor *out) {
  return chip_codes(weft_activation_range(act, out), out->dtype);
}

bool dma_reaches(const view *v) {
  return v->w <= 4095 && v->h <= 4095 && (uint64_t)v->w * v->c < 1u << 24 && v->c < 1u << 16;
}

bool view_of(lowering *l, int tensor, view *out) {
  const weft_tensor *t = &l->graph->tensor[tensor];
  if ((t->dtype != WEFT_INT8 && t->dtype != WEFT_UINT8) || t->rank > 4) return false;
  uint32_t d[4] = {1, 1, 1, 1};
  for (int i = 0; i < t->rank; i++) d[4 - t->rank + i] = (uint32_t)t->dim[i];
  for (int i = 0; i < 4; i++)
    if (d[i] == 0) return false;
  *out = (view){.tensor = tensor,
                .n = d[0],
                .h = d[1],
                .w = d[2],
                .c = d[3],
                .uint8 = l->graph->tensor[l->owner[tensor]].dtype == WEFT_UINT8,
                .zp = chip_zero(t)};
  if (weft_is_const(t)) {
    out->region = 1;
    out->offset = UINT64_MAX; /* placed when it is used (lower_vector.c) */
  } else {
    out->region = 2;
    out->offset = l->prog->place[tensor].offset;
  }
  return true;
}

bool input_view(lowering *l, int tensor, view *out, window *k) {
  int pad = l->pad_of[tensor];
  if (pad < 0) return view_of(l, tensor, out);
  const weft_node *n = &l->graph->node[pad];
  const int32_t *before = l->graph->tensor[n->in[1]].data; /* [axis][before, after] */
  k->pad_top += (uint32_t)before[2];
  k->pad_left += (uint32_t)before[4];
  return view_of(l, n->in[0], out);
}

/* Input positions [first, first + count) that outputs [o, o + n) need along one axis, clipped to
 * [0, size); *pad: positions of the first window that lie before the clipped range. */
static void extent(uint32_t o, uint32_t n, uint32_t stride, uint32_t reach, uint32_t pad_before,
                   uint32_t size, uint32_t *first, uint32_t *count, uint32_t *pad) {
  int64_t lo = (int64_t)o * stride - pad_before, hi = lo + (int64_t)(n - 1) * stride + reach;
  int64_t from = lo < 0 ? 0 : lo, to = hi > size ? size : hi;
  if (to <= from) { /* all padding: one valid position that no window reaches, all lie before it */
    from = from < size ? from : (int64_t)size - 1;
    to = from + 1;
    lo = from - (hi - lo);
  }
  *first = (uint32_t)from;
  *count = (uint32_t)(to - from);
  *pad = lo < from ? (uint32_t)(from - lo) : 0;
}

tile tile_at(const view *in, const window *k, uint32_t n, uint32_t y, uint32_t x, uint32_t h,
             uint32_t w) {
  tile t = {.n = n, .y = y, .x = x, .h = h, .w = w};
  extent(y, h, k->sy, (k->kh - 1) * k->dy + 1, k->pad_top, in->h, &t.iy, &t.ih, &t.pad_top);
  extent(x, w, k->sx, (k->kw - 1) * k->dx + 1, k->pad_left, in->w, &t.ix, &t.iw, &t.pad_left);
  return t;
}

weft_operand operand_of(const buffer *b) {
  return (weft_operand){b->base, b->w * b->words, b->words, b->h, 0};
}

void touch_buffer(emitted *e, const buffer *b, bool write) {
  emit_access(e, SPACE_SPAD, write, b->base, buffer_words(b));
}

static void touch_rows(emitted *e, const view *v, uint64_t from, uint64_t to, bool write) {
  if (v->region == 2) emit_access(e, SPACE_ARENA, write, v->offset + from, to - from);
}

static uint64_t byte_of(const view *v, uint32_t n, uint32_t y, uint32_t x, uint32_t c) {
  return (((uint64_t)n * v->h + y) * v->w + x) * v->c + c;
}

buffer load_tile(lowering *l, const view *v, uint32_t image, uint32_t y, uint32_t x, uint32_t h,
                 uint32_t w, uint32_t c, uint32_t n) {
  buffer b = {.words = ceil_div(n, l->w), .h = h, .w = w};
  b.base = ring_take(&l->in, buffer_words(&b));
  emitted *e = emit(l, WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &e->insn.LOAD;
  uint64_t from = byte_of(v, image, y, x, c);
  in->dst = WEFT_MEM_SPAD;
  in->region = v->region;
  in->offset = (uint32_t)(v->offset + from);
  in->rows = h;
  in->pixels = w;
  in->pix_bytes = n;
  in->d_row_stride = h > 1 ? v->w * v->c : 0;
  in->d_pix_stride = w > 1 ? v->c : n;
  in->row_bytes = (w - 1) * v->c + n;
  in->fill = 1;
  in->flip = v->uint8;
  weft_operand o = operand_of(&b);
  WEFT_SET_OPERAND(*in, o, o);
  touch_buffer(e, &b, true);
  touch_rows(e, v, from, from + (uint64_t)(h - 1) * v->w * v->c + in->row_bytes, false);
  l->dram_bytes += (uint64_t)h * w * n;
  return b;
}

buffer result_buffer(lowering *l, uint32_t h, uint32_t w, uint32_t channels) {
  buffer b = {.words = ceil_div(channels, l->w), .h = h, .w = w};
  b.base = ring_take(&l->out, buffer_words(&b));
  return b;
}

void set_result(emitted *e, const view *v, uint32_t image, uint32_t y, uint32_t x, uint32_t h,
                uint32_t w, uint32_t c, uint32_t n, bool flip) {
  e->result = (weft_result){.tensor = v->tensor,
                            .batch = image,
                            .y = y,
                            .x = x,
                            .c = c,
                            .h = h,
                            .w = w,
                            .n = n,
                            .height = v->h,
                            .width = v->w,
                            .channels = v->c,
                            .flip = flip};
}

void store_tile(lowering *l, const view *v, const buffer *b, uint32_t image, uint32_t y, uint32_t x,
                uint32_t c, uint32_t n) {
  emitted *e = emit(l, WEFT_OP_CODE_STORE);
  weft_insn_STORE *in = &e->insn.STORE;
  uint64_t from = byte_of(v, image, y, x, c);
  in->region = v->region;
  in->offset = (uint32_t)(v->offset + from);
  in->rows = b->h;
  in->pixels = b->w;
  in->pix_bytes = n;
  in->d_row_stride = b->h > 1 ? v->w * v->c : 0;
  in->d_pix_stride = b->w > 1 ? v->c : n;
  in->flip = v->uint8;
  weft_operand a = operand_of(b);
  WEFT_SET_OPERAND(*in, a, a);
  touch_buffer(e, b, false);
  touch_rows(e, v, from, from + (uint64_t)(b->h - 1) * v->w * v->c + (b->w - 1) * v->c + n, true);
  set_result(e, v, image, y, x, b->h, b->w, c, n, false);
  l->dram_bytes += (uint64_t)b->h * b->w * n;
}

bool choose_tile(uint32_t h, uint32_t w, bool (*fits)(void *, uint32_t th, uint32_t tw), void *user,
                 uint32_t *th, uint32_t *tw) {
  for (uint32_t parts = 1; parts <= w; parts++) {
    uint32_t cols = ceil_div(w, parts);
    if (parts > 1 && cols == ceil_div(w, parts - 1)) continue;
    for (uint32_t bands = 1; bands <= h; bands++) {
      uint32_t rows = ceil_div(h, bands);
      if (bands > 1 && rows == ceil_div(h, bands - 1)) continue;
      if (fits(user, rows, cols)) {
        *th = rows;
        *tw = cols;
        return true;
      }
    }
  }
  return false;
}
