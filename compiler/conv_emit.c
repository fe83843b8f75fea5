/* Instructions of convolutions, for layers by themselves and for groups alike: the fields that
 * follow from the layer; callers say where operands lie and declare the scratchpad accesses. */
#include "conv.h"

emitted *gemm_emit(lowering *l, const conv *v, const gemm_place *at, const piece *p,
                   const tile *t) {
  emitted *e = emit(l, WEFT_OP_CODE_GEMM);
  weft_insn_GEMM *in = &e->insn.GEMM;
  weft_operand a = at->in, o = at->out;
  uint32_t from = at->in_channel + (p->kb - at->kb) * l->r, to = (p->nb - at->nb) * l->c;
  a.base += from / l->w;
  WEFT_SET_OPERAND(*in, a, a);
  in->a_block = from % l->w / l->r;
  in->in_h = t->ih;
  in->in_w = at->in_w;
  in->kh = in->kw = in->stride_y = in->stride_x = in->dil_y = in->dil_x = 1;
  if (!v->packed) { /* packed windows are pixels of a 1x1 convolution */
    in->pad_top = t->pad_top;
    in->pad_left = t->pad_left;
    in->kh = v->k.kh;
    in->kw = v->k.kw;
    in->stride_y = v->k.sy;
    in->stride_x = v->k.sx;
    in->dil_y = v->k.dy;
    in->dil_x = v->k.dx;
  }
  in->out_h = t->h;
  in->out_w = t->w;
  in->k_blocks = p->k_count;
  in->n_blocks = p->n_count;
  in->pad_value = v->x.zp;
  in->w_base = at->weights_row + p->row;
  in->acc_in = !p->first;
  in->acc_out = !p->last;
  in->acc_base = at->acc_base;
  e->glued = !p->first && !at->sums;
  bool sums = in->acc_in || in->acc_out;
  if (sums || conv_taps(v) * p->k_count > 1)
    emit_access(e, SPACE_ACC, at->sums, at->acc_base,
                (uint64_t)t->h * t->w * (sums ? p->n_count : 1));
  emit_access(e, SPACE_WEIGHT, false, in->w_base,
              (uint64_t)conv_taps(v) * p->k_count * p->n_count * l->r);
  in->o_ring_rows = 1;
  if (!p->last) return e;
  weft_range clamp = chip_range(v->node->attr.activation, &l->graph->tensor[v->y.tensor]);
  in->p_base = at->params_block + p->nb - at->chunk_nb;
  in->out_zp = v->y.zp;
  in->clamp_min = clamp.lo;
  in->clamp_max = clamp.hi;
  o.base += to / l->w;
  WEFT_SET_OPERAND(*in, o, o);
  in->o_block = to % l->w / l->c;
  emit_access(e, SPACE_PARAM, false, in->p_base, p->n_count);
  uint32_t first = p->nb * l->c, n = p->n_count * l->c;
  if (first + n > v->y.c) n = v->y.c - first;
  set_result(e, &v->y, t->n, t->y, t->x, t->h, t->w, first, n, v->y.uint8);
  return e;
}

emitted *depthwise_emit(lowering *l, const conv *v, const tile *t, weft_operand a, uint32_t in_w,
                        weft_operand o, uint32_t word, uint32_t words, uint32_t params) {
  emitted *e = emit(l, WEFT_OP_CODE_DW);
  weft_insn_DW *in = &e->insn.DW;
  WEFT_SET_OPERAND(*in, a, a);
  WEFT_SET_OPERAND(*in, o, o);
  in->in_h = t->ih;
  in->in_w = in_w;
  in->pad_top = t->pad_top;
  in->pad_left = t->pad_left;
  in->kh = v->k.kh;
  in->kw = v->k.kw;
  in->stride_y = v->k.sy;
  in->stride_x = v->k.sx;
  in->out_h = t->h;
  in->out_w = t->w;
  in->c_words = words;
  in->pad_value = v->x.zp;
  in->p_base = params;
  weft_range clamp = chip_range(v->node->attr.activation, &l->graph->tensor[v->y.tensor]);
  in->out_zp = v->y.zp;
  in->clamp_min = clamp.lo;
  in->clamp_max = clamp.hi;
  emit_access(e, SPACE_DWBUF, false, params, (uint64_t)words * depthwise_block(v));
  uint32_t c = word * l->w, n = words * l->w;
  if (c + n > v->y.c) n = v->y.c - c;
  set_result(e, &v->y, t->n, t->y, t->x, t->h, t->w, c, n, v->y.uint8);
  return e;
}

