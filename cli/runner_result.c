/* Counters, layers and scores of a run. */
#include "runner_result.h"

#include "runner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- sums over segments ---------------------------------------------------------------------- */
weft_status weft_tally_begin(weft_tally *t, const weft_program *p, bool timed, bool slices,
                             weft_err *err) {
  *t = (weft_tally){.program = p, .timed = timed, .slices = timed && slices};
  size_t lines = (size_t)p->n_layers + 1;
  t->cycles = calloc(lines, sizeof *t->cycles);
  t->dram = calloc(lines, sizeof *t->dram);
  if (t->slices) t->slice = malloc(((size_t)p->n_insns + 1) * sizeof *t->slice);
  if (t->cycles && t->dram && (!t->slices || t->slice)) return WEFT_OK;
  weft_tally_end(t);
  return weft_fail(err, WEFT_ENOMEM, "no memory for the counters of %zu layers", lines);
}

void weft_tally_end(weft_tally *t) {
  free(t->cycles);
  free(t->dram);
  free(t->slice);
  *t = (weft_tally){0};
}

/* Valid bytes among [from, from + n) of a row. */
static uint64_t valid(int64_t from, int64_t n, int64_t row_bytes) {
  int64_t lo = from < 0 ? 0 : from, hi = from + n < row_bytes ? from + n : row_bytes;
  return hi > lo ? (uint64_t)(hi - lo) : 0;
}

uint64_t weft_insn_dram_bytes(const weft_insn *insn) {
  if (insn->opcode == WEFT_OP_CODE_STORE)
    return (uint64_t)insn->STORE.rows * insn->STORE.pixels * insn->STORE.pix_bytes;
  if (insn->opcode != WEFT_OP_CODE_LOAD) return 0;
  const weft_insn_LOAD *in = &insn->LOAD;
  uint64_t row = 0;
  if (in->d_pix_stride > in->pix_bytes)
    for (uint32_t x = 0; x < in->pixels; x++)
      row += valid((int64_t)x * in->d_pix_stride - in->lead, in->pix_bytes, in->row_bytes);
  else
    row = valid(-(int64_t)in->lead, (int64_t)(in->pixels - 1) * in->d_pix_stride + in->pix_bytes,
                in->row_bytes);
  return row * in->rows;
}

static size_t layer_of(const weft_program *p, uint32_t insn) {
  return p->layer_of[insn] < (uint32_t)p->n_layers ? p->layer_of[insn] : (size_t)p->n_layers;
}

static void add_times(weft_tally *t, weft_device *dev, const weft_step *step, uint64_t cycles) {
  const size_t n = weft_device_n_times(dev);
  uint64_t done = 0; /* instructions up to here and all before them */
  assert(n <= step->count);
  for (size_t i = 0; i < n; i++) {
    const weft_device_time time = weft_device_time_of(dev, i);
    uint32_t index = step->first + (uint32_t)i;
    if (time.end > done) {
      t->cycles[layer_of(t->program, index)] += time.end - done;
      done = time.end;
    }
    uint32_t opcode = t->program->code[(size_t)index * WEFT_INSN_BYTES] & 63; /* isa.def: bit 0 */
    int unit = weft_insn_unit(opcode);
    if (!t->slices || unit >= WEFT_UNITS) continue;
    const uint64_t base = t->total.cycles;
    t->slice[t->n_slices++] = (weft_slice){.index = index,
                                           .unit = unit,
                                           .layer = (int)layer_of(t->program, index),
                                           .start = base + time.start,
                                           .busy = base + time.busy,
                                           .end = base + time.end};
  }
  assert(done == cycles); /* layers must add up to the run */
  (void)cycles;
}

