/* Which runs of the network become groups, and what stays in the scratchpad between them. */
#include <stdlib.h>

#include "group.h"

/* Rank-4 copy of a resident tensor to its place in DRAM. */
static void store_resident(residency *r, resident *x) {
  lowering *l = r->l;
  const group_buffer *b = &x->b;
  const view *v = &b->v;
  emitted *e = emit(l, WEFT_OP_CODE_STORE);
  weft_insn_STORE *in = &e->insn.STORE;
  uint64_t row = (uint64_t)v->w * v->c;
  weft_operand a = {b->base, row_words(b), b->words, b->ring, 0};
  in->region = v->region;
  in->offset = (uint32_t)v->offset;
  in->rows = b->h;
  in->pixels = v->w;
  in->pix_bytes = v->c;
  in->d_row_stride = b->h > 1 ? (uint32_t)row : 0;
  in->d_pix_stride = v->c;
  in->flip = v->uint8;
  WEFT_SET_OPERAND(*in, a, a);
  emit_access(e, SPACE_SPAD, false, b->base, (uint64_t)b->h * row_words(b));
  emit_access(e, SPACE_ARENA, true, v->offset, b->h * row);
  set_result(e, v, 0, 0, 0, b->h, v->w, 0, v->c, false);
  x->in_dram = true;
}

static void drop(residency *r, int i) {
  const group_buffer *b = &r->resident[i].b;
  r->used_banks &= ~(((b->banks >= 64 ? 0 : (uint64_t)1 << b->banks) - 1) << b->bank);
  r->resident[i] = r->resident[--r->n_residents];
}

static void drop_dead(residency *r, int node) {
  for (int i = r->n_residents - 1; i >= 0; i--)
    if (r->resident[i].last_use < node) drop(r, i);
}

void groups_spill(residency *r, int node) {
  drop_dead(r, node);
  while (r->n_residents) {
    resident *x = &r->resident[r->n_residents - 1];
    if (!x->in_dram) store_resident(r, x);
    drop(r, r->n_residents - 1);
  }
}

/* The longest run from `node` on that is a group. */
static int longest(residency *r, int node, bool by_channels, group *g) {
  int best = 0, misses = 0;
  for (int end = node + 1; end <= r->l->graph->n_nodes && misses < 6; end++) {
    if (is_view(r->l, &r->l->graph->node[end - 1])) continue;
    residency trial = *r;
    if (group_plan(&trial, node, end, by_channels, g)) {
      best = end - node;
      misses = 0;
    } else {
      misses++;
    }
  }
  return best;
}

int groups_lower(residency *r, int node) {
  group *g = malloc(sizeof *g);
  if (!g) abort();
  drop_dead(r, node);
  bool by_channels = false;
  int n = longest(r, node, false, g);
  if (!n) {
    by_channels = true;
    n = longest(r, node, true, g);
  }
  if (n && group_plan(r, node, node + n, by_channels, g)) {
    for (int i = node; i < node + n; i++) {
      r->l->begins[i] = node;
      r->l->ends[i] = node + n - 1;
    }
    group_emit(r, g);
    group_free(g);
  } else {
    n = 0;
  }
  free(g);
  return n;
}
