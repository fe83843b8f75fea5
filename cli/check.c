/* Comparing after every instruction. Start at on_instruction(), which finds where a result lies,
 * and compare_run(), which all comparisons end in. */
#include "check.h"

#include "exec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNSEEN, SAME, DIFFERENT }; /* state of an element */

typedef struct {
  int next;     /* next view of the same source, or -1 */
  int source;   /* the tensor whose bytes this one shows, or -1 */
  uint8_t flip; /* its bytes, exclusive-or this, are this tensor's */
} view;

/* Where a value was found, for messages. */
typedef struct {
  const char *when; /* NULL: an instruction */
  uint32_t insn;
  bool dram;
} origin;

struct weft_checker {
  const weft_graph *graph;
  const weft_program *program;
  weft_exec *reference;
  weft_device *dev;
  weft_loaded image;
  uint32_t first;      /* of the segment that runs */
  uint8_t **state;     /* per tensor and element; NULL unless an operator's output */
  bool *has_result;    /* per tensor: some instruction produces a part of it */
  bool *host;          /* per node */
  view *view;          /* per tensor */
  int *views;          /* per tensor: the first of its views, or -1 */
  uint64_t mismatches; /* besides those in `state` */
  int max_abs_diff;
  char text[256];
};

const weft_tensor *weft_checker_reference(const weft_checker *c, int tensor) {
  return weft_exec_tensor(c->reference, tensor);
}

static const char *name_of(const weft_checker *c, int t) {
  const char *name = c->graph->tensor[t].name;
  return name ? name : "?";
}

