/* Terminal tables. */
#include "report_table.h"

#include "text.h"

#include <string.h>

enum { NAME = 24, OP = 17 }; /* with the numbers: 100 columns */

/* At most `width` columns: names keep their end (what differs from layer to layer), after the first
 * of several that were joined by ';'. */
static void shorten(const char *name, int width, char *out, size_t size) {
  size_t n = strcspn(name, ";");
  while (n && name[n - 1] == '/') n--;
  if (n <= (size_t)width)
    (void)snprintf(out, size, "%.*s", (int)n, name);
  else
    (void)snprintf(out, size, "..%.*s", width - 2, name + n - (size_t)(width - 2));
  for (char *p = out; *p; p++)
    if ((unsigned char)*p < ' ' || (unsigned char)*p > '~') *p = '?';
}

/* Operators of a group in short: "CONV+DW+CONV+ADD". */
static void shorten_op(const char *op, char *out, size_t size) {
  static const char *const names[][2] = {
      {"DEPTHWISE_CONV_2D", "DWCONV"},
      {"CONV_2D", "CONV"},
      {"FULLY_CONNECTED", "FC"},
      {"AVERAGE_POOL_2D", "AVGPOOL"},
      {"MAX_POOL_2D", "MAXPOOL"},
      {"CONCATENATION", "CONCAT"},
      {"RESIZE_NEAREST_NEIGHBOR", "RESIZE"},
      {"RESIZE_BILINEAR", "RESIZE"},
  };
  enum { N = sizeof names / sizeof names[0] };
  size_t at = 0;
  while (*op && at + 1 < size) {
    size_t n = strcspn(op, "+"), i = 0;
    while (i < N && !(strlen(names[i][0]) == n && memcmp(names[i][0], op, n) == 0)) i++;
    int m = i < N ? snprintf(out + at, size - at, "%s", names[i][1])
                  : snprintf(out + at, size - at, "%.*s", (int)n, op);
    at += (size_t)m;
    op += n;
    if (*op == '+' && at + 1 < size) {
      out[at++] = '+';
      op++;
    }
  }
  if (at >= size) {
    memcpy(out + size - 3, "..", 3);
    at = size - 1;
  }
  out[at] = 0;
}

static double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

/* --- layers ---------------------------------------------------------------------------------- */
static void layer_row(const weft_run_result *r, const weft_layer_result *l, FILE *f) {
  char name[NAME + 1], op[OP + 1], macs[32] = "", use[16] = "", dram[32] = "";
  shorten(l->name[0] == '(' ? "(fetch, alignment)" : l->name, NAME, name, sizeof name);
  shorten_op(l->op, op, sizeof op);
  if (l->macs) (void)snprintf(macs, sizeof macs, "%s", weft_num_short((double)l->macs).s);
  if (l->macs && r->timed) (void)snprintf(use, sizeof use, "%.1f%%", 100 * l->utilization);
  if (r->timed) (void)snprintf(dram, sizeof dram, "%s", weft_num_short((double)l->dram_bytes).s);
  (void)fprintf(f, "%-*s %-*s %-5s %7s", NAME, name, OP, op, l->unit, macs);
  if (r->timed)
    (void)fprintf(f, " %11s %5.1f%% %6s %7s%s%s", weft_num_group(l->cycles).s,
                  percent((double)l->cycles, (double)r->cycles), use, dram,
                  l->bound_by[0] ? " " : "", l->bound_by);
  (void)fprintf(f, "\n");
}

static void rule(FILE *f) {
  for (int i = 0; i < 100; i++) (void)fputc('-', f);
  (void)fputc('\n', f);
}

static void layers(const weft_run_result *r, FILE *f) {
  (void)fprintf(f, "%-*s %-*s %-5s %7s", NAME, "layer", OP, "operator", "unit", "MACs");
  if (r->timed)
    (void)fprintf(f, " %11s %6s %6s %7s %s", "cycles", "share", "MAC", "DRAM B", "bound by");
  (void)fprintf(f, "\n");
  rule(f);
  for (int i = 0; i < r->n_layers; i++) layer_row(r, &r->layer[i], f);
  rule(f);
  (void)fprintf(f, "%-*s %-*s %-5s %7s", NAME, "total", OP, "", "",
                weft_num_short((double)r->macs).s);
  if (r->timed)
    (void)fprintf(f, " %11s %5.1f%% %5.1f%% %7s", weft_num_group(r->cycles).s, 100.0,
                  100 * r->mac_utilization,
                  weft_num_short((double)(r->dram_read_bytes + r->dram_write_bytes)).s);
  (void)fprintf(f, "\n");
}

