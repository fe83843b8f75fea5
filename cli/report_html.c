/* The page: head, summary cards, and the order of its parts. Start at weft_report_html. */
#include "report_html.h"

#include <inttypes.h>

#include "outfile.h"
#include "report.h"
#include "text.h"

/* One card: what, the value (already HTML), and a line below it. */
static void card(FILE *f, const char *class, const char *what, const char *value,
                 const char *below) {
  (void)fprintf(f,
                "<div class=\"card%s\"><div class=\"k\">%s</div><div class=\"v\">%s</div>"
                "<div class=\"s\">%s</div></div>\n",
                class, what, value, below);
}

static void time_cards(FILE *f, const weft_run_result *r) {
  char value[96], below[192];
  double ms = (double)r->cycles / (r->config.clock_mhz * 1e3);
  (void)snprintf(below, sizeof below, "%s instructions, doorbell to interrupt",
                 weft_num_group(r->n_instructions).s);
  card(f, "", "Cycles", weft_num_group(r->cycles).s, below);

  (void)snprintf(value, sizeof value, "%.*f <small>ms</small>", ms < 10 ? 3 : 1, ms);
  (void)snprintf(below, sizeof below, "at %" PRIu32 " MHz; %.*f inferences a second",
                 r->config.clock_mhz, ms > 100 ? 1 : 0, ms > 0 ? 1e3 / ms : 0);
  card(f, "", "Time", value, below);

  double above = report_percent((double)r->cycles, (double)r->lower_bound_cycles) - 100;
  (void)snprintf(below, sizeof below, "cycles; the run is %.1f&#8239;%% %s it",
                 above < 0 ? -above : above, above < 0 ? "below" : "above");
  card(f, "", "Lower bound", r->lower_bound_cycles ? weft_num_group(r->lower_bound_cycles).s : "–",
       r->lower_bound_cycles ? below : "not known");

  (void)snprintf(value, sizeof value, "%.1f <small>%%</small>", r->mac_utilization * 100);
  (void)snprintf(
      below, sizeof below, "%s MACs on %" PRIu32 " × %" PRIu32 "; %.1f&#8239;%% of all multipliers",
      weft_num_short((double)r->macs).s, r->config.rows, r->config.cols, r->peak_utilization * 100);
  card(f, "", "MAC utilization", value, below);

  (void)snprintf(value, sizeof value, "%.1f <small>%%</small>", r->array_utilization * 100);
  (void)snprintf(below, sizeof below, "%s MACs by the array itself",
                 weft_num_short((double)r->array_macs).s);
  card(f, "", "Array utilization", value, below);
}

static void dram_card(FILE *f, const weft_run_result *r, const char *what, uint64_t bytes) {
  char below[128];
  double rate = r->cycles ? (double)bytes / (double)r->cycles : 0;
  (void)snprintf(below, sizeof below, "%s bytes; %.2f of %" PRIu32 " B/cycle",
                 weft_num_group(bytes).s, rate, r->config.dram_bytes);
  card(f, "", what, weft_num_bytes((double)bytes).s, below);
}

static void check_card(FILE *f, const weft_run_result *r) {
  char value[64], below[128];
  if (!r->checked) {
    card(f, "", "Check", "–", "not compared with the reference");
    return;
  }
  bool good = r->check.mismatches == 0;
  if (good)
    (void)snprintf(value, sizeof value, "✓ equal");
  else
    (void)snprintf(value, sizeof value, "✗ %s differ", weft_num_group(r->check.mismatches).s);
  (void)snprintf(below, sizeof below, "%s values compared with the reference%s%.0d",
                 weft_num_group(r->check.elements).s, good ? "" : "; largest difference ",
                 good ? 0 : r->check.max_abs_diff);
  card(f, good ? " good" : " bad", "Check", value, below);
}

static void head(FILE *f, const weft_run_result *r) {
  (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
              f);
  weft_put_html(f, r->model);
  (void)fputs(" on ", f);
  weft_put_html(f, r->preset);
  (void)fprintf(f, " – Weft</title>\n<style>\n%s</style></head>\n<body><main>\n<h1>", report_style);
  weft_put_html(f, r->model);
  (void)fputs("</h1>\n<p class=\"where\">on <b>", f);
  weft_put_html(f, r->preset);
  (void)fprintf(f,
                "</b>: %" PRIu32 " × %" PRIu32 " array, %" PRIu32 " KiB scratchpad, %" PRIu32
                " DRAM bytes a cycle; run by <b>",
                r->config.rows, r->config.cols, r->config.scratchpad_kib, r->config.dram_bytes);
  weft_put_html(f, r->backend);
  (void)fputs("</b></p>\n", f);
}

static void page(FILE *f, const weft_run_result *r) {
  head(f, r);
  (void)fputs("<div class=\"cards\">\n", f);
  if (r->timed) {
    time_cards(f, r);
    dram_card(f, r, "DRAM read", r->dram_read_bytes);
    dram_card(f, r, "DRAM written", r->dram_write_bytes);
  }
  check_card(f, r);
  (void)fputs("</div>\n", f);
  if (r->checked && r->check.first[0]) {
    (void)fputs("<p class=\"note\">First difference: ", f);
    weft_put_html(f, r->check.first);
    (void)fputs("</p>\n", f);
  }
  if (!r->timed)
    (void)fputs("<p class=\"note\">This run computed the function only; it has no cycles.</p>\n",
                f);
  (void)fputs("<div class=\"two\">\n", f);
  report_outputs(f, r);
  report_host(f, r);
  (void)fputs("</div>\n", f);
}

static weft_status body(FILE *f, const weft_run_result *r, weft_err *err) {
  weft_timeline t;
  page(f, r);
  weft_status status = weft_timeline_make(r, &t, err);
  if (!status && r->timed) {
    report_cycles_chart(f, r);
    status = report_time_chart(f, r, &t, err);
    report_stalls(f, r);
    report_dram_chart(f, r);
  }
  weft_timeline_free(&t);
  report_layers(f, r);
  report_config(f, r);
  (void)fprintf(
      f,
      "<footer>Compiled in %.2f s, run in %.2f s of host time. Written by Weft.</footer>\n"
      "</main>\n<script>%s</script></body></html>\n",
      r->compile_seconds, r->wall_seconds, report_script);
  return status;
}

weft_status weft_report_html(const weft_run_result *r, const char *path, weft_err *err) {
  weft_outfile o;
  weft_status status = weft_outfile_open(&o, path, err);
  if (status) return status;
  status = body(o.f, r, err);
  if (!status) return weft_outfile_close(&o, err);
  weft_outfile_abandon(&o);
  return status;
}
