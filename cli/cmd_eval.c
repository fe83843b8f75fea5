/* `weft eval MODEL DIR`: how often the network is right on a folder of photographs. */
#include "commands.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "eval.h"
#include "inputs.h"
#include "model_file.h"
#include "options.h"
#include "outfile.h"
#include "runner.h"

typedef struct {
  weft_config_options config;
  const char *backend, *labels, *normalize, *json;
  uint64_t limit, jobs, offset;
  weft_list rest; /* MODEL DIR */
} request;

static int parse(int argc, char **argv, request *q) {
  const weft_option option[] = {
      WEFT_CONFIG_OPTIONS(q->config),
      {"--backend", "NAME", WEFT_OPT_TEXT, &q->backend,
       "sim: the C model (default), ref: the reference kernels"},
      {"--labels", "FILE", WEFT_OPT_TEXT, &q->labels,
       "names of the classes, one a line: what the folders stand for"},
      {"--offset", "K", WEFT_OPT_NUMBER, &q->offset,
       "output = class + K; 1 for models with a background class"},
      {"--normalize", "RANGE", WEFT_OPT_TEXT, &q->normalize,
       "what pixels mean: auto (default), 0..1, -1..1, 0..255"},
      {"--limit", "N", WEFT_OPT_NUMBER, &q->limit, "only N images, evenly spread"},
      {"--jobs", "N", WEFT_OPT_NUMBER, &q->jobs, "threads (default: all cores)"},
      {"--json", "FILE", WEFT_OPT_TEXT, &q->json, "the result as JSON; -: to the terminal, alone"},
  };
  const weft_command cmd = {
      .name = "eval",
      .usage = "MODEL DIR [options]",
      .about =
          "Top-1 and top-5 accuracy on the images DIR/CLASS/*.png|jpg, by the function of the\n"
          "C model. Without --labels, folders that are all numbers are output indices; other\n"
          "folders are numbered in sorted order.",
      .n = sizeof option / sizeof *option,
      .option = option,
      .keys = true,
      .min = 2,
      .max = 2,
  };
  return weft_options_parse(&cmd, argc, argv, &q->rest);
}

/* Everything that the answer needs, checked before work starts. */
static weft_status prepare(const request *q, weft_model_file *m, eval_set *set, eval_run *run,
                           weft_err *err) {
  weft_backend backend;
  weft_status status = weft_backend_parse(q->backend ? q->backend : "sim", &backend, err);
  if (status) return status;
  run->reference = backend == WEFT_BACKEND_REF;
  if (q->jobs > 1024)
    return weft_fail(err, WEFT_EINPUT, "--jobs is %llu, accepted 1...1024",
                     (unsigned long long)q->jobs);
  if (q->offset > UINT32_MAX / 2)
    return weft_fail(err, WEFT_EINPUT, "--offset is %llu, more than any model has outputs",
                     (unsigned long long)q->offset);
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  run->jobs = q->jobs ? (int)q->jobs : cores > 0 ? (int)cores : 1;
  status = weft_norm_parse(q->normalize ? q->normalize : "auto", &run->norm, err);
  if (!status) status = weft_model_file_open(q->rest.item[0], &q->config, !run->reference, m, err);
  if (!status) status = eval_check_graph(m->graph, err);
  if (status) return status;
  run->graph = m->graph;
  run->program = run->reference ? NULL : m->program;
  run->set = set;
  size_t outputs = weft_tensor_elements(&m->graph->tensor[m->graph->output[0]]);
  return eval_set_find(q->rest.item[1], q->labels, q->offset, q->limit, outputs, set, err);
}

static double share(uint64_t part, const eval_run *run) {
  return (double)part / (double)run->done;
}

static weft_status write_json(const request *q, const eval_run *run, weft_err *err) {
  json_t *j =
      json_pack("{s:s, s:s, s:s, s:I, s:i, s:I, s:I, s:f, s:I, s:f, s:i, s:f, s:f}", "model",
                run->graph->name, "preset", run->program ? run->program->config.preset : "",
                "backend", run->reference ? "ref" : "sim", "images", (json_int_t)run->done,
                "classes", run->set->n_classes, "offset", (json_int_t)q->offset, "top1_correct",
                (json_int_t)run->top1, "top1", share(run->top1, run), "top5_correct",
                (json_int_t)run->top5, "top5", share(run->top5, run), "jobs", run->jobs, "seconds",
                run->seconds, "images_per_second", (double)run->done / run->seconds);
  if (!j) return weft_fail(err, WEFT_EINPUT, "%s: cannot write names as JSON", q->json);
  return weft_json_save(j, q->json, err);
}

int weft_cmd_eval(int argc, char **argv) {
  request q = {0};
  int exit_status = parse(argc, argv, &q);
  if (exit_status >= 0) return exit_status;
  weft_err err;
  weft_model_file m = {0};
  eval_set set = {0};
  eval_run run = {0};
  weft_status status = prepare(&q, &m, &set, &run, &err);
  if (!status) status = eval_run_all(&run, &err);
  if (!status && !(q.json && strcmp(q.json, "-") == 0))
    printf("top-1 %.2f%% (%llu/%llu)\ntop-5 %.2f%% (%llu/%llu)\n%.1f images/s\n",
           100 * share(run.top1, &run), (unsigned long long)run.top1, (unsigned long long)run.done,
           100 * share(run.top5, &run), (unsigned long long)run.top5, (unsigned long long)run.done,
           (double)run.done / run.seconds);
  if (!status && q.json) status = write_json(&q, &run, &err);
  eval_set_free(&set);
  weft_model_file_close(&m);
  return status ? weft_complain(&err) : 0;
}
