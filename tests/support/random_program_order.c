/* The order of a random program: for every word its last writer and readers, for every bank the
 * last users of its ports, for every instruction what is complete when it starts. An instruction
 * that joins gets the tokens that it needs, each from an instruction which has not posted to its
 * unit since the last one that was taken: so the n-th wait of a pair takes the n-th post. */
#include "random_program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORIES = 6, MAX_BANKS = 64 };

typedef struct {
  uint32_t writer_seq, reader_seq[WEFT_UNITS];
  uint32_t stamp; /* of the instruction at hand, which reads it */
  uint8_t writer;
} word_state;

struct random_order {
  random_program *p;
  size_t unit[MEMORIES], bytes[MEMORIES]; /* of a word; of all */
  word_state *word[MEMORIES];
  uint8_t *written[MEMORIES]; /* per byte */
  uint8_t *sums;              /* per accumulator row */
  uint32_t stored[PROGRAM_ARENA], loaded[PROGRAM_ARENA];
  uint32_t port[2][MAX_BANKS][WEFT_UNITS]; /* read, write: last user's number in its unit */
  uint32_t seq[WEFT_UNITS];
  int at[WEFT_UNITS][PROGRAM_INSNS + 1]; /* program index by unit and number */
  uint32_t now[WEFT_UNITS][WEFT_UNITS];  /* per unit: what is complete for its next instruction */
  uint32_t done[PROGRAM_INSNS][WEFT_UNITS];
  uint32_t posted[WEFT_UNITS][WEFT_UNITS]; /* number of the last instruction that posted */
  uint32_t stamp;
  /* the instruction at hand */
  int who;
  uint32_t need[WEFT_UNITS];
  random_obstacle obstacle;
};

static void *zeros(size_t n, size_t each) {
  void *p = calloc(n, each);
  if (!p) abort();
  return p;
}

random_order *random_order_new(random_program *p) {
  random_order *o = zeros(1, sizeof *o);
  const weft_config *c = &p->cfg;
  const size_t w = weft_word_bytes(c);
  const size_t unit[] = {w, c->cols,        (size_t)c->cols * WEFT_PARAM_BYTES,
                         w, WEFT_LUT_BYTES, WEFT_EXP_BYTES};
  const size_t count[] = {weft_spad_words(c),  weft_weight_rows(c), weft_param_blocks(c),
                          weft_dwbuf_words(c), c->lut_slots,        c->exp_slots};
  o->p = p;
  for (int m = 0; m < MEMORIES; m++) {
    o->unit[m] = unit[m];
    o->bytes[m] = unit[m] * count[m];
    o->word[m] = zeros(count[m], sizeof *o->word[m]);
    o->written[m] = zeros(o->bytes[m], 1);
  }
  o->sums = zeros(weft_acc_rows(c), 1);
  return o;
}

void random_order_free(random_order *o) {
  for (int m = 0; m < MEMORIES; m++) {
    free(o->word[m]);
    free(o->written[m]);
  }
  free(o->sums);
  free(o);
}

static void needs(random_order *o, int unit, uint32_t seq) {
  if (seq > o->need[unit]) o->need[unit] = seq;
}

/* --- looking ---------------------------------------------------------------------------------- */
static void look_word(random_order *o, word_state *s, bool write) {
  if (!write) {
    needs(o, s->writer, s->writer_seq); /* of its own unit too: results drain after the start */
    return;
  }
  if (s->writer != o->who) needs(o, s->writer, s->writer_seq);
  for (int u = 0; u < WEFT_UNITS; u++)
    if (u != o->who) needs(o, u, s->reader_seq[u]);
}

static void missing(random_order *o, int memory, size_t byte) {
  random_obstacle *x = &o->obstacle;
  if (x->memory < 0) *x = (random_obstacle){x->overlap, memory, byte, byte, x->sums};
  if (x->memory != memory) return;
  if (byte < x->first) x->first = byte;
  if (byte > x->last) x->last = byte;
}

