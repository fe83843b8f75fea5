/* `weft run`: one inference, and everything that is to be known about it. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inputs.h"
#include "labels.h"
#include "model_file.h"
#include "npy.h"
#include "report_html.h"
#include "report_json.h"
#include "report_table.h"
#include "runner.h"
#include "trace.h"

typedef struct {
  weft_config_options config;
  weft_list input, output;
  const char *backend_name, *normalize, *labels, *json, *report, *trace;
  weft_waves waves;
  bool check, timing_only, races, no_races, portable, quiet;
  uint64_t seed;
  weft_backend backend;
  weft_norm norm;
} run_options;

static const char about[] =
    "Runs one inference and prints what each layer cost.\n"
    "MODEL is a .tflite file, compiled for the configuration asked for, or a program that\n"
    "`weft compile` made. Without --input, the input is random.\n"
    "Exit status: 0 done, 1 the check found mismatches, 2 an error.";

static int parse(run_options *o, int argc, char **argv, weft_list *rest) {
  *o = (run_options){.backend_name = "sim", .normalize = "auto", .seed = 1};
  const weft_option table[] = {
      {"--input", "FILE", WEFT_OPT_LIST, &o->input,
       ".npy, .png, .jpg, .bmp, .bin (raw bytes); one per input, in order"},
      {"--normalize", "RANGE", WEFT_OPT_TEXT, &o->normalize,
       "what pixels mean: auto (default), 0..1, -1..1, 0..255"},
      {"--seed", "N", WEFT_OPT_NUMBER, &o->seed, "of the random input (default: 1)"},
      {"--backend", "NAME", WEFT_OPT_TEXT, &o->backend_name,
       "sim (default): the C model; rtl: Verilated hardware (make rtl); ref: host kernels"},
      WEFT_CONFIG_OPTIONS(o->config),
      {"--check", NULL, WEFT_OPT_FLAG, &o->check,
       "compare every instruction's result with the reference kernels, bit for bit"},
      {"--races", NULL, WEFT_OPT_FLAG, &o->races,
       "prove that no two units race (default with --check)"},
      {"--no-check-races", NULL, WEFT_OPT_FLAG, &o->no_races, "no such proof"},
      {"--timing-only", NULL, WEFT_OPT_FLAG, &o->timing_only, "cycles only, no values"},
      {"--portable", NULL, WEFT_OPT_FLAG, &o->portable,
       "the C model without vector instructions of this machine; same results"},
      {"--output", "FILE.npy", WEFT_OPT_LIST, &o->output,
       "writes an output; one per output, in order"},
      {"--labels", "FILE", WEFT_OPT_TEXT, &o->labels, "names of the classes, one per line"},
      {"--json", "FILE", WEFT_OPT_TEXT, &o->json, "writes everything as JSON; -: to the terminal"},
      {"--report", "FILE.html", WEFT_OPT_TEXT, &o->report, "writes a page with charts"},
      {"--trace", "FILE.json", WEFT_OPT_TEXT, &o->trace,
       "writes every instruction's time, for ui.perfetto.dev"},
      WEFT_WAVES_OPTIONS(o->waves),
      {"--quiet", NULL, WEFT_OPT_FLAG, &o->quiet, "prints no tables"},
  };
  const weft_command command = {
      "run", "MODEL [options]", about, sizeof table / sizeof table[0], table, true, 1, 1};
  return weft_options_parse(&command, argc, argv, rest);
}

static weft_status clash(const char *a, const char *b, const char *why, weft_err *err) {
  return weft_fail(err, WEFT_EINPUT, "run: %s and %s exclude each other: %s", a, b, why);
}

static weft_status check_options(run_options *o, weft_err *err) {
  weft_status status = weft_backend_parse(o->backend_name, &o->backend, err);
  if (!status) status = weft_norm_parse(o->normalize, &o->norm, err);
  if (!status) status = weft_waves_parse(&o->waves, err);
  if (status) return status;
  const char *ref = "--backend ref", *rtl = "--backend rtl";
  if (o->backend == WEFT_BACKEND_REF) {
    if (o->check) return clash("--check", ref, "it is what the check compares with", err);
    if (o->races) return clash("--races", ref, "there is one thread", err);
    if (o->timing_only) return clash("--timing-only", ref, "it has no cycles", err);
    if (o->trace) return clash("--trace", ref, "it has no cycles", err);
  }
  if (o->backend == WEFT_BACKEND_RTL) {
    if (o->timing_only) return clash("--timing-only", rtl, "it computes what it times", err);
    if (o->races) return clash("--races", rtl, "the C model proves that", err);
  } else if (o->waves.path) {
    return weft_fail(err, WEFT_EINPUT, "run: --waves needs %s", rtl);
  }
  if (o->timing_only && o->check) return clash("--timing-only", "--check", "no values", err);
  if (o->timing_only && o->output.n) return clash("--timing-only", "--output", "no values", err);
  if (o->races && o->no_races) return clash("--races", "--no-check-races", "opposites", err);
  if (o->check && !o->no_races && o->backend == WEFT_BACKEND_SIM) o->races = true;
  return WEFT_OK;
}

/* Tells before the run what would fail after it: the folder of a file to be written. */
static weft_status check_writable(const char *path, weft_err *err) {
  if (!path || strcmp(path, "-") == 0) return WEFT_OK;
  const char *slash = strrchr(path, '/');
  char folder[4096] = ".";
  if (slash && (size_t)(slash - path) < sizeof folder)
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash > path ? slash - path : 1), path);
  if (access(folder, W_OK | X_OK) == 0) return WEFT_OK;
  return weft_fail(err, WEFT_EINPUT, "%s: cannot be written: no folder '%s' to write in", path,
                   folder);
}

