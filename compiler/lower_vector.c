/* Layers of the vector unit: elementwise, tables, pools, means, softmax. Each node is described as
 * a prototype instruction and its operands; by itself it is computed tile by tile, in a group of
 * layers by whoever streams the group (group_emit.c). */
#include <stdlib.h>
#include <string.h>

#include "fixed.h"
#include "lower.h"

/* Halves of the scratchpad for what comes in and what goes out. */
static void split_scratchpad(lowering *l) {
  uint32_t bank = weft_bank_words(l->cfg), half = l->cfg->scratchpad_banks / 2;
  l->in = (ring){0, half * bank, 0};
  l->out = (ring){half * bank, (l->cfg->scratchpad_banks - half) * bank, 0};
}

static const char *const too_large = "one pixel's channels do not fit the scratchpad";
static const char *const not_8bit = "only 8-bit tensors of up to four dimensions";

static uint64_t beats(const lowering *l) {
  return l->w / l->cfg->vec_lanes;
}

/* --- one node --------------------------------------------------------------------------------- */
static void set_multiplier(weft_multiplier m, uint32_t *mult, int32_t *shift) {
  *mult = (uint32_t)m.multiplier;
  *shift = m.shift < -31 ? -31 : m.shift;
}

static bool same_dims(const view *a, const view *b) {
  return a->n == b->n && a->h == b->h && a->w == b->w && a->c == b->c;
}

/* Codes that leave the output stage: of y's type, as on the chip. */
static void set_codes(weft_range codes, const weft_tensor *y, int32_t *lo, int32_t *hi) {
  weft_range r = chip_codes(codes, y->dtype);
  *lo = r.lo;
  *hi = r.hi;
}

static weft_range add_fields(weft_insn_VEW *in, weft_add_params p) {
  in->left_shift = (uint32_t)p.left_shift;
  set_multiplier(p.in[0], &in->a_mult, &in->a_shift);
  set_multiplier(p.in[1], &in->b_mult, &in->b_shift);
  set_multiplier(p.out, &in->o_mult, &in->o_shift);
  return p.clamp;
}

static const char *describe_elementwise(lowering *l, const weft_node *n, vector_layer *v) {
  const weft_tensor *t = l->graph->tensor;
  weft_insn_VEW *in = &v->vew;
  if (!view_of(l, n->in[0], &v->a) || !view_of(l, n->in[1], &v->b) || !view_of(l, n->out[0], &v->y))
    return not_8bit;
  if (!same_dims(&v->a, &v->y)) { /* the operand of full shape comes first */
    if (n->op == WEFT_OP_SUB) return "the subtrahend's shape is broadcast the other way round";
    view x = v->a;
    v->a = v->b;
    v->b = x;
  }
  v->broadcast = !same_dims(&v->b, &v->y);
  if (v->broadcast && v->b.region == 1 && v->b.n * v->b.h * v->b.w * v->b.c == 1) {
    v->scalar = true;
    v->b.c = v->y.c;
  }
  if (!same_dims(&v->a, &v->y)) return "both operands are broadcast";
  if (v->broadcast && !(v->b.n == 1 && v->b.h == 1 && v->b.w == 1 && v->b.c == v->y.c))
    return "a broadcast other than one value per channel";
  if (v->a.region != 2) return "the operand of full shape is a constant";
  const weft_tensor *a = &t[v->a.tensor], *b = &t[v->b.tensor], *y = &t[n->out[0]];
  weft_range clamp;
  in->out_zp = v->y.zp;
  if (n->op == WEFT_OP_ADD || n->op == WEFT_OP_SUB) {
    in->op = n->op == WEFT_OP_ADD ? WEFT_VEW_ADD : WEFT_VEW_SUB;
    clamp = add_fields(in, weft_add_params_of(n->op, &n->attr, a, b, y));
  } else if (n->op == WEFT_OP_MUL) {
    weft_mul_params p = weft_mul_params_of(&n->attr, a, b, y);
    in->op = WEFT_VEW_MUL;
    set_multiplier(p.m, &in->o_mult, &in->o_shift);
    clamp = p.clamp;
  } else {
    if (v->a.zp != v->y.zp || v->b.zp != v->y.zp || a->quant.scale[0] != b->quant.scale[0])
      return "operands of different quantization";
    in->op = n->op == WEFT_OP_MINIMUM ? WEFT_VEW_MIN : WEFT_VEW_MAX;
    in->out_zp = 0;
    clamp = weft_code_range(y->dtype);
  }
  in->a_zp = v->a.zp;
  in->b_zp = v->b.zp;
  set_codes(clamp, y, &in->clamp_min, &in->clamp_max);
  v->opcode = WEFT_OP_CODE_VEW;
  v->operands = 2;
  v->cycles_per_word = beats(l) > 2 ? beats(l) : 2;
  return NULL;
}

