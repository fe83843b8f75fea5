/* Charts over time: which layer, what every unit does, DRAM bytes per cycle.
 *
 * Time is cut into 1,000 equal columns, and all that is drawn comes from them, so the page's size
 * does not depend on the number of instructions. Start at report_time_chart. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "isa.h"
#include "text.h"

enum { COLUMNS = REPORT_PLOT, NONE = -1 };

/* Per column and track: cycles in use, and the layer that uses most of them. */
typedef struct {
  double used, best, run;
  int layer, run_layer;
} cell;

typedef struct {
  double cycles; /* of the whole axis */
  cell unit[WEFT_TRACKS][COLUMNS];
  cell owner[COLUMNS];   /* the layer of the oldest instruction in flight */
  double bytes[COLUMNS]; /* DRAM bytes per cycle */
  double *rate;          /* per layer: DRAM bytes per cycle of its LOADs and STOREs */
  unsigned char *shade;  /* per layer: 0 or 1, of the lane being drawn */
} grid;

static void put(cell *c, int layer, double cycles) {
  c->used += cycles;
  c->run = c->run_layer == layer ? c->run + cycles : cycles;
  c->run_layer = layer;
  if (c->run > c->best) c->best = c->run, c->layer = layer;
}

/* Spreads [from, to) over the columns of one track; `bytes` (NULL: none) gets `rate` a cycle. */
static void spread(const grid *g, cell *track, double *bytes, double rate, int layer, uint64_t from,
                   uint64_t to) {
  double width = g->cycles / COLUMNS;
  for (int c = (int)((double)from / width); c < COLUMNS && c * width < (double)to; c++) {
    double a = c * width, b = a + width;
    if ((double)from > a) a = (double)from;
    if ((double)to < b) b = (double)to;
    if (b <= a) continue;
    put(&track[c], layer, b - a);
    if (bytes) bytes[c] += rate * (b - a) / width;
  }
}

static void clear(cell *c, size_t n) {
  for (size_t i = 0; i < n; i++) c[i] = (cell){.layer = NONE, .run_layer = NONE};
}

static bool moves(int unit) {
  return unit == WEFT_UNIT_LOAD || unit == WEFT_UNIT_STORE;
}

/* A layer's bytes per cycle while its LOADs and STOREs are at work: what a slice does not say is
 * taken to be even. */
static void find_rates(grid *g, const weft_run_result *r, const weft_timeline *t) {
  for (int u = 0; u < WEFT_TRACKS; u++)
    for (size_t i = 0; moves(u) && i < t->n[u]; i++) {
      const weft_piece *p = &t->piece[u][i];
      int layer = p->slice->layer;
      if (layer >= 0 && layer < r->n_layers) g->rate[layer] += (double)(p->to - p->from);
    }
  for (int l = 0; l < r->n_layers; l++)
    if (g->rate[l] > 0) g->rate[l] = (double)r->layer[l].dram_bytes / g->rate[l];
}

static int by_index(const void *a, const void *b) {
  const weft_slice *x = *(const weft_slice *const *)a, *y = *(const weft_slice *const *)b;
  return x->index < y->index ? -1 : x->index > y->index;
}

static weft_status find_owners(grid *g, const weft_run_result *r, weft_err *err) {
  const weft_slice **s = calloc(r->n_slices + 1, sizeof *s);
  if (!s) return weft_fail(err, WEFT_ENOMEM, "out of memory");
  for (size_t i = 0; i < r->n_slices; i++) s[i] = &r->slice[i];
  qsort(s, r->n_slices, sizeof *s, by_index);
  uint64_t done = 0; /* all instructions so far are complete at */
  for (size_t i = 0; i < r->n_slices; i++) {
    if (s[i]->end <= done) continue;
    spread(g, g->owner, NULL, 0, s[i]->layer, done, s[i]->end);
    done = s[i]->end;
  }
  free(s);
  return WEFT_OK;
}

