/* Tables of the report: layers, stalls, outputs, host operators, configuration.
 *
 * Cells that a reader may want to sort by carry the number in data-v; see report_style.c. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

static const char *or_dash(const char *s) {
  return s && *s ? s : "–";
}

/* A cell with a number, its text and a bar of `percent` under it. */
static void bar_cell(FILE *f, double v, double percent, const char *colour) {
  (void)fprintf(f, "<td class=\"bar\" data-v=\"%.6g\">%.1f&#8239;%%<div class=\"m\">", v, v);
  (void)fprintf(f, "<div class=\"%s\" style=\"width:%.1f%%\"></div></div></td>", colour,
                percent < 0     ? 0
                : percent > 100 ? 100
                                : percent);
}

static void number_cell(FILE *f, uint64_t v) {
  (void)fprintf(f, "<td data-v=\"%" PRIu64 "\">%s</td>", v, weft_num_group(v).s);
}

static void text_cell(FILE *f, const char *class, const char *s) {
  (void)fprintf(f, "<td class=\"%s\">", class);
  if (strstr(class, "wide"))
    weft_put_html_name(f, or_dash(s));
  else
    weft_put_html(f, or_dash(s));
  (void)fputs("</td>", f);
}

static void heads(FILE *f, const char *const *head, int n, unsigned left) {
  (void)fputs("<thead><tr>", f);
  for (int i = 0; i < n; i++)
    (void)fprintf(f, "<th scope=\"col\"%s>%s</th>", left >> i & 1 ? " class=\"t\"" : "", head[i]);
  (void)fputs("</tr></thead>\n", f);
}

static void layer_row(FILE *f, const weft_run_result *r, int i, double most) {
  const weft_layer_result *l = &r->layer[i];
  double share = report_percent((double)l->cycles, (double)r->cycles);
  const char *colour = report_bound_class(l->bound_by);
  (void)fprintf(f, "<tr><td data-v=\"%d\">%d</td><td class=\"t wide clamp\"><div title=\"", i, i);
  weft_put_html(f, l->name);
  (void)fputs("\">", f);
  weft_put_html_name(f, or_dash(l->name));
  (void)fputs("</div></td>", f);
  text_cell(f, "t wide", l->op);
  text_cell(f, "t", l->unit);
  number_cell(f, l->macs);
  number_cell(f, l->cycles);
  bar_cell(f, share, report_percent((double)l->cycles, most), colour);
  bar_cell(f, l->utilization * 100, l->utilization * 100, colour);
  number_cell(f, l->bound);
  if (l->bound && l->cycles)
    (void)fprintf(f, "<td data-v=\"%.6g\">%.2f</td>", (double)l->cycles / (double)l->bound,
                  (double)l->cycles / (double)l->bound);
  else
    (void)fputs("<td data-v=\"0\">–</td>", f);
  number_cell(f, l->dram_bytes);
  (void)fprintf(f, "<td class=\"t\"><i class=\"dot %s\"></i>", colour);
  weft_put_html(f, report_bound_name(l->bound_by));
  (void)fputs("</td></tr>\n", f);
}

void report_layers(FILE *f, const weft_run_result *r) {
  static const char *const head[] = {
      "#",          "Layer",   "Operator",    "Unit",  "MACs",
      "Cycles",     "Share",   "Utilization", "Bound", "Cycles&#8239;/ bound",
      "DRAM bytes", "Bound by"};
  if (!r->n_layers) return;
  uint64_t macs = 0, cycles = 0, bound = 0, bytes = 0, most = 0;
  for (int i = 0; i < r->n_layers; i++) {
    const weft_layer_result *l = &r->layer[i];
    macs += l->macs, cycles += l->cycles, bound += l->bound, bytes += l->dram_bytes;
    if (l->cycles > most) most = l->cycles;
  }
  (void)fputs("<h2>Layers</h2>\n<p>Utilization is the layer's network MACs over rows × columns × "
              "its cycles, or its bound if that is more. The bound is the least time that its "
              "array, depthwise, vector or DRAM "
              "work takes; units work side by side, so the network's is less than the "
              "sum.</p>\n<div class=\"scroll\"><table class=\"sort\">",
              f);
  heads(f, head, 12, 0x80e);
  (void)fputs("<tbody>\n", f);
  for (int i = 0; i < r->n_layers; i++) layer_row(f, r, i, (double)most);
  (void)fprintf(f,
                "</tbody><tfoot><tr><td></td><td class=\"t\">All layers</td><td></td><td></td>"
                "<td>%s</td><td>%s</td><td>%.1f&#8239;%%</td><td></td><td>%s</td><td></td>"
                "<td>%s</td><td></td></tr></tfoot></table></div>\n",
                weft_num_group(macs).s, weft_num_group(cycles).s,
                report_percent((double)cycles, (double)r->cycles), weft_num_group(bound).s,
                weft_num_group(bytes).s);
}

