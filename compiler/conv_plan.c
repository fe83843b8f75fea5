/* Which tiling a convolution gets: every split of the output and of the scratchpad that fits is
 * costed (array time against DRAM time, plus what cannot overlap), the cheapest wins. */
#include "conv.h"

typedef struct {
  const conv *v;
  const lowering *l;
  uint64_t rows, weight_bytes, passes; /* of the whole layer */
  uint32_t column_rows;                /* largest column block */
} estimate;

static uint64_t max2(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}
static uint32_t min2(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

static uint64_t input_pixels(const conv *v, uint32_t th, uint32_t tw) {
  uint32_t ih = min2((th - 1) * v->k.sy + (v->k.kh - 1) * v->k.dy + 1, v->x.h);
  uint32_t iw = min2((tw - 1) * v->k.sx + (v->k.kw - 1) * v->k.dx + 1, v->x.w);
  return (uint64_t)ih * iw;
}

/* Scratchpad words of the input a th x tw output tile needs. */
static uint64_t input_words(const estimate *e, uint32_t th, uint32_t tw, uint32_t k_slice) {
  const conv *v = e->v;
  uint32_t channels = min2(conv_channels(v), k_slice * e->l->r);
  uint64_t words = ceil_div(channels, e->l->w);
  if (v->packed) return (uint64_t)th * tw * words;
  return input_pixels(v, th, tw) * words;
}

/* Cycles of a plan, or UINT64_MAX when it does not fit. */
static uint64_t cost(const estimate *e, const conv_plan *p) {
  const conv *v = e->v;
  const lowering *l = e->l;
  const weft_config *c = l->cfg;
  uint32_t bank = weft_bank_words(c);
  uint64_t in_room = (uint64_t)p->in_banks * bank;
  uint64_t out_room = (uint64_t)(c->scratchpad_banks - p->in_banks) * bank;
  uint32_t depth = ceil_div(conv_channels(v), l->r), blocks = ceil_div(v->y.c, l->c);
  bool sliced = p->k_slice < depth, parts = sliced && !p->input_whole;
  uint64_t in = input_words(e, p->th, p->tw, parts ? p->k_slice : depth);
  uint64_t m = (uint64_t)p->th * p->tw;
  uint32_t chunk_cols =
      sliced ? 1 : min2(blocks, (uint32_t)max2(1, p->chunk_rows / e->column_rows));
  uint32_t out_channels = p->weights_outer || parts ? chunk_cols * l->c : v->y.c;
  uint64_t out = m * ceil_div(out_channels, l->w);
  bool sums = (uint64_t)conv_taps(v) * depth > 1 || v->weights_uint8; /* components add up too */
  if (in > in_room || out > out_room || (sums && m > weft_acc_rows(c))) return UINT64_MAX;
  uint32_t pixel = (uint32_t)(in / (v->packed ? m : input_pixels(v, p->th, p->tw)));
  if (pixel > 4095 || ceil_div(out_channels, l->w) > 4095) return UINT64_MAX; /* pix_stride */
  if (in > 65535 || out > 65535) return UINT64_MAX;                           /* row_stride */

  uint64_t tiles = (uint64_t)v->x.n * ceil_div(v->y.h, p->th) * ceil_div(v->y.w, p->tw);
  uint64_t chunks = ceil_div(blocks, chunk_cols);
  uint64_t image = (uint64_t)tiles * in * l->w, weights = e->weight_bytes;
  if (p->weights_outer && tiles > 1) image *= chunks;
  if (parts && blocks > 1) image = tiles * blocks * in * ceil_div(depth, p->k_slice) * l->w;
  if (!p->weights_outer && !p->resident) weights *= tiles;
  uint64_t result = (uint64_t)v->y.n * v->y.h * v->y.w * v->y.c;
  uint64_t dram = (image + weights + result) / c->dram_bytes;
  if (v->packed) dram = max2(dram, tiles * in * v->k.kh); /* one word a cycle, each touched kh x */
  uint64_t array = tiles * e->passes * max2(m, c->rows);
  uint64_t alone = (in * l->w + min2((uint32_t)weights, p->chunk_rows * l->c)) / c->dram_bytes +
                   out * l->w / c->dram_bytes;
  bool overlap = 2 * in <= in_room && 2 * out <= out_room;
  uint64_t total = overlap || tiles == 1 ? max2(array, dram) : array + dram;
  return total + alone + 150 * tiles;
}

static void consider(const estimate *e, conv_plan p, conv_plan *best, uint64_t *least) {
  uint32_t h = e->v->y.h, w = e->v->y.w;
  for (uint32_t parts = 1; parts <= w; parts++) {
    p.tw = ceil_div(w, parts);
    if (parts > 1 && p.tw == ceil_div(w, parts - 1)) continue;
    for (uint32_t bands = 1; bands <= h; bands++) {
      p.th = ceil_div(h, bands);
      if (bands > 1 && p.th == ceil_div(h, bands - 1)) continue;
      uint64_t c = cost(e, &p);
      if (c < *least) {
        *least = c;
        *best = p;
      }
    }
    if (*least != UINT64_MAX && parts >= 8) return; /* narrower still is only worse */
  }
}

/* Rows of the weight buffer that a chunk may fill: of int8 a third, so that one is at work, one
 * there and one on its way, or half where the narrowest slice needs it. uint8 weights may add
 * components: they leave them room, which mostly stays free for the next chunks. */
static uint32_t chunk_room(const estimate *e, uint32_t narrowest) {
  uint32_t capacity = weft_weight_rows(e->l->cfg), half = capacity / 2 / conv_components(e->v);
  uint32_t third = min2(capacity / 3, half);
  return third < narrowest ? half : third;
}

/* Channel blocks of equal slices, whole words, of which one of a column block fits `room` rows; 0:
 * none does. */
static uint32_t first_slice(const estimate *e, uint32_t depth, uint32_t room, uint32_t per_word) {
  if (e->column_rows <= room) return depth;
  uint32_t most = room / (conv_taps(e->v) * e->l->r) / per_word * per_word;
  if (!most) return 0;
  return ceil_div(ceil_div(depth, ceil_div(depth, most)), per_word) * per_word;
}

const char *conv_choose_plan(const conv *v, const lowering *l, conv_plan *plan) {
  estimate e = {.v = v, .l = l, .rows = conv_weight_rows(v, l)};
  uint32_t depth = ceil_div(conv_channels(v), l->r), capacity = weft_weight_rows(l->cfg);
  for (uint32_t nb = 0; nb < ceil_div(v->y.c, l->c); nb++) {
    uint32_t kb, n;
    conv_k_range(v, l, nb, &kb, &n);
    e.passes += (uint64_t)conv_taps(v) * n;
  }
  e.column_rows = conv_column_rows(v, l);
  e.weight_bytes = e.rows * l->c;
  uint32_t per_word = l->w / l->r; /* slices are whole words */
  uint32_t room = chunk_room(&e, conv_taps(v) * l->r * per_word);
  uint32_t slice = first_slice(&e, depth, room, per_word);
  if (slice == 0) return "the weights of one column block do not fit the weight buffer";
  uint64_t least = UINT64_MAX;
  for (;;) {
    bool sliced = slice < depth;
    conv_plan p = {.k_slice = slice};
    p.resident = !sliced && conv_most_rows(v, l) <= capacity;
    p.chunk_rows = (uint32_t)max2(e.column_rows, p.resident ? capacity / 8 : room);
    for (uint32_t q = 1; q <= 3; q++) {
      p.in_banks = l->cfg->scratchpad_banks * q / 4;
      for (int outer = 0; outer <= (p.resident || sliced ? 0 : 1); outer++) {
        p.weights_outer = outer;
        p.input_whole = true;
        consider(&e, p, plan, &least);
      }
      p.input_whole = false;
      if (sliced) consider(&e, p, plan, &least);
    }
    if (least != UINT64_MAX) return NULL;
    if (slice <= per_word) return "one output pixel's inputs do not fit the scratchpad";
    slice = slice / 2 / per_word * per_word;
    if (slice == 0) slice = per_word;
  }
}
