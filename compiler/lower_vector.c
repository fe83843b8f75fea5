/* Layers of the vector unit: elementwise, tables, pools, means, softmax. */
#include <stdlib.h>
#include <string.h>

#include "fixed.h"
#include "lower.h"
#include "params.h"

/* Halves of the scratchpad for what comes in and what goes out. */
static void split_scratchpad(lowering *l) {
  uint32_t bank = weft_bank_words(l->cfg), half = l->cfg->scratchpad_banks / 2;
  l->in = (ring){0, half * bank, 0};
  l->out = (ring){half * bank, (l->cfg->scratchpad_banks - half) * bank, 0};
}

static const char *const too_large = "one pixel's channels do not fit the scratchpad";
static const char *const not_8bit = "only 8-bit tensors of up to four dimensions";

static bool dma_limits(const view *v) {
  return v->w <= 4095 && v->h <= 4095 && (uint64_t)v->w * v->c < 1u << 24 && v->c < 1u << 16;
}

static void set_stage_range(weft_range r, bool uint8, int32_t *lo, int32_t *hi) {
  *lo = r.lo - (uint8 ? 128 : 0);
  *hi = r.hi - (uint8 ? 128 : 0);
}

/* --- tile loops -------------------------------------------------------------------------------- */
typedef struct {
  lowering *l;
  view a, b, y;
  window k;
  uint32_t operands; /* tensors of y's shape that are loaded */
  bool whole_pixels; /* channels must not be sliced */
  uint32_t words;    /* channel words of a tile */
  uint32_t c, n;     /* channels of the tile at hand */
} vec_state;

static bool fits(void *user, uint32_t th, uint32_t tw) {
  const vec_state *s = user;
  uint32_t ih = (th - 1) * s->k.sy + s->k.kh, iw = (tw - 1) * s->k.sx + s->k.kw;
  if (ih > s->a.h) ih = s->a.h;
  if (iw > s->a.w) iw = s->a.w;
  uint64_t in = (uint64_t)ih * iw * s->words, out = (uint64_t)th * tw * s->words;
  if (in > 65535 || out > 65535 || s->words > 4095) return false;
  return 2 * in * s->operands <= weft_spad_words(s->l->cfg) / 2 &&
         2 * out <= weft_spad_words(s->l->cfg) / 2;
}

/* Calls `each` for every tile of y, channel slice by channel slice. */
static const char *for_tiles(vec_state *s, void (*each)(vec_state *, const tile *, void *),
                             void *user) {
  uint32_t th, tw;
  s->words = ceil_div(s->a.c, s->l->w);
  if (!dma_limits(&s->a) || !dma_limits(&s->y)) return "the tensor is too large for the DMA";
  while (!choose_tile(s->y.h, s->y.w, fits, s, &th, &tw)) {
    if (s->whole_pixels || s->words == 1) return too_large;
    s->words = ceil_div(s->words, 2);
  }
  split_scratchpad(s->l);
  uint32_t slice = s->words * s->l->w;
  for (s->c = 0; s->c < s->y.c; s->c += slice)
    for (uint32_t n = 0; n < s->y.n; n++)
      for (uint32_t y = 0; y < s->y.h; y += th)
        for (uint32_t x = 0; x < s->y.w; x += tw) {
          uint32_t h = s->y.h - y < th ? s->y.h - y : th, w = s->y.w - x < tw ? s->y.w - x : tw;
          tile t = tile_at(&s->a, &s->k, n, y, x, h, w);
          s->n = s->y.c - s->c < slice ? s->y.c - s->c : slice;
          each(s, &t, user);
        }
  return NULL;
}

static const window pointwise = {1, 1, 1, 1, 1, 1, 0, 0};

static uint64_t vec_words(const vec_state *s) {
  return (uint64_t)s->y.n * s->y.h * s->y.w * ceil_div(s->y.c, s->l->w);
}

static uint64_t beats(const lowering *l) { return l->w / l->cfg->vec_lanes; }

