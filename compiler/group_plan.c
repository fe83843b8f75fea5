/* Is a run of nodes a group, and do its buffers fit? */
#include <stdlib.h>
#include <string.h>

#include "group.h"

static uint32_t min2(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}
static uint32_t max2(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

/* --- buffers ---------------------------------------------------------------------------------- */
static const resident *find_resident(const residency *r, int tensor) {
  for (int i = 0; i < r->n_residents; i++)
    if (r->resident[i].b.tensor == tensor) return &r->resident[i];
  return NULL;
}

/* The group's buffer of a tensor, seen with the given shape; -1 when it cannot be had. */
static int input_buffer(const residency *r, group *g, const view *v) {
  int tensor = g->l->owner[v->tensor];
  for (int i = 0; i < g->n_buffers; i++) {
    const group_buffer *b = &g->buffer[i];
    if (b->tensor == tensor) return b->h == v->h && b->w == v->w && b->v.c == v->c ? i : -1;
  }
  const resident *x = find_resident(r, tensor);
  group_buffer *b = &g->buffer[g->n_buffers];
  if (x) {
    if (x->b.h != v->h || x->b.w != v->w || x->b.v.c != v->c) return -1;
    *b = x->b;
    b->source = RESIDENT;
    b->store = false;
  } else {
    *b = (group_buffer){.source = BY_LOAD, .tensor = tensor, .v = *v, .h = v->h, .w = v->w};
    b->words = ceil_div(v->c, g->l->w);
  }
  return g->n_buffers++;
}

static int window_buffer(group *g, int stage, const conv *v) {
  group_buffer *b = &g->buffer[g->n_buffers];
  *b = (group_buffer){
      .source = BY_WINDOWS, .stage = stage, .tensor = -1, .v = v->x, .h = v->y.h, .w = v->y.w};
  b->words = ceil_div(conv_channels(v), g->l->w);
  return g->n_buffers++;
}

static int output_buffer(group *g, int stage, const view *v) {
  group_buffer *b = &g->buffer[g->n_buffers];
  *b = (group_buffer){.source = BY_STAGE,
                      .stage = stage,
                      .tensor = g->l->owner[v->tensor],
                      .v = *v,
                      .h = v->h,
                      .w = v->w};
  b->words = ceil_div(v->c, g->l->w);
  return g->n_buffers++;
}

/* --- stages ----------------------------------------------------------------------------------- */
/* True when the tensor is in DRAM for the whole of the group: LOAD can pack windows of it. */
static bool in_dram(const residency *r, const group *g, const view *v) {
  int tensor = g->l->owner[v->tensor];
  for (int i = 0; i < g->n_buffers; i++)
    if (g->buffer[i].tensor == tensor && g->buffer[i].source == BY_STAGE) return false;
  return !find_resident(r, tensor);
}

static bool add_conv(const residency *r, group *g, int i, group_stage *s) {
  lowering *l = g->l;
  conv *v = &s->v;
  if (!in_dram(r, g, &v->x)) v->packed = false;
  uint64_t rows = conv_most_rows(v, l);
  uint32_t capacity = weft_weight_rows(l->cfg);
  s->kind = STAGE_CONV;
  if (v->x.n != 1 || v->y.n != 1) return false;
  if (!g->form.by_channels && rows > (uint64_t)capacity * l->how.weight_share / 16) return false;
  if (v->packed && g->form.by_channels) return false;
  if (!g->form.by_channels && !v->packed && v->y.h * v->y.w <= l->how.small) return false;
  s->k = v->packed ? (window){1, 1, 1, 1, 1, 1, 0, 0} : v->k;
  s->in[0] = v->packed ? window_buffer(g, i, v) : input_buffer(r, g, &v->x);
  s->out = output_buffer(g, i, &v->y);
  s->h = v->y.h;
  return s->in[0] >= 0;
}

static bool add_stage(residency *r, group *g, int node) {
  lowering *l = g->l;
  const weft_node *n = &l->graph->node[node];
  group_stage *s = &g->stage[g->n_stages];
  if (g->n_stages == GROUP_STAGES || g->n_buffers + 3 > GROUP_BUFFERS) return false;
  memset(s, 0, sizeof *s);
  s->node = node;
  s->n_in = 1;
  int i = g->n_stages++;
  bool conv_like = n->op == WEFT_OP_CONV_2D || n->op == WEFT_OP_FULLY_CONNECTED;
  if (n->op == WEFT_OP_DEPTHWISE_CONV_2D) {
    if (!depthwise_describe(l, node, &s->v) && s->v.x.n == 1) {
      s->kind = STAGE_DW;
      s->k = s->v.k;
      s->in[0] = input_buffer(r, g, &s->v.x);
      s->out = output_buffer(g, i, &s->v.y);
      s->h = s->v.y.h;
      return s->in[0] >= 0;
    }
    conv_like = true;
  }
  if (conv_like) return !conv_describe(l, node, &s->v) && add_conv(r, g, i, s);
  if (!on_vector_unit(l->graph, n) || vector_describe(l, node, &s->vec)) return false;
  const vector_layer *v = &s->vec;
  if (v->y.n != 1 || v->a.n != 1 || v->broadcast || (v->operands == 2 && v->b.region != 2))
    return false;
  s->kind = STAGE_VECTOR;
  s->k = v->k;
  s->in[0] = input_buffer(r, g, &v->a);
  s->n_in = (int)v->operands;
  s->in[1] = v->operands == 2 ? input_buffer(r, g, &v->b) : -1;
  s->out = output_buffer(g, i, &v->y);
  s->h = v->y.h;
  return s->in[0] >= 0 && (v->operands == 1 || s->in[1] >= 0);
}

static const view *output_view(const group_stage *s) {
  return s->kind == STAGE_VECTOR ? &s->vec.y : &s->v.y;
}

/* --- strips -------------------------------------------------------------------------------------
 */
static void need_columns(group_buffer *b, uint32_t from, uint32_t to) {
  uint32_t end = max2(b->x + b->strip, to);
  if (!b->strip || from < b->x) b->x = from;
  b->strip = end - b->x;
}

/* From the last stage's columns back to what every buffer must hold. What windows leave out between
 * strips and at the right end (strides can) is computed as well. */
void group_set_strip(group *g, uint32_t i) {
  for (int k = 0; k < g->n_buffers; k++) {
    group_buffer *b = &g->buffer[k];
    b->covered = i ? b->x + b->strip : 0;
    b->x = b->strip = 0;
  }
  for (int k = g->n_stages - 1; k >= 0; k--) {
    const group_stage *s = &g->stage[k];
    group_buffer *out = &g->buffer[s->out];
    if (!out->strip)
      need_columns(out, out->w * i / g->form.strips, out->w * (i + 1) / g->form.strips);
    if (out->x > out->covered) need_columns(out, out->covered, out->x);
    if (i + 1 == g->form.strips) need_columns(out, out->w - 1, out->w);
    for (int j = 0; j < s->n_in; j++) {
      group_buffer *b = &g->buffer[s->in[j]];
      view v = b->v;
      v.h = b->h;
      v.w = b->w;
      tile t = tile_at(&v, &s->k, 0, 0, out->x, 1, out->strip);
      need_columns(b, t.ix, t.ix + t.iw);
    }
  }
  for (int k = 0; k < g->n_buffers; k++)
    if (g->buffer[k].source == RESIDENT || g->form.strips == 1) {
      g->buffer[k].x = 0;
      g->buffer[k].strip = g->buffer[k].w;
    }
}

static void choose_widths(group *g) {
  for (int k = 0; k < g->n_buffers; k++)
    g->buffer[k].width = g->buffer[k].source == RESIDENT ? g->buffer[k].w : 1;
  for (uint32_t i = 0; i < g->form.strips; i++) {
    group_set_strip(g, i);
    for (int k = 0; k < g->n_buffers; k++)
      g->buffer[k].width = max2(g->buffer[k].width, g->buffer[k].strip);
  }
}

/* --- rows ----------------------------------------------------------------------------------------
 */
/* Cycles that one output row takes in the stage's unit, about. */
static uint64_t row_cycles(const group *g, const group_stage *s) {
  const lowering *l = g->l;
  const view *y = output_view(s);
  uint64_t w = g->buffer[s->out].width;
  if (s->kind == STAGE_CONV)
    return w * conv_taps(&s->v) * ceil_div(conv_channels(&s->v), l->r) * ceil_div(y->c, l->c);
  if (s->kind == STAGE_DW)
    return w * ceil_div(y->c, l->w) * s->k.kh * max2(ceil_div(s->k.kw, l->cfg->dw_taps), s->k.sx);
  return w * ceil_div(y->c, l->w) * s->vec.cycles_per_word;
}

/* Output rows per step: enough pixels that an instruction's overhead does not show, few enough for
 * the accumulators. */
static bool choose_rows(group *g) {
  uint32_t most = weft_acc_rows(g->l->cfg);
  for (int i = 0; i < g->n_stages; i++) {
    group_stage *s = &g->stage[i];
    uint32_t w = g->buffer[s->out].width;
    const strategy *how = &g->l->how;
    uint32_t rows = ceil_div(g->l->cfg->rows * how->pixels, w);
    rows = max2(rows, (uint32_t)(how->cycles / max2(1, (uint32_t)row_cycles(g, s))));
    s->rows = g->form.by_channels ? s->h : min2(s->h, rows);
    if (w > 4095 || s->h > 4095) return false;
    if (s->kind != STAGE_CONV) continue;
    if (w > most) return false;
    s->rows = max2(1, min2(s->rows, most / w));
  }
  return true;
}

/* Rows of input `k` that output rows [y, y + h) of a stage read. */
static void input_rows(const group *g, const group_stage *s, int k, uint32_t y, uint32_t h,
                       uint32_t *from, uint32_t *to) {
  const group_buffer *b = &g->buffer[s->in[k]];
  int64_t lo = (int64_t)y * s->k.sy - s->k.pad_top;
  int64_t hi = lo + (int64_t)(h - 1) * s->k.sy + (int64_t)(s->k.kh - 1) * s->k.dy + 1;
  *from = lo < 0 ? 0 : min2((uint32_t)lo, b->h - 1);
  *to = hi < 1 ? 1 : hi > b->h ? b->h : (uint32_t)hi;
}

/* --- how many rows each ring must hold: the order of the data, without instructions ----------- */
static void note_need(group *g) {
  for (int i = 0; i < g->n_buffers; i++) {
    group_buffer *b = &g->buffer[i];
    uint32_t lowest = b->produced;
    for (int k = 0; k < g->n_stages; k++) {
      const group_stage *s = &g->stage[k];
      for (int j = 0; j < s->n_in; j++) {
        if (s->in[j] != i || s->next >= s->h) continue;
        uint32_t from, to;
        input_rows(g, s, j, s->next, min2(s->rows, s->h - s->next), &from, &to);
        lowest = min2(lowest, from);
      }
    }
    b->need = max2(b->need, b->produced - lowest);
  }
}

static void walk(group *g, int buffer, uint32_t upto) {
  group_buffer *b = &g->buffer[buffer];
  while (b->produced < upto) {
    if (b->source != BY_STAGE) {
      b->produced = b->source == RESIDENT ? b->h : min2(b->h, max2(upto, b->produced + 1));
      note_need(g);
      return;
    }
    group_stage *s = &g->stage[b->stage];
    uint32_t h = min2(s->rows, s->h - s->next), from, to;
    for (int k = 0; k < s->n_in; k++) {
      input_rows(g, s, k, s->next, h, &from, &to);
      walk(g, s->in[k], to);
    }
    b->produced = s->next + h;
    note_need(g);
    s->next += h;
  }
}

/* Rows that a buffer should hold beyond its need, so that its producer can run ahead. */
static uint32_t slack(const group *g, const group_buffer *b) {
  const strategy *how = &g->l->how;
  if (b->source == BY_STAGE) return how->ahead * g->stage[b->stage].rows;
  return how->ahead * max2(1, ceil_div(g->l->cfg->rows * how->pixels, b->width));
}

static void measure(group *g) {
  walk(g, g->stage[g->n_stages - 1].out, g->stage[g->n_stages - 1].h);
  for (int i = 0; i < g->n_stages; i++) walk(g, g->stage[i].out, g->stage[i].h);
  for (int i = 0; i < g->n_stages; i++) g->stage[i].next = 0;
  for (int i = 0; i < g->n_buffers; i++) {
    group_buffer *b = &g->buffer[i];
    b->produced = 0;
    if (b->source != RESIDENT) b->ring = min2(b->h, max2(1, b->need) + slack(g, b));
  }
}

/* --- what leaves the group -------------------------------------------------------------------- */
static bool is_output(const lowering *l, int owner) {
  for (int i = 0; i < l->graph->n_outputs; i++)
    if (l->owner[l->graph->output[i]] == owner) return true;
  return false;
}

/* Tensors that later nodes read stay whole in the scratchpad if they are small, and go to DRAM
 * otherwise; every tensor but the last stage's must be used up inside, or be one of those. */
static void choose_outputs(const residency *r, group *g) {
  uint32_t bank = weft_bank_words(g->l->cfg);
  for (int i = 0; i < g->n_buffers; i++) {
    group_buffer *b = &g->buffer[i];
    if (b->source != BY_STAGE) continue;
    bool later = r->last_use[b->tensor] >= g->end;
    if (is_output(g->l, b->tensor)) b->store = true;
    if (!later) continue;
    uint64_t banks = ((uint64_t)b->h * b->w * b->words + bank - 1) / bank;
    bool whole = b->ring == b->h && b->width == b->w;
    bool small = banks * 8 <= (uint64_t)g->l->cfg->scratchpad_banks * g->l->how.stay_share;
    b->stays = !b->slots && (whole || small);
    if (b->stays) {
      b->ring = b->h;
      b->width = b->w;
    } else {
      b->store = true;
    }
  }
}

/* --- banks ------------------------------------------------------------------------------------ */
static bool take_banks(const residency *r, uint64_t *used, uint32_t *next, uint32_t n,
                       uint32_t *first) {
  uint32_t banks = r->l->cfg->scratchpad_banks;
  for (uint32_t pass = 0; pass < banks; pass++) {
    uint32_t at = (*next + pass) % banks;
    if (at + n > banks || (*used & bank_mask(at, n))) continue;
    *used |= bank_mask(at, n);
    *first = at;
    *next = (at + n) % banks;
    return true;
  }
  return false;
}

static bool place(residency *r, group *g) {
  uint32_t bank = weft_bank_words(g->l->cfg), next = r->next_bank;
  uint64_t used = r->used_banks;
  for (int i = 0; i < g->n_buffers; i++) {
    group_buffer *b = &g->buffer[i];
    if (b->source == RESIDENT) continue;
    uint64_t words =
        b->slots ? (uint64_t)b->slots * b->slot_words : (uint64_t)b->ring * row_words(b);
    uint64_t banks = (words + bank - 1) / bank;
    if (banks > r->l->cfg->scratchpad_banks || row_words(b) > 65535 || b->words > 4095)
      return false;
    if (!take_banks(r, &used, &next, (uint32_t)banks, &b->bank)) return false;
    b->banks = (uint32_t)banks;
    b->base = b->bank * bank;
    if (!b->slots) b->ring = (uint32_t)min2((uint32_t)(banks * bank / row_words(b)), b->h);
    if (b->slots) b->slots = (uint32_t)(banks * bank / b->slot_words);
  }
  r->next_bank = next;
  return true;
}

/* --- weights and parameters ------------------------------------------------------------------- */
static bool buffers_hold(const group *g) {
  const lowering *l = g->l;
  uint64_t rows = 0, params = 0, dw = 0;
  uint32_t tables[2] = {0}; /* all of a group's are on the chip at once */
  for (int i = 0; i < g->n_stages; i++) {
    const group_stage *s = &g->stage[i];
    if (s->kind == STAGE_VECTOR && s->vec.table_bytes) tables[s->vec.table_mem == WEFT_MEM_EXP]++;
    if (s->kind == STAGE_CONV) {
      rows += conv_most_rows(&s->v, l);
      params += ceil_div(s->v.y.c, l->c);
    } else if (s->kind == STAGE_DW) {
      dw += (uint64_t)ceil_div(s->v.y.c, l->w) * depthwise_block(&s->v);
    }
  }
  if (dw > weft_dwbuf_words(l->cfg) && !g->dw_streams) return false;
  if (tables[0] > l->cfg->lut_slots || tables[1] > l->cfg->exp_slots) return false;
  if (g->form.by_channels) return true;
  uint32_t capacity = weft_weight_rows(l->cfg);
  return rows <= (uint64_t)capacity * l->how.weight_share / 8 &&
         params <= weft_param_blocks(l->cfg) * 3 / 4;
}

/* A column block of the chain's convolution leaves room in the weight buffer for the next ones. */
static bool chunks_fit(const group *g) {
  const lowering *l = g->l;
  const group_stage *s = &g->stage[0];
  if (s->kind != STAGE_CONV) return true;
  return conv_column_rows(&s->v, l) * conv_components(&s->v) <= weft_weight_rows(l->cfg) / 3 &&
         l->c == l->w;
}

/* How many operands of the group's stages a buffer is. */
static int readers(const group *g, int buffer) {
  int n = 0;
  for (int k = 0; k < g->n_stages; k++)
    for (int j = 0; j < g->stage[k].n_in; j++) n += g->stage[k].in[j] == buffer;
  return n;
}

/* A chain in which each stage's result feeds only the next one and channels stay apart. */
static bool is_channel_chain(const residency *r, const group *g) {
  for (int i = 0; i < g->n_stages; i++) {
    const group_stage *s = &g->stage[i];
    if (i && s->kind == STAGE_CONV && !s->sums) return false;
    if (s->kind == STAGE_VECTOR && s->vec.opcode == WEFT_OP_CODE_VROW && g->n_stages > 1)
      return false;
    if (i + 1 == g->n_stages) return true;
    const group_buffer *b = &g->buffer[s->out];
    const group_stage *n = &g->stage[i + 1];
    if (readers(g, s->out) != 1 || (n->in[0] != s->out && (n->n_in < 2 || n->in[1] != s->out)) ||
        r->last_use[b->tensor] >= g->end)
      return false;
  }
  return false;
}

/* How many channels go through the chain at once, and what follows from that. */
static void choose_chunks(group *g) {
  const lowering *l = g->l;
  const group_stage *s = &g->stage[0], *last = &g->stage[g->n_stages - 1];
  uint32_t blocks = ceil_div(output_view(s)->c, l->c), words = ceil_div(output_view(s)->c, l->w);
  uint32_t dw = weft_dwbuf_words(l->cfg), used = 0, block = 0;
  for (int i = 0; i < g->n_stages; i++)
    if (g->stage[i].kind == STAGE_DW) {
      used += words * depthwise_block(&g->stage[i].v);
      block = max2(block, depthwise_block(&g->stage[i].v));
    }
  g->dw_streams = used > dw;
  g->per = words;
  if (s->kind != STAGE_CONV && !last->sums && !g->dw_streams)
    return; /* one pass over all channels */
  g->per = ceil_div(l->how.chunk, s->h * g->buffer[s->out].width);
  if (g->dw_streams) g->per = max2(1, min2(g->per, dw / 2 / block));
  if (s->kind != STAGE_CONV) return;
  uint32_t room = weft_weight_rows(l->cfg) / 4;
  uint32_t column = (uint32_t)(conv_weight_rows(&s->v, l) / blocks);
  g->per = max2(1, min2(g->per, min2(room / column, weft_param_blocks(l->cfg) / 2)));
  g->chunk_rows = g->per * column;
}

/* Chunks of a result may leave when that keeps the tensors between stages from DRAM, and when what
 * the first stage computes twice at the borders of strips takes less time than they would there. */
static bool chunks_may_leave(const group *g) {
  const group_stage *s = &g->stage[0];
  if (s->kind != STAGE_CONV || g->n_stages == 1) return false;
  const group_buffer *b = &g->buffer[s->out];
  uint64_t twice = (uint64_t)g->form.strips * b->width - b->w, saved = 0;
  for (int i = 0; i + 1 < g->n_stages; i++) {
    const group_buffer *between = &g->buffer[g->stage[i].out];
    saved += 2 * (uint64_t)between->h * between->w * between->v.c;
  }
  return twice * s->h * row_cycles(g, s) / b->width <= saved / g->l->cfg->dram_bytes;
}

static void plan_slots(group *g) {
  const group_stage *last = &g->stage[g->n_stages - 1];
  uint32_t words = ceil_div(output_view(&g->stage[0])->c, g->l->w);
  if (g->stage[0].kind != STAGE_CONV && g->per >= words) return; /* one pass over all channels */
  int chunked = g->form.chunks_leave ? g->n_stages : g->n_stages - 1;
  for (int i = 0; i < chunked; i++) {
    group_buffer *b = &g->buffer[g->stage[i].out];
    b->slots = 2;
    b->slot_words = b->h * b->width * g->per;
  }
  /* column blocks without accumulators need everything once more */
  if (last->sums && last->slices.online < ceil_div(last->v.y.c, g->l->c))
    g->buffer[last->in[0]].slots = ceil_div(words, g->per);
}

/* --- sums ---------------------------------------------------------------------------------------
 */
/* The tensor goes on into a layer that keeps channels apart: its convolution had better lead that
 * layer, column block by column block. */
static bool leads_chain(const lowering *l, int tensor, int from) {
  const weft_graph *g = l->graph;
  for (int i = from; i < g->n_nodes; i++) {
    const weft_node *n = &g->node[i];
    bool windows = n->op == WEFT_OP_DEPTHWISE_CONV_2D || n->op == WEFT_OP_AVERAGE_POOL_2D ||
                   n->op == WEFT_OP_MAX_POOL_2D || n->op == WEFT_OP_MEAN;
    if (windows && l->owner[n->in[0]] == tensor) return true;
  }
  return false;
}

/* A convolution at the end of a chain: as many of its column blocks as the accumulators hold beside
 * what the leading convolution works with grow with every chunk of the chain's channels. */
static bool plan_sums(group *g) {
  const lowering *l = g->l;
  const group_stage *first = &g->stage[0];
  group_stage *s = &g->stage[g->n_stages - 1];
  g->work_rows = weft_acc_rows(l->cfg);
  if (!s->sums) return true;
  uint32_t all = g->work_rows, work = 0, m = s->v.y.h * s->v.y.w;
  uint32_t blocks = ceil_div(s->v.y.c, l->c), weights = weft_weight_rows(l->cfg);
  if (first->kind == STAGE_CONV) {
    uint32_t w = first->v.y.w;
    if (!conv_is_dense(&first->v)) return false; /* its chunks would not be alike */
    work = min2(ceil_div(2 * l->r, w), first->v.y.h) * w;
    work = ceil_div(work, ACC_GRAIN) * ACC_GRAIN;
  }
  if (!conv_is_dense(&s->v) || work + m > all) return false;
  conv_slices *c = &s->slices;
  c->online = min2(blocks, (all - work) / m);
  g->work_rows = (all - c->online * m) / ACC_GRAIN * ACC_GRAIN;
  c->k_slice = g->per * (l->w / l->r);
  uint32_t slice = min2(c->k_slice, ceil_div(conv_channels(&s->v), l->r)) * conv_taps(&s->v) * l->r;
  if (slice > weights / 3) return false;
  c->most = min2(max2(1, weights / 4 / slice), weft_param_blocks(l->cfg) / 2);
  /* a chunk stays while the leading convolution's go round in the other part of the buffer */
  c->chunk_rows = weights / 16;
  if (g->chunk_rows) c->chunk_rows = min2(c->chunk_rows, weights / 2 / g->chunk_rows * slice);
  return !leads_chain(l, g->buffer[s->out].tensor, g->end);
}

bool group_plan(residency *r, int first, int end, group_form form, group *g) {
  memset(g, 0, sizeof *g);
  g->l = r->l;
  g->first = first;
  g->end = end;
  g->form = form;
  for (int i = first; i < end; i++) {
    const weft_node *n = &r->l->graph->node[i];
    if (is_view(r->l, n)) continue;
    if (!add_stage(r, g, i)) return false;
  }
  if (!g->n_stages || g->buffer[g->stage[g->n_stages - 1].out].w < 2 * form.strips - 1)
    return false;
  choose_widths(g);
  if (form.by_channels) {
    group_stage *last = &g->stage[g->n_stages - 1];
    last->sums =
        r->l->how.sums && !form.chunks_leave && g->n_stages > 1 && last->kind == STAGE_CONV;
    choose_chunks(g);
  }
  if (!choose_rows(g) || !buffers_hold(g)) return false;
  if (form.by_channels && (!is_channel_chain(r, g) || !chunks_fit(g) || !plan_sums(g)))
    return false;
  if (form.chunks_leave && !chunks_may_leave(g)) return false;
  /* in a group streamed by rows everything must lead to the last stage */
  for (int i = 0; i + 1 < g->n_stages && !form.by_channels; i++)
    if (!readers(g, g->stage[i].out)) return false;
  measure(g);
  if (form.by_channels) {
    for (int i = 0; i < g->n_buffers; i++)
      if (g->buffer[i].source != RESIDENT) g->buffer[i].ring = g->buffer[i].h;
    plan_slots(g);
  }
  choose_outputs(r, g);
  return place(r, g);
}

void group_free(group *g) {
  for (int i = 0; i < g->n_stages; i++) {
    free(g->stage[i].chunks);
    free(g->stage[i].pieces);
    free(g->stage[i].weights_at);
    free(g->stage[i].params_at);
  }
}
