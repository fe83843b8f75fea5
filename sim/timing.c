/* Time: an event loop over the fetch unit, five in-order units, their semaphores and the DRAM port.
 *
 * Nothing here looks at data. Each step finds the earliest thing that can happen next given what is
 * known, and lets it happen; GEMM, DW and VEC take their occupancy from arch/occupancy.c; LOAD,
 * STORE and fetch from memory_port.c. Every effect is at least one cycle after its cause, so the
 * order in which events of the same cycle are handled does not matter, except where the hardware
 * arbitrates, and there the rule is written out. */
#include "timing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t max2(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static void *grow(void *p, size_t *size, size_t need, size_t each) {
  if (need <= *size) return p;
  *size = need * 2;
  p = realloc(p, *size * each);
  if (!p) abort();
  return p;
}

static unsigned give_up(timing *t, unsigned cause, size_t insn) {
  if (!t->cause) {
    t->cause = cause;
    t->cause_insn = insn;
  }
  return cause;
}

/* --- semaphores ------------------------------------------------------------------------------- */
static void post(timing *t, int from, int to, uint64_t when, size_t insn) {
  token_fifo *f = &t->token[from][to];
  f->time = grow(f->time, &f->size, f->head + f->count + 1, sizeof *f->time);
  f->time[f->head + f->count++] = when;
  if (f->count > WEFT_TOKEN_MAX) {
    weft_fail(t->err, WEFT_EDEVICE, "semaphore %s to %s holds more than %d tokens",
              weft_unit_name(from), weft_unit_name(to), WEFT_TOKEN_MAX);
    give_up(t, WEFT_ERROR_TOKEN, insn);
  }
}

void timing_complete(timing *t, size_t insn, uint64_t end) {
  const weft_insn *in = &t->s->insn[insn];
  int u = weft_insn_unit(in->opcode);
  t->time[insn].end = end;
  for (int v = 0; v < WEFT_UNITS; v++)
    if (in->post >> v & 1) post(t, u, v, end + WEFT_T_POST, insn);
}

/* When all tokens that the instruction waits for are there. */
static uint64_t tokens_at(const timing *t, int u, const weft_insn *in) {
  uint64_t when = 0;
  for (int p = 0; p < WEFT_UNITS; p++) {
    if (!(in->wait >> p & 1)) continue;
    const token_fifo *f = &t->token[p][u];
    if (!f->count) return WEFT_NEVER;
    when = max2(when, f->time[f->head]);
  }
  return when;
}

static void take_tokens(timing *t, int u, const weft_insn *in) {
  for (int p = 0; p < WEFT_UNITS; p++)
    if (in->wait >> p & 1) {
      t->token[p][u].head++;
      t->token[p][u].count--;
    }
}

/* --- counters --------------------------------------------------------------------------------- */
/* Cycles of [from, to) in which the dispatcher was held up by a full queue. */
static uint64_t blocked_between(timing *t, unit_state *u, uint64_t from, uint64_t to) {
  uint64_t sum = 0;
  while (u->blocked_at < t->n_blocked && t->blocked[u->blocked_at].to <= from) u->blocked_at++;
  for (size_t i = u->blocked_at; i < t->n_blocked && t->blocked[i].from < to; i++) {
    uint64_t a = max2(t->blocked[i].from, from), b = t->blocked[i].to < to ? t->blocked[i].to : to;
    if (b > a) sum += b - a;
  }
  return sum;
}

void timing_account(timing *t, int unit, size_t insn, uint64_t to) {
  unit_state *u = &t->unit[unit];
  weft_unit_counters *c = &t->s->counter[unit];
  uint64_t start = t->time[insn].start, arrive = t->time[insn].arrive, gap = u->active_end;
  if (start > gap) {
    uint64_t waiting = max2(arrive, gap); /* in the queue, but not started: operands */
    c->stall_operand += start - waiting;
    if (waiting > gap) c->stall_queue += blocked_between(t, u, gap, waiting);
  }
  uint64_t from = max2(start, gap);
  if (to <= from) return;
  if (unit == WEFT_UNIT_LOAD || unit == WEFT_UNIT_STORE)
    c->stall_dram += to - from; /* words moved are taken off at the end */
  else
    c->busy += to - from;
  u->active_end = to;
}

/* --- units ------------------------------------------------------------------------------------ */
static uint64_t start_time(const timing *t, int unit) {
  const unit_state *u = &t->unit[unit];
  if (u->started == u->pushed) return WEFT_NEVER;
  size_t insn = u->insn[u->started];
  uint64_t when = tokens_at(t, unit, &t->s->insn[insn]);
  if (when == WEFT_NEVER || u->free == WEFT_NEVER) return WEFT_NEVER;
  when = max2(max2(when, u->free), t->time[insn].arrive);
  if (unit == WEFT_UNIT_LOAD) {
    uint64_t may = load_may_start(t);
    return may == WEFT_NEVER ? WEFT_NEVER : max2(when, may);
  }
  return when;
}

