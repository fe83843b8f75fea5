/* From a graph to a program: which node runs where, one layer after the other, then semaphores.
 *
 * Nodes that the device cannot do become host steps; the device segments between them end with END.
 * Tensors lie dense in the arena at every segment border. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "group.h"

typedef const char *lower_fn(lowering *l, int node);

static lower_fn *lowering_of(const weft_graph *g, const weft_node *n) {
  switch (n->op) {
  case WEFT_OP_CONV_2D:
  case WEFT_OP_FULLY_CONNECTED: return lower_conv;
  case WEFT_OP_DEPTHWISE_CONV_2D: return lower_depthwise;
  case WEFT_OP_ADD:
  case WEFT_OP_SUB:
  case WEFT_OP_MUL:
  case WEFT_OP_MINIMUM:
  case WEFT_OP_MAXIMUM:
  case WEFT_OP_LOGISTIC:
  case WEFT_OP_TANH:
  case WEFT_OP_HARD_SWISH:
  case WEFT_OP_LEAKY_RELU:
  case WEFT_OP_RELU:
  case WEFT_OP_RELU6:
  case WEFT_OP_RELU_N1_TO_1:
  case WEFT_OP_GELU:
  case WEFT_OP_AVERAGE_POOL_2D:
  case WEFT_OP_MAX_POOL_2D:
  case WEFT_OP_MEAN:
  case WEFT_OP_SOFTMAX: return lower_vector;
  case WEFT_OP_QUANTIZE: {
    weft_dtype from = g->tensor[n->in[0]].dtype;
    return from == WEFT_INT8 || from == WEFT_UINT8 ? lower_vector : NULL;
  }
  case WEFT_OP_CONCATENATION:
  case WEFT_OP_SLICE:
  case WEFT_OP_SPLIT:
  case WEFT_OP_PAD:
  case WEFT_OP_PADV2: return lower_copy;
  default: return NULL;
  }
}

void account(lowering *l, bound_kind kind, uint64_t cycles, uint64_t macs) {
  weft_program *p = l->prog;
  weft_layer *layer = &p->layer[l->layer];
  layer->macs += macs;
  p->macs += macs;
  if (kind == BOUND_ARRAY) {
    layer->array_macs += macs;
    p->array_macs += macs;
  }
  if (cycles > layer->bound) layer->bound = cycles;
  *(kind == BOUND_ARRAY ? &p->bound_array
    : kind == BOUND_DW  ? &p->bound_dw
                        : &p->bound_vec) += cycles;
}

static void add_step(weft_program *p, weft_step s) {
  p->step[p->n_steps++] = s;
}

/* Ends a device segment that began at instruction `first`; the next one begins at a multiple of
 * 256 bytes. */
static void end_segment(lowering *l, size_t first) {
  if (l->n_insns == first) return;
  if (!l->rehearsal && !l->in_order) schedule_instructions(l, first, l->n_insns);
  emit(l, WEFT_OP_CODE_END);
  add_step(l->prog, (weft_step){.first = (uint32_t)first, .count = (uint32_t)(l->n_insns - first)});
  while (l->n_insns * WEFT_INSN_BYTES % WEFT_BURST_BYTES) emit(l, WEFT_OP_CODE_END);
}

static char *copy_text(const char *s) {
  char *c = strdup(s);
  if (!c) abort();
  return c;
}

bool on_vector_unit(const weft_graph *g, const weft_node *n) {
  return lowering_of(g, n) == lower_vector;
}

void begin_layer(lowering *l, int i) {
  const weft_graph *g = l->graph;
  const weft_node *n = &g->node[i];
  l->layer = l->prog->n_layers++;
  l->prog->layer[l->layer] = (weft_layer){.name = copy_text(g->tensor[n->out[0]].name),
                                          .op = copy_text(weft_op_name(n->op))};
}