static weft_status fill(grid *g, const weft_run_result *r, const weft_timeline *t, weft_err *err) {
  g->cycles = (double)t->end;
  clear(&g->unit[0][0], (size_t)WEFT_TRACKS * COLUMNS);
  clear(g->owner, COLUMNS);
  find_rates(g, r, t);
  for (int u = 0; u < WEFT_TRACKS; u++)
    for (size_t i = 0; i < t->n[u]; i++) {
      const weft_piece *p = &t->piece[u][i];
      int layer = p->slice->layer;
      bool known = moves(u) && layer >= 0 && layer < r->n_layers;
      spread(g, g->unit[u], known ? g->bytes : NULL, known ? g->rate[layer] : 0, layer, p->from,
             p->to);
    }
  return find_owners(g, r, err);
}

/* --- drawing ---------------------------------------------------------------------------------- */
enum { LANE = 30, LANE_GAP = 8, OWNER = 18, FLOW = 64, TOP = 4 };

/* One outline per unbroken run of columns of one colour; heights in steps of half a unit. */
static void skyline(FILE *f, const char *class, const double *height, int base) {
  (void)fprintf(f, "<path class=\"%s\" d=\"", class);
  double at = 0;
  for (int c = 0; c <= COLUMNS; c++) {
    double h = c < COLUMNS ? (double)(int)(height[c] * 2 + 0.5) / 2 : 0;
    if (h == at) continue;
    if (at == 0)
      (void)fprintf(f, "M%d %dv%g", REPORT_LEFT + c, base, -h);
    else
      (void)fprintf(f, "H%dv%g", REPORT_LEFT + c, at - h);
    if (h == 0) (void)fputc('z', f);
    at = h;
  }
  (void)fputs("\"/>", f);
}

/* Weights 1-2-1, so that work which alternates at about the width of a column does not show as a
 * pattern that is not there. What is empty stays empty. */
static void smooth(double *v) {
  double before = v[0];
  for (int c = 0; c < COLUMNS; c++) {
    double here = v[c], after = c + 1 < COLUMNS ? v[c + 1] : here;
    if (here > 0) v[c] = (before + 2 * here + after) / 4;
    before = here;
  }
}

/* Shades of the layers on one lane: the first that uses it 0, the next 1, then 0 again. */
static void find_shades(grid *g, const cell *track, int n_layers) {
  memset(g->shade, 0, (size_t)n_layers);
  for (int c = 0; c < COLUMNS; c++)
    if (track[c].layer >= 0 && track[c].layer < n_layers) g->shade[track[c].layer] = 1;
  for (int l = 0, next = 0; l < n_layers; l++)
    if (g->shade[l]) g->shade[l] = next++ & 1;
}

static void lane(FILE *f, grid *g, const weft_run_result *r, int unit, int y) {
  double share[COLUMNS], height[COLUMNS];
  for (int c = 0; c < COLUMNS; c++) share[c] = g->unit[unit][c].used * COLUMNS / g->cycles;
  smooth(share);
  find_shades(g, g->unit[unit], r->n_layers);
  (void)fprintf(f,
                "<text class=\"name\" x=\"0\" y=\"%d\">%s</text>"
                "<path class=\"lane\" d=\"M%d %dh%dv%dh-%dz\"/>",
                y + LANE / 2 + 4, weft_unit_name(unit), REPORT_LEFT, y, COLUMNS, LANE, COLUMNS);
  for (int shade = 0; shade < 2; shade++) {
    for (int c = 0; c < COLUMNS; c++) {
      int layer = g->unit[unit][c].layer;
      bool known = layer >= 0 && layer < r->n_layers;
      bool mine = share[c] > 0 && (known ? g->shade[layer] : 0) == shade;
      height[c] = !mine ? 0 : share[c] * LANE > 1 ? share[c] * LANE : 1; /* never invisible */
    }
    skyline(f, shade ? "odd" : "even", height, y + LANE);
  }
  (void)fputc('\n', f);
}