weft_status weft_tally_add(weft_tally *t, weft_device *dev, const weft_step *step, weft_err *err) {
  const weft_program *p = t->program;
  weft_device_counters c;
  weft_device_read_counters(dev, &c);
  for (uint32_t i = step->first; i < step->first + step->count; i++) {
    weft_insn insn;
    weft_status status = weft_decode(p->code + (size_t)i * WEFT_INSN_BYTES, &insn, err);
    if (status) return status;
    t->dram[layer_of(p, i)] += weft_insn_dram_bytes(&insn);
  }
  if (t->timed) add_times(t, dev, step, c.cycles);
  t->total.cycles += c.cycles;
  t->total.read_bytes += c.read_bytes;
  t->total.write_bytes += c.write_bytes;
  for (int u = 0; u <= WEFT_UNITS; u++) {
    t->total.unit[u].busy += c.unit[u].busy;
    t->total.unit[u].idle += c.unit[u].idle;
    t->total.unit[u].stall_operand += c.unit[u].stall_operand;
    t->total.unit[u].stall_dram += c.unit[u].stall_dram;
    t->total.unit[u].stall_queue += c.unit[u].stall_queue;
  }
  return WEFT_OK;
}

/* --- the result ------------------------------------------------------------------------------ */
static double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}

/* What the layer's time is made of: the largest of its lower bounds; "latency" when it takes more
 * than twice as long as any of them asks for. */
static const char *bound_by(const weft_program *p, const weft_layer *layer, uint64_t cycles,
                            uint64_t dram_bytes) {
  uint64_t bus = (dram_bytes + p->config.dram_bytes - 1) / p->config.dram_bytes;
  if (cycles > 2 * (layer->bound > bus ? layer->bound : bus)) return "latency";
  if (bus >= layer->bound || layer->unit == WEFT_UNIT_STORE || layer->unit == WEFT_UNIT_LOAD)
    return "dram";
  return layer->unit == WEFT_UNIT_GEMM ? "array"
         : layer->unit == WEFT_UNIT_DW ? "depthwise"
                                       : "vector";
}

static void fill_layers(weft_run_result *r, const weft_program *p, const weft_tally *t) {
  const double array = (double)p->config.rows * p->config.cols;
  uint64_t dram = 0, cycles = 0;
  for (int i = 0; i < p->n_layers; i++) {
    const weft_layer *layer = &p->layer[i];
    uint64_t own = t->cycles[i] > layer->bound ? t->cycles[i] : layer->bound;
    r->layer[i] = (weft_layer_result){
        .name = layer->name,
        .op = layer->op,
        .unit = weft_unit_name(layer->unit),
        .bound_by = t->timed ? bound_by(p, layer, t->cycles[i], t->dram[i]) : "",
        .macs = layer->macs,
        .cycles = t->cycles[i],
        .bound = layer->bound,
        .dram_bytes = t->dram[i],
        .utilization = ratio((double)layer->macs, array * (double)own)};
    dram += t->dram[i];
    cycles += t->cycles[i];
  }
  uint64_t moved = t->total.read_bytes + t->total.write_bytes;
  r->layer[p->n_layers] = (weft_layer_result){.name = "(program fetch, alignment)",
                                              .op = "",
                                              .unit = "FETCH",
                                              .bound_by = "",
                                              .cycles = t->cycles[p->n_layers],
                                              .dram_bytes = moved > dram ? moved - dram : 0};
  assert(!t->timed || cycles + t->cycles[p->n_layers] == t->total.cycles);
  (void)cycles;
  r->n_layers = p->n_layers + 1;
}

static void fill_units(weft_run_result *r, const weft_tally *t) {
  for (int u = 0; u <= WEFT_UNITS; u++) {
    const weft_device_unit *c = &t->total.unit[u];
    r->unit[u] = (weft_unit_result){.name = weft_unit_name(u),
                                    .busy = c->busy,
                                    .idle = c->idle,
                                    .stall_operand = c->stall_operand,
                                    .stall_dram = c->stall_dram,
                                    .stall_queue = c->stall_queue};
  }
  r->n_units = WEFT_UNITS + 1;
}

static void fill_host(weft_run_result *r, const weft_graph *g, const weft_program *p) {
  for (int i = 0; i < p->n_steps; i++) {
    if (!p->step[i].host) continue;
    const weft_node *n = &g->node[p->step[i].node];
    const char *name = n->n_out ? g->tensor[n->out[0]].name : NULL;
    r->host[r->n_host].name = name ? name : "";
    r->host[r->n_host].op = weft_op_name(n->op);
    r->host[r->n_host++].why = p->step[i].why ? p->step[i].why : "";
  }
}

