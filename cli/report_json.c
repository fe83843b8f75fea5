/* Building the JSON object; keys stand in the order in which people read them. */
#include "report_json.h"

#include "outfile.h"

#include <jansson.h>
#include <string.h>

/* Names come from model files; what is not UTF-8 becomes '?'. */
static json_t *text(const char *s) {
  json_t *j = json_string(s ? s : "");
  if (j) return j;
  char ascii[512];
  size_t n = 0;
  for (; s[n] && n + 1 < sizeof ascii; n++) ascii[n] = (signed char)s[n] > 0 ? s[n] : '?';
  ascii[n] = 0;
  return json_string(ascii);
}

static json_t *count(uint64_t v) {
  return json_integer((json_int_t)v);
}

/* A value that only a timed run has. */
static json_t *timed(const weft_run_result *r, json_t *value) {
  if (r->timed) return value;
  json_decref(value);
  return json_null();
}

static void set(json_t *object, const char *key, json_t *value) {
  if (json_object_set_new(object, key, value) != 0) json_decref(value);
}

static json_t *check_of(const weft_run_result *r) {
  if (!r->checked) return json_null();
  json_t *c = json_object();
  set(c, "elements", count(r->check.elements));
  set(c, "mismatches", count(r->check.mismatches));
  set(c, "max_abs_diff", json_integer(r->check.max_abs_diff));
  if (r->check.first[0]) set(c, "first", text(r->check.first));
  return c;
}

static json_t *outputs_of(const weft_run_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->n_outputs; i++) {
    const weft_output_result *out = &r->output[i];
    json_t *o = json_object(), *shape = json_array(), *top = json_array();
    for (int d = 0; d < out->rank; d++) json_array_append_new(shape, json_integer(out->shape[d]));
    for (int k = 0; k < out->n_top; k++) {
      json_t *t = json_object();
      set(t, "index", json_integer(out->top[k].index));
      set(t, "value", json_real(out->top[k].value));
      if (out->top[k].label) set(t, "label", text(out->top[k].label));
      json_array_append_new(top, t);
    }
    set(o, "name", text(out->name));
    set(o, "shape", shape);
    set(o, "dtype", text(weft_dtype_name(out->dtype)));
    set(o, "top", top);
    json_array_append_new(list, o);
  }
  return list;
}

static json_t *layers_of(const weft_run_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->n_layers; i++) {
    const weft_layer_result *layer = &r->layer[i];
    json_t *o = json_object();
    set(o, "name", text(layer->name));
    set(o, "op", text(layer->op));
    set(o, "unit", text(layer->unit));
    set(o, "macs", count(layer->macs));
    set(o, "cycles", timed(r, count(layer->cycles)));
    set(o, "bound", timed(r, count(layer->bound)));
    set(o, "dram_bytes", count(layer->dram_bytes));
    set(o, "utilization", timed(r, json_real(layer->utilization)));
    set(o, "bound_by", text(layer->bound_by));
    json_array_append_new(list, o);
  }
  return list;
}

static json_t *units_of(const weft_run_result *r) {
  json_t *all = json_object();
  for (int i = 0; i < r->n_units && r->timed; i++) {
    const weft_unit_result *u = &r->unit[i];
    json_t *o = json_object();
    set(o, "busy", count(u->busy));
    set(o, "idle", count(u->idle));
    set(o, "stall_operand", count(u->stall_operand));
    set(o, "stall_dram", count(u->stall_dram));
    set(o, "stall_queue", count(u->stall_queue));
    set(all, u->name, o);
  }
  return all;
}

static json_t *host_of(const weft_run_result *r) {
  json_t *list = json_array();
  for (int i = 0; i < r->n_host; i++) {
    json_t *o = json_object();
    set(o, "name", text(r->host[i].name));
    set(o, "op", text(r->host[i].op));
    set(o, "why", text(r->host[i].why));
    json_array_append_new(list, o);
  }
  return list;
}

static json_t *build(const weft_run_result *r) {
  json_t *o = json_object();
  set(o, "model", text(r->model));
  set(o, "preset", r->preset ? text(r->preset) : json_null());
  set(o, "backend", text(r->backend));
  set(o, "seed", count(r->seed));
  set(o, "cycles", timed(r, count(r->cycles)));
  set(o, "lower_bound_cycles", timed(r, count(r->lower_bound_cycles)));
  set(o, "macs", count(r->macs));
  set(o, "mac_utilization", timed(r, json_real(r->mac_utilization)));
  set(o, "array_utilization", timed(r, json_real(r->array_utilization)));
  set(o, "peak_utilization", timed(r, json_real(r->peak_utilization)));
  set(o, "dram_read_bytes", timed(r, count(r->dram_read_bytes)));
  set(o, "dram_write_bytes", timed(r, count(r->dram_write_bytes)));
  set(o, "instructions", count(r->n_instructions));
  set(o, "compile_seconds", json_real(r->compile_seconds));
  set(o, "wall_seconds", json_real(r->wall_seconds));
  set(o, "check", check_of(r));
  set(o, "outputs", outputs_of(r));
  set(o, "layers", layers_of(r));
  set(o, "units", units_of(r));
  set(o, "host_ops", host_of(r));
  return o;
}

weft_status weft_report_json(const weft_run_result *r, const char *path, weft_err *err) {
  return weft_json_save(build(r), path, err);
}
