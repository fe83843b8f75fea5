/* Random networks: numbers, tensors, the choice of operators, and parts of a network. Start at
 * random_graph(), at the end. */
#include "random_build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --------------------------------------------------------------------------------- */
uint64_t random_next(random_source *r) {
  uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int random_range(random_source *r, int lo, int hi) {
  return lo + (int)(random_next(r) % (uint64_t)(hi - lo + 1));
}

bool random_chance(random_source *r, int percent) {
  return random_range(r, 0, 99) < percent;
}

double random_real(random_source *r, double lo, double hi) {
  return lo + (hi - lo) * (double)(random_next(r) >> 11) * 0x1p-53;
}

void random_codes(random_source *r, uint8_t *out, size_t n, uint8_t zero) {
  const uint8_t extreme[] = {0x80, 0x7f, 0x00, 0xff};
  int mode = random_range(r, 0, 11);
  uint8_t same = extreme[random_range(r, 0, 3)];
  for (size_t i = 0; i < n; i++) {
    uint64_t v = random_next(r);
    if (mode == 0)
      out[i] = same;
    else if (mode == 1)
      out[i] = extreme[v & 3];
    else if (mode == 2)
      out[i] = v % 8 ? zero : (uint8_t)(v >> 8);
    else if (mode == 3)
      out[i] = (uint8_t)(zero + (int)(v % 9) - 4);
    else
      out[i] = (uint8_t)v;
  }
}

/* --- tensors --------------------------------------------------------------------------------- */
static int checked(int result) {
  if (result < 0) abort();
  return result;
}

static int named_tensor(weft_graph *g, weft_dtype dtype, int rank, const int32_t *dim) {
  char name[32];
  (void)snprintf(name, sizeof name, "t%d", g->n_tensors);
  return checked(weft_graph_add_tensor(g, name, dtype, rank, dim));
}

int random_tensor8(random_build *b, weft_dtype dtype, int rank, const int32_t *dim, double scale,
                   int32_t zero) {
  int t = named_tensor(b->g, dtype, rank, dim);
  float s = (float)(scale < 1e-20 ? 1e-20 : scale > 1e20 ? 1e20 : scale);
  checked(weft_graph_set_quant(b->g, t, 1, 0, &s, &zero));
  return t;
}

int random_like(random_build *b, int like, int rank, const int32_t *dim) {
  weft_tensor x = *random_tensor(b, like);
  int t = named_tensor(b->g, x.dtype, rank, dim);
  checked(weft_graph_set_quant(b->g, t, 1, 0, x.quant.scale, x.quant.zero_point));
  return t;
}

int32_t random_zero(random_build *b, weft_dtype dtype) {
  int32_t lo = dtype == WEFT_UINT8 ? 0 : -128;
  if (b->options.simple) return random_range(&b->r, -20, 20);
  switch (random_range(&b->r, 0, 5)) {
  case 0: return lo;
  case 1: return lo + 255;
  case 2: return lo + 128;
  default: return random_range(&b->r, lo, lo + 255);
  }
}

int random_ints(random_build *b, int n, const int32_t *value) {
  int t = named_tensor(b->g, WEFT_INT32, 1, &(int32_t){n});
  checked(weft_graph_set_data(b->g, t, value));
  return t;
}

void random_fill(random_build *b, int t) {
  const weft_tensor *x = random_tensor(b, t);
  size_t n = weft_tensor_bytes(x);
  uint8_t *code = malloc(n + 1);
  if (!code) abort();
  if (b->options.simple)
    for (size_t i = 0; i < n; i++) code[i] = (uint8_t)random_next(&b->r);
  else
    random_codes(&b->r, code, n, x->quant.n ? (uint8_t)x->quant.zero_point[0] : 0);
  checked(weft_graph_set_data(b->g, t, code));
  free(code);
}

static void make_live(random_build *b, int t) {
  if (b->n_live < RANDOM_MAX_LIVE) b->live[b->n_live++] = t;
}

void random_node(random_build *b, weft_opcode op, const weft_attr *attr, int n_in, const int *in,
                 int n_out, const int *out) {
  checked(weft_graph_add_node(b->g, op, attr, n_in, in, n_out, out));
  for (int i = 0; i < n_out; i++) make_live(b, out[i]);
  b->budget--;
}

int random_channels(random_build *b) {
  static const int odd[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 80};
  if (b->options.channels) return b->options.channels;
  if (random_chance(&b->r, 60)) return odd[random_range(&b->r, 0, 19)];
  return random_range(&b->r, 1, 80);
}

static int side(random_build *b) {
  int most = random_chance(&b->r, 70) ? 10 : 40;
  return random_range(&b->r, b->options.simple ? 4 : 1, most);
}

int random_input(random_build *b, int rank, const int32_t *dim) {
  int32_t own[4] = {random_chance(&b->r, 15) ? 2 : 1, side(b), side(b), random_channels(b)};
  if (!dim) dim = rank == 2 ? (own[1] = own[3] * random_range(&b->r, 1, 8), own) : own;
  double scale = pow(10, random_real(&b->r, -3, 0));
  int t = random_tensor8(b, b->dtype, rank, dim, scale, random_zero(b, b->dtype));
  b->input[b->n_inputs++] = t;
  make_live(b, t);
  return t;
}

int random_pick(random_build *b, int rank) {
  int found[RANDOM_MAX_LIVE], n = 0;
  for (int i = 0; i < b->n_live; i++)
    if (!rank || random_tensor(b, b->live[i])->rank == rank) found[n++] = b->live[i];
  if (n == 0 || (b->n_inputs < 4 && random_chance(&b->r, 3)))
    return random_input(b, rank ? rank : 4, NULL);
  return random_chance(&b->r, 75) ? found[n - 1] : found[random_range(&b->r, 0, n - 1)];
}

/* --- networks -------------------------------------------------------------------------------- */
static const struct {
  int weight, simple;
  void (*add)(random_build *);
} operators[] = {
    {24, 50, random_conv},    {18, 30, random_depthwise},   {10, 0, random_fully_connected},
    {8, 20, random_residual}, {8, 0, random_binary},        {3, 0, random_gate},
    {5, 0, random_pool},      {2, 0, random_mean},          {5, 0, random_unary},
    {3, 0, random_softmax},   {3, 0, random_quantize},      {2, 0, random_reshape},
    {3, 0, random_pad},       {4, 0, random_concatenation}, {2, 0, random_slice},
    {2, 0, random_split},     {1, 0, random_transpose},
};
enum { OPERATORS = sizeof operators / sizeof *operators };

static void add_operator(random_build *b) {
  if (b->options.bottlenecks) {
    random_bottleneck(b);
    return;
  }
  int sum = 0, i = 0;
  for (int k = 0; k < OPERATORS; k++)
    sum += b->options.simple ? operators[k].simple : operators[k].weight;
  int at = random_range(&b->r, 0, sum - 1);
  for (;; i++) {
    at -= b->options.simple ? operators[i].simple : operators[i].weight;
    if (at < 0) break;
  }
  operators[i].add(b);
}

/* Inputs: what a node reads and nothing wrote; outputs: what nothing reads, and some at random. */
static void set_io(weft_graph *g, random_source *r) {
  int nt = g->n_tensors, n_in = 0, n_out = 0;
  int *in = calloc((size_t)nt + 1, sizeof *in), *out = calloc((size_t)nt + 1, sizeof *out);
  char *read = calloc((size_t)nt + 1, 1), *written = calloc((size_t)nt + 1, 1);
  if (!in || !out || !read || !written) abort();
  for (int i = 0; i < g->n_nodes; i++) {
    const weft_node *n = &g->node[i];
    for (int k = 0; k < n->n_in; k++) {
      int t = n->in[k];
      if (t < 0 || weft_is_const(&g->tensor[t])) continue;
      if (!read[t] && !written[t]) in[n_in++] = t;
      read[t] = 1;
    }
    for (int k = 0; k < n->n_out; k++) written[n->out[k]] = 1;
  }
  for (int t = 0; t < nt; t++)
    if (written[t] && (!read[t] || (r && random_chance(r, 5)))) out[n_out++] = t;
  checked(weft_graph_set_io(g, n_in, in, n_out, out));
  free(in);
  free(out);
  free(read);
  free(written);
}

weft_graph *random_graph(uint64_t seed, const random_graph_options *options) {
  random_build b = {.r = {seed * 0x2545f4914f6cdd1du + 1}, .options = *options};
  b.g = weft_graph_new("random");
  if (!b.g) abort();
  b.dtype = !options->simple && random_chance(&b.r, 25) ? WEFT_UINT8 : WEFT_INT8;
  b.budget = options->nodes ? options->nodes : random_range(&b.r, 1, 8);
  random_input(&b, 4, NULL);
  for (int tries = 0; b.budget > 0 && tries < 100; tries++) add_operator(&b);
  if (!b.g->n_nodes) random_unary(&b);
  set_io(b.g, &b.r);
  return b.g;
}

weft_graph *random_graph_part(const weft_graph *g, int first, int last) {
  weft_graph *p = weft_graph_new(g->name);
  if (!p) abort();
  for (int i = 0; i < g->n_tensors; i++) {
    const weft_tensor *x = &g->tensor[i];
    int t = checked(weft_graph_add_tensor(p, x->name, x->dtype, x->rank, x->dim));
    const weft_quant *q = &x->quant;
    if (q->n) checked(weft_graph_set_quant(p, t, q->n, q->axis, q->scale, q->zero_point));
    if (x->data) checked(weft_graph_set_data(p, t, x->data));
  }
  for (int i = first; i < last; i++) {
    const weft_node *n = &g->node[i];
    checked(weft_graph_add_node(p, n->op, &n->attr, n->n_in, n->in, n->n_out, n->out));
  }
  set_io(p, NULL);
  if (p->n_inputs && p->n_outputs) return p;
  weft_graph_free(p);
  return NULL;
}

void **random_inputs(const weft_graph *g, uint64_t seed) {
  random_source r = {seed ^ 0x696e7075};
  void **input = calloc((size_t)g->n_inputs + 1, sizeof *input);
  if (!input) abort();
  for (int i = 0; i < g->n_inputs; i++) {
    const weft_tensor *t = &g->tensor[g->input[i]];
    size_t n = weft_tensor_bytes(t);
    if (!(input[i] = malloc(n + 1))) abort();
    random_codes(&r, input[i], n, t->quant.n ? (uint8_t)t->quant.zero_point[0] : 0);
  }
  return input;
}

void random_inputs_free(const weft_graph *g, void **input) {
  for (int i = 0; i < g->n_inputs; i++) free(input[i]);
  free(input);
}

/* --- devices --------------------------------------------------------------------------------- */
/* Overlays one key with a value between two powers of two. */
static void overlay(random_source *r, weft_config *c, const char *key, int lo, int hi, char *text,
                    size_t size) {
  char line[64];
  size_t used = strlen(text);
  (void)snprintf(line, sizeof line, "%s=%d", key, 1 << random_range(r, lo, hi));
  if (weft_config_set(c, line, NULL)) return;
  (void)snprintf(text + used, size - used, "%s%s", used ? " " : "", line);
}

void random_config(uint64_t seed, int preset, weft_config *out, char *text, size_t size) {
  random_source r = {seed ^ 0x636f6e66};
  text[0] = '\0';
  if (preset < 4) {
    if (weft_config_preset(out, weft_config_presets()[preset], NULL)) abort();
    (void)snprintf(text, size, "%s", out->preset);
    return;
  }
  do {
    weft_config_default(out);
    text[0] = '\0';
    overlay(&r, out, "rows", 2, random_chance(&r, 20) ? 6 : 4, text, size);
    overlay(&r, out, "cols", 2, random_chance(&r, 20) ? 6 : 4, text, size);
    overlay(&r, out, "scratchpad_kib", 2, 7, text, size);
    overlay(&r, out, "scratchpad_banks", 2, 5, text, size);
    overlay(&r, out, "weight_kib", 0, 5, text, size);
    overlay(&r, out, "accumulator_kib", 0, 5, text, size);
    overlay(&r, out, "param_kib", 0, 3, text, size);
    overlay(&r, out, "dwbuf_kib", 0, 4, text, size);
    overlay(&r, out, "output_lanes", 0, 4, text, size);
    overlay(&r, out, "vec_lanes", 0, 4, text, size);
    overlay(&r, out, "dw_lanes", 0, 4, text, size);
    if (random_chance(&r, 25)) (void)weft_config_set(out, "dw_lanes=0", NULL);
    overlay(&r, out, "dw_taps", 0, 3, text, size);
    overlay(&r, out, "dram_bytes", 2, 6, text, size);
    overlay(&r, out, "dram_latency", 0, 9, text, size);
    overlay(&r, out, "dma_slots", 1, 4, text, size);
    overlay(&r, out, "store_slots", 1, 3, text, size);
    overlay(&r, out, "fetch_slots", 1, 3, text, size);
    overlay(&r, out, "queue_depth", 1, 4, text, size);
    overlay(&r, out, "lut_slots", 0, 2, text, size);
    if (random_chance(&r, 10)) (void)weft_config_set(out, "vec_softmax=0", NULL);
  } while (weft_config_check(out, NULL));
}

void random_small_config(uint64_t seed, weft_config *out, char *text, size_t size) {
  random_source r = {seed ^ 0x736d616c};
  do {
    if (weft_config_preset(out, "nano-16", NULL)) abort();
    text[0] = '\0';
    overlay(&r, out, "scratchpad_kib", 2, 5, text, size);
    overlay(&r, out, "scratchpad_banks", 3, 4, text, size);
    overlay(&r, out, "weight_kib", 0, 2, text, size);
    overlay(&r, out, "accumulator_kib", 0, 2, text, size);
    overlay(&r, out, "dwbuf_kib", 0, 1, text, size);
    overlay(&r, out, "dram_bytes", 2, 4, text, size);
  } while (weft_config_check(out, NULL));
}