static bool inside(const random_order *o, int memory, size_t first, size_t n) {
  const size_t size = memory == ACCESS_ACC     ? weft_acc_rows(&o->p->cfg)
                      : memory == ACCESS_ARENA ? PROGRAM_ARENA
                                               : o->bytes[memory];
  return n > 0 && first <= size && n <= size - first;
}

static void look(void *user, int memory, size_t first, size_t n, bool write) {
  random_order *o = user;
  if (!inside(o, memory, first, n)) { /* a shrunk field: refused */
    o->obstacle.overlap = true;
    return;
  }
  if (memory == ACCESS_ACC) {
    for (size_t i = first; i < first + n && !write; i++) o->obstacle.sums |= !o->sums[i];
    return;
  }
  if (memory == ACCESS_ARENA) {
    for (size_t i = first; i < first + n; i++)
      needs(o, write ? WEFT_UNIT_LOAD : WEFT_UNIT_STORE, write ? o->loaded[i] : o->stored[i]);
    return;
  }
  const size_t unit = o->unit[memory], bank = weft_bank_words(&o->p->cfg);
  for (size_t k = first / unit; k <= (first + n - 1) / unit; k++) {
    look_word(o, &o->word[memory][k], write);
    for (int u = 0; memory == WEFT_MEM_SPAD && u < WEFT_UNITS; u++)
      if (u != o->who) needs(o, u, o->port[write][k / bank][u]);
  }
  for (size_t i = first; i < first + n && !write; i++)
    if (!o->written[memory][i]) missing(o, memory, i);
}

/* Marks the words that are read, then finds those among them that are written. */
static void find_overlap(void *user, int memory, size_t first, size_t n, bool write) {
  random_order *o = user;
  if (memory != WEFT_MEM_SPAD || !inside(o, memory, first, n)) return;
  for (size_t k = first / o->unit[memory]; k <= (first + n - 1) / o->unit[memory]; k++) {
    word_state *s = &o->word[memory][k];
    if (write)
      o->obstacle.overlap |= s->stamp == o->stamp;
    else
      s->stamp = o->stamp;
  }
}

