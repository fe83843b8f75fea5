/* List scheduling: in which order each unit does its work.
 *
 * Lowering emits instructions in the order of the data: load, compute, store, layer after layer.
 * Here they become a graph (what must wait for what, by the declared accesses), and a simulation of
 * the units with the contract's occupancy formulas and a simple memory picks, whenever a unit is
 * free, the earliest emitted instruction that can start. What falls out is software pipelining:
 * later rows expanded while earlier ones are projected, weights loaded ahead as far as buffers
 * allow. The result is again a plain sequence, in order of the estimated starts. */
#include <stdlib.h>
#include <string.h>

#include "lower.h"
#include "occupancy.h"

typedef struct {
  uint32_t to;
  bool complete; /* `to` starts after completion; else it only stays behind in its unit's order */
} edge;

typedef struct {
  edge *out;
  uint32_t n_out, size_out, waiting; /* waiting: predecessors not scheduled */
  uint64_t ready;                    /* earliest start by its predecessors */
  uint64_t path;                     /* cycles from its start to the end, at least */
  uint64_t start;
  uint32_t rank; /* order of decisions */
  uint64_t read_banks, write_banks;
  uint8_t unit;
  bool done;
} item;

/* Readers since the last write, and the last writer, of one granule. */
typedef struct {
  uint32_t *reader, n, size;
  uint32_t writer; /* index + 1 */
} granule;

static const uint32_t grain[SPACES] = {[SPACE_SPAD] = 1,        [SPACE_WEIGHT] = WEIGHT_GRAIN,
                                       [SPACE_PARAM] = 1,       [SPACE_DWBUF] = 4,
                                       [SPACE_LUT] = 1,         [SPACE_EXP] = 1,
                                       [SPACE_ACC] = ACC_GRAIN, [SPACE_ARENA] = 64};

enum { NOBODY = 5 };
typedef struct {
  uint64_t end;
  int unit;
} port;

typedef struct {
  uint64_t free, stream_end, last_end;
  int32_t chain;   /* item that must come next, or -1 */
  uint32_t oldest; /* first in emission order that is not scheduled */
  uint32_t *candidate, n_candidates;
} unit_model;

typedef struct {
  lowering *l;
  size_t first, n;
  item *item;
  granule *mem[SPACES];
  uint64_t mem_size[SPACES];
  unit_model unit[WEFT_UNITS];
  port read_port[64], write_port[64];
  uint64_t bus_free;
  uint32_t decisions;
  uint64_t end; /* of the last instruction */
} plan;