/* Without a program: a line per node, all on the host. */
static void fill_nodes(weft_run_result *r, const weft_graph *g) {
  for (int i = 0; i < g->n_nodes; i++) {
    const weft_node *n = &g->node[i];
    const char *name = n->n_out ? g->tensor[n->out[0]].name : NULL;
    r->layer[i] = (weft_layer_result){.name = name ? name : "",
                                      .op = weft_op_name(n->op),
                                      .unit = "host",
                                      .bound_by = "",
                                      .macs = weft_node_macs(g, i)};
    r->macs += r->layer[i].macs;
  }
  r->n_layers = g->n_nodes;
}

weft_status weft_result_fill(weft_run_result *r, const weft_graph *g, const weft_program *p,
                             const weft_tally *t, weft_err *err) {
  size_t lines = p ? (size_t)p->n_layers + 1 : (size_t)g->n_nodes + 1;
  r->layer = calloc(lines, sizeof *r->layer);
  r->unit = calloc(WEFT_UNITS + 1, sizeof *r->unit);
  r->host = calloc(p ? (size_t)p->n_steps + 1 : 1, sizeof *r->host);
  if (!r->layer || !r->unit || !r->host)
    return weft_fail(err, WEFT_ENOMEM, "%s: no memory for the result", g->name);
  r->model = g->name;
  if (!p) {
    fill_nodes(r, g);
    return WEFT_OK;
  }
  const weft_config *c = &p->config;
  const double array = (double)c->rows * c->cols, cycles = (double)t->total.cycles;
  r->config = *c;
  r->preset = p->config.preset;
  r->timed = t->timed;
  r->cycles = t->total.cycles;
  r->lower_bound_cycles = p->bound;
  r->macs = p->macs;
  r->array_macs = p->array_macs;
  r->mac_utilization = ratio((double)p->macs, array * cycles);
  r->array_utilization = ratio((double)p->array_macs, array * cycles);
  r->peak_utilization = ratio((double)p->macs, (array + (double)c->dw_lanes * c->dw_taps) * cycles);
  r->dram_read_bytes = t->total.read_bytes;
  r->dram_write_bytes = t->total.write_bytes;
  r->compile_seconds = p->compile_seconds;
  r->n_instructions = p->n_insns;
  r->slice = t->slice;
  r->n_slices = t->n_slices;
  fill_layers(r, p, t);
  fill_units(r, t);
  fill_host(r, g, p);
  return WEFT_OK;
}

void weft_result_clear(weft_run_result *r) {
  for (int i = 0; i < r->n_outputs; i++) free(r->output[i].name);
  free(r->output);
  free(r->layer);
  free(r->unit);
  free(r->host);
  memset(r, 0, sizeof *r);
}

/* --- scores ---------------------------------------------------------------------------------- */
static double score(const weft_tensor *t, size_t i) {
  double zero = t->quant.n == 1 ? t->quant.zero_point[0] : 0;
  double scale = t->quant.n == 1 ? (double)t->quant.scale[0] : 1;
  switch (t->dtype) {
  case WEFT_INT8: return scale * (((const int8_t *)t->data)[i] - zero);
  case WEFT_UINT8: return scale * (((const uint8_t *)t->data)[i] - zero);
  default: return (double)((const float *)t->data)[i];
  }
}

void weft_result_output(weft_output_result *o, const weft_tensor *t) {
  o->tensor = t;
  o->name = strdup(t->name ? t->name : "");
  o->rank = t->rank;
  memcpy(o->shape, t->dim, sizeof o->shape);
  o->dtype = t->dtype;
  o->n_top = 0;
  size_t n = weft_tensor_elements(t);
  bool scores = t->dtype == WEFT_INT8 || t->dtype == WEFT_UINT8 || t->dtype == WEFT_FLOAT32;
  if (!scores || t->rank < 1 || n < 2 || n != (size_t)t->dim[t->rank - 1]) return;
  for (size_t i = 0; i < n; i++) {
    double v = score(t, i);
    int at = o->n_top;
    while (at > 0 && v > o->top[at - 1].value) at--;
    if (at == 5) continue;
    if (o->n_top < 5) o->n_top++;
    memmove(&o->top[at + 1], &o->top[at], (size_t)(o->n_top - 1 - at) * sizeof o->top[0]);
    o->top[at].index = (int)i;
    o->top[at].value = v;
    o->top[at].label = NULL;
  }
}