/* --- elementwise ------------------------------------------------------------------------------- */
typedef struct {
  weft_insn_VEW proto;
  bool broadcast;
  buffer b; /* broadcast: loaded once per channel slice */
  uint32_t b_channel;
} ew_user;

static void constant_operand(lowering *l, view *v) {
  if (v->region != 1) return;
  const weft_tensor *t = &l->graph->tensor[v->tensor];
  v->offset = emit_constants(l, t->data, weft_tensor_bytes(t));
}

static void each_elementwise(vec_state *s, const tile *t, void *user) {
  ew_user *u = user;
  lowering *l = s->l;
  bool unary = u->proto.op == WEFT_VEW_COPY || u->proto.op == WEFT_VEW_REQUANT;
  buffer a = load_tile(l, &s->a, t->n, t->y, t->x, t->h, t->w, s->c, s->n), b = a;
  weft_operand ob = {.ring_rows = 1};
  if (u->broadcast) {
    if (!u->b.words || u->b_channel != s->c)
      u->b = load_tile(l, &s->b, 0, 0, 0, 1, 1, s->c, s->n);
    u->b_channel = s->c;
    b = u->b;
    ob = (weft_operand){b.base, 0, 0, 1, 0};
  } else if (!unary) {
    b = load_tile(l, &s->b, t->n, t->y, t->x, t->h, t->w, s->c, s->n);
    ob = operand_of(&b);
  }
  buffer out = result_buffer(l, t->h, t->w, s->n);
  emitted *e = emit(l, WEFT_OP_CODE_VEW);
  weft_insn_VEW *in = &e->insn.VEW;
  *in = u->proto;
  weft_operand oa = operand_of(&a), oo = operand_of(&out);
  WEFT_SET_OPERAND(*in, a, oa);
  WEFT_SET_OPERAND(*in, b, ob);
  WEFT_SET_OPERAND(*in, o, oo);
  in->out_h = t->h;
  in->out_w = t->w;
  in->c_words = ceil_div(s->n, l->w);
  touch_buffer(e, &a, false);
  if (!unary) touch_buffer(e, &b, false);
  touch_buffer(e, &out, true);
  if (in->lut_en) emit_access(e, SPACE_LUT, false, in->lut_slot, 1);
  set_result(e, &s->y, t->n, t->y, t->x, t->h, t->w, s->c, s->n, s->y.uint8);
  store_tile(l, &s->y, &out, t->n, t->y, t->x, s->c, s->n);
}

static bool same_dims(const view *a, const view *b) {
  return a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c;
}

static void set_multiplier(weft_multiplier m, uint32_t *mult, int32_t *shift) {
  *mult = (uint32_t)m.multiplier;
  *shift = m.shift < -31 ? -31 : m.shift;
}

static void add_fields(weft_insn_VEW *in, weft_add_params p) {
  in->left_shift = (uint32_t)p.left_shift;
  set_multiplier(p.in[0], &in->a_mult, &in->a_shift);
  set_multiplier(p.in[1], &in->b_mult, &in->b_shift);
  set_multiplier(p.out, &in->o_mult, &in->o_shift);
}