static void start(timing *t, int unit, uint64_t now) {
  unit_state *u = &t->unit[unit];
  size_t insn = u->insn[u->started++];
  const weft_insn *in = &t->s->insn[insn];
  take_tokens(t, unit, in);
  t->time[insn].start = now;
  if (unit == WEFT_UNIT_LOAD) {
    load_start(t, insn, now);
  } else if (unit == WEFT_UNIT_STORE) {
    store_start(t, insn, now);
  } else {
    weft_occupancy o = weft_insn_occupancy(&t->s->cfg, in);
    uint64_t stream = max2(now + o.prepare, u->stream_end);
    u->free = stream + o.release;
    u->stream_end = stream + o.stream;
    t->time[insn].busy = stream;
    timing_account(t, unit, insn, u->stream_end);
    u->last_end = max2(u->last_end + 1, u->stream_end + o.drain);
    timing_complete(t, insn, u->last_end);
  }
}

/* --- dispatch --------------------------------------------------------------------------------- */
static bool all_idle(const timing *t, uint64_t *since) {
  *since = 0;
  for (int u = 0; u < WEFT_UNITS; u++) {
    const unit_state *x = &t->unit[u];
    if (x->started != x->pushed) return false;
    if (!x->pushed) continue;
    uint64_t end = t->time[x->insn[x->pushed - 1]].end; /* in order: the last is the latest */
    if (end == WEFT_NEVER) return false;
    *since = max2(*since, end);
  }
  return true;
}

static uint64_t dispatch_time(const timing *t) {
  if (t->next == t->n || t->available[t->next] == WEFT_NEVER) return WEFT_NEVER;
  uint64_t when = max2(t->available[t->next], t->dispatch_free), other;
  int unit = weft_insn_unit(t->s->insn[t->next].opcode);
  if (unit == WEFT_UNIT_FETCH) return all_idle(t, &other) ? max2(when, other) : WEFT_NEVER;
  const unit_state *u = &t->unit[unit];
  size_t depth = t->s->cfg.queue_depth;
  if (u->pushed < depth) return when;
  if (u->pushed - u->started >= depth) return WEFT_NEVER;
  return max2(when, t->time[u->insn[u->pushed - depth]].start + 1);
}

static void dispatch(timing *t, uint64_t now) {
  size_t k = t->next++;
  int unit = weft_insn_unit(t->s->insn[k].opcode);
  uint64_t ready = max2(t->available[k], t->dispatch_free);
  if (t->available[k] > t->dispatch_free) t->fetch_stall += t->available[k] - t->dispatch_free;
  t->dispatch_free = now + 1;
  t->time[k].arrive = now + WEFT_T_DISPATCH;
  /* the last instruction of a 256-byte block frees its slot */
  uint64_t at = t->s->base[0] + t->s->program_offset + (k + 1) * WEFT_INSN_BYTES;
  if (at % WEFT_BURST_BYTES == 0)
    t->fetch_free[t->fetch_released++ % t->s->cfg.fetch_slots] = now + 1;
  if (unit == WEFT_UNIT_FETCH) {
    t->time[k].start = t->time[k].busy = now;
    t->time[k].end = now + WEFT_T_END;
    t->dispatch_free = now + WEFT_T_END;
    return;
  }
  if (now > ready) {
    t->blocked = grow(t->blocked, &t->size_blocked, t->n_blocked + 1, sizeof *t->blocked);
    t->blocked[t->n_blocked].from = ready;
    t->blocked[t->n_blocked++].to = now;
  }
  t->unit[unit].pushed++;
}

/* --- the loop --------------------------------------------------------------------------------- */
enum { ADDRESS = WEFT_UNITS, GRANT, DISPATCH, ACTIONS };

static void step(timing *t, int action, uint64_t now) {
  switch (action) {
  case ADDRESS: port_issue_address(t, now); break;
  case GRANT: port_grant(t, now); break;
  case DISPATCH: dispatch(t, now); break;
  default: start(t, action, now); break;
  }
}

