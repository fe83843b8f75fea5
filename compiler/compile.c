/* From a graph to a program: which node runs where, one layer after the other, then semaphores.
 *
 * Nodes that the device cannot do become host steps; the device segments between them end with END.
 * Tensors lie dense in the arena at every segment border. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lower.h"

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
  case WEFT_OP_MAXIMUM: return lower_vector;
  case WEFT_OP_LOGISTIC:
  case WEFT_OP_TANH:
  case WEFT_OP_HARD_SWISH:
  case WEFT_OP_LEAKY_RELU:
  case WEFT_OP_RELU:
  case WEFT_OP_RELU6:
  case WEFT_OP_RELU_N1_TO_1:
  case WEFT_OP_GELU: return lower_vector;
  case WEFT_OP_QUANTIZE: {
    weft_dtype from = g->tensor[n->in[0]].dtype;
    return from == WEFT_INT8 || from == WEFT_UINT8 ? lower_vector : NULL;
  }
  case WEFT_OP_AVERAGE_POOL_2D:
  case WEFT_OP_MAX_POOL_2D: return lower_vector;
  case WEFT_OP_MEAN: return lower_vector;
  case WEFT_OP_SOFTMAX: return lower_vector;
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
  *(kind == BOUND_ARRAY ? &p->bound_array : kind == BOUND_DW ? &p->bound_dw : &p->bound_vec) +=
      cycles;
}

static void add_step(weft_program *p, weft_step s) { p->step[p->n_steps++] = s; }

/* Ends a device segment that began at instruction `first`; the next one begins at a multiple of
 * 256 bytes. */
static void end_segment(lowering *l, size_t first) {
  if (l->n_insns == first) return;
  schedule_instructions(l, first, l->n_insns);
  emit(l, WEFT_OP_CODE_END);
  add_step(l->prog, (weft_step){.first = (uint32_t)first, .count = (uint32_t)(l->n_insns - first)});
  while (l->n_insns * WEFT_INSN_BYTES % WEFT_BURST_BYTES) emit(l, WEFT_OP_CODE_END);
}

static char *copy_text(const char *s) {
  char *c = strdup(s);
  if (!c) abort();
  return c;
}

/* Tries to put node `i` on the device as a new layer; NULL on success. */
static const char *try_device(lowering *l, int i) {
  const weft_graph *g = l->graph;
  const weft_node *n = &g->node[i];
  weft_program *p = l->prog;
  lower_fn *fn = lowering_of(g, n);
  if (!fn) return "the device has no such operation";
  size_t insns = l->n_insns, constants = p->constant_bytes;
  l->layer = p->n_layers++;
  l->dram_bytes = 0;
  weft_layer *layer = &p->layer[l->layer];
  *layer = (weft_layer){.name = copy_text(g->tensor[n->out[0]].name),
                        .op = copy_text(weft_op_name(n->op))};
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

static void lower_graph(lowering *l) {
  const weft_graph *g = l->graph;
  size_t segment = 0;
  for (int i = 0; i < g->n_nodes; i++) {
    const weft_node *n = &g->node[i];
    if (is_view(n->op) && !weft_is_const(&g->tensor[n->in[0]])) continue;
    const char *why = try_device(l, i);
    if (!why) continue;
    end_segment(l, segment);
    segment = l->n_insns;
    add_step(l->prog, (weft_step){.host = true, .node = i, .why = why});
  }
  end_segment(l, segment);
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

weft_status weft_compile(const weft_graph *graph, const weft_config *config,
                         const weft_compile_options *options, weft_program **out, weft_err *err) {
  (void)options;
  weft_status s = weft_config_check(config, err);
  if (s != WEFT_OK) return s;
  struct timespec t0, t1;
  clock_gettime(CLOCK_MONOTONIC, &t0);
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
  lowering l = {.graph = graph, .cfg = config, .prog = p, .err = err};
  l.w = weft_word_bytes(config);
  l.r = config->rows;
  l.c = config->cols;
  l.weights = (ring){0, weft_weight_rows(config), 0};
  l.params = (ring){0, weft_param_blocks(config), 0};
  l.dwbuf = (ring){0, weft_dwbuf_words(config), 0};
  l.luts = (ring){0, config->lut_slots, 0};
  l.exps = (ring){0, config->exp_slots, 0};
  plan_arena(&l);
  lower_graph(&l);
  sync_instructions(&l);
  s = encode(&l);
  network_bounds(&l);
  free(l.insn);
  if (s != WEFT_OK) {
    weft_program_free(p);
    return s;
  }
  clock_gettime(CLOCK_MONOTONIC, &t1);
  p->compile_seconds =
      (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
  *out = p;
  return WEFT_OK;
}
