/* Semaphores from declared accesses.
 *
 * For every instruction in program order: which earlier instructions of other units must be
 * complete before it may start (read after write, write after read, write after write, and the
 * ownership of scratchpad ports); which of its own unit (read after write: results drain after the
 * next start). What earlier tokens already imply is left out, by vector clocks. Since units work in
 * order, one counting semaphore per ordered pair of units carries any set of such dependencies: an
 * instruction posts once for each unit that waits for exactly it. */
#include <stdlib.h>
#include <string.h>

#include "lower.h"

/* Positions are counted per unit from 1; 0 is "nothing". */
typedef struct {
  uint32_t at[WEFT_UNITS];
} clock_vec;

typedef struct {
  uint32_t writer[WEFT_UNITS], reader[WEFT_UNITS];
} granule;

/* Units of an access per granule: coarser costs false dependencies, finer costs time. */
static const uint32_t grain[SPACES] = {[SPACE_SPAD] = 1,  [SPACE_WEIGHT] = WEIGHT_GRAIN,
                                       [SPACE_PARAM] = 1, [SPACE_DWBUF] = 4,
                                       [SPACE_LUT] = 1,   [SPACE_EXP] = 1,
                                       [SPACE_ACC] = 1,   [SPACE_ARENA] = 64};

typedef struct {
  lowering *l;
  granule *mem[SPACES];
  granule *bank; /* reader: read port's users; writer: write port's */
  uint32_t bank_words;
  clock_vec now[WEFT_UNITS];
  uint32_t seq[WEFT_UNITS];
  clock_vec *done;             /* per instruction: what its completion implies */
  size_t *insn_at[WEFT_UNITS]; /* instruction index by unit position - 1 */
} sync_state;

static void need(clock_vec *d, int unit, uint32_t at) {
  if (at > d->at[unit]) d->at[unit] = at;
}

static void depend(clock_vec *d, const granule *g, bool write, int self) {
  for (int v = 0; v < WEFT_UNITS; v++) {
    if (v != self || !write) need(d, v, g->writer[v]);
    if (write && v != self) need(d, v, g->reader[v]);
  }
}

static void depend_port(clock_vec *d, const granule *g, bool write, int self) {
  for (int v = 0; v < WEFT_UNITS; v++)
    if (v != self) need(d, v, write ? g->writer[v] : g->reader[v]);
}

static void mark(granule *g, bool write, int unit, uint32_t seq) {
  if (write)
    g->writer[unit] = seq;
  else
    g->reader[unit] = seq;
}

static void collect(sync_state *s, const emitted *e, int unit, clock_vec *d) {
  for (int i = 0; i < e->n_access; i++) {
    const access *a = &e->access[i];
    if (!a->count || a->where == SPACE_ACC) continue; /* the array's own: its order suffices */
    uint64_t g0 = a->first / grain[a->where], g1 = (a->first + a->count - 1) / grain[a->where];
    for (uint64_t g = g0; g <= g1; g++) depend(d, &s->mem[a->where][g], a->write, unit);
    if (a->where != SPACE_SPAD) continue;
    for (uint64_t b = a->first / s->bank_words; b <= (a->first + a->count - 1) / s->bank_words; b++)
      depend_port(d, &s->bank[b], a->write, unit);
  }
}

static void record(sync_state *s, const emitted *e, int unit) {
  for (int i = 0; i < e->n_access; i++) {
    const access *a = &e->access[i];
    if (!a->count || a->where == SPACE_ACC) continue;
    uint64_t g0 = a->first / grain[a->where], g1 = (a->first + a->count - 1) / grain[a->where];
    for (uint64_t g = g0; g <= g1; g++) mark(&s->mem[a->where][g], a->write, unit, s->seq[unit]);
    if (a->where != SPACE_SPAD) continue;
    for (uint64_t b = a->first / s->bank_words; b <= (a->first + a->count - 1) / s->bank_words; b++)
      mark(&s->bank[b], a->write, unit, s->seq[unit]);
  }
}

static void visit(sync_state *s, size_t k) {
  emitted *e = &s->l->insn[k];
  int unit = weft_insn_unit(e->insn.opcode);
  if (unit == WEFT_UNIT_FETCH) { /* everything before it is complete */
    for (int u = 0; u < WEFT_UNITS; u++) memcpy(s->now[u].at, s->seq, sizeof s->seq);
    return;
  }
  clock_vec d = {{0}};
  collect(s, e, unit, &d);
  clock_vec *now = &s->now[unit];
  for (int v = 0; v < WEFT_UNITS; v++) {
    if (d.at[v] <= now->at[v]) continue;
    size_t i = s->insn_at[v][d.at[v] - 1];
    s->l->insn[i].insn.post |= 1u << unit;
    e->insn.wait |= 1u << v;
    for (int x = 0; x < WEFT_UNITS; x++) need(now, x, s->done[i].at[x]);
  }
  s->insn_at[unit][s->seq[unit]++] = k;
  s->done[k] = *now;
  need(&s->done[k], unit, s->seq[unit]);
  record(s, e, unit);
}

static void *zeros(size_t n, size_t each) {
  void *p = calloc(n + 1, each);
  if (!p) abort();
  return p;
}

void sync_instructions(lowering *l) {
  const weft_config *c = l->cfg;
  sync_state s = {.l = l, .bank_words = weft_bank_words(c)};
  const uint64_t size[SPACES] = {
      [SPACE_SPAD] = weft_spad_words(c),    [SPACE_WEIGHT] = weft_weight_rows(c),
      [SPACE_PARAM] = weft_param_blocks(c), [SPACE_DWBUF] = weft_dwbuf_words(c),
      [SPACE_LUT] = c->lut_slots,           [SPACE_EXP] = c->exp_slots,
      [SPACE_ARENA] = l->prog->arena_bytes};
  for (int m = 0; m < SPACES; m++) s.mem[m] = zeros(size[m] / grain[m] + 1, sizeof(granule));
  s.bank = zeros(c->scratchpad_banks, sizeof(granule));
  s.done = zeros(l->n_insns, sizeof *s.done);
  for (int u = 0; u < WEFT_UNITS; u++) s.insn_at[u] = zeros(l->n_insns, sizeof(size_t));
  for (size_t k = 0; k < l->n_insns; k++) visit(&s, k);
  for (int m = 0; m < SPACES; m++) free(s.mem[m]);
  for (int u = 0; u < WEFT_UNITS; u++) free(s.insn_at[u]);
  free(s.bank);
  free(s.done);
}
