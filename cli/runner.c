/* Running a network step by step. Start at weft_runner_run. */
#include "runner.h"

#include "check.h"
#include "exec.h"
#include "runner_result.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct weft_runner {
  const weft_graph *graph;
  const weft_program *program;
  weft_runner_options options;
  weft_device *dev;
  weft_loaded image;
  uint32_t first;      /* of the segment that runs */
  weft_tensor *output; /* per graph output; owns its data */
  weft_tally tally;
  weft_run_result result;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const char *const backends[] = {"ref", "sim", "rtl"}; /* by weft_backend */

weft_status weft_backend_parse(const char *name, weft_backend *out, weft_err *err) {
  for (int i = 0; i < (int)(sizeof backends / sizeof *backends); i++)
    if (strcmp(name, backends[i]) == 0) {
      *out = (weft_backend)i;
      return WEFT_OK;
    }
  return weft_fail(err, WEFT_EINPUT, "--backend: found '%s', accepted: sim, ref, rtl", name);
}

/* --- opening --------------------------------------------------------------------------------- */
static weft_status open_device(weft_runner *r, weft_err *err) {
  const weft_program *p = r->program;
  const size_t code = (size_t)p->n_insns * WEFT_INSN_BYTES;
  uint64_t bytes = weft_device_load_bytes(code, p->constant_bytes, p->arena_bytes);
  if (p->arena_bytes > UINT32_MAX) /* offsets in instructions have 32 bits */
    return weft_fail(err, WEFT_EUNSUPP, "%s: an arena of %zu bytes, accepted below 4 GiB",
                     r->graph->name, p->arena_bytes);
  const bool rtl = r->options.backend == WEFT_BACKEND_RTL;
  weft_status status = weft_device_open(rtl && r->options.waves ? "rtl-waves"
                                        : rtl                   ? "rtl"
                                                                : "model",
                                        &p->config, (size_t)bytes, &r->dev, err);
  if (!status && r->options.waves)
    status = weft_device_waves(r->dev, r->options.waves, r->options.waves_from, r->options.waves_to,
                               err);
  if (status) return status;
  weft_device_set_options(r->dev, &(weft_device_options){.timing_only = r->options.timing_only,
                                                         .no_timing = r->options.no_timing,
                                                         .check_races = r->options.races,
                                                         .record = true,
                                                         .portable = r->options.portable});
  return weft_device_load(r->dev, p->code, code, p->constants, p->constant_bytes, p->arena_bytes,
                          &r->image, err);
}

weft_status weft_runner_new(const weft_graph *graph, const weft_program *program,
                            const weft_runner_options *options, weft_runner **out, weft_err *err) {
  weft_runner *r = calloc(1, sizeof *r);
  if (!r) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", graph->name);
  r->graph = graph;
  r->program = options->backend == WEFT_BACKEND_REF ? NULL : program;
  r->options = *options;
  weft_status status = WEFT_OK;
  r->output = calloc((size_t)graph->n_outputs + 1, sizeof *r->output);
  if (!r->output) status = weft_fail(err, WEFT_ENOMEM, "%s: out of memory", graph->name);
  for (int i = 0; i < graph->n_outputs && !status; i++) {
    r->output[i] = graph->tensor[graph->output[i]];
    r->output[i].data = malloc(weft_tensor_bytes(&r->output[i]) + 1);
    if (!r->output[i].data) status = weft_fail(err, WEFT_ENOMEM, "%s: out of memory", graph->name);
  }
  if (!status && r->program) status = open_device(r, err);
  if (status) {
    weft_runner_free(r);
    return status;
  }
  *out = r;
  return WEFT_OK;
}

void weft_runner_free(weft_runner *r) {
  if (!r) return;
  weft_result_clear(&r->result);
  weft_tally_end(&r->tally);
  for (int i = 0; r->output && i < r->graph->n_outputs; i++) free(r->output[i].data);
  free(r->output);
  weft_device_close(r->dev);
  free(r);
}

weft_run_result *weft_runner_result(weft_runner *r) {
  return &r->result;
}
weft_device *weft_runner_device(weft_runner *r) {
  return r->dev;
}