/* The 8-bit function of an activation, between codes as they are on the chip. */
static const char *chip_table(lowering *l, int node, uint8_t table[256]) {
  const weft_node *n = &l->graph->node[node];
  const weft_tensor *x = &l->graph->tensor[n->in[0]], *y = &l->graph->tensor[n->out[0]];
  uint8_t raw[256], in = x->dtype == WEFT_UINT8 ? 0x80 : 0, out = y->dtype == WEFT_UINT8 ? 0x80 : 0;
  const char *why = weft_unary_lut(n->op, &n->attr, x, y, raw);
  if (why) return why;
  for (int i = 0; i < 256; i++) table[i] = raw[i ^ in] ^ out;
  return NULL;
}

static const char *describe_table(lowering *l, int node, vector_layer *v) {
  const weft_node *n = &l->graph->node[node];
  if (!view_of(l, n->in[0], &v->a) || !view_of(l, n->out[0], &v->y)) return not_8bit;
  if (v->a.region != 2) return "the operand is a constant";
  v->vew.op = WEFT_VEW_COPY;
  v->vew.clamp_min = -128;
  v->vew.clamp_max = 127;
  v->vew.lut_en = 1;
  v->opcode = WEFT_OP_CODE_VEW;
  v->operands = 1;
  v->cycles_per_word = beats(l);
  v->table_mem = WEFT_MEM_LUT;
  v->table_bytes = WEFT_LUT_BYTES;
  return chip_table(l, node, v->table);
}

static const char *finish_window(lowering *l, vector_layer *v) {
  if (v->k.kh > 4095 || v->k.kw > 4095 || v->k.sy > 31 || v->k.sx > 31 || v->k.pad_top > 255 ||
      v->k.pad_left > 255)
    return "window, stride or padding too large for the vector unit";
  v->opcode = WEFT_OP_CODE_VPOOL;
  v->operands = 1;
  v->cycles_per_word = (uint64_t)v->k.kh * v->k.kw * beats(l);
  return NULL;
}

static const char *describe_pool(lowering *l, const weft_node *n, vector_layer *v) {
  const weft_attr *a = &n->attr;
  if (!view_of(l, n->in[0], &v->a) || !view_of(l, n->out[0], &v->y)) return not_8bit;
  if (v->a.region != 2) return "the operand is a constant";
  v->k = (window){(uint32_t)a->filter_h,
                  (uint32_t)a->filter_w,
                  (uint32_t)a->stride_h,
                  (uint32_t)a->stride_w,
                  1,
                  1,
                  (uint32_t)a->pad_top,
                  (uint32_t)a->pad_left};
  v->vpool.op = n->op == WEFT_OP_MAX_POOL_2D ? WEFT_VPOOL_MAX
                : v->a.uint8                 ? WEFT_VPOOL_AVG_UP
                                             : WEFT_VPOOL_AVG;
  if (v->vpool.op != WEFT_VPOOL_MAX && v->k.kh * v->k.kw > WEFT_AVG_MAX_WINDOW)
    return "an average of more than 256 pixels";
  const weft_tensor *y = &l->graph->tensor[n->out[0]];
  set_codes(weft_activation_range(a->activation, y), y, &v->vpool.clamp_min, &v->vpool.clamp_max);
  return finish_window(l, v);
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

static const char *describe_mean(lowering *l, const weft_node *n, vector_layer *v) {
  const weft_tensor *x = &l->graph->tensor[n->in[0]], *y = &l->graph->tensor[n->out[0]];
  if (!spatial_axes(x, &l->graph->tensor[n->in[1]])) return "axes other than height and width";
  if (!view_of(l, n->in[0], &v->a) || !view_of(l, n->out[0], &v->y)) return not_8bit;
  if (v->a.region != 2) return "the operand is a constant";
  v->y.n = v->a.n;
  v->y.h = v->y.w = 1;
  v->y.c = v->a.c;
  v->k = (window){v->a.h, v->a.w, 1, 1, 1, 1, 0, 0};
  int64_t count = (int64_t)v->a.h * v->a.w;
  if (count > 1 << 20) return "more than 2^20 pixels";
  weft_mean_params p = weft_mean_params_of(n->op, x, y, count);
  v->vpool.op = WEFT_VPOOL_MEAN;
  v->vpool.bias = -(int32_t)count * v->a.zp;
  v->vpool.out_zp = v->y.zp;
  set_multiplier(p.m, &v->vpool.o_mult, &v->vpool.o_shift);
  set_codes(p.clamp, y, &v->vpool.clamp_min, &v->vpool.clamp_max);
  return finish_window(l, v);
}

static void exponents(const weft_softmax_params *p, uint8_t *out) {
  for (int d = 0; d < 256; d++, out += 4) {
    int32_t e = 0;
    if (-d >= p->diff_min)
      e = weft_fixed_exp(weft_high_mul(weft_wrap_shl(-d, p->m.shift), p->m.multiplier), 5);
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)((uint32_t)e >> (8 * i));
  }
}