/* Tries to put node `i` on the device as a layer of its own; NULL on success. */
static const char *try_device(lowering *l, int i) {
  weft_program *p = l->prog;
  lower_fn *fn = lowering_of(l->graph, &l->graph->node[i]);
  if (!fn) return "the device has no such operation";
  size_t insns = l->n_insns, constants = p->constant_bytes;
  begin_layer(l, i);
  weft_layer *layer = &p->layer[l->layer];
  const char *why = fn(l, i);
  if (why) {
    l->n_insns = insns;
    p->constant_bytes = constants;
    free(layer->name);
    free(layer->op);
    l->layer = --p->n_layers;
    return why;
  }
  uint64_t dram = (p->constant_bytes - constants) / l->cfg->dram_bytes;
  if (dram > layer->bound) layer->bound = dram;
  return NULL;
}

/* True when the node reads a QUANTIZE's or PAD's output that does not exist in DRAM. */
static bool reads_shortcut(const lowering *l, const weft_node *n) {
  for (int k = 0; k < n->n_in; k++) {
    int t = n->in[k];
    if (t < 0) continue;
    if (l->pad_of[t] >= 0) return true;
    if (l->graph->tensor[t].dtype != l->graph->tensor[l->owner[t]].dtype) return true;
  }
  return false;
}

/* Last node that reads each owner's bytes; outputs of the graph are read after the last node. */
static int *last_uses(const lowering *l) {
  const weft_graph *g = l->graph;
  int *last = malloc(((size_t)g->n_tensors + 1) * sizeof *last);
  if (!last) abort();
  for (int t = 0; t < g->n_tensors; t++) last[t] = -1;
  for (int i = 0; i < g->n_nodes; i++)
    for (int k = 0; k < g->node[i].n_in; k++) {
      int t = g->node[i].in[k];
      if (t >= 0 && !is_view(l, &g->node[i])) last[l->owner[t]] = i;
    }
  for (int i = 0; i < g->n_outputs; i++) last[l->owner[g->output[i]]] = g->n_nodes;
  return last;
}

/* False when a host step turned out to read what a QUANTIZE or PAD left out would have made. */
static bool lower_graph(lowering *l) {
  const weft_graph *g = l->graph;
  size_t segment = 0;
  int *last = last_uses(l);
  residency r = {.l = l, .last_use = last};
  bool ok = true;
  for (int i = 0; i < g->n_nodes && ok;) {
    const weft_node *n = &g->node[i];
    if (is_view(l, n)) {
      i++;
      continue;
    }
    int grouped = l->how.groups ? groups_lower(&r, i) : 0;
    if (grouped) {
      i += grouped;
      continue;
    }
    groups_spill(&r, i);
    const char *why = try_device(l, i);
    if (why) {
      ok = !reads_shortcut(l, n);
      end_segment(l, segment);
      segment = l->n_insns;
      add_step(l->prog, (weft_step){.host = true, .node = i, .why = why});
    }
    i++;
  }
  groups_spill(&r, g->n_nodes);
  end_segment(l, segment);
  free(last);
  return ok;
}

static weft_status encode(lowering *l) {
  weft_program *p = l->prog;
  p->n_insns = (uint32_t)l->n_insns;
  p->code = malloc(l->n_insns * WEFT_INSN_BYTES + 1);
  p->result = malloc(l->n_insns * sizeof *p->result + 1);
  p->layer_of = malloc(l->n_insns * sizeof *p->layer_of + 1);
  if (!p->code || !p->result || !p->layer_of)
    return weft_fail(l->err, WEFT_ENOMEM, "no memory for %zu instructions", l->n_insns);
  for (size_t i = 0; i < l->n_insns; i++) {
    weft_status s = weft_encode(&l->insn[i].insn, p->code + i * WEFT_INSN_BYTES, l->err);
    if (s != WEFT_OK) return s;
    p->result[i] = l->insn[i].result;
    p->layer_of[i] = (uint32_t)l->insn[i].layer;
  }
  return WEFT_OK;
}

static void network_bounds(lowering *l) {
  weft_program *p = l->prog;
  const weft_graph *g = l->graph;
  uint64_t bytes = p->constant_bytes;
  for (int i = 0; i < g->n_inputs; i++) bytes += weft_tensor_bytes(&g->tensor[g->input[i]]);
  for (int i = 0; i < g->n_outputs; i++) bytes += weft_tensor_bytes(&g->tensor[g->output[i]]);
  p->bound_dram = bytes / l->cfg->dram_bytes;
  const uint64_t all[] = {p->bound_array, p->bound_dw, p->bound_vec, p->bound_dram};
  p->bound = 0;
  for (int i = 0; i < 4; i++)
    if (all[i] > p->bound) p->bound = all[i];
}