weft_loaded weft_runner_image(const weft_runner *r) {
  return r->image;
}

/* --- tensors in the arena -------------------------------------------------------------------- */
static uint64_t address_of(const weft_runner *r, int tensor) {
  return r->image.addr[WEFT_REGION_ARENA] + r->program->place[tensor].offset;
}

static weft_status placed(const weft_runner *r, int tensor, weft_err *err) {
  if (r->program->place[tensor].offset != WEFT_NOWHERE) return WEFT_OK;
  const char *name = r->graph->tensor[tensor].name;
  return weft_fail(err, WEFT_EINTERNAL, "%s: the program gives tensor %d (%s) no memory",
                   r->graph->name, tensor, name ? name : "");
}

static weft_status read_tensor(weft_runner *r, int tensor, void *data, weft_err *err) {
  weft_status status = placed(r, tensor, err);
  if (status) return status;
  size_t n = weft_tensor_bytes(&r->graph->tensor[tensor]);
  return weft_device_read(r->dev, address_of(r, tensor), data, n, err);
}

static weft_status write_tensor(weft_runner *r, int tensor, const void *data, weft_err *err) {
  weft_status status = placed(r, tensor, err);
  if (status) return status;
  size_t n = weft_tensor_bytes(&r->graph->tensor[tensor]);
  return weft_device_write(r->dev, address_of(r, tensor), data, n, err);
}

static void on_instruction(void *user, size_t index) {
  const weft_runner *r = user;
  r->options.observer(r->options.observer_user, r->first + index);
}

/* --- steps ----------------------------------------------------------------------------------- */
static weft_status run_segment(weft_runner *r, const weft_step *step, weft_checker *check,
                               weft_err *err) {
  if (check) weft_checker_segment(check, step->first);
  r->first = step->first;
  weft_status status = weft_device_submit(r->dev, step->first * WEFT_INSN_BYTES, step->count, err);
  if (!status) status = weft_device_wait(r->dev, err);
  if (status && step->first) { /* the device counts from the segment's start */
    weft_err inner = *err;
    weft_fail(err, status, "segment from instruction %u: %.400s", step->first, inner.text);
  }
  return status ? status : weft_tally_add(&r->tally, r->dev, step, err);
}

/* Buffers of a host node's activations, by tensor. */
static weft_status host_buffers(weft_runner *r, const weft_node *n, void **data, weft_err *err) {
  for (int k = 0; k < n->n_in + n->n_out; k++) {
    int t = k < n->n_in ? n->in[k] : n->out[k - n->n_in];
    if (t < 0 || weft_is_const(&r->graph->tensor[t]) || data[t]) continue;
    data[t] = calloc(weft_tensor_bytes(&r->graph->tensor[t]) + 1, 1);
    if (!data[t]) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", r->graph->name);
    weft_status status = k < n->n_in ? read_tensor(r, t, data[t], err) : placed(r, t, err);
    if (status) return status;
  }
  return WEFT_OK;
}

static weft_status run_host(weft_runner *r, const weft_step *step, weft_checker *check,
                            weft_err *err) {
  const weft_graph *g = r->graph;
  const weft_node *n = &g->node[step->node];
  void **data = calloc((size_t)g->n_tensors + 1, sizeof *data);
  if (!data) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", g->name);
  weft_status status = host_buffers(r, n, data, err);
  for (int k = 0; k < n->n_in && !status && check; k++)
    if (n->in[k] >= 0 && data[n->in[k]])
      weft_checker_tensor(check, n->in[k], data[n->in[k]], "as read by a host operator");
  if (!status) status = weft_run_node(g, step->node, data, err);
  for (int k = 0; k < n->n_out && !status; k++) {
    if (check) weft_checker_tensor(check, n->out[k], data[n->out[k]], "as computed on the host");
    status = write_tensor(r, n->out[k], data[n->out[k]], err);
  }
  for (int t = 0; t < g->n_tensors; t++) free(data[t]);
  free(data);
  return status;
}