const char *lower_elementwise(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *t = l->graph->tensor;
  vec_state s = {.l = l, .k = pointwise, .operands = 2};
  ew_user u = {0};
  if (!view_of(l, n->in[0], &s.a) || !view_of(l, n->in[1], &s.b) || !view_of(l, n->out[0], &s.y))
    return not_8bit;
  int ia = n->in[0], ib = n->in[1];
  if (!same_dims(&s.a, &s.y)) { /* the operand of full shape comes first */
    if (n->op == WEFT_OP_SUB) return "the subtrahend's shape is broadcast the other way round";
    view v = s.a;
    s.a = s.b;
    s.b = v;
    ia = n->in[1];
    ib = n->in[0];
  }
  u.broadcast = !same_dims(&s.b, &s.y);
  if (!same_dims(&s.a, &s.y)) return "both operands are broadcast";
  if (u.broadcast && !(s.b.n == 1 && s.b.h == 1 && s.b.w == 1 && s.b.c == s.y.c))
    return "a broadcast other than one value per channel";
  if (s.a.region != 2) return "the operand of full shape is a constant";
  weft_range clamp;
  switch (n->op) {
  case WEFT_OP_ADD:
  case WEFT_OP_SUB: {
    weft_add_params p = weft_add_params_of(n->op, &n->attr, &t[ia], &t[ib], &t[n->out[0]]);
    u.proto.op = n->op == WEFT_OP_ADD ? WEFT_VEW_ADD : WEFT_VEW_SUB;
    add_fields(&u.proto, p);
    clamp = p.clamp;
    break;
  }
  case WEFT_OP_MUL: {
    weft_mul_params p = weft_mul_params_of(&n->attr, &t[ia], &t[ib], &t[n->out[0]]);
    u.proto.op = WEFT_VEW_MUL;
    set_multiplier(p.m, &u.proto.o_mult, &u.proto.o_shift);
    clamp = p.clamp;
    break;
  }
  default:
    if (s.a.zp != s.y.zp || s.b.zp != s.y.zp || t[ia].quant.scale[0] != t[ib].quant.scale[0])
      return "operands of different quantization";
    u.proto.op = n->op == WEFT_OP_MINIMUM ? WEFT_VEW_MIN : WEFT_VEW_MAX;
    clamp = weft_code_range(t[n->out[0]].dtype);
    break;
  }
  u.proto.a_zp = s.a.zp;
  u.proto.b_zp = s.b.zp;
  u.proto.out_zp = n->op == WEFT_OP_MINIMUM || n->op == WEFT_OP_MAXIMUM ? 0 : s.y.zp;
  set_stage_range(clamp, s.y.uint8, &u.proto.clamp_min, &u.proto.clamp_max);
  constant_operand(l, &s.b);
  const char *why = for_tiles(&s, each_elementwise, &u);
  if (why) return why;
  account(l, BOUND_VEC, vec_words(&s) * (beats(l) > 2 ? beats(l) : 2), 0);
  l->prog->layer[l->layer].unit = WEFT_UNIT_VEC;
  return NULL;
}

/* --- tables ------------------------------------------------------------------------------------ */
const char *chip_table(lowering *l, int node, uint8_t table[256]) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *x = &l->graph->tensor[n->in[0]], *y = &l->graph->tensor[n->out[0]];
  uint8_t raw[256], in = x->dtype == WEFT_UINT8 ? 0x80 : 0, out = y->dtype == WEFT_UINT8 ? 0x80 : 0;
  const char *why = weft_unary_lut(n->op, &n->attr, x, y, raw);
  if (why) return why;
  for (int i = 0; i < 256; i++) table[i] = raw[i ^ in] ^ out;
  return NULL;
}

const char *lower_table(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  vec_state s = {.l = l, .k = pointwise, .operands = 1};
  if (!view_of(l, n->in[0], &s.a) || !view_of(l, n->out[0], &s.y)) return not_8bit;
  if (s.a.region != 2) return "the operand is a constant";
  uint8_t table[256];
  const char *why = chip_table(l, node, table);
  if (why) return why;
  ew_user u = {0};
  u.proto.op = WEFT_VEW_COPY;
  u.proto.clamp_min = -128;
  u.proto.clamp_max = 127;
  u.proto.lut_en = 1;
  size_t at = l->n_insns;
  u.proto.lut_slot = ring_take(&l->luts, 1);
  emit_flat_load(l, WEFT_MEM_LUT, SPACE_LUT, u.proto.lut_slot, 1,
                 emit_constants(l, table, sizeof table), sizeof table);
  why = for_tiles(&s, each_elementwise, &u);
  if (why) {
    l->n_insns = at;
    return why;
  }
  account(l, BOUND_VEC, vec_words(&s) * beats(l), 0);
  l->prog->layer[l->layer].unit = WEFT_UNIT_VEC;
  return NULL;
}