static bool same(weft_operand a, weft_operand b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

/* VEW may write exactly where it reads; the other operand must then lie elsewhere. */
static weft_insn without_in_place(const weft_insn *insn) {
  weft_insn x = *insn;
  if (x.opcode != WEFT_OP_CODE_VEW) return x;
  const bool unary = x.VEW.op == WEFT_VEW_REQUANT || x.VEW.op == WEFT_VEW_COPY;
  const weft_operand a = WEFT_OPERAND_OF(x.VEW, a), b = WEFT_OPERAND_OF(x.VEW, b),
                     out = WEFT_OPERAND_OF(x.VEW, o);
  const bool a_in_place = same(a, out), b_in_place = unary || same(b, out);
  if (a_in_place && b_in_place) x.opcode = WEFT_OP_CODE_FENCE;
  if (!a_in_place && !b_in_place) return x;
  x.VEW.op = WEFT_VEW_COPY;
  if (a_in_place) WEFT_SET_OPERAND(x.VEW, a, b);
  return x;
}

random_obstacle random_order_look(random_order *o, const weft_insn *insn) {
  const weft_insn apart = without_in_place(insn);
  o->who = weft_insn_unit(insn->opcode);
  memset(o->need, 0, sizeof o->need);
  o->obstacle = (random_obstacle){.memory = -1};
  o->stamp++;
  random_accesses(&o->p->cfg, insn, look, o);
  random_accesses(&o->p->cfg, &apart, find_overlap, o);
  return o->obstacle;
}

/* --- joining ---------------------------------------------------------------------------------- */
static void commit(void *user, int memory, size_t first, size_t n, bool write) {
  random_order *o = user;
  const uint32_t seq = o->seq[o->who];
  if (memory == ACCESS_ACC) return;
  if (memory == ACCESS_ARENA) {
    for (size_t i = first; i < first + n; i++) (write ? o->stored : o->loaded)[i] = seq;
    return;
  }
  const size_t unit = o->unit[memory], bank = weft_bank_words(&o->p->cfg);
  for (size_t k = first / unit; k <= (first + n - 1) / unit; k++) {
    word_state *s = &o->word[memory][k];
    if (write) {
      s->writer = (uint8_t)o->who;
      s->writer_seq = seq;
    } else {
      s->reader_seq[o->who] = seq;
    }
    if (memory == WEFT_MEM_SPAD) o->port[write][k / bank][o->who] = seq;
  }
  if (write) memset(o->written[memory] + first, 1, n);
}

static void commit_sums(random_order *o, const weft_insn *insn) {
  if (insn->opcode != WEFT_OP_CODE_GEMM) return;
  const weft_insn_GEMM *in = &insn->GEMM;
  const size_t m = (size_t)in->out_h * in->out_w;
  if (in->acc_in || in->acc_out)
    memset(o->sums + in->acc_base, in->acc_out != 0, m * in->n_blocks);
  else if (in->kh * in->kw * in->k_blocks > 1)
    memset(o->sums + in->acc_base, 0, m);
}

/* The instruction takes a token from number `seq` of unit `from`. */
static void take(random_order *o, weft_insn *insn, int from, uint32_t seq) {
  const int poster = o->at[from][seq];
  assert(!(insn->wait >> from & 1) && seq > o->posted[from][o->who]);
  insn->wait |= 1u << from;
  o->p->insn[poster].post |= 1u << o->who;
  o->posted[from][o->who] = seq;
  for (int u = 0; u < WEFT_UNITS; u++)
    if (o->done[poster][u] > o->now[o->who][u]) o->now[o->who][u] = o->done[poster][u];
}

/* Units in a random order: a token from one may bring the order with another. */
static void take_tokens(random_order *o, random_source *r, random_tokens tokens, weft_insn *insn) {
  const int first = random_range(r, 0, WEFT_UNITS - 1);
  for (int i = 0; i < WEFT_UNITS; i++) {
    const int u = (first + i) % WEFT_UNITS;
    if (o->need[u] <= o->now[o->who][u]) continue;
    uint32_t seq = o->need[u];
    if (random_chance(r, tokens.late)) seq = (uint32_t)random_range(r, (int)seq, (int)o->seq[u]);
    take(o, insn, u, seq);
  }
  if (!random_chance(r, tokens.extra)) return;
  const int u = random_range(r, 0, WEFT_UNITS - 1);
  if ((insn->wait >> u & 1) || o->posted[u][o->who] == o->seq[u]) return;
  take(o, insn, u, (uint32_t)random_range(r, (int)o->posted[u][o->who] + 1, (int)o->seq[u]));
}

bool random_order_add(random_order *o, random_source *r, random_tokens tokens) {
  const int index = o->p->n;
  weft_insn *insn = &o->p->insn[index];
  const random_obstacle x = random_order_look(o, insn);
  if (x.overlap || x.sums || x.memory >= 0) return false;
  o->p->n++;
  if (o->who == WEFT_UNIT_FETCH) { /* ignores its tokens; every unit is idle afterwards */
    for (int u = 0; u < WEFT_UNITS; u++) memcpy(o->now[u], o->seq, sizeof o->seq);
    return true;
  }
  insn->wait = insn->post = 0;
  take_tokens(o, r, tokens, insn);
  const uint32_t seq = ++o->seq[o->who];
  o->at[o->who][seq] = index;
  memcpy(o->done[index], o->now[o->who], sizeof o->done[index]);
  o->done[index][o->who] = seq;
  random_accesses(&o->p->cfg, insn, commit, o);
  commit_sums(o, insn);
  return true;
}

bool random_program_order_again(random_program *p) {
  const int n = p->n;
  random_source none = {0};
  random_order *o = random_order_new(p);
  bool ok = true;
  for (p->n = 0; p->n < n && ok;) ok = random_order_add(o, &none, (random_tokens){0});
  p->n = n;
  random_order_free(o);
  return ok;
}
