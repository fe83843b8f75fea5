/* Tracks of the timeline; see timeline.h. */
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

static int by_time(const void *a, const void *b) {
  const weft_piece *x = a, *y = b;
  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  if (x->slice->end != y->slice->end) return x->slice->end < y->slice->end ? -1 : 1;
  return x->slice->index < y->slice->index ? -1 : x->slice->index > y->slice->index;
}

weft_status weft_timeline_make(const weft_run_result *r, weft_timeline *out, weft_err *err) {
  memset(out, 0, sizeof *out);
  out->end = r->cycles;
  for (size_t i = 0; i < r->n_slices; i++)
    if (r->slice[i].unit >= 0 && r->slice[i].unit < WEFT_TRACKS) out->n[r->slice[i].unit]++;
  for (int u = 0; u < WEFT_TRACKS; u++) {
    out->piece[u] = calloc(out->n[u] + 1, sizeof *out->piece[u]);
    if (!out->piece[u]) return weft_fail(err, WEFT_ENOMEM, "out of memory");
    out->n[u] = 0;
  }
  for (size_t i = 0; i < r->n_slices; i++) {
    const weft_slice *s = &r->slice[i];
    if (s->unit < 0 || s->unit >= WEFT_TRACKS) continue;
    weft_piece *p = &out->piece[s->unit][out->n[s->unit]++];
    *p = (weft_piece){s, s->busy, s->end > s->busy ? s->end : s->busy};
    if (p->to > out->end) out->end = p->to;
  }
  for (int u = 0; u < WEFT_TRACKS; u++) {
    weft_piece *p = out->piece[u];
    qsort(p, out->n[u], sizeof *p, by_time);
    for (size_t i = 1; i < out->n[u]; i++)
      if (p[i - 1].to > p[i].from) p[i - 1].to = p[i].from;
  }
  return WEFT_OK;
}

void weft_timeline_free(weft_timeline *t) {
  for (int u = 0; u < WEFT_TRACKS; u++) free(t->piece[u]);
}
