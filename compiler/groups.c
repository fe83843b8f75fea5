/* Which runs of the network become groups, and what stays in the scratchpad between them. */
#include <stdlib.h>

#include "group.h"

/* Tried where chunks of the result leave; group_plan() says whether their borders pay. */
enum { LEAVING_STRIPS = 16 };

static void drop(residency *r, int i) {
  const group_buffer *b = &r->resident[i].b;
  r->used_banks &= ~bank_mask(b->bank, b->banks);
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
    if (!x->in_dram) store_buffer_rows(r->l, &x->b, 0, x->b.h);
    drop(r, r->n_residents - 1);
  }
}

/* Bytes that the group sends through DRAM and back because later nodes need them. */
static uint64_t spilled(const residency *r, const group *g) {
  uint64_t bytes = 0;
  for (int i = 0; i < g->n_buffers; i++) {
    const group_buffer *b = &g->buffer[i];
    bool later = b->source == BY_STAGE && r->last_use[b->tensor] >= g->end;
    if (later && b->store && !b->stays) bytes += (uint64_t)b->h * b->w * b->v.c;
  }
  return bytes;
}

/* The run from `node` on that costs least DRAM traffic per node in this form, in as few strips as
 * fit; of equals the longest. */
static int best_run(residency *r, int node, group_form *form, uint32_t most_strips, group *g) {
  int best = 0, misses = 0;
  double least = 0;
  for (int end = node + 1; end <= r->l->graph->n_nodes && misses < 6; end++) {
    if (is_view(r->l, &r->l->graph->node[end - 1])) continue;
    group_form f = *form;
    bool fits = false;
    for (f.strips = 0; !fits && f.strips < most_strips;) {
      residency trial = *r;
      f.strips++;
      fits = group_plan(&trial, node, end, f, g);
    }
    if (!fits) {
      misses++;
      continue;
    }
    misses = 0;
    double bytes = (double)spilled(r, g), each = bytes / (end - node);
    if (!best || each <= least) {
      best = end - node;
      least = each;
      form->strips = f.strips;
    }
  }
  return best;
}

static void dump_group(const residency *r, const group *g) {
  FILE *f = r->l->dump;
  static const char *const source[] = {"computed", "loaded", "windows loaded", "resident"};
  if (!f || r->l->rehearsal) return;
  fprintf(f, "group of nodes %d to %d, streamed by %s, %u strips\n", g->first, g->end - 1,
          g->form.chunks_leave  ? "channels, chunks leave"
          : g->form.by_channels ? "channels"
                                : "rows",
          g->form.strips);
  for (int i = 0; i < g->n_buffers; i++) {
    const group_buffer *b = &g->buffer[i];
    fprintf(f, "  banks %2u+%u  %s %s, %u x %u x %u: ", b->bank, b->banks, source[b->source],
            b->tensor < 0 ? "" : r->l->graph->tensor[b->tensor].name, b->h, b->w, b->words);
    if (b->slots)
      fprintf(f, "%u slots of %u words\n", b->slots, b->slot_words);
    else
      fprintf(f, "%u rows (needs %u)%s\n", b->ring, b->need, b->store ? ", to DRAM" : "");
  }
}

int groups_lower(residency *r, int node) {
  group *g = malloc(sizeof *g);
  if (!g) abort();
  drop_dead(r, node);
  group_form form = {0};
  int n = best_run(r, node, &form, r->l->how.strips, g);
  if (!n) {
    form.by_channels = true;
    n = best_run(r, node, &form, 1, g);
  }
  if (!n) {
    form.chunks_leave = true;
    n = best_run(r, node, &form, LEAVING_STRIPS, g);
  }
  if (n && group_plan(r, node, node + n, form, g)) {
    for (int i = node; i < node + n; i++) {
      r->l->begins[i] = node;
      r->l->ends[i] = node + n - 1;
    }
    dump_group(r, g);
    group_emit(r, g);
    group_free(g);
  } else {
    n = 0;
  }
  free(g);
  return n;
}