static const char *describe_softmax(lowering *l, const weft_node *n, vector_layer *v) {
  if (!l->cfg->vec_softmax) return "this configuration has no softmax";
  if (!view_of(l, n->in[0], &v->a) || !view_of(l, n->out[0], &v->y)) return not_8bit;
  if (v->a.region != 2) return "the operand is a constant";
  weft_softmax_params p = weft_softmax_params_of(&n->attr, &l->graph->tensor[n->in[0]]);
  if (p.m.shift < 0) return "beta * scale is too small";
  v->vrow = (weft_insn_VROW){
      .op = WEFT_VROW_SOFTMAX, .out_zp = -128, .clamp_min = -128, .clamp_max = 127};
  v->opcode = WEFT_OP_CODE_VROW;
  v->operands = 1;
  v->cycles_per_word = 3 * beats(l);
  v->table_mem = WEFT_MEM_EXP;
  v->table_bytes = WEFT_EXP_BYTES;
  exponents(&p, v->table);
  return NULL;
}

const char *vector_describe(lowering *l, int node, vector_layer *v) {
  const weft_node *n = &l->graph->node[node];
  memset(v, 0, sizeof *v);
  v->k = (window){1, 1, 1, 1, 1, 1, 0, 0};
  const char *why;
  switch (n->op) {
  case WEFT_OP_ADD:
  case WEFT_OP_SUB:
  case WEFT_OP_MUL:
  case WEFT_OP_MINIMUM:
  case WEFT_OP_MAXIMUM: why = describe_elementwise(l, n, v); break;
  case WEFT_OP_AVERAGE_POOL_2D:
  case WEFT_OP_MAX_POOL_2D: why = describe_pool(l, n, v); break;
  case WEFT_OP_MEAN: why = describe_mean(l, n, v); break;
  case WEFT_OP_SOFTMAX: why = describe_softmax(l, n, v); break;
  default: why = describe_table(l, node, v); break;
  }
  if (why) return why;
  return dma_reaches(&v->a) && dma_reaches(&v->y) ? NULL : "the tensor is too large for the DMA";
}

void vector_account(lowering *l, const vector_layer *v) {
  uint64_t words = (uint64_t)v->y.n * v->y.h * v->y.w * ceil_div(v->y.c, l->w);
  account(l, BOUND_VEC, words * v->cycles_per_word, 0);
  l->prog->layer[l->layer].unit = WEFT_UNIT_VEC;
}

void vector_load_table(lowering *l, vector_layer *v) {
  if (!v->table_bytes) return;
  bool lut = v->table_mem == WEFT_MEM_LUT;
  uint32_t slot = ring_take(lut ? &l->luts : &l->exps, 1);
  emit_flat_load(l, v->table_mem, lut ? SPACE_LUT : SPACE_EXP, slot, 1,
                 emit_constants(l, v->table, v->table_bytes), v->table_bytes);
  if (lut)
    v->vew.lut_slot = slot;
  else
    v->vrow.exp_slot = slot;
}

emitted *vector_emit(lowering *l, const vector_layer *v, const tile *t, weft_operand a,
                     weft_operand b, weft_operand o, uint32_t c, uint32_t n) {
  emitted *e = emit(l, v->opcode);
  uint32_t words = ceil_div(n, l->w);
  if (v->opcode == WEFT_OP_CODE_VEW) {
    weft_insn_VEW *in = &e->insn.VEW;
    *in = v->vew;
    WEFT_SET_OPERAND(*in, a, a);
    WEFT_SET_OPERAND(*in, b, b);
    WEFT_SET_OPERAND(*in, o, o);
    in->out_h = t->h;
    in->out_w = t->w;
    in->c_words = words;
    if (in->lut_en) emit_access(e, SPACE_LUT, false, in->lut_slot, 1);
  } else if (v->opcode == WEFT_OP_CODE_VPOOL) {
    weft_insn_VPOOL *in = &e->insn.VPOOL;
    *in = v->vpool;
    WEFT_SET_OPERAND(*in, a, a);
    WEFT_SET_OPERAND(*in, o, o);
    in->in_h = t->ih;
    in->in_w = t->iw;
    in->pad_top = t->pad_top;
    in->pad_left = t->pad_left;
    in->kh = v->k.kh;
    in->kw = v->k.kw;
    in->stride_y = v->k.sy;
    in->stride_x = v->k.sx;
    in->out_h = t->h;
    in->out_w = t->w;
    in->c_words = words;
  } else {
    weft_insn_VROW *in = &e->insn.VROW;
    *in = v->vrow;
    WEFT_SET_OPERAND(*in, a, a);
    WEFT_SET_OPERAND(*in, o, o);
    in->out_h = t->h;
    in->out_w = t->w;
    in->channels = n;
    emit_access(e, SPACE_EXP, false, in->exp_slot, 1);
  }
  set_result(e, &v->y, t->n, t->y, t->x, t->h, t->w, c, n, v->y.uint8);
  return e;
}

