/* Charts by layer: cycles with the lower bound marked, and DRAM bytes.
 *
 * Start at chart(): both charts are bars over the layer's number on the same axis. */
#include "report.h"

#include <string.h>

#include "text.h"

static const char *const bounds[] = {"array", "depthwise", "vector", "dram", "latency"};
static const char *const bound_classes[] = {"b-array", "b-depthwise", "b-vector", "b-dram",
                                            "b-latency"};
enum { N_BOUNDS = sizeof bounds / sizeof *bounds };

const char *report_bound_class(const char *bound_by) {
  for (int i = 0; bound_by && i < N_BOUNDS; i++)
    if (strcmp(bound_by, bounds[i]) == 0) return bound_classes[i];
  return "b-none";
}

const char *report_bound_name(const char *bound_by) {
  return !bound_by || !*bound_by ? "–" : strcmp(bound_by, "dram") == 0 ? "DRAM" : bound_by;
}

double report_percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

double report_step(double max, int marks) {
  static const double round[] = {1, 2, 5, 10};
  double step = max / marks, power = 1;
  while (power * 10 <= step) power *= 10;
  for (int i = 0; i < 4; i++)
    if (round[i] * power >= 0.7 * step) return round[i] * power;
  return 10 * power;
}

/* Height of the plot, and where its bottom is; 10 units above for the topmost number. */
typedef struct {
  const weft_run_result *r;
  double height, base, max;
  double (*value)(const weft_layer_result *);
} chart;

static double height_of(const chart *c, double v) {
  return v / c->max * c->height;
}

static void axes(FILE *f, const chart *c, const char *what) {
  double step = report_step(c->max, c->height > 150 ? 5 : 3);
  (void)fprintf(f, "<text x=\"0\" y=\"10\">%s</text>\n", what);
  for (double v = 0; v <= c->max; v += step) {
    double y = c->base - height_of(c, v);
    (void)fprintf(f,
                  "<path class=\"%s\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" "
                  "text-anchor=\"end\">%s</text>\n",
                  v == 0 ? "axis" : "grid", REPORT_LEFT, y, REPORT_PLOT, REPORT_LEFT - 6, y + 4,
                  weft_num_axis(v).s);
  }
  int n = c->r->n_layers, every = (int)report_step(n, 30); /* numbers about 33 units apart */
  for (int i = 0; i < n; i += every)
    (void)fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%d</text>\n",
                  REPORT_LEFT + (i + 0.5) * REPORT_PLOT / n, c->base + 15, i);
  (void)fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">layer</text>\n", REPORT_LEFT - 6,
                c->base + 15);
}

static void tip(FILE *f, const weft_layer_result *l, int i) {
  (void)fprintf(f, "<title>%d ", i);
  weft_put_html(f, l->op);
  (void)fputc(' ', f);
  weft_put_html(f, l->name);
  (void)fprintf(f, "&#10;%s cycles, bound %s", weft_num_group(l->cycles).s,
                weft_num_group(l->bound).s);
  (void)fputs(" by ", f);
  weft_put_html(f, report_bound_name(l->bound_by));
  (void)fprintf(f, "&#10;%s of DRAM traffic</title>", weft_num_bytes((double)l->dram_bytes).s);
}

static void draw(FILE *f, chart *c, const char *what, const char *alt, bool colour_by_bound) {
  const weft_run_result *r = c->r;
  c->base = 16 + c->height;
  c->max *= 1.03;
  double slot = (double)REPORT_PLOT / r->n_layers, gap = slot > 12 ? 3 : slot * 0.25;
  (void)fprintf(f,
                "<div class=\"scroll\"><svg viewBox=\"0 0 %d %.0f\" role=\"img\" "
                "aria-label=\"%s\">\n",
                REPORT_WIDTH, c->base + 22, alt);
  axes(f, c, what);
  for (int i = 0; i < r->n_layers; i++) {
    const weft_layer_result *l = &r->layer[i];
    double x = REPORT_LEFT + i * slot, h = height_of(c, c->value(l));
    if (h > 0)
      (void)fprintf(f, "<path class=\"%s\" d=\"M%.2f %.1fv%.1fh%.2fv%.1fz\"/>",
                    colour_by_bound ? report_bound_class(l->bound_by) : "b-dram", x + gap / 2,
                    c->base, -h, slot - gap, h);
    double y = c->base - height_of(c, (double)l->bound);
    if (colour_by_bound && l->bound)
      for (int pass = 0; pass < 2; pass++)
        (void)fprintf(f, "<path class=\"%s\" d=\"M%.2f %.1fh%.2f\"/>", pass ? "mark" : "halo",
                      x + gap / 4, y, slot - gap / 2);
    (void)fprintf(f, "<path class=\"hit\" d=\"M%.2f 16v%.0fh%.2fv%.0fz\">", x, c->height, slot,
                  -c->height);
    tip(f, l, i);
    (void)fputs("</path>\n", f);
  }
  (void)fputs("</svg></div>\n", f);
}

static double cycles_of(const weft_layer_result *l) {
  return (double)l->cycles;
}
static double bytes_of(const weft_layer_result *l) {
  return (double)l->dram_bytes;
}

void report_cycles_chart(FILE *f, const weft_run_result *r) {
  chart c = {.r = r, .height = 230, .value = cycles_of};
  bool used[N_BOUNDS] = {false};
  for (int i = 0; i < r->n_layers; i++) {
    const weft_layer_result *l = &r->layer[i];
    if ((double)l->cycles > c.max) c.max = (double)l->cycles;
    if ((double)l->bound > c.max) c.max = (double)l->bound;
    for (int b = 0; b < N_BOUNDS; b++)
      used[b] |= l->bound_by && strcmp(l->bound_by, bounds[b]) == 0;
  }
  if (c.max <= 0) return;
  (void)fputs("<h2>Cycles by layer</h2>\n<p>Every cycle belongs to the layer of the oldest "
              "instruction in flight, so the bars add up to the run. Under a neighbour's work a "
              "layer can take fewer cycles than its own bound.</p>\n<div class=\"legend\">",
              f);
  for (int b = 0; b < N_BOUNDS; b++)
    if (used[b])
      (void)fprintf(f, "<span><i class=\"%s\"></i>bound by %s</span>", bound_classes[b],
                    report_bound_name(bounds[b]));
  (void)fputs("<span><i class=\"tick\"></i>lower bound of the layer</span></div>\n", f);
  draw(f, &c, "cycles", "Bar chart of the cycles of every layer", true);
}

void report_dram_chart(FILE *f, const weft_run_result *r) {
  chart c = {.r = r, .height = 120, .value = bytes_of};
  for (int i = 0; i < r->n_layers; i++)
    if ((double)r->layer[i].dram_bytes > c.max) c.max = (double)r->layer[i].dram_bytes;
  if (c.max <= 0) return;
  (void)fputs("<h2>DRAM traffic by layer</h2>\n<p>Bytes read and written: weights, and the "
              "activations that do not stay on chip.</p>\n",
              f);
  draw(f, &c, "bytes", "Bar chart of the DRAM bytes of every layer", false);
}