static void owners(FILE *f, const grid *g, const weft_run_result *r, int y) {
  (void)fprintf(f, "<text class=\"name\" x=\"0\" y=\"%d\">layer</text>", y + 13);
  for (int c = 0, end; c < COLUMNS; c = end) {
    int layer = g->owner[c].layer;
    for (end = c + 1; end < COLUMNS && g->owner[end].layer == layer;) end++;
    if (layer < 0 || layer >= r->n_layers) continue;
    (void)fprintf(f, "<path class=\"%s\" d=\"M%d %dh%dv%dh-%dz\"><title>%d ",
                  layer & 1 ? "lodd" : "leven", REPORT_LEFT + c, y, end - c, OWNER, end - c, layer);
    weft_put_html(f, r->layer[layer].op);
    (void)fputc(' ', f);
    weft_put_html(f, r->layer[layer].name);
    (void)fputs("</title></path>", f);
    if (end - c >= (layer > 99 ? 22 : layer > 9 ? 15 : 9))
      (void)fprintf(f, "<text class=\"on\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>",
                    REPORT_LEFT + (c + end) * 0.5, y + 13, layer);
  }
  (void)fputc('\n', f);
}

static void flow(FILE *f, const grid *g, const weft_run_result *r, int y) {
  double height[COLUMNS], peak = r->config.dram_bytes ? r->config.dram_bytes : 1;
  for (int c = 0; c < COLUMNS; c++) { /* even spreading can overshoot what the bus can move */
    double share = g->bytes[c] / peak;
    height[c] = (share > 1 ? 1 : share) * FLOW;
  }
  smooth(height);
  (void)fprintf(f,
                "<text class=\"name\" x=\"0\" y=\"%d\">DRAM</text>"
                "<text x=\"0\" y=\"%d\">B/cycle</text>"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f</text>"
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>"
                "<path class=\"lane\" d=\"M%d %dh%dv%dh-%dz\"/>",
                y + FLOW / 2, y + FLOW / 2 + 14, REPORT_LEFT - 4, y + 9, peak, REPORT_LEFT - 4,
                y + FLOW, REPORT_LEFT, y, COLUMNS, FLOW, COLUMNS);
  skyline(f, "flow", height, y + FLOW);
  (void)fputc('\n', f);
}

static void axis(FILE *f, const grid *g, int top, int bottom) {
  double step = report_step(g->cycles, 10);
  for (double v = 0; v <= g->cycles; v += step) {
    double x = REPORT_LEFT + v / g->cycles * COLUMNS;
    (void)fprintf(f,
                  "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" "
                  "text-anchor=\"middle\">%s</text>\n",
                  x, top, bottom + 4, x, bottom + 17, weft_num_axis(v).s);
  }
  (void)fprintf(f, "<text x=\"0\" y=\"%d\">cycles</text>\n", bottom + 17);
}

static void draw(FILE *f, grid *g, const weft_run_result *r, const weft_timeline *t) {
  int lanes = 0;
  for (int u = 0; u < WEFT_UNITS; u++) lanes += t->n[u] > 0;
  int y = TOP + OWNER + LANE_GAP, bottom = y + lanes * (LANE + LANE_GAP) + FLOW;
  (void)fputs("<h2>Units over time</h2>\n<p>A lane's height is the share of the time in which the "
              "unit works on an instruction; neighbouring layers have different shades. LOAD and "
              "STORE also count waiting for memory. DRAM: a layer's bytes spread evenly over its "
              "LOAD and STORE time.</p>\n<div class=\"scroll\">",
              f);
  (void)fprintf(f,
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Timeline of the units\">\n",
                REPORT_WIDTH, bottom + 24);
  owners(f, g, r, TOP);
  for (int u = 0; u < WEFT_UNITS; u++) {
    if (!t->n[u]) continue;
    lane(f, g, r, u, y);
    y += LANE + LANE_GAP;
  }
  flow(f, g, r, y);
  axis(f, g, TOP + OWNER, bottom);
  (void)fputs("</svg></div>\n", f);
}

weft_status report_time_chart(FILE *f, const weft_run_result *r, const weft_timeline *t,
                              weft_err *err) {
  if (!r->n_slices || !t->end) return WEFT_OK;
  grid *g = calloc(1, sizeof *g);
  if (g) {
    g->rate = calloc((size_t)r->n_layers + 1, sizeof *g->rate);
    g->shade = calloc((size_t)r->n_layers + 1, sizeof *g->shade);
  }
  weft_status status =
      g && g->rate && g->shade ? fill(g, r, t, err) : weft_fail(err, WEFT_ENOMEM, "out of memory");
  if (!status) draw(f, g, r, t);
  if (g) {
    free(g->rate);
    free(g->shade);
  }
  free(g);
  return status;
}