/* --- a layer by itself, tile by tile ---------------------------------------------------------- */
typedef struct {
  lowering *l;
  vector_layer v;
  uint32_t words; /* channel words of a tile */
  buffer b;       /* broadcast operand: loaded once per channel slice */
  ring b_room;    /* its own words, which no later tile overtakes */
  uint32_t b_channel;
} vec_state;

static bool fits(void *user, uint32_t th, uint32_t tw) {
  const vec_state *s = user;
  const window *k = &s->v.k;
  uint32_t ih = (th - 1) * k->sy + k->kh, iw = (tw - 1) * k->sx + k->kw;
  if (ih > s->v.a.h) ih = s->v.a.h;
  if (iw > s->v.a.w) iw = s->v.a.w;
  uint64_t in = (uint64_t)ih * iw * s->words, out = (uint64_t)th * tw * s->words;
  if (in > 65535 || out > 65535 || s->words > 4095) return false;
  return 2 * in * s->v.operands <= weft_spad_words(s->l->cfg) / 2 &&
         2 * out <= weft_spad_words(s->l->cfg) / 2;
}

static void one_tile(vec_state *s, const tile *t, uint32_t c, uint32_t n) {
  lowering *l = s->l;
  const vector_layer *v = &s->v;
  buffer a = load_tile(l, &v->a, t->n, t->iy, t->ix, t->ih, t->iw, c, n), b = a;
  weft_operand ob = {.ring_rows = 1};
  if (v->broadcast) {
    if (!s->b.words || s->b_channel != c) {
      ring in = l->in;
      l->in = s->b_room;
      s->b = load_tile(l, &v->b, 0, 0, 0, 1, 1, c, n);
      l->in = in;
    }
    s->b_channel = c;
    b = s->b;
    ob = (weft_operand){b.base, 0, 0, 1, 0};
  } else if (v->operands == 2) {
    b = load_tile(l, &v->b, t->n, t->y, t->x, t->h, t->w, c, n);
    ob = operand_of(&b);
  }
  buffer out = result_buffer(l, t->h, t->w, n);
  emitted *e = vector_emit(l, v, t, operand_of(&a), ob, operand_of(&out), c, n);
  touch_buffer(e, &a, false);
  if (v->operands == 2) touch_buffer(e, &b, false);
  touch_buffer(e, &out, true);
  store_tile(l, &v->y, &out, t->n, t->y, t->x, c, n);
}

/* Appends the constant operand; a scalar as one value per channel. */
static void place_constant(lowering *l, vector_layer *v) {
  const weft_tensor *t = &l->graph->tensor[v->b.tensor];
  if (!v->scalar) {
    v->b.offset = emit_constants(l, t->data, weft_tensor_bytes(t));
    return;
  }
  uint8_t *same = malloc(v->b.c);
  if (!same) abort();
  memset(same, *(const uint8_t *)t->data, v->b.c);
  v->b.offset = emit_constants(l, same, v->b.c);
  free(same);
}

const char *lower_vector(lowering *l, int node) {
  vec_state s = {.l = l};
  uint32_t th, tw;
  const char *why = vector_describe(l, node, &s.v);
  if (why) return why;
  const view *y = &s.v.y;
  s.words = ceil_div(s.v.a.c, l->w);
  while (!choose_tile(y->h, y->w, fits, &s, &th, &tw)) {
    if (s.v.opcode == WEFT_OP_CODE_VROW || s.words == 1) return too_large;
    s.words = ceil_div(s.words, 2);
  }
  if (s.v.b.region == 1) place_constant(l, &s.v);
  vector_load_table(l, &s.v);
  split_scratchpad(l);
  if (s.v.broadcast) {
    l->in.size -= s.words;
    s.b_room = (ring){l->in.base + l->in.size, s.words, 0};
  }
  uint32_t slice = s.words * l->w;
  for (uint32_t c = 0; c < y->c; c += slice)
    for (uint32_t n = 0; n < y->n; n++)
      for (uint32_t r = 0; r < y->h; r += th)
        for (uint32_t x = 0; x < y->w; x += tw) {
          uint32_t h = y->h - r < th ? y->h - r : th, w = y->w - x < tw ? y->w - x : tw;
          tile t = tile_at(&s.v.a, &s.v.k, n, r, x, h, w);
          one_tile(&s, &t, c, y->c - c < slice ? y->c - c : slice);
        }
  vector_account(l, &s.v);
  return NULL;
}