/* --- totals ---------------------------------------------------------------------------------- */
static void totals(const weft_run_result *r, FILE *f) {
  const double seconds = (double)r->cycles / (1e6 * r->config.clock_mhz);
  (void)fprintf(f, "\ncycles        %s, lower bound %s (%.2f x)\n", weft_num_group(r->cycles).s,
                weft_num_group(r->lower_bound_cycles).s,
                r->lower_bound_cycles ? (double)r->cycles / (double)r->lower_bound_cycles : 0);
  (void)fprintf(f, "time          %.3f ms at %u MHz, %.1f inferences/s\n", 1e3 * seconds,
                r->config.clock_mhz, seconds > 0 ? 1 / seconds : 0);
  (void)fprintf(f,
                "utilization   %.1f%% network MACs / array, %.1f%% of the array itself, %.1f%% of"
                " all multipliers\n",
                100 * r->mac_utilization, 100 * r->array_utilization, 100 * r->peak_utilization);
  (void)fprintf(f, "DRAM          %s read, %s written\n",
                weft_num_bytes((double)r->dram_read_bytes).s,
                weft_num_bytes((double)r->dram_write_bytes).s);
  (void)fprintf(f, "program       %s instructions, compiled in %.3f s, run in %.3f s\n",
                weft_num_group(r->n_instructions).s, r->compile_seconds, r->wall_seconds);
}

static void units(const weft_run_result *r, FILE *f) {
  (void)fprintf(f, "\n%-8s %8s %8s %14s %12s %12s\n", "unit", "busy", "idle", "wait operand",
                "wait DRAM", "wait queue");
  for (int i = 0; i < r->n_units; i++) {
    const weft_unit_result *u = &r->unit[i];
    const double all = (double)r->cycles;
    (void)fprintf(f, "%-8s %7.1f%% %7.1f%% %13.1f%% %11.1f%% %11.1f%%\n", u->name,
                  percent((double)u->busy, all), percent((double)u->idle, all),
                  percent((double)u->stall_operand, all), percent((double)u->stall_dram, all),
                  percent((double)u->stall_queue, all));
  }
}

static void host(const weft_run_result *r, FILE *f) {
  if (r->n_host) (void)fprintf(f, "\non the host:\n");
  for (int i = 0; i < r->n_host; i++) {
    char name[NAME + 1];
    shorten(r->host[i].name, NAME, name, sizeof name);
    (void)fprintf(f, "  %-*s %-*s %s\n", NAME, name, OP, r->host[i].op, r->host[i].why);
  }
}

static void outputs(const weft_run_result *r, FILE *f) {
  for (int i = 0; i < r->n_outputs; i++) {
    const weft_output_result *o = &r->output[i];
    char name[61];
    shorten(o->name, 60, name, sizeof name);
    (void)fprintf(f, "\noutput %s %s [", name, weft_dtype_name(o->dtype));
    for (int d = 0; d < o->rank; d++) (void)fprintf(f, "%s%d", d ? "," : "", o->shape[d]);
    (void)fprintf(f, "]\n");
    for (int k = 0; k < o->n_top; k++)
      (void)fprintf(f, "  %5d  %9.5f%s%s\n", o->top[k].index, o->top[k].value,
                    o->top[k].label ? "  " : "", o->top[k].label ? o->top[k].label : "");
  }
}

void weft_check_line(const weft_run_result *r, char *out, size_t size) {
  int n = snprintf(out, size, "check: %s mismatches (%s elements)",
                   weft_num_group(r->check.mismatches).s, weft_num_group(r->check.elements).s);
  if (r->check.mismatches && n > 0 && (size_t)n < size)
    (void)snprintf(out + n, size - (size_t)n, ", largest difference %d; first: %s",
                   r->check.max_abs_diff, r->check.first);
}

void weft_report_table(const weft_run_result *r, FILE *f) {
  (void)fprintf(f, "%s on %s%s%s\n\n", r->model, r->backend, r->preset ? ", " : "",
                r->preset ? r->preset : "");
  layers(r, f);
  if (r->timed) {
    totals(r, f);
    units(r, f);
  }
  host(r, f);
  outputs(r, f);
  if (!r->checked) return;
  char line[512];
  weft_check_line(r, line, sizeof line);
  (void)fprintf(f, "\n%s\n", line);
}