void report_stalls(FILE *f, const weft_run_result *r) {
  static const char *const head[] = {"Unit", "", "Busy", "Operand", "DRAM", "Queue", "Idle"};
  static const char *const class[] = {"busy", "operand", "dram", "queue", "idle"};
  if (!r->n_units || !r->timed) return;
  (void)fputs("<h2>Where each unit's cycles went</h2>\n<div class=\"legend\">"
              "<span><i class=\"busy\"></i>busy</span>"
              "<span><i class=\"operand\"></i>waiting for an operand (semaphore)</span>"
              "<span><i class=\"dram\"></i>waiting for DRAM</span>"
              "<span><i class=\"queue\"></i>dispatcher held up by a full queue</span>"
              "<span><i class=\"idle\"></i>idle: nothing to do</span></div>\n"
              "<div class=\"scroll\"><table>",
              f);
  heads(f, head, 7, 1);
  (void)fputs("<tbody>\n", f);
  for (int i = 0; i < r->n_units; i++) {
    const weft_unit_result *u = &r->unit[i];
    uint64_t part[] = {u->busy, u->stall_operand, u->stall_dram, u->stall_queue, u->idle};
    double all = 0;
    for (int k = 0; k < 5; k++) all += (double)part[k];
    (void)fputs("<tr>", f);
    text_cell(f, "t", u->name);
    (void)fputs("<td class=\"full\"><div class=\"stack\">", f);
    for (int k = 0; k < 5; k++)
      if (part[k])
        (void)fprintf(f, "<div class=\"%s\" style=\"width:%.2f%%\" title=\"%s %.1f %%\"></div>",
                      class[k], report_percent((double)part[k], all), class[k],
                      report_percent((double)part[k], all));
    (void)fputs("</div></td>", f);
    for (int k = 0; k < 5; k++)
      (void)fprintf(f, "<td>%s<br>%.1f&#8239;%%</td>", weft_num_group(part[k]).s,
                    report_percent((double)part[k], all));
    (void)fputs("</tr>\n", f);
  }
  (void)fputs("</tbody></table></div>\n", f);
}

static void top_rows(FILE *f, const weft_output_result *o) {
  double most = 0;
  bool negative = false; /* scores that are not shares have no natural zero: no bars */
  for (int i = 0; i < o->n_top; i++) {
    if (o->top[i].value > most) most = o->top[i].value;
    negative |= o->top[i].value < 0;
  }
  (void)fputs("<table><thead><tr><th class=\"t\">Rank</th><th class=\"t\">Class</th>"
              "<th>Index</th><th>Value</th></tr></thead><tbody>\n",
              f);
  for (int i = 0; i < o->n_top; i++) {
    (void)fprintf(f, "<tr><td class=\"t\">%d</td>", i + 1);
    text_cell(f, "t wide", o->top[i].label);
    (void)fprintf(f, "<td>%d</td><td class=\"bar\">%.4g", o->top[i].index, o->top[i].value);
    if (!negative)
      (void)fprintf(f,
                    "<div class=\"m\"><div class=\"b-array\" style=\"width:%.1f%%\"></div></div>",
                    report_percent(o->top[i].value, most));
    (void)fputs("</td></tr>\n", f);
  }
  (void)fputs("</tbody></table>\n", f);
}

void report_outputs(FILE *f, const weft_run_result *r) {
  if (!r->n_outputs) return;
  (void)fputs("<section><h2>Outputs</h2>\n", f);
  for (int i = 0; i < r->n_outputs; i++) {
    const weft_output_result *o = &r->output[i];
    (void)fputs("<p>", f);
    weft_put_html(f, or_dash(o->name));
    (void)fprintf(f, ": %s", weft_dtype_name(o->dtype));
    for (int d = 0; d < o->rank; d++)
      (void)fprintf(f, "%s%" PRId32, d ? "\u202f×\u202f" : " ", o->shape[d]);
    (void)fputs("</p>\n", f);
    if (o->n_top > 0) top_rows(f, o);
  }
  (void)fputs("</section>\n", f);
}

void report_host(FILE *f, const weft_run_result *r) {
  (void)fputs("<section><h2>Operators on the host</h2>\n", f);
  if (!r->n_host) {
    (void)fputs("<p>None: the device runs the whole network.</p></section>\n", f);
    return;
  }
  (void)fputs("<p>Computed by the reference kernels between device segments; their time is not in "
              "the cycles.</p>\n<table><thead><tr><th class=\"t\">Operator</th>"
              "<th class=\"t\">Tensor</th><th class=\"t\">Reason</th></tr></thead><tbody>\n",
              f);
  for (int i = 0; i < r->n_host; i++) {
    (void)fputs("<tr>", f);
    text_cell(f, "t", r->host[i].op);
    text_cell(f, "t wide", r->host[i].name);
    text_cell(f, "t wide", r->host[i].why);
    (void)fputs("</tr>\n", f);
  }
  (void)fputs("</tbody></table></section>\n", f);
}

void report_config(FILE *f, const weft_run_result *r) {
  int n;
  const weft_key *key = weft_config_keys(&n);
  (void)fputs("<h2>Configuration</h2>\n<div class=\"two\">\n", f);
  for (int half = 0; half < 2; half++) { /* side by side on wide screens */
    (void)fputs("<table><thead><tr><th class=\"t\">Key</th><th>Value</th>"
                "<th class=\"t\">Meaning</th></tr></thead><tbody>\n",
                f);
    for (int i = half ? (n + 1) / 2 : 0; i < (half ? n : (n + 1) / 2); i++) {
      const char *at = (const char *)&r->config + key[i].offset;
      (void)fputs("<tr>", f);
      text_cell(f, "t", key[i].name);
      (void)fprintf(f, "<td>%" PRIu32 "</td>", *(const uint32_t *)(const void *)at);
      text_cell(f, "t wide", key[i].doc);
      (void)fputs("</tr>\n", f);
    }
    (void)fputs("</tbody></table>\n", f);
  }
  (void)fputs("</div>\n", f);
}