/* --- windows ----------------------------------------------------------------------------------- */
static void each_pool(vec_state *s, const tile *t, void *user) {
  lowering *l = s->l;
  buffer a = load_tile(l, &s->a, t->n, t->iy, t->ix, t->ih, t->iw, s->c, s->n);
  buffer out = result_buffer(l, t->h, t->w, s->n);
  emitted *e = emit(l, WEFT_OP_CODE_VPOOL);
  weft_insn_VPOOL *in = &e->insn.VPOOL;
  *in = *(const weft_insn_VPOOL *)user;
  weft_operand oa = operand_of(&a), oo = operand_of(&out);
  WEFT_SET_OPERAND(*in, a, oa);
  WEFT_SET_OPERAND(*in, o, oo);
  in->in_h = t->ih;
  in->in_w = t->iw;
  in->pad_top = t->pad_top;
  in->pad_left = t->pad_left;
  in->kh = s->k.kh;
  in->kw = s->k.kw;
  in->stride_y = s->k.sy;
  in->stride_x = s->k.sx;
  in->out_h = t->h;
  in->out_w = t->w;
  in->c_words = ceil_div(s->n, l->w);
  touch_buffer(e, &a, false);
  touch_buffer(e, &out, true);
  set_result(e, &s->y, t->n, t->y, t->x, t->h, t->w, s->c, s->n, s->y.uint8);
  store_tile(l, &s->y, &out, t->n, t->y, t->x, s->c, s->n);
}

static const char *lower_window(lowering *l, vec_state *s, weft_insn_VPOOL *proto) {
  if (s->k.kh > 4095 || s->k.kw > 4095 || s->k.sy > 31 || s->k.sx > 31 || s->k.pad_top > 255 ||
      s->k.pad_left > 255)
    return "window, stride or padding too large for the vector unit";
  const char *why = for_tiles(s, each_pool, proto);
  if (why) return why;
  account(l, BOUND_VEC, vec_words(s) * s->k.kh * s->k.kw * beats(l), 0);
  l->prog->layer[l->layer].unit = WEFT_UNIT_VEC;
  return NULL;
}

const char *lower_pool(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  const weft_attr *a = &n->attr;
  vec_state s = {.l = l, .operands = 1};
  weft_insn_VPOOL proto = {0};
  if (!view_of(l, n->in[0], &s.a) || !view_of(l, n->out[0], &s.y)) return not_8bit;
  if (s.a.region != 2) return "the operand is a constant";
  s.k = (window){(uint32_t)a->filter_h, (uint32_t)a->filter_w, (uint32_t)a->stride_h,
                 (uint32_t)a->stride_w, 1, 1, (uint32_t)a->pad_top, (uint32_t)a->pad_left};
  proto.op = n->op == WEFT_OP_MAX_POOL_2D ? WEFT_VPOOL_MAX
             : s.a.uint8                  ? WEFT_VPOOL_AVG_UP
                                          : WEFT_VPOOL_AVG;
  if (proto.op != WEFT_VPOOL_MAX && s.k.kh * s.k.kw > WEFT_AVG_MAX_WINDOW)
    return "an average of more than 256 pixels";
  set_stage_range(weft_activation_range(a->activation, &l->graph->tensor[n->out[0]]), s.y.uint8,
                  &proto.clamp_min, &proto.clamp_max);
  return lower_window(l, &s, &proto);
}

/* Axes of a MEAN that are exactly height and width of a rank-4 tensor. */
static bool spatial_axes(const weft_tensor *x, const weft_tensor *axes) {
  if (x->rank != 4 || !axes->data || axes->dtype != WEFT_INT32) return false;
  int seen = 0;
  for (size_t i = 0; i < weft_tensor_elements(axes); i++) {
    int32_t axis = ((const int32_t *)axes->data)[i];
    if (axis < 0) axis += 4;
    if (axis != 1 && axis != 2) return false;
    seen |= 1 << axis;
  }
  return seen == 6;
}