static weft_status read_outputs(weft_runner *r, weft_checker *check, weft_err *err) {
  const weft_graph *g = r->graph;
  for (int i = 0; i < g->n_outputs; i++) {
    const weft_tensor *t = &g->tensor[g->output[i]];
    if (weft_is_const(t)) {
      memcpy(r->output[i].data, t->data, weft_tensor_bytes(t));
      continue;
    }
    weft_status status = read_tensor(r, g->output[i], r->output[i].data, err);
    if (status) return status;
    if (check) weft_checker_tensor(check, g->output[i], r->output[i].data, "in the output");
  }
  return WEFT_OK;
}

static weft_status run_program(weft_runner *r, void *const *input, weft_checker *check,
                               weft_err *err) {
  const weft_graph *g = r->graph;
  const weft_program *p = r->program;
  weft_status status = WEFT_OK;
  weft_device_reset(r->dev); /* every run starts with cold memories */
  for (int i = 0; i < g->n_inputs && !status; i++) {
    if (p->place[g->input[i]].offset == WEFT_NOWHERE) continue; /* nothing reads it */
    status = write_tensor(r, g->input[i], input[i], err);
    if (!status && check) weft_checker_tensor(check, g->input[i], input[i], "in the input");
  }
  for (int i = 0; i < p->n_steps && !status; i++) {
    const weft_step *step = &p->step[i];
    if (!step->host)
      status = run_segment(r, step, check, err);
    else if (!r->options.timing_only)
      status = run_host(r, step, check, err);
  }
  if (!status && !r->options.timing_only) status = read_outputs(r, check, err);
  return status;
}

static weft_status run_reference(weft_runner *r, void *const *input, weft_err *err) {
  const weft_graph *g = r->graph;
  weft_exec *e;
  weft_status status = weft_exec_new(g, &e, err);
  if (status) return status;
  for (int i = 0; i < g->n_inputs && !status; i++)
    status =
        weft_exec_set(e, g->input[i], input[i], weft_tensor_bytes(&g->tensor[g->input[i]]), err);
  if (!status) status = weft_exec_run(e, err);
  for (int i = 0; i < g->n_outputs && !status; i++)
    memcpy(r->output[i].data, weft_exec_tensor(e, g->output[i])->data,
           weft_tensor_bytes(&r->output[i]));
  weft_exec_free(e);
  return status;
}

static weft_status describe_outputs(weft_runner *r, weft_err *err) {
  const int n = r->graph->n_outputs;
  r->result.output = calloc((size_t)n + 1, sizeof *r->result.output);
  if (!r->result.output) return weft_fail(err, WEFT_ENOMEM, "%s: out of memory", r->graph->name);
  for (int i = 0; i < n; i++) weft_result_output(&r->result.output[i], &r->output[i]);
  r->result.n_outputs = n;
  return WEFT_OK;
}

weft_status weft_runner_run(weft_runner *r, void *const *input, weft_err *err) {
  const weft_program *p = r->program;
  const weft_runner_options *o = &r->options;
  weft_checker *check = NULL;
  weft_status status = WEFT_OK;
  weft_result_clear(&r->result);
  weft_tally_end(&r->tally);
  if (p) status = weft_tally_begin(&r->tally, p, !o->no_timing, o->slices, err);
  if (!status && p && o->check) {
    status = weft_checker_new(r->graph, p, input, &check, err);
    if (!status) weft_checker_watch(check, r->dev, &r->image);
  }
  if (!status && p && o->observer) (void)weft_device_observe(r->dev, on_instruction, r);
  const double start = now();
  if (!status) status = p ? run_program(r, input, check, err) : run_reference(r, input, err);
  const double seconds = now() - start;
  if (!status) status = weft_result_fill(&r->result, r->graph, p, p ? &r->tally : NULL, err);
  if (!status && !o->timing_only) status = describe_outputs(r, err);
  if (!status && check) weft_checker_finish(check, &r->result);
  weft_checker_free(check);
  r->result.backend = backends[o->backend];
  r->result.wall_seconds = seconds;
  return status;
}