static weft_status new_program(const weft_graph *graph, const weft_config *config,
                               weft_program **out, weft_err *err) {
  weft_program *p = calloc(1, sizeof *p);
  if (!p) return weft_fail(err, WEFT_ENOMEM, "no memory for a program");
  p->config = *config;
  p->config_hash = weft_config_hash(config);
  p->n_tensors = graph->n_tensors;
  p->place = calloc((size_t)graph->n_tensors + 1, sizeof *p->place);
  p->step = calloc(2 * (size_t)graph->n_nodes + 2, sizeof *p->step);
  p->layer = calloc((size_t)graph->n_nodes + 1, sizeof *p->layer);
  if (!p->place || !p->step || !p->layer) {
    weft_program_free(p);
    return weft_fail(err, WEFT_ENOMEM, "no memory for a program");
  }
  *out = p;
  return WEFT_OK;
}

/* One pass over the graph; false: a shortcut must not be taken after all. */
static bool pass(lowering *l) {
  const weft_config *config = l->cfg;
  l->w = weft_word_bytes(config);
  l->r = config->rows;
  l->c = config->cols;
  l->weights = (ring){0, weft_weight_rows(config), 0};
  l->params = (ring){0, weft_param_blocks(config), 0};
  l->dwbuf = (ring){0, weft_dwbuf_words(config), 0};
  l->luts = (ring){0, config->lut_slots, 0};
  l->exps = (ring){0, config->exp_slots, 0};
  plan_arena(l);
  return lower_graph(l);
}

/* Everything that a compilation owns besides the program. */
typedef struct {
  const weft_graph *graph;
  const weft_config *config;
  weft_compile_options options;
  int *begins, *owner, *pad_of; /* begins is followed by ends */
  bool no_shortcuts;
} compilation;

static lowering new_pass(const compilation *c, weft_program *p, strategy how, bool rehearsal,
                         weft_err *err) {
  return (lowering){.graph = c->graph,
                    .cfg = c->config,
                    .prog = p,
                    .err = err,
                    .how = how,
                    .begins = c->begins,
                    .ends = c->begins + c->graph->n_nodes,
                    .owner = c->owner,
                    .rehearsal = rehearsal,
                    .in_order = c->options.in_order,
                    .dump = c->options.dump,
                    .no_shortcuts = c->no_shortcuts,
                    .pad_of = c->pad_of};
}

/* Compiles with one strategy: first only to find the groups, which decide how long tensors in DRAM
 * live. *estimate: cycles as the scheduler sees them. */
static weft_status compile_as(compilation *c, strategy how, weft_program **out, uint64_t *estimate,
                              weft_err *err) {
  for (int i = 0; i < c->graph->n_nodes; i++) c->begins[i] = c->begins[c->graph->n_nodes + i] = i;
  for (bool rehearsal = true;;) {
    weft_program *p = NULL;
    weft_status s = new_program(c->graph, c->config, &p, err);
    if (s != WEFT_OK) return s;
    lowering l = new_pass(c, p, how, rehearsal, err);
    bool ok = pass(&l);
    if (ok && !rehearsal) {
      sync_instructions(&l);
      s = encode(&l);
      network_bounds(&l);
    }
    free(l.insn);
    if (ok && !rehearsal && s == WEFT_OK) {
      *out = p;
      *estimate = l.estimate;
      return WEFT_OK;
    }
    weft_program_free(p);
    if (s != WEFT_OK) return s;
    c->no_shortcuts |= !ok;
    rehearsal = !ok;
  }
}

static double seconds_since(const struct timespec *t0) {
  struct timespec t1;
  clock_gettime(CLOCK_MONOTONIC, &t1);
  return (double)(t1.tv_sec - t0->tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0->tv_nsec);
}

/* Tried in this order until so many instructions have been emitted (about a second's work; counted,
 * not timed, so that the result is the same everywhere); the fewest cycles win. */