const char *lower_mean(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *x = &l->graph->tensor[n->in[0]], *y = &l->graph->tensor[n->out[0]];
  vec_state s = {.l = l, .operands = 1};
  weft_insn_VPOOL proto = {.op = WEFT_VPOOL_MEAN};
  if (!spatial_axes(x, &l->graph->tensor[n->in[1]])) return "axes other than height and width";
  if (!view_of(l, n->in[0], &s.a) || !view_of(l, n->out[0], &s.y)) return not_8bit;
  if (s.a.region != 2) return "the operand is a constant";
  s.y.n = s.a.n;
  s.y.h = s.y.w = 1;
  s.y.c = s.a.c;
  s.k = (window){s.a.h, s.a.w, 1, 1, 1, 1, 0, 0};
  int64_t count = (int64_t)s.a.h * s.a.w;
  if (count > 1 << 20) return "more than 2^20 pixels";
  weft_mean_params p = weft_mean_params_of(n->op, x, y, count);
  proto.bias = -(int32_t)count * s.a.zp;
  proto.out_zp = s.y.zp;
  set_multiplier(p.m, &proto.o_mult, &proto.o_shift);
  set_stage_range(p.clamp, s.y.uint8, &proto.clamp_min, &proto.clamp_max);
  return lower_window(l, &s, &proto);
}

/* --- softmax ----------------------------------------------------------------------------------- */
static void exponents(const weft_softmax_params *p, uint8_t *out) {
  for (int d = 0; d < 256; d++, out += 4) {
    int32_t e = 0;
    if (-d >= p->diff_min)
      e = weft_fixed_exp(weft_high_mul(weft_wrap_shl(-d, p->m.shift), p->m.multiplier), 5);
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)((uint32_t)e >> (8 * i));
  }
}

static void each_softmax(vec_state *s, const tile *t, void *user) {
  lowering *l = s->l;
  buffer a = load_tile(l, &s->a, t->n, t->y, t->x, t->h, t->w, s->c, s->n);
  buffer out = result_buffer(l, t->h, t->w, s->n);
  emitted *e = emit(l, WEFT_OP_CODE_VROW);
  weft_insn_VROW *in = &e->insn.VROW;
  *in = *(const weft_insn_VROW *)user;
  weft_operand oa = operand_of(&a), oo = operand_of(&out);
  WEFT_SET_OPERAND(*in, a, oa);
  WEFT_SET_OPERAND(*in, o, oo);
  in->out_h = t->h;
  in->out_w = t->w;
  in->channels = s->a.c;
  touch_buffer(e, &a, false);
  touch_buffer(e, &out, true);
  emit_access(e, SPACE_EXP, false, in->exp_slot, 1);
  set_result(e, &s->y, t->n, t->y, t->x, t->h, t->w, s->c, s->n, s->y.uint8);
  store_tile(l, &s->y, &out, t->n, t->y, t->x, s->c, s->n);
}

const char *lower_softmax(lowering *l, int node) {
  const weft_node *n = &l->graph->node[node];
  vec_state s = {.l = l, .k = pointwise, .operands = 1, .whole_pixels = true};
  if (!l->cfg->vec_softmax) return "this configuration has no softmax";
  if (!view_of(l, n->in[0], &s.a) || !view_of(l, n->out[0], &s.y)) return not_8bit;
  if (s.a.region != 2) return "the operand is a constant";
  weft_softmax_params p = weft_softmax_params_of(&n->attr, &l->graph->tensor[n->in[0]]);
  if (p.m.shift < 0) return "beta * scale is too small";
  weft_insn_VROW proto = {.op = WEFT_VROW_SOFTMAX, .out_zp = -128, .clamp_min = -128,
                          .clamp_max = 127};
  uint8_t table[WEFT_EXP_BYTES];
  exponents(&p, table);
  size_t at = l->n_insns;
  proto.exp_slot = ring_take(&l->exps, 1);
  emit_flat_load(l, WEFT_MEM_EXP, SPACE_EXP, proto.exp_slot, 1,
                 emit_constants(l, table, sizeof table), sizeof table);
  const char *why = for_tiles(&s, each_softmax, &proto);
  if (why) {
    l->n_insns = at;
    return why;
  }
  account(l, BOUND_VEC, (uint64_t)s.y.n * s.y.h * s.y.w * 3 * ceil_div(s.y.c, l->w) * beats(l), 0);
  l->prog->layer[l->layer].unit = WEFT_UNIT_VEC;
  return NULL;
}