/* The input row that tap row ky of output row y reads; outside the image when not in [0, h). */
static int64_t input_row(const conv *v, uint32_t ky, uint32_t y) {
  return (int64_t)y * v->k.sy + (int64_t)ky * v->k.dy - v->k.pad_top;
}

/* Tap row ky of output rows [y, y + t->h), all inside the image or all outside it. */
static void load_tap_row(lowering *l, const conv *v, const tile *t, uint32_t ky, weft_operand o,
                         void (*touch)(emitted *e, void *user, uint32_t y, uint32_t h),
                         void *user) {
  uint32_t segment = v->k.kw * v->x.c;
  int64_t row = input_row(v, ky, t->y);
  bool inside = row >= 0 && row < v->x.h;
  int64_t start = ((int64_t)t->x * v->k.sx - v->k.pad_left) * v->x.c; /* window of pixel 0 */
  uint64_t row_bytes = (uint64_t)v->x.w * v->x.c, skip = start > 0 ? (uint64_t)start : 0;
  inside = inside && skip < row_bytes; /* windows beyond the row's end are all padding */
  uint64_t from = ((uint64_t)t->n * v->x.h + (inside ? (uint64_t)row : 0)) * row_bytes + skip;
  emitted *e = emit(l, WEFT_OP_CODE_LOAD);
  weft_insn_LOAD *in = &e->insn.LOAD;
  in->dst = WEFT_MEM_SPAD;
  in->region = v->x.region;
  in->offset = (uint32_t)(v->x.offset + from);
  in->rows = t->h;
  in->pixels = t->w;
  in->pix_bytes = segment;
  in->d_pix_stride = v->k.sx * v->x.c;
  in->lead = start < 0 ? (uint32_t)-start : 0;
  in->byte_off = ky * segment;
  in->fill = ky == v->k.kh - 1;
  in->flip = v->x.uint8;
  in->pad_value = v->x.zp;
  if (inside) {
    in->d_row_stride = t->h > 1 ? (uint32_t)(v->k.sy * row_bytes) : 0;
    in->row_bytes = (uint32_t)(row_bytes - skip);
    uint64_t last = (uint64_t)(t->h - 1) * v->k.sy * row_bytes + in->row_bytes;
    if (v->x.region == 2) emit_access(e, SPACE_ARENA, false, v->x.offset + from, last);
    l->dram_bytes += (uint64_t)t->h * in->row_bytes;
  }
  WEFT_SET_OPERAND(*in, o, o);
  touch(e, user, t->y, t->h);
}

void windows_load(lowering *l, const conv *v, const tile *t,
                  weft_operand (*operand_at)(void *user, uint32_t y),
                  void (*touch)(emitted *e, void *user, uint32_t y, uint32_t h), void *user) {
  for (uint32_t ky = 0; ky < v->k.kh; ky++)
    for (uint32_t y = t->y; y < t->y + t->h;) { /* runs of rows on one side of the image's edge */
      tile part = *t;
      part.y = y;
      bool inside = input_row(v, ky, y) >= 0 && input_row(v, ky, y) < v->x.h;
      while (y < t->y + t->h &&
             (input_row(v, ky, y) >= 0 && input_row(v, ky, y) < v->x.h) == inside)
        y++;
      part.h = y - part.y;
      load_tap_row(l, v, &part, ky, operand_at(user, part.y), touch, user);
    }
}