/* Only the first mismatch is told; names come from files and stay one line. */
static void tell(weft_checker *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(weft_checker *c, const char *fmt, ...) {
  if (c->text[0]) return;
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(c->text, sizeof c->text, fmt, ap);
  va_end(ap);
  for (char *p = c->text; *p; p++)
    if ((unsigned char)*p < ' ') *p = '?';
}

/* --- comparing ------------------------------------------------------------------------------- */
static double value_at(const weft_tensor *t, const uint8_t *p) {
  int16_t i16;
  int32_t i32;
  int64_t i64;
  float f;
  switch (t->dtype) {
  case WEFT_INT8: return (int8_t)*p;
  case WEFT_INT16: memcpy(&i16, p, sizeof i16); return i16;
  case WEFT_INT32: memcpy(&i32, p, sizeof i32); return i32;
  case WEFT_INT64: memcpy(&i64, p, sizeof i64); return (double)i64;
  case WEFT_FLOAT32: memcpy(&f, p, sizeof f); return f;
  default: return *p;
  }
}

/* "[0,12,3]" of a linear index. */
static void format_index(const weft_tensor *t, size_t at, char *out, size_t size) {
  size_t index[WEFT_MAX_RANK];
  for (int d = t->rank - 1; d >= 0; d--) {
    index[d] = at % (size_t)t->dim[d];
    at /= (size_t)t->dim[d];
  }
  int n = snprintf(out, size, "[");
  for (int d = 0; d < t->rank; d++)
    n += snprintf(out + n, size - (size_t)n, "%s%zu", d ? "," : "", index[d]);
  (void)snprintf(out + n, size - (size_t)n, "]");
}

static void note(weft_checker *c, int t, size_t at, const uint8_t *got, const uint8_t *want,
                 const origin *o) {
  const weft_tensor *r = weft_checker_reference(c, t);
  double a = value_at(r, got), b = value_at(r, want), diff = fabs(a - b);
  int whole = diff < 1e9 ? (int)ceil(diff) : 1000000000; /* NaN ends here too */
  if (whole > c->max_abs_diff) c->max_abs_diff = whole;
  if (c->text[0]) return;
  char index[128], where[1024];
  format_index(r, at, index, sizeof index);
  if (o->when) {
    (void)snprintf(where, sizeof where, "%s", o->when);
  } else {
    weft_insn insn;
    int n = snprintf(where, sizeof where, "after instruction %u: ", o->insn);
    if (weft_decode(c->program->code + (size_t)o->insn * WEFT_INSN_BYTES, &insn, NULL) == WEFT_OK)
      (void)weft_disasm(&insn, where + n, sizeof where - (size_t)n);
  }
  tell(c, "tensor %.60s%s: got %g, expected %g, %s", name_of(c, t), index, a, b, where);
}

/* A view is judged by its source's bytes unless it has memory of its own elsewhere; a source
 * that is only on the chip says nothing about the view's DRAM until it is stored. */
static bool shows(const weft_checker *c, int v, int source, bool dram) {
  uint64_t a = c->program->place[v].offset, b = c->program->place[source].offset;
  return a == b || a == WEFT_NOWHERE || (b == WEFT_NOWHERE && dram);
}

/* Elements [first, first + n) of tensor t: `got`, exclusive-or `flip`, against the reference. */
static void compare_run(weft_checker *c, int t, size_t first, const uint8_t *got, size_t n,
                        uint8_t flip, const origin *o) {
  const weft_tensor *r = weft_checker_reference(c, t);
  const size_t size = weft_dtype_size(r->dtype);
  const uint8_t *want = (const uint8_t *)r->data + first * size;
  uint8_t *state = c->state[t] ? c->state[t] + first : NULL;
  for (size_t i = 0; i < n; i++) {
    bool same;
    if (size == 1) {
      uint8_t byte = got[i] ^ flip;
      if (!(same = byte == want[i])) note(c, t, first + i, &byte, &want[i], o);
    } else if (!(same = memcmp(got + i * size, want + i * size, size) == 0)) {
      note(c, t, first + i, got + i * size, want + i * size, o);
    }
    if (!state)
      c->mismatches += !same;
    else if (!same)
      state[i] = DIFFERENT;
    else if (state[i] == UNSEEN)
      state[i] = SAME;
  }
  for (int v = c->views[t]; v >= 0; v = c->view[v].next)
    if (shows(c, v, t, o->dram)) compare_run(c, v, first, got, n, flip ^ c->view[v].flip, o);
}

void weft_checker_tensor(weft_checker *c, int tensor, const void *data, const char *when) {
  compare_run(c, tensor, 0, data, weft_tensor_elements(&c->graph->tensor[tensor]), 0,
              &(origin){.when = when, .dram = true});
}

/* --- instructions ---------------------------------------------------------------------------- */
static void fault(weft_checker *c, uint32_t insn, int tensor, const char *what) {
  c->mismatches++;
  tell(c, "tensor %.60s, instruction %u: %s", name_of(c, tensor), insn, what);
}

/* Where an instruction's results lie: row y, pixel x begins at byte base + row(y) + x * pixel. */
typedef struct {
  const uint8_t *memory;
  size_t bytes, base, row, pixel;
  uint32_t ring_rows, ring_start; /* rows wrap around */
  uint32_t rows, pixels;
} layout;

static bool layout_of(const weft_checker *c, const weft_insn *insn, layout *l) {
  const weft_config *cfg = &c->program->config;
  const size_t w = weft_word_bytes(cfg);
  weft_operand o;
  *l = (layout){.ring_rows = UINT32_MAX};
  switch (insn->opcode) {
#define RESULT_IN_SPAD(NAME)                                                                       \
  case WEFT_OP_CODE_##NAME:                                                                        \
    o = WEFT_OPERAND_OF(insn->NAME, o);                                                            \
    l->rows = insn->NAME.out_h;                                                                    \
    l->pixels = insn->NAME.out_w;                                                                  \
    break
    RESULT_IN_SPAD(GEMM);
    RESULT_IN_SPAD(DW);
    RESULT_IN_SPAD(VEW);
    RESULT_IN_SPAD(VPOOL);
    RESULT_IN_SPAD(VROW);
#undef RESULT_IN_SPAD
  case WEFT_OP_CODE_STORE: {
    const weft_insn_STORE *s = &insn->STORE;
    if (s->region > WEFT_REGION_ARENA) return false;
    l->memory = weft_device_memory(c->dev, WEFT_DEVICE_DRAM, &l->bytes);
    l->base = c->image.addr[s->region] + s->offset;
    l->row = s->d_row_stride;
    l->pixel = s->d_pix_stride;
    l->rows = s->rows;
    l->pixels = s->pixels;
    return true;
  }
  default: return false;
  }
  l->memory = weft_device_memory(c->dev, WEFT_MEM_SPAD, &l->bytes);
  l->base = o.base * w;
  if (insn->opcode == WEFT_OP_CODE_GEMM) l->base += (size_t)insn->GEMM.o_block * cfg->cols;
  l->row = o.row_stride * w;
  l->pixel = o.pix_stride * w;
  l->ring_rows = o.ring_rows;
  l->ring_start = o.ring_start;
  return true;
}

/* The part lies inside the tensor's view, and the view inside the tensor. */
static bool part_is_valid(const weft_result *r, size_t elements) {
  uint64_t image;
  return (uint64_t)r->y + r->h <= r->height && (uint64_t)r->x + r->w <= r->width &&
         (uint64_t)r->c + r->n <= r->channels &&
         !__builtin_mul_overflow((uint64_t)r->height * r->width, r->channels, &image) &&
         image <= elements && image * ((uint64_t)r->batch + 1) <= elements;
}

static void on_instruction(void *user, size_t index) {
  weft_checker *c = user;
  const uint32_t at = c->first + (uint32_t)index;
  if (at >= c->program->n_insns) return;
  const weft_result *r = &c->program->result[at];
  if (r->tensor < 0) return;
  const weft_tensor *t = &c->graph->tensor[r->tensor];
  weft_insn insn;
  layout l;
  if (weft_decode(c->program->code + (size_t)at * WEFT_INSN_BYTES, &insn, NULL) != WEFT_OK ||
      !layout_of(c, &insn, &l))
    return fault(c, at, r->tensor, "an instruction without a result that can be compared");
  if (weft_dtype_size(t->dtype) != 1 || !part_is_valid(r, weft_tensor_elements(t)) ||
      r->h > l.rows || r->w > l.pixels)
    return fault(c, at, r->tensor, "the program's description of the result is not consistent");
  const origin o = {.insn = at, .dram = insn.opcode == WEFT_OP_CODE_STORE};
  const uint64_t place = c->program->place[r->tensor].offset;
  const uint64_t arena = c->image.addr[WEFT_REGION_ARENA];
  for (uint32_t y = 0; y < r->h; y++)
    for (uint32_t x = 0; x < r->w; x++) {
      size_t from = l.base + ((size_t)l.ring_start + y) % l.ring_rows * l.row + x * l.pixel;
      if (from > l.bytes || r->n > l.bytes - from)
        return fault(c, at, r->tensor, "the result reaches outside its memory");
      size_t row = (size_t)r->batch * r->height + r->y + y;
      size_t element = (row * r->width + r->x + x) * r->channels + r->c;
      if (o.dram && place != WEFT_NOWHERE && from != arena + place + element)
        return fault(c, at, r->tensor, "stored elsewhere than where the tensor has its place");
      compare_run(c, r->tensor, element, l.memory + from, r->n, r->flip ? 0x80 : 0, &o);
    }
}

void weft_checker_watch(weft_checker *c, weft_device *dev, const weft_loaded *image) {
  c->dev = dev;
  c->image = *image;
  (void)weft_device_observe(dev, on_instruction, c);
}

void weft_checker_segment(weft_checker *c, uint32_t first) {
  c->first = first;
}

/* --- views ----------------------------------------------------------------------------------- */
/* Whether the node's output shows its first input's bytes; *flip: exclusive-or'ed with what. */
static bool node_is_view(const weft_graph *g, const weft_node *n, uint8_t *flip) {
  if (n->n_in < 1 || n->n_out != 1 || n->in[0] < 0) return false;
  const weft_tensor *a = &g->tensor[n->in[0]], *b = &g->tensor[n->out[0]];
  *flip = 0;
  switch (n->op) {
  case WEFT_OP_RESHAPE:
  case WEFT_OP_SQUEEZE:
  case WEFT_OP_EXPAND_DIMS:
    return a->dtype == b->dtype && weft_tensor_bytes(a) == weft_tensor_bytes(b);
  case WEFT_OP_QUANTIZE: /* uint8 to int8 or back, the same numbers */
    if (a->quant.n != 1 || b->quant.n != 1 || a->quant.scale[0] != b->quant.scale[0]) return false;
    *flip = 0x80;
    return (a->dtype == WEFT_UINT8 && b->dtype == WEFT_INT8 &&
            a->quant.zero_point[0] - 128 == b->quant.zero_point[0]) ||
           (a->dtype == WEFT_INT8 && b->dtype == WEFT_UINT8 &&
            a->quant.zero_point[0] + 128 == b->quant.zero_point[0]);
  default: return false;
  }
}

static void link_views(weft_checker *c) {
  const weft_graph *g = c->graph;
  for (int t = 0; t < g->n_tensors; t++) {
    c->view[t] = (view){-1, -1, 0};
    c->views[t] = -1;
  }
  for (int i = 0; i < g->n_nodes; i++) {
    uint8_t flip;
    if (c->host[i] || !node_is_view(g, &g->node[i], &flip)) continue;
    int source = g->node[i].in[0], v = g->node[i].out[0];
    if (weft_is_const(&g->tensor[source])) continue;
    c->view[v] = (view){c->views[source], source, flip};
    c->views[source] = v;
  }
}

/* --- the whole ------------------------------------------------------------------------------- */
void weft_checker_free(weft_checker *c) {
  if (!c) return;
  if (c->dev) (void)weft_device_observe(c->dev, NULL, NULL);
  for (int t = 0; c->state && t < c->graph->n_tensors; t++) free(c->state[t]);
  free(c->state);
  free(c->has_result);
  free(c->host);
  free(c->view);
  free(c->views);
  weft_exec_free(c->reference);
  free(c);
}

static bool allocate(weft_checker *c) {
  const weft_graph *g = c->graph;
  const size_t nt = (size_t)g->n_tensors + 1, nn = (size_t)g->n_nodes + 1;
  c->state = calloc(nt, sizeof *c->state);
  c->has_result = calloc(nt, sizeof *c->has_result);
  c->host = calloc(nn, sizeof *c->host);
  c->view = calloc(nt, sizeof *c->view);
  c->views = calloc(nt, sizeof *c->views);
  if (!c->state || !c->has_result || !c->host || !c->view || !c->views) return false;
  for (int i = 0; i < g->n_nodes; i++)
    for (int k = 0; k < g->node[i].n_out; k++) {
      int t = g->node[i].out[k];
      if (!(c->state[t] = calloc(weft_tensor_elements(&g->tensor[t]) + 1, 1))) return false;
    }
  return true;
}

weft_status weft_checker_new(const weft_graph *graph, const weft_program *program,
                             void *const *input, weft_checker **out, weft_err *err) {
  weft_checker *c = calloc(1, sizeof *c);
  if (!c) return weft_fail(err, WEFT_ENOMEM, "%s: no memory for the check", graph->name);
  c->graph = graph;
  c->program = program;
  weft_status status = WEFT_OK;
  if (!allocate(c))
    status = weft_fail(err, WEFT_ENOMEM, "%s: no memory for the check", graph->name);
  if (!status) status = weft_exec_new(graph, &c->reference, err);
  for (int i = 0; i < graph->n_inputs && !status; i++)
    status = weft_exec_set(c->reference, graph->input[i], input[i],
                           weft_tensor_bytes(&graph->tensor[graph->input[i]]), err);
  if (!status) status = weft_exec_run(c->reference, err);
  if (status) {
    weft_checker_free(c);
    return status;
  }
  for (int i = 0; i < program->n_steps; i++)
    if (program->step[i].host) c->host[program->step[i].node] = true;
  for (uint32_t i = 0; i < program->n_insns; i++)
    if (program->result[i].tensor >= 0) c->has_result[program->result[i].tensor] = true;
  link_views(c);
  *out = c;
  return WEFT_OK;
}

/* Whether an output may stay uncompared because it never exists anywhere. */
static bool never_exists(const weft_checker *c, const weft_node *n, int t) {
  if (c->has_result[t] || c->program->place[t].offset != WEFT_NOWHERE) return false;
  if (n->op == WEFT_OP_PAD || n->op == WEFT_OP_PADV2) return true;
  for (int i = 0; i < n->n_in; i++)
    if (n->in[i] >= 0 && !weft_is_const(&c->graph->tensor[n->in[i]])) return false;
  return true;
}

void weft_checker_finish(weft_checker *c, weft_run_result *result) {
  const weft_graph *g = c->graph;
  uint64_t elements = 0, mismatches = c->mismatches;
  for (int i = 0; i < g->n_nodes; i++)
    for (int k = 0; k < g->node[i].n_out; k++) {
      int t = g->node[i].out[k];
      size_t n = weft_tensor_elements(&g->tensor[t]), unseen = 0;
      for (size_t e = 0; e < n; e++) {
        unseen += c->state[t][e] == UNSEEN;
        mismatches += c->state[t][e] == DIFFERENT;
      }
      elements += n - unseen;
      if (unseen && never_exists(c, &g->node[i], t)) continue;
      mismatches += unseen;
      if (unseen)
        tell(c, "tensor %.60s, output of %s: %zu of %zu elements were never compared",
             name_of(c, t), weft_op_name(g->node[i].op), unseen, n);
    }
  result->checked = true;
  result->check.elements = elements;
  result->check.mismatches = mismatches;
  result->check.max_abs_diff = c->max_abs_diff;
  memcpy(result->check.first, c->text, sizeof c->text);
}