static unsigned loop(timing *t) {
  uint64_t watchdog = t->s->watchdog ? t->s->watchdog : WEFT_NEVER - 1;
  while (t->next < t->n && !t->cause) {
    uint64_t when[ACTIONS];
    for (int u = 0; u < WEFT_UNITS; u++) when[u] = start_time(t, u);
    when[ADDRESS] = port_address_time(t);
    when[GRANT] = port_grant_time(t);
    when[DISPATCH] = dispatch_time(t);
    int best = 0;
    for (int i = 1; i < ACTIONS; i++)
      if (when[i] < when[best]) best = i;
    if (when[best] == WEFT_NEVER) {
      weft_fail(t->err, WEFT_EDEVICE, "deadlock: every unit waits for a token that nobody posts");
      return give_up(t, WEFT_ERROR_WATCHDOG, t->next);
    }
    if (when[best] > watchdog) {
      weft_fail(t->err, WEFT_EDEVICE, "still running after %llu cycles",
                (unsigned long long)watchdog);
      return give_up(t, WEFT_ERROR_WATCHDOG, t->next);
    }
    step(t, best, when[best]);
  }
  return t->cause;
}

/* Tokens that nobody took mean a program whose synchronization is not what its author thinks. */
static unsigned check_tokens(timing *t) {
  for (int p = 0; p < WEFT_UNITS; p++)
    for (int u = 0; u < WEFT_UNITS; u++)
      if (t->token[p][u].count) {
        weft_fail(t->err, WEFT_EDEVICE, "%zu tokens from %s to %s are left at the end",
                  t->token[p][u].count, weft_unit_name(p), weft_unit_name(u));
        return give_up(t, WEFT_ERROR_TOKEN, t->n - 1);
      }
  return WEFT_ERROR_NONE;
}

static void finish(timing *t) {
  weft_sim *s = t->s;
  s->cycles = t->time[t->n - 1].end;
  uint64_t upto = 0;
  for (size_t i = 0; i < t->n; i++) {
    upto = max2(upto, t->time[i].end);
    s->progress[i] = upto;
  }
  for (int u = 0; u < WEFT_UNITS; u++) {
    weft_unit_counters *c = &s->counter[u];
    c->stall_queue += blocked_between(t, &t->unit[u], t->unit[u].active_end, s->cycles);
    if (u == WEFT_UNIT_LOAD || u == WEFT_UNIT_STORE) c->stall_dram -= c->busy;
    c->idle = s->cycles - c->busy - c->stall_operand - c->stall_dram - c->stall_queue;
    assert(c->idle <= s->cycles && c->busy <= s->cycles);
  }
  weft_unit_counters *f = &s->counter[WEFT_UNIT_FETCH];
  f->busy = t->n;
  f->stall_dram = t->fetch_stall;
  for (size_t i = 0; i < t->n_blocked; i++) f->stall_queue += t->blocked[i].to - t->blocked[i].from;
  f->idle = s->cycles - f->busy - f->stall_dram - f->stall_queue;
  assert(f->idle <= s->cycles);
  /* one data bus: it cannot have moved more than a beat a cycle */
  assert(s->read_bytes + s->write_bytes <= s->cycles * s->cfg.dram_bytes);
}

static void setup(timing *t, weft_sim *s, size_t n, weft_err *err) {
  *t = (timing){.s = s, .n = n, .err = err};
  weft_dram_init(&t->dram, s->cfg.dram_bytes, s->cfg.dram_latency, s->cfg.dram_turnaround);
  s->times = realloc(s->times, n * sizeof *s->times);
  s->progress = realloc(s->progress, n * sizeof *s->progress);
  t->available = malloc(n * sizeof *t->available);
  if (!s->times || !s->progress || !t->available) abort();
  s->n_times = n;
  t->time = s->times;
  for (size_t i = 0; i < n; i++) {
    t->available[i] = WEFT_NEVER;
    t->time[i] = (weft_insn_time){WEFT_NEVER, WEFT_NEVER, WEFT_NEVER, WEFT_NEVER};
    int u = weft_insn_unit(s->insn[i].opcode);
    if (u < WEFT_UNITS) t->unit[u].n++;
  }
  for (int u = 0; u < WEFT_UNITS; u++) {
    t->unit[u].insn = malloc((t->unit[u].n + 1) * sizeof *t->unit[u].insn);
    if (!t->unit[u].insn) abort();
    t->unit[u].n = 0;
  }
  for (size_t i = 0; i < n; i++) {
    int u = weft_insn_unit(s->insn[i].opcode);
    if (u < WEFT_UNITS) t->unit[u].insn[t->unit[u].n++] = i;
  }
}

unsigned weft_time_program(weft_sim *s, size_t n, size_t *insn, weft_err *err) {
  timing *t = malloc(sizeof *t);
  if (!t) abort();
  setup(t, s, n, err);
  unsigned cause = loop(t);
  if (!cause) cause = check_tokens(t);
  if (!cause) finish(t);
  *insn = t->cause_insn;
  for (int p = 0; p < WEFT_UNITS; p++) {
    free(t->unit[p].insn);
    for (int u = 0; u < WEFT_UNITS; u++) free(t->token[p][u].time);
  }
  free(t->available);
  free(t->blocked);
  free(t);
  return cause;
}
