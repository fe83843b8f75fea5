/* Depthwise convolutions on the depthwise engine: W channels per word, parameters and taps of a
 * chunk of words in the depthwise buffer. What the engine cannot do (multipliers other than one,
 * dilation, kernels over 7, weights beyond int8) goes to the array. */
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "params.h"

typedef struct {
  conv v;
  lowering *l;
  uint32_t words, block, chunk; /* channel words; buffer words of one; words per chunk */
  uint32_t tile_words;          /* channel words that a tile in the scratchpad holds */
  ring in, out;
} dw_state;

static bool fits(void *user, uint32_t th, uint32_t tw) {
  const dw_state *s = user;
  uint32_t ih = (th - 1) * s->v.k.sy + s->v.k.kh, iw = (tw - 1) * s->v.k.sx + s->v.k.kw;
  if (ih > s->v.x.h) ih = s->v.x.h;
  if (iw > s->v.x.w) iw = s->v.x.w;
  uint64_t in = (uint64_t)ih * iw * s->tile_words, out = (uint64_t)th * tw * s->tile_words;
  if (in > 65535 || out > 65535 || s->tile_words > 4095) return false;
  return 2 * in <= s->in.size && 2 * out <= s->out.size;
}

uint64_t depthwise_constants(lowering *l, const conv *v, uint32_t first, uint32_t n) {
  if (l->rehearsal) return 0;
  uint8_t *bytes = calloc((size_t)n * depthwise_block(v), l->w), *at = bytes;
  if (!bytes) abort();
  for (uint32_t word = first; word < first + n; word++) {
    conv_params(v, l, word * l->w, l->w, at);
    at += (size_t)WEFT_PARAM_BYTES * l->w;
    for (uint32_t t = 0; t < v->k.kh * v->k.kw; t++, at += l->w)
      for (uint32_t i = 0; i < l->w && word * l->w + i < v->y.c; i++) {
        uint32_t oc = word * l->w + i;
        int32_t zero = weft_weight_zero(&l->graph->tensor[v->node->in[1]], (int)oc);
        at[i] = (uint8_t)(conv_weight(v, oc, t / v->k.kw, t % v->k.kw, oc) - zero);
      }
  }
  uint64_t offset = emit_constants(l, bytes, (size_t)n * depthwise_block(v) * l->w);
  free(bytes);
  return offset;
}

static void emit_dw(dw_state *s, const tile *t, const buffer *in, const buffer *out, uint32_t word,
                    uint32_t first_word, uint32_t n, uint32_t params) {
  weft_operand a = operand_of(in), o = operand_of(out);
  a.base += word - first_word;
  o.base += word - first_word;
  emitted *e = depthwise_emit(s->l, &s->v, t, a, in->w, o, word, n, params);
  touch_buffer(e, in, false);
  touch_buffer(e, out, true);
}

/* Parameters of all chunks: constants, and where they are in the depthwise buffer. */
typedef struct {
  uint64_t *offset;
  int *at;       /* buffer word, or -1 */
  bool resident; /* all fit: loaded once */
} dw_params;

static uint32_t chunk_words(const dw_state *s, uint32_t i) {
  uint32_t left = s->words - i * s->chunk;
  return left < s->chunk ? left : s->chunk;
}

static uint32_t need_params(dw_state *s, dw_params *p, uint32_t i) {
  lowering *l = s->l;
  if (p->resident && p->at[i] >= 0) return (uint32_t)p->at[i];
  uint32_t n = chunk_words(s, i) * s->block;
  p->at[i] = (int)ring_take(&l->dwbuf, n);
  emit_flat_load(l, WEFT_MEM_DWBUF, SPACE_DWBUF, (uint32_t)p->at[i], n, p->offset[i],
                 (size_t)n * l->w);
  return (uint32_t)p->at[i];
}

/* One tile of channel words [word, word + n): every chunk of parameters in turn. */
static void one_tile(dw_state *s, const tile *t, uint32_t word, uint32_t n, dw_params *p) {
  lowering *l = s->l;
  uint32_t c = word * l->w, channels = n * l->w;
  if (c + channels > s->v.y.c) channels = s->v.y.c - c;
  need_params(s, p, word / s->chunk);
  buffer in = load_tile(l, &s->v.x, t->n, t->iy, t->ix, t->ih, t->iw, c, channels);
  buffer out = result_buffer(l, t->h, t->w, channels);
  for (uint32_t at = word; at < word + n;) { /* as far as one chunk reaches */
    uint32_t i = at / s->chunk, end = i * s->chunk + chunk_words(s, i);
    if (end > word + n) end = word + n;
    uint32_t base = p->resident || at != word ? need_params(s, p, i) : (uint32_t)p->at[i];
    emit_dw(s, t, &in, &out, at, word, end - at, base + (at - i * s->chunk) * s->block);
    at = end;
  }
  store_tile(l, &s->v.y, &out, t->n, t->y, t->x, c, channels);
}