enum { SEARCH_INSNS = 30000 };
static const strategy strategies[] = {
    /* pixels, cycles, ahead, weights/8, stay/8, small, strips, chunk, longest first, sums */
    {1, 300, 2, 5, 2, 0, 4, 96, true, true, true},
    {1, 150, 2, 7, 2, 100, 8, 16, true, true, true},
    {2, 0, 1, 8, 2, 0, 4, 96, true, true, true},
    {1, 0, 2, 5, 2, 0, 1, 96, false, true, true},
    {2, 0, 2, 5, 2, 100, 1, 200, true, true, true},
    {1, 0, 3, 5, 2, 40, 1, 16, true, true, true},
    {1, 150, 2, 7, 2, 100, 8, 96, false, true, true},
    {1, 200, 2, 5, 2, 40, 1, 96, false, true, true},
    {4, 0, 2, 5, 2, 0, 2, 96, true, true, true},
    {2, 0, 2, 8, 3, 0, 1, 96, false, true, true},
    {1, 500, 2, 5, 2, 40, 1, 96, true, true, true},
    {4, 0, 3, 5, 2, 0, 1, 96, false, true, true},
    {1, 150, 2, 7, 2, 100, 8, 16, false, false, true},
    {1, 300, 2, 5, 2, 0, 4, 96, false, true, true},
    {0, 0, 0, 0, 0, 0, 1, 1, false, false, false}, /* layer by layer: last, and alone when naive */
};
enum { STRATEGIES = sizeof strategies / sizeof *strategies };

static weft_status search(compilation *c, weft_program **out, weft_err *err) {
  struct timespec t0;
  clock_gettime(CLOCK_MONOTONIC, &t0);
  uint64_t least = UINT64_MAX, emitted_so_far = 0;
  FILE *dump = c->options.dump;
  weft_program *best = NULL;
  for (int i = c->options.naive ? STRATEGIES - 1 : 0; i < STRATEGIES; i++) {
    const strategy *how = &strategies[i];
    weft_program *p = NULL;
    uint64_t estimate = 0;
    if (dump)
      fprintf(dump,
              "strategy %d: %u pixels x rows or %u cycles per step, %u steps ahead, weights %u/8, "
              "staying tensors %u/8, %u pixels are small, %u strips, chunks of %u%s%s%s\n",
              i, how->pixels, how->cycles, how->ahead, how->weight_share, how->stay_share,
              how->small, how->strips, how->chunk, how->longest_first ? ", longest first" : "",
              how->sums ? ", sums" : "", how->groups ? "" : ", no groups");
    weft_status s = compile_as(c, *how, &p, &estimate, err);
    if (s != WEFT_OK) {
      weft_program_free(best);
      return s;
    }
    if (c->options.cycles) estimate = c->options.cycles(c->options.user, p);
    if (dump) fprintf(dump, "  estimate %llu cycles\n", (unsigned long long)estimate);
    emitted_so_far += p->n_insns;
    if (!best || estimate < least) {
      weft_program_free(best);
      best = p;
      least = estimate;
    } else {
      weft_program_free(p);
    }
    if (emitted_so_far > SEARCH_INSNS) break;
  }
  best->compile_seconds = seconds_since(&t0);
  *out = best;
  return WEFT_OK;
}

weft_status weft_compile(const weft_graph *graph, const weft_config *config,
                         const weft_compile_options *options, weft_program **out, weft_err *err) {
  weft_status s = weft_config_check(config, err);
  if (s != WEFT_OK) return s;
  compilation c = {.graph = graph, .config = config};
  if (options) c.options = *options;
  c.begins = malloc(((size_t)graph->n_nodes + 1) * 2 * sizeof *c.begins);
  c.owner = malloc(((size_t)graph->n_tensors + 1) * sizeof *c.owner);
  c.pad_of = malloc(((size_t)graph->n_tensors + 1) * sizeof *c.pad_of);
  if (!c.begins || !c.owner || !c.pad_of)
    s = weft_fail(err, WEFT_ENOMEM, "no memory for %d nodes", graph->n_nodes);
  else
    s = search(&c, out, err);
  free(c.begins);
  free(c.owner);
  free(c.pad_of);
  return s;
}