static uint64_t max2(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static void *zeros(size_t n, size_t each) {
  void *p = calloc(n + 1, each);
  if (!p) abort();
  return p;
}

static const emitted *insn_of(const plan *p, uint32_t i) {
  return &p->l->insn[p->first + i];
}

/* --- dependencies ----------------------------------------------------------------------------- */
static void add_edge(plan *p, uint32_t from, uint32_t to, bool complete) {
  item *f = &p->item[from];
  if (f->n_out && f->out[f->n_out - 1].to == to) { /* edges to one successor come together */
    f->out[f->n_out - 1].complete |= complete;
    return;
  }
  if (f->n_out == f->size_out) {
    f->size_out = f->size_out ? 2 * f->size_out : 4;
    if (!(f->out = realloc(f->out, f->size_out * sizeof *f->out))) abort();
  }
  f->out[f->n_out++] = (edge){to, complete};
  p->item[to].waiting++;
}

static void depend(plan *p, uint32_t from, uint32_t to, bool read_after_write) {
  bool same = p->item[from].unit == p->item[to].unit;
  if (from != to) add_edge(p, from, to, !same || read_after_write);
}

/* `drains`: what was written can be read only when its instruction is complete. */
static void visit_granule(plan *p, granule *g, uint32_t i, bool write, bool drains) {
  if (g->writer) depend(p, g->writer - 1, i, drains && !write);
  if (write) {
    for (uint32_t k = 0; k < g->n; k++) depend(p, g->reader[k], i, false);
    g->n = 0;
    g->writer = i + 1;
    return;
  }
  if (g->n && g->reader[g->n - 1] == i) return;
  if (g->n == g->size) {
    g->size = g->size ? 2 * g->size : 4;
    if (!(g->reader = realloc(g->reader, g->size * sizeof *g->reader))) abort();
  }
  g->reader[g->n++] = i;
}

static void visit(plan *p, uint32_t i) {
  const emitted *e = insn_of(p, i);
  uint32_t bank_words = weft_bank_words(p->l->cfg);
  p->item[i].unit = (uint8_t)weft_insn_unit(e->insn.opcode);
  /* reads first: an instruction that updates in place depends on the writer before it */
  for (int pass = 0; pass < 2; pass++)
    for (int k = 0; k < e->n_access; k++) {
      const access *a = &e->access[k];
      if (!a->count || a->write != (pass == 1)) continue;
      uint64_t g0 = a->first / grain[a->where], g1 = (a->first + a->count - 1) / grain[a->where];
      for (uint64_t g = g0; g <= g1; g++)
        visit_granule(p, &p->mem[a->where][g], i, a->write, a->where != SPACE_ACC);
      if (a->where != SPACE_SPAD) continue;
      uint64_t *banks = a->write ? &p->item[i].write_banks : &p->item[i].read_banks;
      for (uint64_t b = a->first / bank_words; b <= (a->first + a->count - 1) / bank_words; b++)
        *banks |= (uint64_t)1 << b;
    }
}

/* --- the units' model ------------------------------------------------------------------------- */
static uint64_t bytes_of(const emitted *e) {
  if (e->insn.opcode == WEFT_OP_CODE_STORE)
    return (uint64_t)e->insn.STORE.rows * e->insn.STORE.pixels * e->insn.STORE.pix_bytes;
  const weft_insn_LOAD *in = &e->insn.LOAD;
  uint64_t row = (uint64_t)in->pixels * in->pix_bytes;
  return in->rows * (row < in->row_bytes ? row : in->row_bytes);
}

static uint64_t words_of(const plan *p, const emitted *e) {
  uint32_t w = p->l->w;
  if (e->insn.opcode == WEFT_OP_CODE_STORE)
    return (uint64_t)e->insn.STORE.rows * e->insn.STORE.pixels *
           ceil_div(e->insn.STORE.pix_bytes, w);
  const weft_insn_LOAD *in = &e->insn.LOAD;
  return (uint64_t)in->rows * in->pixels * ceil_div(in->pix_bytes, w);
}

static uint64_t port_time(const port *ports, uint64_t banks, int unit, uint64_t when) {
  for (int b = 0; banks; b++, banks >>= 1)
    if ((banks & 1) && ports[b].unit != unit) when = max2(when, ports[b].end);
  return when;
}

static uint64_t earliest(const plan *p, uint32_t i) {
  const item *x = &p->item[i];
  uint64_t when = max2(x->ready, p->unit[x->unit].free);
  when = port_time(p->read_port, x->read_banks, x->unit, when);
  return port_time(p->write_port, x->write_banks, x->unit, when);
}

static void occupy(port *ports, uint64_t banks, int unit, uint64_t end) {
  for (int b = 0; banks; b++, banks >>= 1)
    if (banks & 1) ports[b] = (port){max2(end, ports[b].end), unit};
}

/* Starts item i at `when`; returns its completion. */
static uint64_t run(plan *p, uint32_t i, uint64_t when) {
  const weft_config *c = p->l->cfg;
  const emitted *e = insn_of(p, i);
  unit_model *u = &p->unit[p->item[i].unit];
  uint64_t end;
  if (e->insn.opcode == WEFT_OP_CODE_LOAD || e->insn.opcode == WEFT_OP_CODE_STORE) {
    bool load = e->insn.opcode == WEFT_OP_CODE_LOAD;
    uint64_t beats = bytes_of(e) / c->dram_bytes + 1, words = words_of(p, e);
    uint64_t ready = when + WEFT_T_ISSUE + WEFT_T_DMA_ADDR + (load ? c->dram_latency : 32);
    uint64_t data = max2(ready, p->bus_free);
    p->bus_free = data + beats;
    uint64_t done = max2(data + beats, max2(data, u->stream_end) + words);
    u->stream_end = done;
    uint64_t ahead =
        (uint64_t)(load ? c->dma_slots : c->store_slots) * WEFT_BURST_BYTES / c->dram_bytes;
    u->free =
        max2(when + beats * c->dram_bytes / WEFT_BURST_BYTES + 1, done > ahead ? done - ahead : 0);
    if (!load) u->free = max2(u->free, when + words);
    end = done + (load ? WEFT_T_DMA_WRITE : WEFT_T_DRAM_WRITE);
  } else {
    weft_occupancy o = weft_insn_occupancy(c, &e->insn);
    uint64_t stream = max2(when + o.prepare, u->stream_end);
    u->free = stream + o.release;
    u->stream_end = stream + o.stream;
    end = max2(u->last_end + 1, u->stream_end + o.drain);
    u->last_end = end;
  }
  end += WEFT_T_POST;
  occupy(p->read_port, p->item[i].read_banks, p->item[i].unit, end);
  occupy(p->write_port, p->item[i].write_banks, p->item[i].unit, end);
  return end;
}

/* --- decisions -------------------------------------------------------------------------------- */
static void add_candidate(plan *p, uint32_t i) {
  unit_model *u = &p->unit[p->item[i].unit];
  u->candidate[u->n_candidates++] = i;
}

static void remove_candidate(unit_model *u, uint32_t i) {
  for (uint32_t k = 0; k < u->n_candidates; k++)
    if (u->candidate[k] == i) {
      u->candidate[k] = u->candidate[--u->n_candidates];
      return;
    }
}

/* The glued instruction that follows item i in its unit, or -1. */
static int32_t chained(const plan *p, uint32_t i) {
  for (uint32_t k = i + 1; k < p->n; k++)
    if (p->item[k].unit == p->item[i].unit) return insn_of(p, k)->glued ? (int32_t)k : -1;
  return -1;
}

/* A chain of glued instructions begins only when everything emitted before it in its unit is done:
 * what its links wait for may depend on that. */
static bool may_begin(const plan *p, const unit_model *u, uint32_t i) {
  if (insn_of(p, i)->glued) return false;
  return i == u->oldest || p->item[i].unit != WEFT_UNIT_GEMM || chained(p, i) < 0;
}

/* Of two that can start: the one with the longer way to go, or the one emitted first. */
static bool before(const plan *p, uint32_t i, uint32_t j) {
  if (!p->l->how.longest_first) return i < j;
  uint64_t a = p->item[i].path, b = p->item[j].path;
  return a != b ? a > b : i < j;
}

/* The unit's best candidate: of those that can start first, the earliest emitted. */
static bool choose(const plan *p, const unit_model *u, uint32_t *best, uint64_t *when) {
  bool found = false;
  for (uint32_t k = 0; k < u->n_candidates; k++) {
    uint32_t i = u->candidate[k];
    if (u->chain >= 0 ? i != (uint32_t)u->chain : !may_begin(p, u, i)) continue;
    uint64_t t = earliest(p, i);
    if (!found || t < *when || (t == *when && before(p, i, *best))) {
      *best = i;
      *when = t;
      found = true;
    }
  }
  return found;
}

static void commit(plan *p, uint32_t i, uint64_t when) {
  item *x = &p->item[i];
  unit_model *u = &p->unit[x->unit];
  remove_candidate(u, i);
  x->start = when;
  x->rank = p->decisions++;
  x->done = true;
  while (u->oldest < p->n && (p->item[u->oldest].done || p->item[u->oldest].unit != x->unit))
    u->oldest++;
  uint64_t end = run(p, i, when);
  p->end = max2(p->end, end);
  if (x->unit == WEFT_UNIT_GEMM) u->chain = chained(p, i);
  for (uint32_t k = 0; k < x->n_out; k++) {
    item *s = &p->item[x->out[k].to];
    s->ready = max2(s->ready, x->out[k].complete ? end : when);
    if (--s->waiting == 0) add_candidate(p, x->out[k].to);
  }
}

/* Cycles that an instruction takes by itself. */
static uint64_t duration(const plan *p, uint32_t i) {
  const weft_config *c = p->l->cfg;
  const emitted *e = insn_of(p, i);
  if (p->item[i].unit == WEFT_UNIT_LOAD || p->item[i].unit == WEFT_UNIT_STORE)
    return bytes_of(e) / c->dram_bytes + c->dram_latency;
  weft_occupancy o = weft_insn_occupancy(c, &e->insn);
  return o.prepare + o.stream + o.drain;
}

/* Longest paths to the end; edges lead to later instructions. */
static void find_paths(plan *p) {
  for (uint32_t i = (uint32_t)p->n; i-- > 0;) {
    uint64_t longest = 0, own = duration(p, i);
    for (uint32_t k = 0; k < p->item[i].n_out; k++) {
      uint64_t rest = p->item[p->item[i].out[k].to].path;
      longest = max2(longest, p->item[i].out[k].complete ? own + rest : rest);
    }
    p->item[i].path = max2(longest, own);
  }
}

static void decide(plan *p) {
  for (uint32_t k = 0; k < p->n; k++) {
    uint32_t best = 0;
    uint64_t when = UINT64_MAX;
    for (int u = 0; u < WEFT_UNITS; u++) {
      uint32_t i = 0;
      uint64_t t = 0;
      if (choose(p, &p->unit[u], &i, &t) && (t < when || (t == when && i < best))) {
        when = t;
        best = i;
      }
    }
    if (when == UINT64_MAX) abort(); /* cannot be: emission order is one solution */
    commit(p, best, when);
  }
}

typedef struct {
  uint64_t start;
  uint32_t rank, index;
} position;

static int by_start(const void *pa, const void *pb) {
  const position *a = pa, *b = pb;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void apply(plan *p) {
  position *order = zeros(p->n, sizeof *order);
  emitted *copy = zeros(p->n, sizeof *copy), *insn = p->l->insn + p->first;
  for (uint32_t i = 0; i < p->n; i++) order[i] = (position){p->item[i].start, p->item[i].rank, i};
  qsort(order, p->n, sizeof *order, by_start);
  memcpy(copy, insn, p->n * sizeof *copy);
  for (uint32_t i = 0; i < p->n; i++) insn[i] = copy[order[i].index];
  free(order);
  free(copy);
}

void schedule_instructions(lowering *l, size_t first, size_t end) {
  const weft_config *c = l->cfg;
  plan *p = zeros(1, sizeof *p);
  p->l = l;
  p->first = first;
  p->n = end - first;
  p->item = zeros(p->n, sizeof *p->item);
  const uint64_t size[SPACES] = {
      [SPACE_SPAD] = weft_spad_words(c),    [SPACE_WEIGHT] = weft_weight_rows(c),
      [SPACE_PARAM] = weft_param_blocks(c), [SPACE_DWBUF] = weft_dwbuf_words(c),
      [SPACE_LUT] = c->lut_slots,           [SPACE_EXP] = c->exp_slots,
      [SPACE_ACC] = weft_acc_rows(c),       [SPACE_ARENA] = l->prog->arena_bytes};
  for (int m = 0; m < SPACES; m++) {
    p->mem_size[m] = size[m] / grain[m] + 1;
    p->mem[m] = zeros(p->mem_size[m], sizeof(granule));
  }
  for (int u = 0; u < WEFT_UNITS; u++) {
    p->unit[u].chain = -1;
    p->unit[u].candidate = zeros(p->n, sizeof(uint32_t));
  }
  for (int b = 0; b < 64; b++) p->read_port[b].unit = p->write_port[b].unit = NOBODY;
  for (uint32_t i = 0; i < p->n; i++) visit(p, i);
  for (uint32_t i = (uint32_t)p->n; i-- > 0;) p->unit[p->item[i].unit].oldest = i;
  for (uint32_t i = 0; i < p->n; i++)
    if (!p->item[i].waiting) add_candidate(p, i);
  find_paths(p);
  decide(p);
  apply(p);
  l->estimate += p->end;
  for (uint32_t i = 0; i < p->n; i++) free(p->item[i].out);
  for (int m = 0; m < SPACES; m++) {
    for (uint64_t g = 0; g < p->mem_size[m]; g++) free(p->mem[m][g].reader);
    free(p->mem[m]);
  }
  for (int u = 0; u < WEFT_UNITS; u++) free(p->unit[u].candidate);
  free(p->item);
  free(p);
}