static void emit_all(dw_state *s, uint32_t th, uint32_t tw) {
  lowering *l = s->l;
  const conv *v = &s->v;
  uint32_t chunks = ceil_div(s->words, s->chunk), all = s->words * s->block;
  dw_params p = {malloc(chunks * sizeof *p.offset), malloc(chunks * sizeof *p.at),
                 all <= l->dwbuf.size};
  if (!p.offset || !p.at) abort();
  for (uint32_t i = 0; i < chunks; i++) {
    p.offset[i] = depthwise_constants(l, v, i * s->chunk, chunk_words(s, i));
    p.at[i] = -1;
  }
  if (p.resident && l->dwbuf.next + all > l->dwbuf.size) l->dwbuf.next = 0;
  for (uint32_t word = 0; word < s->words; word += s->tile_words)
    for (uint32_t n = 0; n < v->y.n; n++)
      for (uint32_t y = 0; y < v->y.h; y += th)
        for (uint32_t x = 0; x < v->y.w; x += tw) {
          uint32_t count = s->words - word < s->tile_words ? s->words - word : s->tile_words;
          uint32_t h = v->y.h - y < th ? v->y.h - y : th, w = v->y.w - x < tw ? v->y.w - x : tw;
          tile t = tile_at(&v->x, &v->k, n, y, x, h, w);
          one_tile(s, &t, word, count, &p);
        }
  free(p.offset);
  free(p.at);
}

static bool weights_fit(const lowering *l, const conv *v) {
  const weft_tensor *w = &l->graph->tensor[v->node->in[1]];
  for (uint32_t oc = 0; oc < v->y.c; oc++)
    for (uint32_t t = 0; t < v->k.kh * v->k.kw; t++) {
      int32_t value =
          conv_weight(v, oc, t / v->k.kw, t % v->k.kw, oc) - weft_weight_zero(w, (int)oc);
      if (value < -128 || value > 127) return false;
    }
  return true;
}

const char *depthwise_describe(lowering *l, int node, conv *v) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *w = &l->graph->tensor[n->in[1]];
  const weft_attr *a = &n->attr;
  window extra = {0};
  *v = (conv){.node = n, .weights = w->data, .depthwise = true, .group_in = 1, .group_out = 1};
  v->weights_uint8 = w->dtype == WEFT_UINT8;
  if (!w->data || (w->dtype != WEFT_INT8 && w->dtype != WEFT_UINT8) ||
      !input_view(l, n->in[0], &v->x, &extra) || !view_of(l, n->out[0], &v->y) || v->x.region != 2)
    return "only 8-bit activations and constant 8-bit weights";
  if (n->n_in > 2 && n->in[2] >= 0) v->bias = l->graph->tensor[n->in[2]].data;
  v->k = (window){(uint32_t)w->dim[1],
                  (uint32_t)w->dim[2],
                  (uint32_t)a->stride_h,
                  (uint32_t)a->stride_w,
                  1,
                  1,
                  (uint32_t)a->pad_top + extra.pad_top,
                  (uint32_t)a->pad_left + extra.pad_left};
  bool suits = l->cfg->dw_lanes && v->y.c == v->x.c && v->x.c > 1 && a->dilation_h <= 1 &&
               a->dilation_w <= 1 && v->k.kh <= WEFT_DW_MAX_KERNEL &&
               v->k.kw <= WEFT_DW_MAX_KERNEL && v->k.sy <= WEFT_DW_MAX_STRIDE &&
               v->k.sx <= WEFT_DW_MAX_STRIDE && a->pad_top <= 255 && a->pad_left <= 255 &&
               a->pad_bottom <= 255 && a->pad_right <= 255 && v->x.w <= 4095 && v->x.h <= 4095 &&
               (uint64_t)v->x.w * v->x.c < 1u << 24 && weights_fit(l, v);
  return suits ? NULL : "not what the depthwise engine does";
}

void depthwise_account(lowering *l, const conv *v) {
  uint64_t beats = l->w / l->cfg->dw_lanes, taps = ceil_div(v->k.kw, l->cfg->dw_taps);
  uint64_t step = v->k.kh * taps * beats, reads = (uint64_t)v->k.sx * v->k.kh;
  uint64_t m = (uint64_t)v->y.n * v->y.h * v->y.w;
  account(l, BOUND_DW, m * ceil_div(v->y.c, l->w) * (step > reads ? step : reads),
          m * v->y.c * v->k.kh * v->k.kw);
  l->prog->layer[l->layer].unit = WEFT_UNIT_DW;
}

const char *lower_depthwise(lowering *l, int node) {
  dw_state s = {.l = l};
  if (depthwise_describe(l, node, &s.v)) return lower_conv(l, node);
  const conv *v = &s.v;
  uint32_t bank = weft_bank_words(l->cfg), half = l->cfg->scratchpad_banks / 2;
  s.in = (ring){0, half * bank, 0};
  s.out = (ring){half * bank, (l->cfg->scratchpad_banks - half) * bank, 0};
  s.words = ceil_div(v->y.c, l->w);
  s.block = depthwise_block(v);
  s.chunk = weft_dwbuf_words(l->cfg) / 2 / s.block;
  if (s.chunk > s.words) s.chunk = s.words;
  /* all channels at once if that fits, else slices of them: their rows are no longer contiguous */
  uint32_t th, tw;
  bool ok = false;
  for (s.tile_words = s.words; !ok; s.tile_words = ceil_div(s.tile_words, 2)) {
    ok = choose_tile(v->y.h, v->y.w, fits, &s, &th, &tw);
    if (ok || s.tile_words == 1) break;
  }
  if (!ok) return lower_conv(l, node);
  l->in = s.in;
  l->out = s.out;
  emit_all(&s, th, tw);
  depthwise_account(l, v);
  return NULL;
}
