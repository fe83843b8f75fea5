/* The instructions of a group, in the order of the data; schedule.c makes the units overlap. */
#include <stdlib.h>

#include "group.h"

static uint32_t min2(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* --- operands --------------------------------------------------------------------------------- */
static weft_operand rows_at(const group_buffer *b, uint32_t y) {
  return (weft_operand){b->base, row_words(b), b->words, b->ring, y % b->ring};
}

static void touch_rows(emitted *e, const group_buffer *b, uint32_t y, uint32_t h, bool write) {
  uint32_t row = row_words(b), at = y % b->ring, n = min2(h, b->ring - at);
  emit_access(e, SPACE_SPAD, write, b->base + at * row, (uint64_t)n * row);
  if (h > n) emit_access(e, SPACE_SPAD, write, b->base, (uint64_t)(h - n) * row);
}

/* What a stage reads or writes: rows of a tensor's ring, or a chunk of channels of the whole. */
typedef struct {
  const group_buffer *b;
  uint32_t y, h, x;    /* rows; first column */
  uint32_t slot, word; /* chunk buffer; first channel word */
  uint32_t words;      /* chunk buffers: words per pixel */
} portion;

static weft_operand operand(const portion *p) {
  weft_operand o = rows_at(p->b, p->y);
  if (p->b->slots) {
    uint32_t base = p->b->base + p->slot % p->b->slots * p->b->slot_words;
    base += p->word + (p->x - origin(p->b)) * p->words;
    return (weft_operand){base, p->b->width * p->words, p->words, p->b->h, 0};
  }
  o.base += p->word + (p->x - origin(p->b)) * p->b->words;
  return o;
}

static void touch(emitted *e, const portion *p, bool write) {
  if (p->b->slots)
    emit_access(e, SPACE_SPAD, write, p->b->base + p->slot % p->b->slots * p->b->slot_words,
                p->b->slot_words);
  else
    touch_rows(e, p->b, p->y, p->h, write);
}

/* --- DRAM --------------------------------------------------------------------------------------
 */
/* The strip's columns of rows [y, y + h), n channels of them: where they begin in DRAM after their
 * first channel, and how far they reach. */
static uint64_t strip_bytes(const group_buffer *b, uint32_t y, uint32_t h, uint32_t n,
                            uint64_t *reach) {
  const view *v = &b->v;
  uint64_t row = (uint64_t)v->w * v->c;
  *reach = (h - 1) * row + (uint64_t)(b->strip - 1) * v->c + n;
  return y * row + (uint64_t)b->x * v->c;
}

static weft_operand strip_at(const group_buffer *b, uint32_t y) {
  portion p = {.b = b, .y = y, .x = b->x};
  return operand(&p);
}

static void load_rows(group *g, group_buffer *b, uint32_t y, uint32_t h) {
  lowering *l = g->l;
  const view *v = &b->v;
  emitted *e = emit(l, WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &e->insn.LOAD;
  uint64_t reach, from = strip_bytes(b, y, h, v->c, &reach);
  weft_operand o = strip_at(b, y);
  in->dst = WEFT_MEM_SPAD;
  in->region = v->region;
  in->offset = (uint32_t)(v->offset + from);
  in->rows = h;
  in->pixels = b->strip;
  in->pix_bytes = v->c;
  in->d_row_stride = h > 1 ? v->w * v->c : 0;
  in->d_pix_stride = v->c;
  in->row_bytes = b->strip * v->c;
  in->fill = 1;
  in->flip = v->uint8;
  WEFT_SET_OPERAND(*in, o, o);
  touch_rows(e, b, y, h, true);
  emit_access(e, SPACE_ARENA, false, v->offset + from, reach);
  l->dram_bytes += (uint64_t)h * in->row_bytes;
}

/* STOREs channels [c, c + n) of the strip's columns of a portion. */
static void store_portion(lowering *l, const portion *p, uint32_t c, uint32_t n) {
  const group_buffer *b = p->b;
  const view *v = &b->v;
  emitted *e = emit(l, WEFT_OP_CODE_STORE);
  weft_insn_STORE *in = &e->insn.STORE;
  uint64_t reach, from = strip_bytes(b, p->y, p->h, n, &reach) + c;
  weft_operand a = operand(p);
  in->region = v->region;
  in->offset = (uint32_t)(v->offset + from);
  in->rows = p->h;
  in->pixels = b->strip;
  in->pix_bytes = n;
  in->d_row_stride = p->h > 1 ? v->w * v->c : 0;
  in->d_pix_stride = v->c;
  in->flip = v->uint8;
  WEFT_SET_OPERAND(*in, a, a);
  touch(e, p, false);
  emit_access(e, SPACE_ARENA, true, v->offset + from, reach);
  set_result(e, v, 0, p->y, b->x, p->h, b->strip, c, n, false);
  l->dram_bytes += (uint64_t)p->h * b->strip * n;
}

void store_buffer_rows(lowering *l, const group_buffer *b, uint32_t y, uint32_t h) {
  portion p = {.b = b, .y = y, .h = h, .x = b->x};
  store_portion(l, &p, 0, b->v.c);
}

/* A chunk buffer with channels from channel word `word` on. */
static void store_chunk(lowering *l, const portion *p, uint32_t word) {
  uint32_t c = word * l->w;
  store_portion(l, p, c, min2(p->words * l->w, p->b->v.c - c));
}

static weft_operand window_rows(void *user, uint32_t y) {
  return strip_at(user, y);
}

static void touch_window_rows(emitted *e, void *user, uint32_t y, uint32_t h) {
  touch_rows(e, user, y, h, true);
}

static void load_windows(group *g, group_buffer *b, uint32_t y, uint32_t h) {
  const conv *v = &g->stage[b->stage].v;
  tile t = {.y = y, .h = h, .x = b->x, .w = b->strip};
  windows_load(g->l, v, &t, window_rows, touch_window_rows, b);
}

/* --- convolutions ----------------------------------------------------------------------------- */
/* The strip's columns of output rows [y, y + h), and what they need of an input. */
static tile rows_tile(const group *g, const group_stage *s, int input, uint32_t y, uint32_t h) {
  const group_buffer *b = &g->buffer[s->in[input]], *out = &g->buffer[s->out];
  view v = b->v;
  v.h = b->h;
  v.w = b->w;
  return tile_at(&v, &s->k, 0, y, out->x, h, out->strip);
}

static void load_chunk(group *g, group_stage *s, int i) {
  lowering *l = g->l;
  const chunk *c = &s->chunks[i];
  uint32_t rows = c->rows;
  /* streamed chunks must not seem to touch each other's rows */
  if (g->form.by_channels) rows = ceil_div(rows, WEIGHT_GRAIN) * WEIGHT_GRAIN;
  s->weights_at[i] = (int)ring_take(&l->weights, rows);
  emit_flat_load(l, WEFT_MEM_WEIGHT, SPACE_WEIGHT, (uint32_t)s->weights_at[i], c->rows, c->offset,
                 (size_t)c->rows * l->c);
}

/* Parameters of chunk i on the chip: of all chunks at once where they fit well. */
static void load_params(group *g, group_stage *s, int i) {
  lowering *l = g->l;
  uint32_t blocks = ceil_div(s->v.y.c, l->c), first = s->chunks[i].nb, n = s->chunks[i].n_count;
  if (2 * blocks <= l->params.size && !s->sums) { /* sums need them at their end only */
    if (i) return;
    first = 0;
    n = blocks;
  }
  uint32_t at = ring_take(&l->params, n);
  emit_flat_load(l, WEFT_MEM_PARAM, SPACE_PARAM, at, n, s->chunks[i].param_offset,
                 (size_t)n * l->c * WEFT_PARAM_BYTES);
  for (int k = i; k < (n == blocks ? s->n_chunks : i + 1); k++)
    s->params_at[k] = (int)(at + s->chunks[k].nb - first);
}

static void emit_piece(group *g, const group_stage *s, int i, const piece *p, const tile *t,
                       const portion *out, uint32_t out_nb) {
  const group_buffer *x = &g->buffer[s->in[0]];
  portion in = {.b = x, .y = t->iy, .h = t->ih, .x = t->ix};
  gemm_place at = {.in = operand(&in),
                   .in_w = t->iw,
                   .weights_row = (uint32_t)s->weights_at[i],
                   .params_block = (uint32_t)s->params_at[i],
                   .chunk_nb = s->chunks[i].nb,
                   .out = operand(out),
                   .nb = out_nb};
  emitted *e = gemm_emit(g->l, &s->v, &at, p, t);
  touch_rows(e, x, t->iy, t->ih, false);
  if (p->last) touch(e, out, true);
}

/* --- stages ----------------------------------------------------------------------------------- */
/* A ring of memory must hold what the whole group takes from it without overtaking itself. */
static void reserve(ring *r, uint64_t n) {
  if (r->next + n > r->size) r->next = 0;
}

static void build_weights(group *g, group_stage *s) {
  lowering *l = g->l;
  conv_plan plan = {.k_slice = ceil_div(conv_channels(&s->v), l->r)};
  plan.chunk_rows = weft_weight_rows(l->cfg);
  if (g->form.by_channels) plan.chunk_rows = g->chunk_rows;
  if (s->sums)
    s->n_chunks = conv_build_slices(&s->v, l, &s->slices, &s->chunks, &s->pieces);
  else
    s->n_chunks = conv_build_chunks(&s->v, l, &plan, &s->chunks, &s->pieces);
  s->weights_at = malloc((size_t)s->n_chunks * sizeof(int));
  s->params_at = malloc((size_t)s->n_chunks * sizeof(int));
  if (!s->weights_at || !s->params_at) abort();
}

/* Parameters and taps of channel words [word, word + words) on the chip. */
static void load_depthwise(lowering *l, group_stage *s, uint32_t word, uint32_t words) {
  uint32_t block = depthwise_block(&s->v), n = words * block;
  s->dw_at = ring_take(&l->dwbuf, n);
  s->dw_word = word;
  emit_flat_load(l, WEFT_MEM_DWBUF, SPACE_DWBUF, s->dw_at, n,
                 s->dw_constants + (uint64_t)word * block * l->w, (size_t)n * l->w);
}

/* Constants, tables and, unless they are streamed, weights on the chip; once per stage. */
static void prepare(group *g, group_stage *s) {
  lowering *l = g->l;
  if (s->prepared) return;
  s->prepared = true;
  if (s->kind == STAGE_CONV) {
    build_weights(g, s);
    for (int i = 0; i < s->n_chunks && !g->form.by_channels; i++) {
      load_chunk(g, s, i);
      load_params(g, s, i);
    }
  } else if (s->kind == STAGE_DW) {
    uint32_t words = ceil_div(s->v.y.c, l->w);
    s->dw_constants = depthwise_constants(l, &s->v, 0, words);
    if (!g->dw_streams) load_depthwise(l, s, 0, words);
  } else {
    vector_load_table(l, &s->vec);
  }
}

static void emit_depthwise(group *g, const group_stage *s, const tile *t, const portion *in,
                           const portion *out, uint32_t word, uint32_t words) {
  emitted *e = depthwise_emit(g->l, &s->v, t, operand(in), t->iw, operand(out), word, words,
                              s->dw_at + (word - s->dw_word) * depthwise_block(&s->v));
  touch(e, in, false);
  touch(e, out, true);
}

static void emit_vector(group *g, const group_stage *s, const tile *t, const portion *a,
                        const portion *b, const portion *out, uint32_t word, uint32_t words) {
  lowering *l = g->l;
  const vector_layer *v = &s->vec;
  uint32_t c = word * l->w, n = min2(words * l->w, v->y.c - c);
  weft_operand ob = {.ring_rows = 1};
  if (b) ob = operand(b);
  emitted *e = vector_emit(l, v, t, operand(a), ob, operand(out), c, n);
  touch(e, a, false);
  if (b) touch(e, b, false);
  touch(e, out, true);
}

/* --- by rows ---------------------------------------------------------------------------------- */
static void advance(group *g, int buffer, uint32_t upto);

static void step_rows(group *g, group_stage *s) {
  lowering *l = g->l;
  uint32_t y = s->next, h = min2(s->rows, s->h - y);
  tile t[2];
  for (int k = 0; k < s->n_in; k++) {
    t[k] = rows_tile(g, s, k, y, h);
    advance(g, s->in[k], t[k].iy + t[k].ih);
  }
  l->layer = s->layer;
  prepare(g, s);
  portion out = {.b = &g->buffer[s->out], .y = y, .h = h, .x = t[0].x};
  portion a = {.b = &g->buffer[s->in[0]], .y = t[0].iy, .h = t[0].ih, .x = t[0].ix};
  uint32_t words = g->buffer[s->out].words;
  if (s->kind == STAGE_CONV) {
    for (int i = 0; i < s->n_chunks; i++)
      for (int p = s->chunks[i].first_piece; p < s->chunks[i].first_piece + s->chunks[i].n_pieces;
           p++)
        emit_piece(g, s, i, &s->pieces[p], &t[0], &out, 0);
  } else if (s->kind == STAGE_DW) {
    emit_depthwise(g, s, &t[0], &a, &out, 0, words);
  } else {
    portion b = a;
    if (s->n_in == 2)
      b = (portion){.b = &g->buffer[s->in[1]], .y = t[1].iy, .h = t[1].ih, .x = t[1].ix};
    emit_vector(g, s, &t[0], &a, s->n_in == 2 ? &b : NULL, &out, 0, words);
  }
  if (out.b->store) store_buffer_rows(l, out.b, y, h);
  s->next += h;
  g->buffer[s->out].produced = s->next;
}

/* Brings rows below `upto` of a buffer into the scratchpad. */
static void advance(group *g, int buffer, uint32_t upto) {
  group_buffer *b = &g->buffer[buffer];
  while (b->produced < upto) {
    if (b->source == BY_STAGE) {
      step_rows(g, &g->stage[b->stage]);
      continue;
    }
    uint32_t h = upto - b->produced;
    if (b->source == RESIDENT) h = b->h;
    if (b->source == BY_LOAD) load_rows(g, b, b->produced, h);
    if (b->source == BY_WINDOWS) load_windows(g, b, b->produced, h);
    b->produced += h;
  }
}

static void run_strip(group *g) {
  advance(g, g->stage[g->n_stages - 1].out, g->stage[g->n_stages - 1].h);
  /* rows that no window reaches (a stride can leave some) are outputs of their layer all the same
   */
  for (int i = 0; i < g->n_stages; i++) advance(g, g->stage[i].out, g->stage[i].h);
}

/* --- by channels ------------------------------------------------------------------------------ */
/* Convolves chunk i over all rows, as many at a time as the accumulators hold. */
static void conv_chunk(group *g, group_stage *s, int i, portion out) {
  uint32_t bands = ceil_div(s->h, g->work_rows / out.b->width), most = ceil_div(s->h, bands), h;
  load_chunk(g, s, i);
  load_params(g, s, i);
  for (uint32_t y = 0; y < s->h; y += h) {
    h = min2(most, s->h - y);
    tile t = rows_tile(g, s, 0, y, h);
    portion part = out;
    if (out.b->slots) /* rows of a chunk buffer follow each other */
      part.word += y * out.b->width * out.words;
    part.y = y;
    part.h = h;
    const chunk *c = &s->chunks[i];
    for (int p = c->first_piece; p < c->first_piece + c->n_pieces; p++)
      emit_piece(g, s, i, &s->pieces[p], &t, &part, c->nb);
  }
}

/* Adds slice i of the channels, a chunk of the chain, to the sums of the sweep at hand; the last
 * slice makes results of them. */
static void sum_slice(group *g, group_stage *s, uint32_t i, const portion *in) {
  lowering *l = g->l;
  portion out = {.b = &g->buffer[s->out], .h = s->h};
  tile t = rows_tile(g, s, 0, 0, s->h);
  uint32_t pixels = s->v.y.h * s->v.y.w;
  while (s->next_chunk < s->n_chunks) {
    int k = s->next_chunk;
    const chunk *c = &s->chunks[k];
    const piece *p = &s->pieces[s->next_piece];
    if (p->kb != i * s->slices.k_slice) break;
    if (s->next_piece == c->first_piece) load_chunk(g, s, k);
    if (p->last) load_params(g, s, k);
    gemm_place at = {.in = operand(in),
                     .in_w = t.iw,
                     .kb = p->kb,
                     .weights_row = (uint32_t)s->weights_at[k],
                     .params_block = (uint32_t)s->params_at[k],
                     .chunk_nb = c->nb,
                     .out = operand(&out),
                     .acc_base = g->work_rows + c->nb % s->slices.online * pixels,
                     .sums = true};
    emitted *e = gemm_emit(l, &s->v, &at, p, &t);
    touch(e, in, false);
    if (p->last) touch(e, &out, true);
    if (++s->next_piece == c->first_piece + c->n_pieces) s->next_chunk++;
  }
}

/* What the accumulators had no room for, sweep by sweep through all chunks once more. */
static void sum_rest(group *g, group_stage *s, uint32_t words) {
  g->l->layer = s->layer;
  for (uint32_t i = 0; s->next_chunk < s->n_chunks; i = (i + 1) % ceil_div(words, g->per)) {
    portion in = {.b = &g->buffer[s->in[0]], .slot = i, .words = min2(g->per, words - i * g->per)};
    sum_slice(g, s, i, &in);
  }
}

static void one_chunk(group *g, int i, uint32_t word, uint32_t words) {
  lowering *l = g->l;
  portion prev = {0};
  for (int k = 0; k < g->n_stages; k++) {
    group_stage *s = &g->stage[k];
    l->layer = s->layer;
    prepare(g, s);
    const group_buffer *b = &g->buffer[s->out];
    portion out = {.b = b, .h = b->h, .x = b->x, .slot = (uint32_t)i, .words = words};
    if (!b->slots) out.word = word;
    if (s->sums) {
      sum_slice(g, s, (uint32_t)i, &prev);
    } else if (s->kind == STAGE_CONV) {
      conv_chunk(g, s, i, out);
    } else {
      portion in[2];
      for (int j = 0; j < s->n_in; j++) {
        const group_buffer *x = &g->buffer[s->in[j]];
        in[j] =
            k && x == prev.b ? prev : (portion){.b = x, .h = x->h, .word = word, .words = x->words};
        in[j].x = rows_tile(g, s, j, 0, s->h).ix;
      }
      tile t = rows_tile(g, s, 0, 0, s->h);
      if (s->kind == STAGE_DW) {
        if (g->dw_streams) load_depthwise(l, s, word, words);
        emit_depthwise(g, s, &t, &in[0], &out, word, words);
      } else {
        emit_vector(g, s, &t, &in[0], s->n_in == 2 ? &in[1] : NULL, &out, word, words);
      }
    }
    prev = out;
  }
  if (prev.b->slots && prev.b->store) store_chunk(l, &prev, word);
}

static void run_channels(group *g) {
  lowering *l = g->l;
  group_stage *s = &g->stage[0];
  for (int k = 0; k < g->n_stages; k++)
    for (int j = 0; j < g->stage[k].n_in; j++)
      if (g->buffer[g->stage[k].in[j]].source != BY_STAGE) {
        l->layer = g->stage[k].layer;
        advance(g, g->stage[k].in[j], g->buffer[g->stage[k].in[j]].h);
      }
  l->layer = s->layer;
  prepare(g, s);
  uint32_t words = g->buffer[s->out].words;
  if (s->kind != STAGE_CONV) {
    for (uint32_t i = 0; i * g->per < words; i++)
      one_chunk(g, (int)i, i * g->per, min2(g->per, words - i * g->per));
  } else {
    for (int i = 0; i < s->n_chunks; i++)
      one_chunk(g, i, s->chunks[i].nb * l->c / l->w, ceil_div(s->chunks[i].n_count * l->c, l->w));
  }
  group_stage *last = &g->stage[g->n_stages - 1];
  if (last->sums) sum_rest(g, last, words);
  group_buffer *out = &g->buffer[last->out];
  l->layer = last->layer;
  if (out->store && !out->slots) store_buffer_rows(l, out, 0, out->h);
}

/* --- a group ---------------------------------------------------------------------------------- */
static void account_stage(lowering *l, const group_stage *s) {
  l->layer = s->layer;
  if (s->kind == STAGE_CONV)
    conv_account(l, &s->v);
  else if (s->kind == STAGE_DW)
    depthwise_account(l, &s->v);
  else
    vector_account(l, &s->vec);
}

static void keep(residency *r, const group *g) {
  for (int i = 0; i < g->n_buffers; i++) {
    const group_buffer *b = &g->buffer[i];
    if (!b->stays || b->slots || r->n_residents == MAX_BANKS) continue;
    if (r->last_use[b->tensor] >= r->l->graph->n_nodes && b->store) {
      bool read = false; /* an output that no later node reads need not stay */
      for (int k = g->end; k < r->l->graph->n_nodes; k++)
        for (int j = 0; j < r->l->graph->node[k].n_in; j++) {
          int t = r->l->graph->node[k].in[j];
          read |= t >= 0 && r->l->owner[t] == b->tensor;
        }
      if (!read) continue;
    }
    resident *x = &r->resident[r->n_residents++];
    *x = (resident){*b, r->last_use[b->tensor], b->store};
    x->b.x = 0;
    x->b.strip = b->w;
    r->used_banks |= bank_mask(b->bank, b->banks);
  }
}

void group_emit(residency *r, group *g) {
  lowering *l = g->l;
  uint64_t rows = 0, params = 0, dw = 0;
  for (int i = 0; i < g->n_stages; i++) {
    group_stage *s = &g->stage[i];
    begin_layer(l, s->node);
    s->layer = l->layer;
    account_stage(l, s);
    if (s->kind == STAGE_CONV && !g->form.by_channels) {
      rows += conv_most_rows(&s->v, l);
      params += ceil_div(s->v.y.c, l->c);
    }
    if (s->kind == STAGE_DW && !g->dw_streams)
      dw += (uint64_t)ceil_div(s->v.y.c, l->w) * depthwise_block(&s->v);
  }
  reserve(&l->weights, rows);
  reserve(&l->params, params);
  reserve(&l->dwbuf, dw);
  for (uint32_t i = 0; i < g->form.strips; i++) {
    group_set_strip(g, i);
    for (int k = 0; k < g->n_stages; k++) g->stage[k].next = 0;
    for (int k = 0; k < g->n_buffers; k++) g->buffer[k].produced = 0;
    if (g->form.by_channels)
      run_channels(g);
    else
      run_strip(g);
  }
  keep(r, g);
}