static weft_status check_outputs(const run_options *o, const weft_graph *g, weft_err *err) {
  if (o->output.n > g->n_outputs)
    return weft_fail(err, WEFT_EINPUT, "%s: %d --output given, the network has %d output%s",
                     g->name, o->output.n, g->n_outputs, g->n_outputs == 1 ? "" : "s");
  weft_status status = WEFT_OK;
  for (int i = 0; i < o->output.n && !status; i++) status = check_writable(o->output.item[i], err);
  if (!status) status = check_writable(o->json, err);
  if (!status) status = check_writable(o->report, err);
  if (!status) status = check_writable(o->trace, err);
  return status;
}

/* The class names, when their number fits an output. */
static weft_status load_labels(const char *path, const weft_graph *g, weft_labels *labels,
                               weft_err *err) {
  weft_status status = weft_labels_load(path, labels, err);
  if (status) return status;
  size_t classes = 0;
  for (int i = 0; i < g->n_outputs; i++) {
    classes = weft_tensor_elements(&g->tensor[g->output[i]]);
    if (classes == (size_t)labels->n) return WEFT_OK;
  }
  return weft_fail(err, WEFT_EINPUT, "%s: %d names, the network's output has %zu classes", path,
                   labels->n, classes);
}

static void apply_labels(weft_run_result *r, const weft_labels *labels) {
  for (int i = 0; i < r->n_outputs; i++) {
    weft_output_result *o = &r->output[i];
    if (weft_tensor_elements(o->tensor) != (size_t)labels->n) continue;
    for (int k = 0; k < o->n_top; k++) o->top[k].label = weft_label(labels, o->top[k].index);
  }
}

static weft_status write_files(const run_options *o, const weft_run_result *r, weft_err *err) {
  weft_status status = WEFT_OK;
  for (int i = 0; i < o->output.n && !status; i++)
    status = weft_npy_save(o->output.item[i], r->output[i].tensor, err);
  if (!status && o->json) status = weft_report_json(r, o->json, err);
  if (!status && o->report) status = weft_report_html(r, o->report, err);
  if (!status && o->trace) status = weft_trace_write(r, o->trace, err);
  return status;
}

/* What a run holds until its end. */
typedef struct {
  weft_model_file model;
  weft_labels labels;
  void **input;
  weft_runner *runner;
} resources;

static weft_status run(const run_options *o, const char *path, resources *have, weft_err *err) {
  weft_status status =
      weft_model_file_open(path, &o->config, o->backend != WEFT_BACKEND_REF, &have->model, err);
  if (status) return status;
  const weft_graph *g = have->model.graph;
  const weft_program *p = have->model.program;
  status = check_outputs(o, g, err);
  if (!status && o->labels) status = load_labels(o->labels, g, &have->labels, err);
  if (!status) status = weft_inputs_load(g, &o->input, o->norm, o->seed, &have->input, err);
  const weft_runner_options options = {.backend = o->backend,
                                       .check = o->check,
                                       .timing_only = o->timing_only,
                                       .races = o->races,
                                       .portable = o->portable,
                                       .slices = o->trace || o->report,
                                       .waves = o->waves.path,
                                       .waves_from = o->waves.from,
                                       .waves_to = o->waves.to};
  if (!status) status = weft_runner_new(g, p, &options, &have->runner, err);
  if (!status) status = weft_runner_run(have->runner, have->input, err);
  if (status) return status;
  weft_run_result *r = weft_runner_result(have->runner);
  r->seed = o->seed;
  apply_labels(r, &have->labels);
  if (!o->quiet && !(o->json && strcmp(o->json, "-") == 0)) weft_report_table(r, stdout);
  return write_files(o, r, err);
}

int weft_cmd_run(int argc, char **argv) {
  run_options o;
  weft_list rest = {0};
  weft_err err;
  int code = parse(&o, argc, argv, &rest);
  if (code >= 0) return code;
  if (check_options(&o, &err) != WEFT_OK) return weft_complain(&err);
  resources have = {0};
  weft_status status = run(&o, rest.item[0], &have, &err);
  code = 0;
  if (status) {
    code = weft_complain(&err);
  } else {
    const weft_run_result *r = weft_runner_result(have.runner);
    if (r->checked && r->check.mismatches) {
      char line[512];
      weft_check_line(r, line, sizeof line);
      (void)fprintf(stderr, "weft: %s\n", line);
      code = 1;
    }
  }
  weft_runner_free(have.runner);
  if (have.model.graph) weft_inputs_free(have.model.graph, have.input);
  weft_labels_free(&have.labels);
  weft_model_file_close(&have.model);
  return code;
}
